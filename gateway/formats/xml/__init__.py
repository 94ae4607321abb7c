"""XML: what leaves in a document or in a list of records (`minimiser`), files (`files`), operations of SOAP
(`operations`, `soap`, `addressing`), documents item by item (`items`, `item_files`), what is new in a source
(`drift`)."""

from gateway.formats.xml.drift import unknown_fields
from gateway.formats.xml.files import XmlFile, XmlListFile, first_element
from gateway.formats.xml.inbound import XmlInbound
from gateway.formats.xml.item_files import XmlDocumentFile, XmlItems, XmlItemsFile
from gateway.formats.xml.items import Left, document_of, leaving, named_in, sections, waiting
from gateway.formats.xml.minimiser import XmlMinimiser
from gateway.formats.xml.operations import Operation
from gateway.formats.xml.parse import Limits
from gateway.formats.xml.sample import sample_of
from gateway.formats.xml.source import Names

__all__ = [
    "Left",
    "Limits",
    "Names",
    "Operation",
    "XmlDocumentFile",
    "XmlFile",
    "XmlInbound",
    "XmlItems",
    "XmlItemsFile",
    "XmlListFile",
    "XmlMinimiser",
    "document_of",
    "first_element",
    "leaving",
    "named_in",
    "sample_of",
    "sections",
    "unknown_fields",
    "waiting",
]

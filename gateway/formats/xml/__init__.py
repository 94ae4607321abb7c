"""XML: what leaves in a document or in a list of records (`minimiser`), files (`files`), operations of SOAP
(`operations`, `soap`, `addressing`), what is new in a source (`drift`).

Two ways lead to the same text. The builder (`build`) follows a plan (`plan`) element by element and knows every rule.
What most records are is written as text at once (`straight`): the records of a list (`lane`), and the items of a
document of lists (`item_lane`), the rest of which the builder makes (`lists`). Such a document can come in pieces too:
`items` says which, and what must be known of what left before; `item_files` cuts it."""

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

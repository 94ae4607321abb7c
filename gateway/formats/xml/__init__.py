"""XML: what leaves in a document or in a list of records (`minimiser`), files (`files`), operations of SOAP
(`operations`, `soap`, `addressing`), what is new in a source (`drift`)."""

from gateway.formats.xml.drift import unknown_fields
from gateway.formats.xml.files import XmlFile, XmlListFile
from gateway.formats.xml.inbound import XmlInbound
from gateway.formats.xml.minimiser import XmlMinimiser
from gateway.formats.xml.operations import Operation
from gateway.formats.xml.parse import Limits
from gateway.formats.xml.source import Names

__all__ = ["Limits", "Names", "Operation", "XmlFile", "XmlInbound", "XmlListFile", "XmlMinimiser", "unknown_fields"]

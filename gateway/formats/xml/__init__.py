"""XML: what leaves in a document or in a list of records (`minimiser`), files (`files`)."""

from gateway.formats.xml.files import XmlFile
from gateway.formats.xml.minimiser import XmlMinimiser
from gateway.formats.xml.parse import Limits

__all__ = ["Limits", "XmlFile", "XmlMinimiser"]

"""XML: what leaves in a document or in a list of records (`minimiser`), files (`files`), what is new in a
source (`drift`)."""

from gateway.formats.xml.drift import unknown_fields
from gateway.formats.xml.files import XmlFile
from gateway.formats.xml.minimiser import XmlMinimiser
from gateway.formats.xml.parse import Limits

__all__ = ["Limits", "XmlFile", "XmlMinimiser", "unknown_fields"]

"""XML: what leaves in a document or in a list of records (`minimiser`)."""

from gateway.formats.xml.minimiser import XmlMinimiser
from gateway.formats.xml.parse import Limits

__all__ = ["Limits", "XmlMinimiser"]

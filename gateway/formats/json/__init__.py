"""JSON: what leaves in answers (`minimiser`), what comes in with requests (`inbound`), what is new (`drift`)."""

from gateway.formats.json.minimiser import EnvelopeBroken, JsonMinimiser, Minimised

__all__ = ["EnvelopeBroken", "JsonMinimiser", "Minimised"]

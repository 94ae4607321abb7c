"""What a file can be, whatever its format: the words that readers, filter and output share."""

from __future__ import annotations

from enum import StrEnum

from gateway.core.minimised import EnvelopeBroken


class Form(StrEnum):
    """An array of records, a single record or document, a record per line."""

    ARRAY = "array"
    SINGLE = "single"
    LINES = "lines"


class OtherFormat(EnvelopeBroken):
    """The first bytes are another format's, or another encoding's."""

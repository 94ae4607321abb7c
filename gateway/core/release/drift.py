"""What a field that nobody knows may be called in reports (house rule 8).

A name that does not look like an identifier could itself be personal data (a name as key of an object): it is shown as
`unnamed`. Leaves out: finding such fields (`formats`), when a name was seen often enough (`transfer`).
"""

from __future__ import annotations

import re

UNNAMED = "unnamed"
_IDENTIFIER = re.compile(r"[A-Za-z_@][A-Za-z0-9_@:.-]{0,63}")
_LONG_NUMBER = re.compile(r"\d{4}")


def shown(name: str) -> str:
    """The name, or that there is one."""
    return name if _IDENTIFIER.fullmatch(name) and not _LONG_NUMBER.search(name) else UNNAMED

"""How deep a JSON text nests, without building it: asked before a request's body is read (R107).

An answer of a source is not asked: what the projection does not name is skipped by the parser, which has a bound of
its own and then fails as a broken answer.
"""

from __future__ import annotations

import re

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")


def too_deep(body: bytes, most: int) -> bool:
    """Whether more than `most` objects and arrays stand within each other. Brackets in texts do not count."""
    if body.count(b"[") + body.count(b"{") <= most:
        return False  # not even if each stood within the one before
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > most:
            return True
    return False

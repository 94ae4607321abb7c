"""What one walk over a page of records did: what leaves, who is in it, what waits to be walked or judged apart.

Leaves out: the walk itself (`walk`), what becomes of it (`minimiser`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.core.release.emission import Emission
from gateway.core.release.sight import Seen


class Withheld(Exception):
    """Somebody deep in a record is withheld, and the whole record with them."""

    def __init__(self, seen: Seen) -> None:
        super().__init__()
        self.seen = seen


class Walked:
    """What one walk did. `rows`: what leaves, `keys`, by which it is sorted, and `sources`, the decoded records it was
    made of; `owners`: whose each row is, and `hidden`: keys of rows that stay behind because of these persons, both
    where views are kept; `shown` and `gone`: persons; `malformed`: decoded records; `thinner`: records by the paths
    withheld for their person, to be walked apart; `suspects`: records with a value that must be judged first, and the
    paths withheld for their person; `judged`: the same with what does not leave of them. `mask`: what becomes of free
    text, once there is a suspect."""

    __slots__ = (
        "gone",
        "hidden",
        "judged",
        "keys",
        "malformed",
        "mask",
        "owners",
        "rows",
        "shown",
        "sources",
        "suspects",
        "thinner",
    )

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.sources: list[Any] = []
        self.keys: list[str] = []
        self.owners: list[Seen | None] = []
        self.hidden: list[tuple[str, list[Seen]]] = []
        self.shown: list[Seen] = []
        self.gone: list[Seen] = []
        self.malformed: list[Any] = []
        self.thinner: dict[frozenset[str], list[Any]] = {}
        self.suspects: list[tuple[Any, frozenset[str]]] = []
        self.judged: list[tuple[frozenset[str], list[Any]]] = []
        self.mask: Callable[[str], str] = _nothing_of


def _nothing_of(_text: str) -> str:
    """Before anybody judged a text, nothing of it leaves."""
    return ""


Walk = Callable[[list[Any], Emission, Walked], None]

"""Where a row names a person: reading the ids in its cells. Leaves out: who that is and whether they may be seen
(`core.release.sight`)."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.core.model import Subject as Known
from gateway.core.policy.schema import Record
from gateway.core.reasons import Reason
from gateway.core.release.compiler import DeliveryRefused
from gateway.core.release.national_number import normal
from gateway.core.release.projection import Subject
from gateway.core.release.sight import ECK_ID, Memo, Seen, Sight

TEXT = "#text"
"""In the schema, the value of a cell that speaks of a person, and of one item in such a cell."""

_NUMBER = "bsn"  # the kind of id that is found by its keyed digest and kept nowhere (D7)


class Place:
    """One subject position: the row itself, or one cell. `needed`: no row is without this person."""

    def __init__(self, record: Record, subject: Subject, *, needed: bool) -> None:
        kinds = dict(subject.keys.kinds) if subject.keys else {}
        if subject.master is not None:
            kinds[subject.master] = ECK_ID
        if subject.typed is not None or (subject.at and set(kinds) != {TEXT}):
            raise DeliveryRefused(f"{record.name}: an id in CSV stands in a cell of its own (keys)")
        self.record = record
        self.subject = subject
        self.needed = needed
        self._kinds = {subject.at or name: kind for name, kind in kinds.items()}

    @property
    def columns(self) -> frozenset[str]:
        """Where the ids stand."""
        return frozenset(self._kinds)

    def said(self, row: Mapping[str, str]) -> tuple[str, ...]:
        """What stands in the cells that name this person."""
        return tuple(row.get(column, "").strip() for column in self._kinds)

    def see(self, said: tuple[str, ...], sight: Sight) -> Seen:
        """Whom these cells name; each once per sight."""
        memo: Memo = sight.bound.setdefault(self, Memo())
        return memo.get(said) or memo.keep(said, self._see(said, sight))

    def _see(self, said: tuple[str, ...], sight: Sight) -> Seen:
        ids = tuple((kind, value) for kind, value in self._ids(said) if value)
        held = tuple(one for one in ids if one[0] != _NUMBER) if self.subject.method == "held" else ()
        seen = sight.see(self.record, self.subject, ids, held)
        if seen.subject is not None and _of_another(seen.subject, ids, sight):
            return Seen(None, (Reason.PUPIL_UNRESOLVED,))
        return seen

    def _ids(self, said: tuple[str, ...]) -> list[tuple[str, str | None]]:
        pairs = zip(self._kinds.values(), said, strict=True)
        return [(kind, normal(text) if kind == _NUMBER else text) for kind, text in pairs]


def _of_another(subject: Known, ids: tuple[tuple[str, str], ...], sight: Sight) -> bool:
    """A row that names this pupil with another's number mixes two."""
    known = subject.numbers
    digest = sight.roster.digest
    return bool(known) and any(kind == _NUMBER and digest(value) not in known for kind, value in ids)

"""Where a record in XML names a person: reading the ids there. Leaves out: who that is and whether they may be seen
(`core.release.sight`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lxml import etree

from gateway.core.model import Category
from gateway.core.model import Subject as Known
from gateway.core.policy.grants import leaves
from gateway.core.policy.schema import Record
from gateway.core.reasons import Reason
from gateway.core.release.compiler import DeliveryRefused
from gateway.core.release.emission import Emission
from gateway.core.release.national_number import normal
from gateway.core.release.projection import Subject
from gateway.core.release.sight import ECK_ID, Seen, contradicted
from gateway.formats.xml.source import Source

_NUMBER = "bsn"  # the kind of id that is found by its keyed digest and kept nowhere (D7)


Ids = tuple[tuple[str, str], ...]
"""(kind of id, value)."""


class Place:
    """One subject position of one record. `birth`: the field of this person's birth date, in their own element."""

    def __init__(self, record: Record, subject: Subject, source: Source) -> None:
        if subject.typed is not None:
            raise DeliveryRefused(f"{record.name}: ids in XML stand each in a field of its own (keys)")
        self.record = record
        self.subject = subject
        self._source = source
        self.kinds = dict(subject.keys.kinds) if subject.keys else {}
        if subject.master is not None:
            self.kinds[subject.master] = ECK_ID
        self.birth = _birth(record, f"{subject.at}." if subject.at else "")

    def see(self, element: etree._Element, emission: Emission) -> Seen:
        """Whom this element speaks of; who is told to be born on another day than the school recorded, waits."""
        seen = self.known(self.said(self._texts(element)), emission)
        return contradicted(seen) if self.contradicts(element, seen) else seen

    def contradicts(self, element: etree._Element, seen: Seen) -> bool:
        """R109: another birth date than the one the school recorded."""
        if self.birth is None or seen.born is None or seen.reasons:
            return False
        said = [text.strip()[:10] for text in self._source.texts(element, self.birth) if text.strip()]
        return any(day != seen.born.isoformat() for day in said)

    def _texts(self, element: etree._Element) -> Iterator[tuple[str, str]]:
        for name, kind in self.kinds.items():
            for text in self._source.texts(element, name):
                yield kind, text

    def said(self, texts: Iterable[tuple[str, str | None]]) -> Ids:
        """(kind of id, value) of these texts."""
        found = ((kind, normal(text) if kind == _NUMBER else text.strip()) for kind, text in texts if text)
        return tuple((kind, value) for kind, value in found if value)

    def known(self, ids: Ids, emission: Emission) -> Seen:
        """Whom these ids name."""
        held = tuple(one for one in ids if one[0] != _NUMBER) if self.subject.method == "held" else ()
        seen = emission.sight.see(self.record, self.subject, ids, held)
        if seen.subject is not None and self._of_another(seen.subject, ids, emission):
            return Seen(None, (Reason.PUPIL_UNRESOLVED,))
        return seen

    def counts(self, ids: Ids) -> bool:
        """Whether one of them is a national number, which is remembered nowhere."""
        return any(kind == _NUMBER for kind, _ in ids)

    def _of_another(self, subject: Known, ids: Ids, emission: Emission) -> bool:
        """A record that names this pupil with another's number mixes two."""
        known = subject.numbers
        digest = emission.sight.roster.digest
        return bool(known) and any(kind == _NUMBER and digest(value) not in known for kind, value in ids)


def _birth(record: Record, at: str) -> str | None:
    for path, leaf in leaves(record.fields):
        name = path.removeprefix(at)
        days = leaf.category is Category.BIRTH_DATE and leaf.format == "date"
        if days and path.startswith(at) and "." not in name:
            return name
    return None

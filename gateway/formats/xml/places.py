"""Where a record in XML names a person: reading the ids there. Leaves out: who that is and whether they may be seen
(`core.release.emission`)."""

from __future__ import annotations

from lxml import etree

from gateway.core.model import Subject as Known
from gateway.core.policy.schema import Record
from gateway.core.reasons import Reason
from gateway.core.release.emission import ECK_ID, Emission, Seen
from gateway.core.release.national_number import normal
from gateway.core.release.projection import DeliveryRefused, Subject
from gateway.formats.xml.source import Source

_NUMBER = "bsn"  # the kind of id that is found by its keyed digest and kept nowhere (D7)


class Place:
    """One subject position of one record."""

    def __init__(self, record: Record, subject: Subject, source: Source) -> None:
        if subject.typed is not None:
            raise DeliveryRefused(f"{record.name}: ids in XML stand each in a field of its own (keys)")
        self.record = record
        self.subject = subject
        self._source = source
        self._kinds = dict(subject.keys.kinds) if subject.keys else {}
        if subject.master is not None:
            self._kinds[subject.master] = ECK_ID

    def see(self, element: etree._Element, emission: Emission) -> Seen:
        """Whom this element speaks of."""
        ids = self.ids(element)
        held = tuple(one for one in ids if one[0] != _NUMBER) if self.subject.method == "held" else ()
        seen = emission.sight.see(self.record, self.subject, ids, held)
        if seen.subject is not None and self._of_another(seen.subject, ids, emission):
            return Seen(None, (Reason.PUPIL_UNRESOLVED,))
        return seen

    def ids(self, element: etree._Element) -> tuple[tuple[str, str], ...]:
        """(kind of id, value)."""
        found = []
        for name, kind in self._kinds.items():
            for text in self._source.texts(element, name):
                value = normal(text) if kind == _NUMBER else text.strip()
                if value:
                    found.append((kind, value))
        return tuple(found)

    def _of_another(self, subject: Known, ids: tuple[tuple[str, str], ...], emission: Emission) -> bool:
        """A record that names this pupil with another's number mixes two."""
        known = subject.numbers
        digest = emission.sight.roster.digest
        return bool(known) and any(kind == _NUMBER and digest(value) not in known for kind, value in ids)

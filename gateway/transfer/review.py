"""What of one pupil waits for a person in a delivery: texts, as masked as they would leave, and documents (D8).

In what the source holds now, or in a file that is to be handed in. Everything a delivery does but its end: nothing
leaves and no entry says that something did. That the person looks is in the register before this runs. Leaves out: the
release (`bootstrap.texts`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from gateway.core.policy.terms import Delivery
from gateway.core.release.classified import Waiting
from gateway.transfer.filing import Filing, Wanted, by_element, cut, handed_in, handed_in_as
from gateway.transfer.one_pupil import OnePupil, caller_for
from gateway.transfer.remembered import Remembered
from gateway.transfer.request import Stop
from gateway.transfer.resolve import Absent
from gateway.transfer.steps import Outside, Sizes


class Review(OnePupil):
    """One per look at one pupil."""

    async def waiting(self, person: str, source: str, delivery: Delivery, record: str) -> list[Waiting]:
        """In this record of this delivery, from this source. Raises Stop: for a pupil of whom nothing would leave, with
        the first reason."""
        match = self.match(source, delivery, record)
        inquiry = self.inquiry(match, delivery, delivery.channel)
        emission = await self.looked_at(self.begin(caller_for(person, delivery)), match, inquiry)
        if isinstance(emission, Absent):
            raise Stop(emission.reasons[0])
        return [one for one in emission.waiting if one.subject.id == self.subject]


class FileReview(Filing):
    """One per look at one pupil in one file."""

    def __init__(self, outside: Outside, sizes: Sizes, subject: bytes) -> None:
        super().__init__(outside, sizes, Remembered(outside.world))
        self.subject = subject

    def waiting(self, person: str, wanted: Wanted, chunks: Iterable[bytes]) -> list[Waiting]:
        """Raises Stop: for a file that may not be read or is none, and for a pupil of whom nothing of it would leave,
        with the first reason."""
        snapshot = self.outside.world.now()
        wanted, chunks = by_element(snapshot.compiled, wanted, chunks)
        match, inquiry = handed_in(snapshot.compiled, wanted)
        _, emission, minimiser = self.emission(self.begin(wanted.caller(person)).at(match), inquiry, snapshot)
        reader = handed_in_as(match, self.sizes.answer_bytes)
        for records, _ in cut(reader, chunks, self.sizes.answer_bytes):
            self.minimised(partial(minimiser.minimise, reader.piece(records), emission, many=True))
        for subject, reasons in emission.withheld:
            if subject.id == self.subject:
                raise Stop(reasons[0])
        return [one for one in emission.waiting if one.subject.id == self.subject]

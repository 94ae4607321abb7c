"""What of one pupil waits for a person in a delivery: texts, as masked as they would leave, and documents (D8).

Everything a delivery does but its end: nothing leaves and no entry says that something did. That the person looks is in
the register before this runs. Leaves out: the release (`bootstrap.texts`).
"""

from __future__ import annotations

from gateway.core.policy.terms import Delivery
from gateway.core.release.classified import Waiting
from gateway.transfer.one_pupil import OnePupil, caller_for
from gateway.transfer.request import Stop
from gateway.transfer.resolve import Absent


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

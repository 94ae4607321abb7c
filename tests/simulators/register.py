"""ports.Register in memory: keeps the port's promise, and can be broken on purpose.

register = SimulatedRegister()
register.unwritable = True        # append raises RegisterUnavailable, nothing is kept
register.versions = Versions(2, 1, 1)   # a draft made under others raises VersionsChanged
register.entries, register.rolls  # what `core.verification.verify` reads
"""

from __future__ import annotations

from gateway.core.model import Versions
from gateway.core.register import START, Draft, Issue, encode, link, members, roll_of
from gateway.core.release.views import Viewed
from gateway.core.verification import StoredEntry, StoredRoll
from gateway.transfer.ports import Receipt, RegisterUnavailable, VersionsChanged


class SimulatedRegister:
    """An append-only chain in two lists."""

    def __init__(self) -> None:
        self.versions = Versions(1, 1, 1)
        self.unwritable = False
        self.drafts: list[Draft] = []
        self.entries: list[StoredEntry] = []
        self.rolls: list[StoredRoll] = []
        self.spent: dict[str, str] = {}
        self.issued: dict[tuple[str, str, str], Issue] = {}
        self.views: dict[bytes, Viewed] = {}
        self.anchors: dict[tuple[str, int], bytes] = {}

    async def append(self, draft: Draft) -> Receipt:
        if self.unwritable:
            raise RegisterUnavailable
        if draft.versions is not None and draft.versions != self.versions:
            raise VersionsChanged
        spends = draft.spends
        if spends is not None and self.spent.setdefault(spends.permit, spends.handover) != spends.handover:
            raise VersionsChanged
        roll = roll_of([s.reference for s in draft.released], [(s.reference, why) for s, why in draft.withheld])
        body = encode(draft, roll.digest if roll else None)
        previous = self.entries[-1].hash if self.entries else START
        assert isinstance(previous, bytes)
        number = None
        if roll is not None:
            known = {stored.digest: stored.number for stored in self.rolls}
            if roll.digest not in known:
                known[roll.digest] = len(self.rolls) + 1
                self.rolls.append(StoredRoll(len(self.rolls) + 1, roll.digest, roll.body, (*members(roll.body),)))
            number = known[roll.digest]
        sequence = len(self.entries) + 1
        self.entries.append(StoredEntry(sequence, draft.id, number, body, previous, link(previous, body)))
        self.drafts.append(draft)
        for issue in draft.issued:
            key = (issue.domain, issue.thing, issue.pseudonym)
            if key not in self.issued or self.issued[key].owner is None:
                self.issued[key] = issue
        self.views |= {one.view.lookup: one for one in draft.views}
        self.anchors |= {(one.context, one.offset): one.sealed for one in draft.anchors}
        return Receipt(draft.id, sequence)

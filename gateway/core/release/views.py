"""What a recipient last got of each record, and what follows from it: unchanged, changed, ended or absent.

A *view* is one record as it last left under one delivery: a keyed digest, the moment it first left, and the moment it
last became another. Both are moments of this recipient's own calls, so that they tell it nothing that comparing two
answers would not, and nothing that another recipient could recognise (house rule 7). From views come the moments and
the status that a format demands (transform `view`), what changed since a moment (what was corrected too: R89, N12),
and who has ended.

An *end* is told by what is left of the record (`remains`: ids, and what the format demands of everybody), for as long
as the view is kept after it, only to who had the record, without why. Somebody who is absent for a while has not ended.
What is written down is no more than what changed, in the transaction of the entry (`Viewed`).

For a format: give `Views.look` the records as they would leave, and `Views.ended` says who is no longer there; both
come with the `Stamp` that leaves with them. `Views.latest` is the moment at which anything of this answer last changed.
Leaves out: where views are kept (`adapters.views`), the form of a record (`formats`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

import msgspec

from gateway.core.model import Subject
from gateway.core.reasons import Reason

Status = Literal["active", "tobedeleted"]
"""As Edu-V and OneRoster call it."""

ENDS = frozenset(
    {
        Reason.PUPIL_NOT_IN_SCOPE,
        Reason.RETENTION_PASSED,
        Reason.CONSENT_MISSING,
        Reason.CONSENT_REFUSED,
        Reason.CONSENT_WITHDRAWN,
        Reason.CONSENT_EXPIRED,
        Reason.CONSENT_WRONG_PURPOSE,
        Reason.CONSENT_WRONG_RECIPIENT,
        Reason.CONSENT_SCOPE_CHANGED,
        Reason.CONSENT_GIVER_NOT_ENTITLED,
    }
)
"""Left, out of rows, too late, without consent. Anything else (a restriction, a hold, an objection, a record that
cannot be read) may pass, and beside it not even these are told: who is restricted must not be erased (art. 18 AVG)."""


class Shelf(NamedTuple):
    """Where views lie together: one kind of record of one delivery from one source."""

    source: str
    recipient: str
    purpose: str
    schema: str
    record: str


class View(NamedTuple):
    """`lookup` stands for the recipient's id of the record; `place`: the location in whose lists it stands ("" where
    none is named); `frozen`: when the recipient was told to keep it and not to use it. Moments are RFC 3339 in UTC, so
    that they compare as text."""

    lookup: bytes
    digest: bytes
    place: str
    first: str
    changed: str
    ended: str | None = None
    frozen: str | None = None


class Remembered(msgspec.Struct, frozen=True, array_like=True):
    """What is sealed beside a view: the recipient's `key` of the record, whose it is, under which key version, and what
    is told of it when it ends. Fields are only added, at the end, with a default."""

    key: str
    owner: bytes | None
    version: int
    remains: bytes

    def __repr__(self) -> str:
        return "<Remembered …>"


class Viewed(msgspec.Struct, frozen=True):
    """A view to write down: new, changed, ended, or in another place."""

    shelf: Shelf
    view: View
    remembered: Remembered

    def __repr__(self) -> str:
        return "<Viewed …>"


class Stamp(NamedTuple):
    """What the recipient reads of a record's life."""

    first: str
    changed: str
    status: Status = "active"


class Match(NamedTuple):
    """A record that leaves beside what is remembered of it. `stamp`: where it is the same as then."""

    lookup: bytes
    digest: bytes
    view: View | None
    stamp: Stamp | None


def match(lookup: bytes, digest: bytes, view: View | None) -> Match:
    same = view is not None and view.digest == digest and view.ended is None and view.frozen is None
    return Match(lookup, digest, view, Stamp(view.first, view.changed) if view is not None and same else None)


class Shelves(Protocol):
    """What is remembered, as an answer asks for it; shared by all processes."""

    def match(self, shelf: Shelf, keys: Sequence[str], contents: Sequence[bytes]) -> list[Match]:
        """What is remembered under each key, and the digest of what would leave now."""
        ...

    def count(self, shelf: Shelf, places: frozenset[str] | None) -> int:
        """How many views lie in these places (None: in all)."""
        ...

    def others(
        self, shelf: Shelf, places: frozenset[str] | None, seen: Collection[bytes]
    ) -> Iterator[tuple[View, Remembered]]:
        """The views in these places that are none of these."""
        ...


class Ended(NamedTuple):
    """A record that is no longer there: the recipient's key of it, and what is told."""

    key: str
    stamp: Stamp
    remains: bytes


class Unannounced(Exception):
    """Somebody who is restricted would be missing before the recipient was told to keep what it has (art. 19 AVG)."""


class Owner(NamedTuple):
    """Whose record it is, as the screening sees this person now. `reasons`: why withheld (empty: available, None: no
    longer known here)."""

    reasons: Sequence[Reason] | None
    subject: Subject | None = None


def released(found: Match, place: str, moment: str) -> View:
    """The view of a record that leaves now."""
    view = found.view
    if view is None:
        return View(found.lookup, found.digest, place, moment, moment)
    changed = view.changed if found.stamp is not None else moment
    return View(found.lookup, found.digest, place, view.first, changed)


def has_ended(owner: Owner, *, version: int, current: int, unlisted: bool) -> bool:
    """Of a record that was not released. `version`: of the pseudonym keys, under which it got its id; `unlisted`: the
    source itself no longer has this record of somebody who is available. Who is restricted, or might be two and perhaps
    is, has not ended, under no key: what is there of them must be kept (art. 18 AVG)."""
    if is_restricted(owner) or owner == UNSURE:
        return False
    if version != current or owner.reasons is None:
        return True
    return ENDS.issuperset(owner.reasons) if owner.reasons else unlisted


UNSURE = Owner((Reason.PUPIL_UNRESOLVED,))
"""Of somebody who might be two (R109): nobody for now, and nobody of whom anything ended."""


def is_restricted(owner: Owner) -> bool:
    return owner.reasons is not None and Reason.PUPIL_RESTRICTED in owner.reasons


@dataclass(slots=True, eq=False)
class Views:
    """Those of one answer, or of one part of one. `places`: the locations that were asked for (None: all). `seen`: what
    the answer held so far, and whether it was known in these places, shared by its parts. `whole`: with this part the
    answer is complete, so that who is not in it may have ended; `single`: it has no other part. `announces`: this
    recipient deletes who is missing, and is told of a restriction first; `first`: it must be looked whether that was
    done. `written`: what the entry's transaction writes down."""

    shelves: Shelves = field(repr=False)
    shelf: Shelf
    moment: str
    version: int
    places: frozenset[str] | None = None
    whole: bool = False
    single: bool = True
    announces: bool = False
    first: bool = False
    seen: dict[bytes, bool] = field(default_factory=dict, repr=False)
    written: list[Viewed] = field(default_factory=list, repr=False)
    told: int = 0
    latest: str = ""

    def look(
        self,
        keys: Sequence[str],
        contents: Sequence[bytes],
        owners: Sequence[Subject | None],
        remains: Callable[[bytes], bytes],
    ) -> list[Stamp]:
        """Records that leave, under the recipient's keys; `remains` makes of one what is told when it ends."""
        only, seen = self._only, self.seen
        stamps: list[Stamp] = []
        for number, found in enumerate(self.shelves.match(self.shelf, keys, contents)):
            view = found.view
            if found.stamp is not None and view is not None and view.place == only:
                seen[found.lookup] = True
                stamps.append(found.stamp)
                continue
            owner = owners[number]
            new = released(found, self._place(view, owner), self.moment)
            if new != view:
                about = Remembered(keys[number], owner.id if owner else None, self.version, remains(contents[number]))
                self.written.append(Viewed(self.shelf, new, about))
            seen[found.lookup] = view is not None and (self.places is None or view.place in self.places)
            stamps.append(Stamp(new.first, new.changed))
        self._note(stamps)
        return stamps

    @property
    def _only(self) -> str:
        """The one location that was asked for."""
        return next(iter(self.places)) if self.places is not None and len(self.places) == 1 else ""

    def _place(self, known: View | None, owner: Subject | None) -> str:
        """In whose lists it stands: where it stood, as long as its owner is there; else where it was asked for."""
        asked, only = self.places, self._only
        there = [one.location for one in owner.enrolments] if owner is not None else []
        if known is not None and (known.place == only or known.place in there):
            return known.place
        return only or min((one for one in there if asked is None or one in asked), default="")

    def ended(self, owner: Callable[[bytes], Owner], unlisted: Callable[[str, Owner], bool]) -> list[Ended]:
        """Who had been released and is told to have ended; nobody, while the answer is not complete. `owner`: by
        internal id; `unlisted`: whether the source would have shown this record and does not."""
        seen = sum(self.seen.values())
        if not (self.whole or self.first) or self.shelves.count(self.shelf, self.places) <= (
            seen if self.single else 0
        ):
            return []
        if self.first:
            self._announced(owner)
        told: list[Ended] = []
        for view, about in self.shelves.others(self.shelf, self.places, self.seen) if self.whole else ():
            end = view.ended or self._end(view, about, owner, unlisted)
            if end is not None:
                told.append(Ended(about.key, Stamp(view.first, end, "tobedeleted"), about.remains))
        self.told += len(told)
        self._note([one.stamp for one in told])
        return told

    def lacks_most(self, here: Collection[bytes], owner: Callable[[bytes], Owner]) -> bool:
        """Whether more persons who are available and had records are in none of this answer than are in it (`here`)."""
        others = self.shelves.others(self.shelf, self.places, self.seen)
        missing = {about.owner for view, about in others if about.owner is not None and view.ended is None}
        return sum(not owner(one).reasons and owner(one).subject is not None for one in missing - set(here)) > len(here)

    def _announced(self, owner: Callable[[bytes], Owner]) -> None:
        """Raises Unannounced."""
        for view, about in self.shelves.others(self.shelf, self.places, self.seen):
            unheard = about.owner is not None and view.ended is None and view.frozen is None
            if unheard and about.owner is not None and is_restricted(owner(about.owner)):
                raise Unannounced

    def _end(
        self,
        view: View,
        about: Remembered,
        owner: Callable[[bytes], Owner],
        unlisted: Callable[[str, Owner], bool],
    ) -> str | None:
        """The moment of an end that is told now for the first time."""
        whose = NOBODYS if about.owner is None else owner(about.owner)
        gone = self.single and unlisted(about.key, whose)
        if not has_ended(whose, version=about.version, current=self.version, unlisted=gone):
            return None
        self.written.append(Viewed(self.shelf, view._replace(ended=self.moment), about))
        return self.moment

    def _note(self, stamps: Sequence[Stamp]) -> None:
        self.latest = max([self.latest, *[one.changed for one in stamps]])


NOBODYS = Owner(())
"""Of what belongs to nobody: a group."""

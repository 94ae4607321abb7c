"""What this recipient last got, beside an answer: with which views it is built, and what the answer tells of them.

A format that tells moments and status per record does so while it is built (`formats`). One that can only ask whether
anything changed (UWLR) is remembered as a whole: each question and its answer, and whom it held. Leaves out: what
follows from a view (`core.release.views`), notices (`notices`).
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime

from gateway.core.days import AMSTERDAM
from gateway.core.model import Person
from gateway.core.policy.schema import Record
from gateway.core.reasons import Reason
from gateway.core.release.emission import Emission
from gateway.core.release.minimised import Minimised
from gateway.core.release.views import Shelf, Shelves, Views
from gateway.transfer.inquiry import Inquiry
from gateway.transfer.minimiser import Minimiser
from gateway.transfer.remembered import Granted
from gateway.transfer.request import Match, Stop
from gateway.transfer.trail import Trail, instant


def moment_of(trail: Trail) -> str:
    """In milliseconds, as clients read moments."""
    return f"{instant(trail.moment)[:-4]}Z"


def watched(shelves: Shelves, trail: Trail, inquiry: Inquiry, granted: Granted, minimiser: Minimiser) -> Emission:
    """With what this recipient last got, where its delivery tells that or its format asks for it."""
    sight, call = granted.sight, inquiry.call
    delivery = sight.delivery
    if not minimiser.projection.views or delivery.conditions.one_off:
        return Emission(sight)
    shelf = Shelf(call.source, delivery.recipient, delivery.purpose, call.schema, call.record)
    views = Views(shelves, shelf, moment_of(trail), sight.version, call.locations, announces=delivery.notices)
    return Emission(sight, views)


def people_of(shelf: Shelf) -> Shelf:
    """Where it is remembered who stood in answers that are remembered as a whole."""
    return shelf._replace(record=f"{shelf.record} people")


def message_unchanged(
    match: Match, inquiry: Inquiry, record: Record, emission: Emission, minimised: Minimised, now: datetime
) -> bool:
    """Whether the answer to this question is what its sender has since the moment it tells; nothing is never that, as
    it is not of a group that never was (house rule 5). Raises Unannounced."""
    views = emission.views
    if views is None or match.route.soap is None:
        return False
    since = _since(inquiry.since)
    asked = [match.route.soap.action, *(f"{one.name}={value}" for one, value in inquiry.message)]
    # as long as the question may be, what is kept of it is not
    question = hashlib.sha256("\n".join(asked).encode()).hexdigest()
    (stamp,) = views.look([question], [minimised.body], [None], _nothing)
    whole = all(one.meaning != "thing" for one, _ in inquiry.message) and not inquiry.asked.part
    _people(views, record, emission, whole=whole)
    return bool(minimised.records) and since is not None and datetime.fromisoformat(stamp.changed) <= since < now


def _people(views: Views, record: Record, emission: Emission, *, whole: bool) -> None:
    """Who stood in it, so that notices can be given of them; an end is told by absence alone."""
    people = replace(views, shelf=people_of(views.shelf), seen={}, written=[], whole=whole, first=views.announces)
    pupils = [one for one in emission.released if one.person is Person.PUPIL]
    keys = [emission.pseudonym(one) for one in pupils]
    people.look(keys, [b""] * len(keys), pupils, _nothing)
    emission.ended(record, {}, people)
    views.written += people.written


def _nothing(_record: bytes) -> bytes:
    return b""


def _since(said: str | None) -> datetime | None:
    """A moment without zone is one of the Dutch clock."""
    if said is None:
        return None
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        raise Stop(Reason.PARAMETER_INVALID, "laatstontvangengegevens") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=AMSTERDAM)

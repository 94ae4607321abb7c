"""Of whom an answer tells: one who is named, some, or everybody of a location; and when an empty list is believed.

Leaves out: which question lists everybody (`listing`), what becomes of who is missing (`core.release.views`).
"""

from __future__ import annotations

from datetime import date

from gateway.core.days import school_year
from gateway.core.gate.decide import FILE, Permit
from gateway.core.model import Finding, Person
from gateway.core.policy.grants import leaf_at
from gateway.core.reasons import Reason
from gateway.core.release.emission import Emission
from gateway.transfer.inquiry import Inquiry
from gateway.transfer.listing import lists_all, located
from gateway.transfer.ports import Snapshot
from gateway.transfer.request import Match, Stop


def is_list(match: Match, inquiry: Inquiry) -> bool:
    """A list names nobody, in its path neither: it may be empty, and says of nobody that he is absent."""
    return match.route.many and inquiry.named is None and not inquiry.asked.people and not _names_its_record(match)


def _names_its_record(match: Match) -> bool:
    """One record by its own id, also where it comes in an array (Somtoday)."""
    record = match.schema.records[match.route.record]
    own = leaf_at(record.fields, record.order) if record.order else None
    kinds = [one.maps for one in match.route.parameters if one.meaning == "thing" and one.place == "path"]
    return own is not None and own.maps in kinds


def is_whole(match: Match, inquiry: Inquiry) -> bool:
    """The list of everybody, so that who is missing there is missing (`release.views`). In a format with pages some
    lists are of a part (`/students`): whole is the one that is called as its records."""
    if not is_list(match, inquiry):
        return False
    asked = inquiry.asked
    part = match.schema.paging is not None and not lists_all(match.route, match.schema)
    whole = not (asked.things or asked.plain or asked.part or part or (match.values and not located(match.route)))
    return whole and inquiry.call.channel != FILE  # who hands in says what is in it


def believed(match: Match, inquiry: Inquiry, emission: Emission, snapshot: Snapshot) -> None:
    """A list of everybody that holds no pupil, of a location where the roster knows some, is a broken answer, as one
    that is "not found" or only of others: a client would delete what it holds. Raises Stop."""
    if not is_whole(match, inquiry):
        return
    told = (*emission.released, *(one for one, _ in emission.withheld))
    if not any(one.person is Person.PUPIL for one in told):
        someone(match, inquiry, emission.sight.today, snapshot)


def someone(match: Match, inquiry: Inquiry, today: date, snapshot: Snapshot) -> None:
    """Where a list holds nobody. Raises Stop where that cannot be (R109)."""
    if _lists_pupils(match, inquiry, today) and snapshot.rosters[match.source].peopled(inquiry.call.locations, today):
        raise Stop(Reason.UPSTREAM_FAILED, findings=(Finding(Reason.UPSTREAM_FAILED, "nobody is told"),))


def _lists_pupils(match: Match, inquiry: Inquiry, today: date) -> bool:
    """Of a message: those of no group but all, in a part that it has, in the year of which the roster tells."""
    record, soap = match.schema.records[match.route.record], match.route.soap
    if soap is None:
        return any(not one.at and one.person is Person.PUPIL for one in record.subjects)
    part = any(one.meaning == "thing" and text for one, text in inquiry.message)
    now = all(text == school_year(today) for one, text in inquiry.message if one.export == "school-year")
    pupils = [one.at.split(".")[0] for one in record.subjects if one.person is Person.PUPIL]
    return now and not part and any(one in soap.parts for one in pupils)


def one_table(permit: Permit, match: Match, inquiry: Inquiry) -> None:
    """R45: counts are of the whole location whatever is asked; a part gives small cells away by its difference."""
    if permit.standing.delivery.aggregate is None:
        return
    if not is_list(match, inquiry):
        raise Stop(Reason.ROUTE_UNKNOWN)
    if inquiry.asked.things or inquiry.asked.plain:
        raise Stop(Reason.PARAMETER_UNKNOWN)

"""One pupil, as a person at the command line names and sees them: by the administration's own number.

Leaves out: what is known about a pupil (`fact_acts`), who may look (`core.persons`).
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.adapters.facts.batches import UnknownSubject, concerned
from gateway.bootstrap.school import Refused, School
from gateway.core.model import Subject
from gateway.core.persons import Actor, Deed, places

UNKNOWN = "this source has no such pupil"


def source_of(school: School, source: str | None) -> str:
    """The source that is meant; where there is one it need not be named. Raises Refused."""
    own = school.settings.numbering
    if source is None and len(own) == 1:
        return own[0]
    if source is None or source not in school.settings.sources:
        raise Refused(["say which source knows this pupil: --source"])
    return source


def pupil(school: School, source: str | None, las_key: str) -> Subject:
    """Raises Refused; the number is not repeated."""
    roster = school.world().now().rosters[source_of(school, source)]
    found = roster.find("las-key", las_key)
    if found is None:
        raise Refused([UNKNOWN])
    return found


def looked_at(
    school: School, actor: Actor, source: str | None, las_key: str, reason: str, about: Mapping[str, str]
) -> Subject:
    """The pupil, once it is registered that this person looks (R80). Who may look at no pupil is not told that there is
    none. Raises Refused."""
    try:
        subject = pupil(school, source, las_key)
    except Refused:
        school.look(actor, Deed.PUPIL_VIEW, reason, locations=places(actor, Deed.PUPIL_VIEW) or ())
        raise
    locations = {one.location for one in subject.enrolments}
    try:
        school.look(actor, Deed.PUPIL_VIEW, reason, [subject], locations, about)
    except Refused:
        if places(actor, Deed.PUPIL_VIEW):  # a pupil of another location is nobody to them (R68)
            raise Refused([UNKNOWN]) from None
        raise
    return subject


def as_registered(school: School, internal: bytes) -> list[Subject]:
    """The pupil as the register names them; nobody when they were forgotten."""
    try:
        with school.database.read() as connection:
            return concerned(connection, school.store_keys, {internal})
    except UnknownSubject:
        return []


def numbers(school: School, internal: bytes) -> list[str]:
    """The pupil's number in every source that has them, as "source number"."""
    rosters = school.world().now().rosters
    found = [(name, roster.by_id(internal)) for name, roster in rosters.items()]
    return [f"{name} {one.ids['las-key']}" for name, one in found if one is not None and "las-key" in one.ids]

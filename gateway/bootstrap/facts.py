"""What persons do about facts as a whole: declare a kind complete for a location, and see what is still to be done.

Leaves out: single facts and imports of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.adapters.database.opening import database_exists
from gateway.adapters.facts import declarations
from gateway.adapters.facts import store as fact_store
from gateway.bootstrap.acts import roster_status
from gateway.bootstrap.school import Refused, School, Unusable, check, open_school, read_settings
from gateway.core.facts import DECLARED, Kind
from gateway.core.gate.declared import undeclared
from gateway.core.persons import WITHHELD, Actor, Deed, may, sees_secrets
from gateway.core.policy.terms import Recipient

# How many there are tells that there are some: for who sees secrets only (D4, R100).
SECRET_KINDS = frozenset({Kind.MARKER, Kind.PERMIT, Kind.RELEASE})


@dataclass(frozen=True, slots=True)
class Status:
    """One list of what stands between a fresh installation and its first delivery. `declared`: by whom and when, or
    None with the recipients that wait for it."""

    declared: tuple[tuple[Kind, str, declarations.Declared | None, tuple[str, ...]], ...]
    synchronised: tuple[tuple[str, str, str], ...]


def declare(school: School, actor: Actor, kinds: Iterable[str], locations: Iterable[str], reason: str) -> None:
    """Raises Refused."""
    for kind, location in _known(school, kinds, locations):
        act = school.act(actor, Deed.FACTS_DECLARE, reason, (location,))
        declarations.declare(school.database, act, kind, location)


def undeclare(school: School, actor: Actor, kinds: Iterable[str], locations: Iterable[str], reason: str) -> None:
    """Deliveries that use these kinds stop at these locations. Raises Refused."""
    for kind, location in _known(school, kinds, locations):
        act = school.act(actor, Deed.FACTS_DECLARE, reason, (location,))
        if not declarations.undeclare(school.database, act, kind, location):
            raise Refused([f"{kind} is not declared for {location}"])


def _known(school: School, kinds: Iterable[str], locations: Iterable[str]) -> list[tuple[Kind, str]]:
    kinds, locations = list(kinds), list(locations)
    wrong = [f"{kind} is no kind to declare: {', '.join(DECLARED)}" for kind in kinds if kind not in DECLARED]
    known = school.settings.organisation.locations
    wrong += [f"gateway.yaml has no location {name}" for name in locations if name not in known]
    if wrong:
        raise Refused(wrong)
    return [(Kind(kind), location) for location in locations for kind in kinds]


def status(school: School) -> Status:
    """Shows no pupil and no number of pupils."""
    known = {(one.kind, one.location): one for one in declarations.declarations(school.database)}
    waiting = _waiting(check(school.directory).recipients, known)
    places = sorted(school.settings.organisation.locations)
    rows = [
        (kind, place, known.get((kind, place)), tuple(waiting[kind, place])) for place in places for kind in DECLARED
    ]
    return Status(tuple(rows), tuple(roster_status(school)))


def numbers(school: School, actor: Actor) -> list[tuple[Kind, int | str]]:
    """How many facts of each kind are known. Raises Refused."""
    if not may(actor, Deed.FACTS_READ, school.settings.organisation.locations):
        raise Refused(["no role of yours shows facts"])
    hidden = frozenset() if sees_secrets(actor.roles) else SECRET_KINDS
    counted = fact_store.numbers(school.database)
    return [(kind, WITHHELD if kind in hidden else counted[kind]) for kind in Kind]


def _waiting(
    recipients: Mapping[str, Recipient], known: Mapping[tuple[Kind, str], object]
) -> defaultdict[tuple[Kind, str], list[str]]:
    """What is not declared → the recipients that do not get anything because of it."""
    found: defaultdict[tuple[Kind, str], list[str]] = defaultdict(list)
    for name, recipient in sorted(recipients.items()):
        for delivery in recipient.deliveries:
            for one in undeclared(delivery, None, lambda kind, place: (kind, place) in known):
                if name not in found[one]:
                    found[one].append(name)
    return found


def still_to_declare(directory: Path) -> list[str]:
    """What the recipients' files wait for, for `gateway check`; nothing where no database is yet."""
    try:
        settings = read_settings(directory.resolve())
        if not database_exists(settings.database, directory.resolve()):
            return []
        with open_school(directory) as school:
            rows = [row for row in status(school).declared if row[3]]
    except Unusable:
        return []  # told as a problem, or by whatever needs the database
    return [f"{kind} at {place}, for {', '.join(names)}" for kind, place, _, names in rows]


def as_told(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")

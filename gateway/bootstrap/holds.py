"""What waits for a person at school (D2): seen, released for named categories until a day, or closed.

Leaves out: what opens a case (`core.gate.screening`, `adapters.register.cases`), what a release must say
(`core.gate.holds`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from gateway.adapters.facts.store import known
from gateway.adapters.register import holds as stored
from gateway.adapters.register.acts import Act
from gateway.adapters.register.holds import Hold, NotOpen
from gateway.bootstrap.proposals import carries, propose
from gateway.bootstrap.pupils import as_registered, numbers
from gateway.bootstrap.school import Refused, School, clock, legal_today
from gateway.core.facts import Exception18, Release
from gateway.core.gate.holds import Asked, judged, weights
from gateway.core.model import Category
from gateway.core.persons import Actor, Deed, needs_two, sees_secrets

__all__ = ["Hold", "Terms", "close", "listed", "look_after", "release", "shown"]

_GONE = "no hold of this name is open"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a releaser fills in: which categories may leave, until which day, and (N13) why despite a restriction."""

    categories: frozenset[Category]
    until: date
    exception: Exception18 | None = None


def look_after(school: School) -> int:
    """Escalate what is overdue, let lapse what is over; how many changed."""
    return stored.look_after(school.database, school.store_keys, _term(school), clock(), legal_today())


def _term(school: School) -> timedelta:
    return timedelta(days=school.settings.limits.statutory_hold_days)


def listed(school: School, actor: Actor, *, everything: bool) -> list[Hold]:
    """Open cases (or all), the oldest first, as far as this person may know of them. Raises Refused."""
    school.look(actor, Deed.HOLD_VIEW, "list holds", about={"hold": "list"})
    look_after(school)
    found = stored.holds(school.database, _term(school))
    return [one for one in found if _visible(actor, one) and (everything or one.state == "open")]


def _visible(actor: Actor, hold: Hold) -> bool:
    return sees_secrets(actor.roles) or not hold.secret


def _find(school: School, actor: Actor, name: str) -> Hold:
    """Who may not see it learns no more than that there is none. Raises Refused."""
    found = stored.holds(school.database, _term(school), name)
    if not found or not _visible(actor, found[0]):
        raise Refused(["there is no such hold"])
    return found[0]


def shown(school: School, actor: Actor, name: str, reason: str) -> dict[str, Any]:
    """One case with the pupil's number, once the view is registered (R80). Raises Refused."""
    hold = _find(school, actor, name)
    about = {"hold": name, **({"secret": "yes"} if hold.secret else {})}
    school.look(actor, Deed.HOLD_VIEW, reason, as_registered(school, hold.subject), about=about)
    return {
        "hold": hold.id,
        "pupil": numbers(school, hold.subject),
        "recipient": hold.recipient,
        "purpose": hold.purpose,
        "reason": hold.reason,
        "meaning": hold.reason.meaning.school,
        "state": hold.state,
        "opened": hold.opened.isoformat(),
        "due": hold.due.isoformat(),
        "escalated": hold.escalated,
        "done_by": hold.done_by,
    }


def release(school: School, actor: Actor, name: str, terms: Terms, reason: str) -> int | None:
    """The number of the proposal when a second person must confirm it (R116). Raises Refused."""
    act = school.act(actor, Deed.HOLD_RELEASE, reason)
    hold = _open(school, actor, name)
    releases = _judged(school, hold, terms)
    if needs_two(Deed.HOLD_RELEASE, weights(hold.reason, terms.categories, statutory=hold.statutory)):
        return propose(school, actor, Deed.HOLD_RELEASE, _arguments(name, terms, releases), reason)
    _release(school, hold, releases, act)
    return None


def _arguments(name: str, terms: Terms, releases: tuple[Release, ...]) -> dict[str, Any]:
    return {
        "causes": [one.cause for one in releases],
        "about": name,
        "categories": sorted(terms.categories),
        "until": terms.until.isoformat(),
        "exception": terms.exception,
    }


@carries(Deed.HOLD_RELEASE)
def _release_confirmed(school: School, actor: Actor, arguments: Mapping[str, Any], reason: str) -> None:
    act = school.act(actor, Deed.HOLD_RELEASE, reason)
    exception = arguments["exception"]
    terms = Terms(
        frozenset(Category(one) for one in arguments["categories"]),
        date.fromisoformat(arguments["until"]),
        Exception18(exception) if exception else None,
    )
    hold = _open(school, actor, arguments["about"])
    releases = _judged(school, hold, terms)
    if [one.cause for one in releases] != arguments.get("causes"):
        raise Refused(["what caused the hold changed since this was proposed: propose it again"])
    _release(school, hold, releases, act)


def _open(school: School, actor: Actor, name: str) -> Hold:
    hold = _find(school, actor, name)
    if hold.state != "open":
        raise Refused([_GONE])
    return hold


def _judged(school: School, hold: Hold, terms: Terms) -> tuple[Release, ...]:
    facts = known(school.database, school.store_keys, hold.subject)
    asked = Asked(
        hold.recipient, hold.reason, terms.categories, terms.until, terms.exception, legal_today(), hold.purpose
    )
    found = judged(asked, facts)
    releases = tuple(one for one in found if isinstance(one, Release))
    if not releases or len(releases) != len(found):
        raise Refused([f"{one.reason}: {one.about}" for one in found if not isinstance(one, Release)])
    return releases


def _release(school: School, hold: Hold, releases: tuple[Release, ...], act: Act) -> None:
    try:
        stored.release(school.database, school.store_keys, hold, releases, act)
    except NotOpen:
        raise Refused([_GONE]) from None


def close(school: School, actor: Actor, name: str, reason: str) -> None:
    """Nothing leaves; it is not asked again until it was due. Raises Refused."""
    act = school.act(actor, Deed.HOLD_RELEASE, reason)
    try:
        stored.close(school.database, _open(school, actor, name), act)
    except NotOpen:
        raise Refused([_GONE]) from None

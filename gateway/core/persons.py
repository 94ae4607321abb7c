"""Who at school may do what: roles, deeds, which deeds need two persons, and what is kept from whom.

Pure. A deed that stands in no row may be done by nobody (house rule 1). The FG reads everything and changes nothing,
but for the review of break-glass (R84). Leaves out: how a person signs in (`adapters.access.persons`), what a deed does
(`bootstrap`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.core.model import FieldClass, Ground
from gateway.core.policy.problems import delivery_terms
from gateway.core.policy.rules_fields import SPECIAL_CLASSES, classes
from gateway.core.policy.schema import Schema
from gateway.core.policy.terms import Recipient
from gateway.core.reasons import Reason


class PersonRole(StrEnum):
    """R65, R83, R84, table 5.5."""

    ADMINISTRATOR = "administrator"
    SCHEMA_EDITOR = "schema-editor"
    CONSENT_OFFICER = "consent-officer"
    RELEASER = "releaser"
    BOARD = "board"
    FG = "fg"
    LOCATION_ADMIN = "location-admin"


class Deed(StrEnum):
    """What a command does, as far as it needs a person."""

    PERSON_MANAGE = "person.manage"
    PERSON_VIEW = "person.view"
    CLIENT_MANAGE = "client.manage"
    KEY_MANAGE = "key.manage"
    ROSTER_SYNC = "roster.sync"
    RECIPIENT_ACTIVATE = "recipient.activate"
    RECIPIENT_SUSPEND = "recipient.suspend"
    FACTS_RECORD = "facts.record"
    FACTS_DECLARE = "facts.declare"
    FACTS_READ = "facts.read"
    OBJECTION_DECIDE = "objection.decide"
    HOLD_VIEW = "hold.view"
    HOLD_RELEASE = "hold.release"
    PERMIT_VIEW = "permit.view"
    PERMIT_MAKE = "permit.make"
    PERMIT_REVIEW = "permit.review"
    DOCUMENT_CLASSIFY = "document.classify"
    FILE_FILTER = "file.filter"
    RECORDS_EXPORT = "records.export"
    TEXT_RELEASE = "text.release"
    PUPIL_VIEW = "pupil.view"
    PUPIL_LINK = "pupil.link"
    PUPIL_FORGET = "pupil.forget"
    REGISTER_VIEW = "register.view"
    PROPOSAL_VIEW = "proposal.view"


_R = PersonRole

MAY: Mapping[Deed, frozenset[PersonRole]] = {
    Deed.PERSON_MANAGE: frozenset({_R.ADMINISTRATOR}),
    Deed.PERSON_VIEW: frozenset({_R.ADMINISTRATOR, _R.BOARD, _R.FG}),
    Deed.CLIENT_MANAGE: frozenset({_R.ADMINISTRATOR}),
    Deed.KEY_MANAGE: frozenset({_R.ADMINISTRATOR}),
    Deed.ROSTER_SYNC: frozenset({_R.ADMINISTRATOR}),
    Deed.RECIPIENT_ACTIVATE: frozenset({_R.SCHEMA_EDITOR}),
    # stopping is never harmful: whoever minds the machine, the files or the pupils may do it
    Deed.RECIPIENT_SUSPEND: frozenset({_R.SCHEMA_EDITOR, _R.ADMINISTRATOR, _R.RELEASER}),
    Deed.FACTS_RECORD: frozenset({_R.CONSENT_OFFICER, _R.LOCATION_ADMIN}),
    Deed.FACTS_DECLARE: frozenset({_R.CONSENT_OFFICER, _R.LOCATION_ADMIN}),
    Deed.FACTS_READ: frozenset({_R.CONSENT_OFFICER, _R.LOCATION_ADMIN, _R.RELEASER, _R.BOARD, _R.FG}),
    Deed.OBJECTION_DECIDE: frozenset({_R.BOARD}),
    Deed.HOLD_VIEW: frozenset({_R.RELEASER, _R.BOARD, _R.FG}),
    Deed.HOLD_RELEASE: frozenset({_R.RELEASER}),
    Deed.PERMIT_VIEW: frozenset({_R.RELEASER, _R.FG}),
    Deed.PERMIT_MAKE: frozenset({_R.RELEASER}),
    Deed.PERMIT_REVIEW: frozenset({_R.FG}),
    Deed.DOCUMENT_CLASSIFY: frozenset({_R.RELEASER}),
    Deed.TEXT_RELEASE: frozenset({_R.RELEASER}),
    Deed.FILE_FILTER: frozenset({_R.RELEASER}),
    Deed.RECORDS_EXPORT: frozenset({_R.RELEASER}),
    Deed.PUPIL_VIEW: frozenset({_R.CONSENT_OFFICER, _R.LOCATION_ADMIN, _R.RELEASER, _R.BOARD, _R.FG}),
    Deed.PUPIL_LINK: frozenset({_R.CONSENT_OFFICER}),
    Deed.PUPIL_FORGET: frozenset({_R.CONSENT_OFFICER}),
    Deed.REGISTER_VIEW: frozenset({_R.ADMINISTRATOR, _R.CONSENT_OFFICER, _R.RELEASER, _R.FG}),
    Deed.PROPOSAL_VIEW: frozenset(_R),
}
"""Which roles may do a deed."""

# What shows no pupil and decides about none; everything else waits for the confidentiality statement (R108).
_NOBODY_NAMED = frozenset(
    {
        Deed.PERSON_MANAGE,
        Deed.PERSON_VIEW,
        Deed.CLIENT_MANAGE,
        Deed.KEY_MANAGE,
        Deed.ROSTER_SYNC,
        Deed.RECIPIENT_ACTIVATE,
        Deed.RECIPIENT_SUSPEND,
        Deed.PROPOSAL_VIEW,
    }
)


@dataclass(frozen=True, slots=True)
class Held:
    """A role a person holds: at one location, or (None) everywhere."""

    role: PersonRole
    location: str | None = None

    def __str__(self) -> str:
        return f"{self.role} at {self.location}" if self.location else str(self.role)


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in person. `confidential`: accepted the confidentiality statement (R108). `on_behalf`: for whom the act
    is done, as the person says. `second`: who confirmed it, where a deed needs two (R116)."""

    name: str
    held: frozenset[Held]
    confidential: bool
    on_behalf: str | None = None
    second: str | None = None

    @property
    def roles(self) -> frozenset[PersonRole]:
        return frozenset(one.role for one in self.held)


def places(actor: Actor, deed: Deed) -> frozenset[str] | None:
    """The locations at which this person may do this; None: everywhere; empty: nowhere."""
    if not actor.confidential and deed not in _NOBODY_NAMED:
        return frozenset()
    found = [one.location for one in actor.held if one.role in MAY.get(deed, frozenset())]
    if None in found:
        return None
    return frozenset(one for one in found if one)


def names_pupils(deed: Deed) -> bool:
    """Whether this shows a pupil or decides about one."""
    return deed not in _NOBODY_NAMED


def may(actor: Actor, deed: Deed, locations: Iterable[str] = ()) -> bool:
    """Whether this person may do this; with `locations` those of the pupil, of which one is enough (R65, R68)."""
    held = places(actor, deed)
    return held is None or not held.isdisjoint(locations)


# -- four eyes (R116) ----------------------------------------------------------------------------------


class Weight(StrEnum):
    """What makes a deed weigh more than one person may carry."""

    STATUTORY = "statutory without consent"
    SPECIAL = "special categories"
    POLICE = "police"
    BREAK_GLASS = "break-glass"


TWO_PERSONS: Mapping[Deed, frozenset[Weight]] = {
    Deed.RECIPIENT_ACTIVATE: frozenset({Weight.STATUTORY, Weight.SPECIAL}),
    Deed.PERMIT_MAKE: frozenset({Weight.POLICE, Weight.SPECIAL}),
    Deed.HOLD_RELEASE: frozenset({Weight.SPECIAL, Weight.STATUTORY}),
    Deed.TEXT_RELEASE: frozenset({Weight.SPECIAL}),
}
"""What makes a deed need two persons."""


def needs_two(deed: Deed, weights: Iterable[Weight]) -> bool:
    """Whether a second person must confirm. Break-glass works at once: its second person is the FG, afterwards
    (R13)."""
    given = frozenset(weights)
    return Weight.BREAK_GLASS not in given and not given.isdisjoint(TWO_PERSONS.get(deed, frozenset()))


def weights(recipient: Recipient, schemas: Mapping[str, Schema]) -> frozenset[Weight]:
    """What weighs in activating this recipient."""
    found = set()
    for delivery in recipient.deliveries:
        terms = delivery_terms(recipient, delivery, schemas, None)
        if delivery.grondslag is not None and delivery.grondslag.ground is Ground.STATUTORY_DUTY:
            found.add(Weight.STATUTORY)
        if any(classes(one) & _SPECIAL for one in terms.granted):
            found.add(Weight.SPECIAL)
    return frozenset(found)


_SPECIAL = SPECIAL_CLASSES | {FieldClass.CRIMINAL, FieldClass.NATIONAL_NUMBER}

# -- what is kept from whom (D4, R100) -----------------------------------------------------------------

WITHHELD = "withheld"
WITHHELD_SENTENCE = "achtergehouden"

# That one of these speaks already tells what a pupil must be protected from.
SECRET_REASONS = frozenset({Reason.CHILD_SAFETY, Reason.SECRET_ADDRESS})
_SEE_SECRETS = frozenset({PersonRole.RELEASER, PersonRole.FG})


def sees_secrets(roles: frozenset[PersonRole]) -> bool:
    return not roles.isdisjoint(_SEE_SECRETS)


def shown(reason: Reason, roles: frozenset[PersonRole], *, secret: bool = False) -> str:
    """The reason's word for somebody with these roles. `secret`: this pupil's case is, whatever the reason."""
    hidden = (secret or reason in SECRET_REASONS) and not sees_secrets(roles)
    return WITHHELD if hidden else str(reason)


def sentence(reason: Reason, roles: frozenset[PersonRole], *, secret: bool = False) -> str:
    """The reason's Dutch sentence, likewise."""
    hidden = shown(reason, roles, secret=secret) == WITHHELD
    return WITHHELD_SENTENCE if hidden else reason.meaning.school


SECRET_DETAIL = "secret: yes"  # noqa: S105 - a word, not a password
"""An entry of the register with this detail exists only for who sees secrets (D4): `about={"secret": "yes"}`."""


# What releaser and FG do about permits and holds; an entry with such a detail is theirs, secret or not, so that the
# secret ones are not the only ones that are missing when somebody counts.
_CASEWORK = ("permit: ", "hold: ", "deed: permit.", "deed: hold.")


def shown_entry(entry: Mapping[str, Any], roles: frozenset[PersonRole]) -> dict[str, Any] | None:
    """An entry for somebody with these roles; None: there is none. Its place in the register is left out with what is
    secret, as a gap would tell that there is something; and the version of the facts, which moves with a permit."""
    if sees_secrets(roles):
        return dict(entry)
    detail = entry.get("detail", ())
    if SECRET_DETAIL in detail or any(said.startswith(_CASEWORK) for said in detail):
        return None
    told = {name: value for name, value in entry.items() if name not in {"sequence", "hash", "facts"}}
    for name in ("reasons", "detail"):
        if name in told:
            told[name] = [WITHHELD if _secret(word) else word for word in told[name]]
    return told


def _secret(word: str) -> bool:
    """Whether it is, or begins with, a reason that is kept from others ("CHILD_SAFETY: about what")."""
    return word.partition(":")[0] in SECRET_REASONS

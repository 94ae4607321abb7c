"""Who is signed in at this command line: signing in and out, the session file, persons and their roles.

The session file stands beside the directory, like the key, so that no copy of the directory lets anybody in. Leaves
out: what a signed-in person does (`acts`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from gateway.adapters.access import persons, sign_in
from gateway.adapters.access.persons import Credentials, ListedPerson
from gateway.bootstrap.school import Refused, School, clock, random
from gateway.core.persons import Actor, Deed, Held, PersonRole

__all__ = ["Credentials", "ListedPerson"]

STATEMENT = (
    "Ik houd geheim wat ik hier over leerlingen en hun ouders te weten kom, ook als ik hier niet meer werk, "
    "en gebruik het alleen voor mijn taak op school."
)
_PLACE = "GATEWAY_SESSION"  # another session file, for a second person on the same machine
_SIGN_IN_FIRST = "nobody is signed in here: gateway login"


def session_file(directory: Path) -> Path:
    """Raises Refused when it would lie inside the directory."""
    directory = directory.resolve()
    path = Path(os.environ.get(_PLACE) or directory.with_name(directory.name + ".session")).absolute()
    if path.resolve().is_relative_to(directory):
        raise Refused([f"{_PLACE}: the session file must lie outside the directory"])
    return path


# -- in and out ----------------------------------------------------------------------------------------


def login(school: School, name: str, password: str, code: str) -> Actor:
    """Raises Refused, which does not say what was wrong."""
    now = clock()
    entry = school.new_id(now)
    keys, rules = school.store_keys, school.sign_in_rules()
    token = sign_in.sign_in(school.database, keys, rules, name.strip(), password, code, entry, now, random)
    if token is None:
        raise Refused(["name, password or code is wrong, or there were too many tries; wait a while"])
    _keep(session_file(school.directory), token)
    return signed_in(school)


def keep_session(school: School, name: str, rules: sign_in.Rules) -> None:
    """Sign a person in without asking; for a demo. Raises Refused for somebody who is not there."""
    if sign_in.person_now(school.database, name) is None:
        raise Refused(["there is no such person, or no longer"])
    now = clock()
    token = sign_in.open_session(school.database, rules, name, school.new_id(now), now, random)
    _keep(session_file(school.directory), token)


def accept_statement(school: School, actor: Actor) -> None:
    """R108."""
    sign_in.accept_statement(school.database, school.told(actor, "sign-in"))


def logout(school: School) -> None:
    """Ends the session, here and in the database."""
    actor = signed_in(school)
    path = session_file(school.directory)
    sign_in.sign_out(school.database, _read(path), school.told(actor, "sign-out"))
    path.unlink(missing_ok=True)


def signed_in(school: School, on_behalf: str | None = None) -> Actor:
    """Who is signed in here, with the roles held now. Raises Refused when nobody is."""
    actor = sign_in.signed_in(school.database, _read(session_file(school.directory)), clock())
    if actor is None:
        raise Refused([_SIGN_IN_FIRST])
    return replace(actor, on_behalf=on_behalf)


def _read(path: Path) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise Refused([f"{path.name} can be read by others: remove it and sign in again"])
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise Refused([_SIGN_IN_FIRST]) from None


def _keep(path: Path, token: str) -> None:
    """The whole text at once, for its owner only."""
    beside = path.with_name(path.name + ".new")
    try:
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token + "\n")
        beside.replace(path)
    except OSError:
        raise Refused([f"{path.name} cannot be written beside the directory"]) from None


# -- persons -------------------------------------------------------------------------------------------


def nobody_yet(school: School) -> bool:
    return not persons.any_person(school.database)


def add_first_person(school: School, name: str, held: Iterable[Held], credentials: Credentials) -> None:
    """The first person of a directory is its administrator and needs no sign-in. Raises Refused once there is one."""
    everything = {*held, Held(PersonRole.ADMINISTRATOR)}
    first = Actor(name, frozenset(everything), confidential=False)
    _add(school, first, name, everything, credentials, "the first person", first=True)


def add_person(
    school: School, actor: Actor, name: str, held: Iterable[Held], credentials: Credentials, reason: str
) -> None:
    """Raises Refused."""
    _add(school, actor, name, held, credentials, reason, first=False)


def _add(
    school: School,
    actor: Actor,
    name: str,
    held: Iterable[Held],
    credentials: Credentials,
    reason: str,
    *,
    first: bool,
) -> None:
    act = school.act(actor, Deed.PERSON_MANAGE, reason)
    roles = _known_places(school, held)
    try:
        persons.add_person(school.database, school.store_keys, name, roles, credentials, act, random, first=first)
    except persons.NotPossible as wrong:
        raise Refused([wrong.why]) from None


def change_roles(
    school: School, actor: Actor, name: str, add: Iterable[Held], remove: Iterable[Held], reason: str
) -> None:
    """Raises Refused."""
    act = school.act(actor, Deed.PERSON_MANAGE, reason)
    try:
        persons.change_roles(school.database, name, _known_places(school, add), remove, act)
    except persons.NotPossible as wrong:
        raise Refused([wrong.why]) from None


def revoke_person(school: School, actor: Actor, name: str, reason: str) -> None:
    """Raises Refused."""
    act = school.act(actor, Deed.PERSON_MANAGE, reason)
    try:
        persons.revoke_person(school.database, name, act)
    except persons.NotPossible as wrong:
        raise Refused([wrong.why]) from None


def renew_person(school: School, actor: Actor, name: str, credentials: Credentials, reason: str) -> None:
    """Raises Refused."""
    act = school.act(actor, Deed.PERSON_MANAGE, reason)
    try:
        persons.renew_credentials(school.database, school.store_keys, name, credentials, act, random)
    except persons.NotPossible as wrong:
        raise Refused([wrong.why]) from None


def list_persons(school: School, actor: Actor) -> list[ListedPerson]:
    """Raises Refused."""
    school.act(actor, Deed.PERSON_VIEW, "list")
    return persons.list_persons(school.database)


def new_credentials(password: str | None = None) -> Credentials:
    return persons.new_credentials(random, password)


def _known_places(school: School, held: Iterable[Held]) -> list[Held]:
    """A location-admin is one somewhere; every other role is held everywhere (R65)."""
    found = list(held)
    known = school.settings.organisation.locations
    for one in found:
        if (one.role is PersonRole.LOCATION_ADMIN) != (one.location is not None):
            raise Refused(["give --location with the role location-admin, and with no other role"])
        if one.location is not None and one.location not in known:
            raise Refused(["gateway.yaml has no such location"])
    return found

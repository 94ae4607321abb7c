"""A school's directory that can be worked with: settings read, database open, key proved.

Leaves out: what is done with it (`acts`, `plane`, `office`).
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

from gateway import settings as settings_file
from gateway.adapters import keys as key_files
from gateway.adapters.access.sign_in import Rules
from gateway.adapters.database import Database, DatabaseUnavailable, DatabaseUnusable, open_database
from gateway.adapters.endpoints import Endpoint
from gateway.adapters.exports.sftp import SftpPlace
from gateway.adapters.keys import KeyMaterial, KeyUnusable, load_keys
from gateway.adapters.lvs.token import Client
from gateway.adapters.lvs.upstream import Source as UpstreamSource
from gateway.adapters.lvs.wire import Limits as WireLimits
from gateway.adapters.policy.files import Report, check_directory
from gateway.adapters.policy.yaml_text import Problem
from gateway.adapters.pupils.dialects import telling_births
from gateway.adapters.register.acts import Act, note
from gateway.adapters.store_keys import StoreKeys
from gateway.adapters.world import StoredWorld, Surroundings
from gateway.core.days import legal_date
from gateway.core.model import Subject
from gateway.core.persons import MAY, Actor, Deed, may, names_pupils, places
from gateway.formats.xml.soap import authorised
from gateway.settings import Settings
from gateway.transfer.trail import uuid7


class Unusable(Exception):
    """This directory, or what was given, cannot be worked with; `problems` says all that is wrong."""

    def __init__(self, problems: Iterable[object]) -> None:
        super().__init__()
        self.problems = [str(problem) for problem in problems]


class Refused(Exception):
    """What was asked may not be done; `problems` says why."""

    def __init__(self, problems: Iterable[object]) -> None:
        super().__init__()
        self.problems = [str(problem) for problem in problems]


def clock() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


random: Callable[[int], bytes] = secrets.token_bytes
monotonic: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class School:
    """A directory that can be worked with: settings read, database open and migrated, key proved."""

    directory: Path
    settings: Settings
    database: Database
    material: KeyMaterial
    store_keys: StoreKeys

    def act(
        self,
        actor: Actor,
        deed: Deed,
        reason: str,
        locations: Iterable[str] = (),
        pupils: Iterable[Subject] = (),
    ) -> Act:
        """The ticket for one act of this person, now (house rule 10); `locations` are those of the `pupils` it is
        about, of which one is enough. Raises Refused, and registers the attempt, when no role of theirs allows it."""
        if not reason.strip():
            raise Refused(["say why: --reason"])
        act = self.told(actor, reason)
        if not may(actor, deed, locations):
            note(self.database, act, "refused", kind="change", about={"deed": deed}, kept_from=pupils)
            raise Refused([_why_not(actor, deed)])
        return act

    def look(
        self,
        actor: Actor,
        deed: Deed,
        reason: str,
        pupils: Iterable[Subject] = (),
        locations: Iterable[str] = (),
        about: Mapping[str, str] | None = None,
    ) -> None:
        """Before anything about these pupils is shown: the view is in the register (R80). Raises Refused, and registers
        the attempt, when no role of this person allows it; of the pupils' `locations` one is enough."""
        if not reason.strip():
            raise Refused(["say why: --reason"])
        act = self.told(actor, reason)
        if not may(actor, deed, locations):
            note(self.database, act, "refused", about={"deed": deed, **(about or {})}, kept_from=pupils)
            raise Refused([_why_not(actor, deed)])
        note(self.database, act, str(deed), about=about, pupils=pupils)

    def told(self, actor: Actor, reason: str) -> Act:
        """What the register is to tell of this person, now: no ticket, nothing was checked."""
        moment = clock()
        return Act(self.new_id(moment), actor.name, reason, moment, actor.on_behalf, actor.second)

    def new_id(self, moment: datetime) -> str:
        """The id of an entry."""
        return uuid7(moment, random(10))

    def sign_in_rules(self) -> Rules:
        limits = self.settings.limits
        return Rules(
            idle=timedelta(seconds=limits.session_idle_seconds),
            lifetime=timedelta(seconds=limits.session_seconds),
            attempts=limits.sign_in_attempts,
            lockout=timedelta(seconds=limits.sign_in_lockout_seconds),
        )

    @property
    def births(self) -> frozenset[str]:
        """Sources that tell when pupils were born; one that bears another's numbers leaves it to that one."""
        own = {name: one for name, one in self.settings.sources.items() if one.url is not None and one.numbers is None}
        return frozenset(name for name, one in own.items() if telling_births(one.schemas) is not None)

    def world(self, *, lean: bool = False) -> StoredWorld:
        """`lean`: for a command that asks about everybody once."""
        settings = self.settings
        surroundings = Surroundings(
            settings.policy,
            settings.organisation,
            {name: source.schemas for name, source in settings.sources.items()},
            self.births,
            {name: timedelta(seconds=one.roster_stale_after_seconds) for name, one in settings.sources.items()},
            settings.url,
        )
        return StoredWorld(self.database, self.store_keys, surroundings, self.read_material, clock, lean=lean)

    def read_material(self) -> KeyMaterial:
        return key_files.read_key(key_place(self.settings), self.directory, os.environ)


def _why_not(actor: Actor, deed: Deed) -> str:
    if names_pupils(deed) and not actor.confidential:
        return "accept the confidentiality statement first: gateway login (R108)"
    where = ", at this location" if places(actor, deed) else ""
    return "this needs the role " + " or ".join(sorted(MAY[deed])) + where


@contextmanager
def open_school(directory: Path) -> Iterator[School]:
    """Raises Unusable with everything that is wrong."""
    school = _school(directory.resolve())
    try:
        yield school
    except DatabaseUnavailable:
        raise Unusable(["the database cannot be read or written now"]) from None
    finally:
        school.database.close()


def _school(directory: Path) -> School:
    settings = read_settings(directory)
    try:
        material = key_files.read_key(key_place(settings), directory, os.environ)
        database = open_database(settings.database, directory)
        load_keys(database, material, clock())
    except (KeyUnusable, DatabaseUnusable, DatabaseUnavailable) as error:
        raise Unusable([error]) from None
    return School(directory, settings, database, material, StoreKeys(material.store))


def read_settings(directory: Path) -> Settings:
    try:
        return settings_file.load(directory)
    except settings_file.SettingsWrong as wrong:
        raise Unusable(wrong.problems) from None


def key_place(settings: Settings) -> str:
    return f"{settings.key.kind}:{settings.key.place}"


def create_key(directory: Path) -> Path:
    """A new key file where gateway.yaml says; never over an existing one."""
    directory = directory.resolve()
    try:
        path = key_files.key_path(key_place(read_settings(directory)), directory)
        key_files.create_key_file(path, key_files.new_material(random))
    except KeyUnusable as error:
        raise Unusable([error]) from None
    except OSError:
        raise Unusable(["the key file exists already, or cannot be written"]) from None
    return path


def legal_today() -> date:
    """The date in Europe/Amsterdam (house rule 9)."""
    return legal_date(clock())


def check(directory: Path) -> Report:
    """Every problem of gateway.yaml, schemas/ and recipients/; needs no database and no key."""
    directory = directory.resolve()
    try:
        settings = settings_file.load(directory)
    except settings_file.SettingsWrong as wrong:
        report = check_directory(directory, legal_today())
        return replace(report, problems=(*wrong.problems, *report.problems))
    report = check_directory(directory, legal_today(), settings.organisation)
    return replace(report, warnings=(*report.warnings, *_nowhere(report, settings)))


def _nowhere(report: Report, settings: Settings) -> Iterator[Problem]:
    """What is pushed to an endpoint that gateway.yaml lacks is never sent (503)."""
    for recipient in report.recipients.values():
        for name in sorted({one.endpoint for one in recipient.deliveries if one.endpoint} - settings.endpoints.keys()):
            message = f"gateway.yaml has no endpoint of this name: {name}"
            yield Problem(f"recipients/{recipient.name}.yaml", 1, message, "R75")


def overdue(directory: Path) -> list[str]:
    """What does not stop anything but should be looked at: the regulation's evaluation date has passed (R118), or the
    board adopted it for good before the participation council consented (R117, C10)."""
    try:
        policy = settings_file.load(directory.resolve()).policy
    except settings_file.SettingsWrong:
        return []  # told as a problem
    found = []
    if policy.evaluation is not None and policy.evaluation < legal_today():
        found.append(f"the policy should have been evaluated by {policy.evaluation.isoformat()}")
    if policy.adopted and policy.instemming and policy.adopted < policy.instemming:
        found.append("the policy was adopted before the participation council consented")
    return [f"{settings_file.FILE}: {warning}" for warning in found]


def unread(directory: Path) -> list[str]:
    """Secrets and certificates that are not where gateway.yaml says, or that this account may not read: without them
    nothing is served."""
    try:
        settings = settings_file.load(directory.resolve())
    except settings_file.SettingsWrong:
        return []  # told as a problem
    reads: list[Callable[[], object]] = [
        *(partial(_upstream_source, one, one.url) for one in settings.sources.values() if one.url is not None),
        *(partial(_endpoint, one) for one in settings.endpoints.values() if not one.sftp),
    ]
    found = [_lacking(read) for read in reads]
    return [f"{settings_file.FILE}: {lacking}" for lacking in dict.fromkeys(found) if lacking]


def _lacking(read: Callable[[], object]) -> str:
    try:
        read()
    except LookupError as error:
        return str(error.args[0])
    return ""


def upstream_sources(settings: Settings) -> dict[str, UpstreamSource]:
    """How each source that is called is reached, its secret read now."""
    try:
        return {name: _upstream_source(one, one.url) for name, one in settings.sources.items() if one.url is not None}
    except LookupError as error:
        raise Unusable([error]) from None


def _upstream_source(source: settings_file.Source, url: str) -> UpstreamSource:
    known = source.authorisation
    header = authorised(settings_file.read_secret(known.key), known.code, known.name) if known else b""
    return UpstreamSource(url, _client(source.token), header)


def _client(token: settings_file.Token | None) -> Client | None:
    if token is None:
        return None
    return Client(token.url, token.client_id, settings_file.read_secret(token.client_secret))


def endpoints_of(settings: Settings) -> dict[str, Endpoint]:
    """Where pushes go, their secrets read now."""
    try:
        return {name: _endpoint(one) for name, one in settings.endpoints.items() if not one.sftp}
    except LookupError as error:
        raise Unusable([error]) from None


def _endpoint(one: settings_file.Endpoint) -> Endpoint:
    certificate = Path(one.certificate.place) if one.certificate else None
    if certificate is not None and not certificate.is_file():
        raise LookupError(f"no certificate at file:{certificate}")
    return Endpoint(one.url, _client(one.token), certificate)


def sftp_places_of(settings: Settings) -> dict[str, SftpPlace]:
    """Endpoints of exports that take files over SFTP."""
    return {name: _sftp_place(one) for name, one in settings.endpoints.items() if one.sftp}


def _sftp_place(one: settings_file.Endpoint) -> SftpPlace:
    assert one.host_key is not None, "gateway.yaml was checked"
    assert one.identity is not None, "gateway.yaml was checked"
    return SftpPlace.of(one.url, one.host_key, Path(one.identity.place))


def wire_limits(settings: Settings, body: int | None = None) -> WireLimits:
    limits = settings.limits
    return WireLimits(
        first_byte=limits.first_byte_seconds,
        total=limits.total_seconds,
        body=body or limits.upstream_bytes,
        connections=limits.connections_per_source,
    )

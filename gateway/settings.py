"""gateway.yaml and the environment as frozen values; a failed start names every problem at once.

Read by `bootstrap` and the command line only: everything else gets the value it needs as an argument. A secret is a
place (`env:NAME`, `file:PATH`), never a value in the file. `GATEWAY_` and the key's path in capitals override what
the file says: GATEWAY_LISTEN, GATEWAY_LIMITS_DEPTH, GATEWAY_SOURCES_LVS_URL.
Leaves out: schemas and recipients (`adapters.policy.files`).
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from gateway.adapters.policy.forms import fit
from gateway.adapters.policy.settings_forms import (
    RULES,
    EndpointForm,
    SecretPlace,
    SettingsForm,
    SourceForm,
    TokenForm,
)
from gateway.adapters.policy.yaml_text import Document, Problem, plain_value, read
from gateway.core.policy.terms import Location, Organisation, SchoolPolicy

FILE = "gateway.yaml"
PREFIX = "GATEWAY_"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one call, recipient or origin may ask at most. Every default can stand in production."""

    body_bytes: int = 1_000_000
    """A request's body; more is BODY_TOO_LARGE (413)."""
    depth: int = 32
    """Nesting of a request's JSON body; more is BODY_INVALID (400). An answer of a source that nests deeper than the
    parser goes is a broken answer (502)."""
    first_byte_seconds: float = 10.0
    """From sending a call to the source until its first byte."""
    total_seconds: float = 60.0
    """From a caller's request until the whole of the source's answer is in."""
    concurrency_per_recipient: int = 16
    """Calls of one recipient that run at once in one worker; more is OVERLOADED (503)."""
    rate_per_recipient_per_minute: int = 3_000
    """Calls of one recipient in one worker; more is RATE_LIMITED (429)."""
    rate_per_origin_per_minute: int = 3_000
    """Calls from one network address in one worker, counted before anybody is identified."""
    answer_bytes: int = 16_000_000
    """An answer up to here is built whole, registered, and then sent; a larger one leaves in parts."""
    upstream_bytes: int = 64_000_000
    """What is read of one answer of the source; more is UPSTREAM_FAILED (502)."""
    part_bytes: int = 1_000_000
    """One part of a larger answer; each has its own durable entry."""
    token_seconds: int = 3_600
    """Life of an access token of /oauth/token."""
    connections_per_source: int = 32
    """Open connections of one worker to one source."""
    session_idle_seconds: int = 3_600
    """A person who is signed in and gives no command for this long is signed out."""
    session_seconds: int = 28_800
    """A person is signed in for this long at most."""
    sign_in_attempts: int = 5
    """Failed sign-ins in a row after which a person is locked out for a while."""
    sign_in_lockout_seconds: int = 900
    """How long that lasts."""
    emergency_seconds: int = 14_400
    """How long break-glass lasts at most (R13)."""
    statutory_hold_days: int = 14
    """After this a hold on a statutory delivery is overdue; other holds after four weeks."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret stands. Only `read_secret` knows what it is."""

    kind: Literal["env", "file"]
    place: str


@dataclass(frozen=True, slots=True)
class Token:
    """OAuth2 client credentials at the source."""

    url: str
    client_id: str
    client_secret: Secret


@dataclass(frozen=True, slots=True)
class Authorisation:
    """The school's own authorisation in messages of UWLR to the source."""

    key: Secret
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Source:
    """An LVS the gateway reads from, or, without a `url`, one whose files come in. `succeeds`: the source it replaces;
    pupils it does not know yet then wait for a person who links them. `numbers`: the source whose numbers its pupils
    bear beside its own."""

    name: str
    url: str | None
    schemas: tuple[str, ...]
    token: Token | None
    numbers: str | None
    roster_every_seconds: float
    roster_stale_after_seconds: float
    succeeds: str | None
    authorisation: Authorisation | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where pushes and exports to a recipient go. `certificate`: the file that identifies the school there; at sftp
    `identity`, and `host_key` the server."""

    name: str
    url: str
    token: Token | None
    certificate: Secret | None
    host_key: str | None = None
    identity: Secret | None = None

    @property
    def sftp(self) -> bool:
        return self.url.startswith("sftp:")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a process needs to know about where it runs, but for what the policy files say. `url`: under which
    recipients reach the gateway."""

    directory: Path
    school: str
    url: str
    listen: tuple[str, int]
    admin: tuple[str, int]
    database: str = field(repr=False)
    key: Secret
    workers: int
    proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
    policy: SchoolPolicy
    organisation: Organisation
    sources: Mapping[str, Source]
    endpoints: Mapping[str, Endpoint]
    limits: Limits

    @property
    def numbering(self) -> tuple[str, ...]:
        """Sources whose numbers are their own: by these a person is named."""
        return tuple(name for name, source in self.sources.items() if source.numbers is None)


class SettingsWrong(Exception):
    """The gateway cannot start. `problems`: all of them."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def load(directory: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this directory, or SettingsWrong with every problem."""
    found = parse(_text(directory), directory, environment)
    if isinstance(found, list):
        raise SettingsWrong(found)
    return found


def _text(directory: Path) -> str:
    try:
        return (directory / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsWrong([Problem(FILE, 1, "there is no such file in this directory")]) from None
    except UnicodeDecodeError:
        raise SettingsWrong([Problem(FILE, 1, "not UTF-8", "yaml")]) from None


def parse(text: str, directory: Path, environment: Mapping[str, str]) -> Settings | list[Problem]:
    """`text` of a gateway.yaml with what the environment overrides, or every problem."""
    document = read(text, FILE)
    overridden = _override(document, environment)
    fitted = fit(SettingsForm, document, RULES)
    problems = [_renamed(problem, document, overridden) for problem in fitted.problems]
    problems += [document.problem(asked.path, "this is not answered yet") for asked in document.asked]
    if fitted.form:
        problems += [
            document.problem(where, message, rule)
            for where, message, rule in _faults(fitted.form, directory)
            if fitted.certain(where)
        ]
    if problems or fitted.form is None:
        return sorted(set(problems))
    return _build(fitted.form, directory)


# -- the environment -----------------------------------------------------------------------------------


def _override(document: Document, environment: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Put each GATEWAY_… value where it belongs; path → the variable's name."""
    overridden: dict[tuple[str, ...], str] = {}
    if not isinstance(document.value, dict):
        return overridden
    for path in _overridable(document.value):
        name = PREFIX + "_".join(path).upper().replace("-", "_")
        if name not in environment:
            continue
        parent = document.value
        for step in path[:-1]:
            parent = parent.setdefault(step, {})
            if not isinstance(parent, dict):
                break
        else:
            parent[path[-1]] = plain_value(environment[name])
            overridden[path] = name
    for name in environment:
        # A misspelt limit would silently be the default. Other unknown names are not ours: orchestrators set them.
        if name.startswith(f"{PREFIX}LIMITS_") and name not in overridden.values():
            document.problems.append(Problem(name, 0, "no limit has this name"))
    return overridden


def _overridable(value: Mapping[str, object]) -> list[tuple[str, ...]]:
    paths: list[tuple[str, ...]] = [
        (key,) for key in ("school", "url", "listen", "admin", "database", "key", "workers")
    ]
    paths += [("limits", limit.name) for limit in fields(Limits)]
    sources = value.get("sources")
    for name in sources if isinstance(sources, dict) else ():
        paths += [("sources", name, "url"), ("sources", name, "token", "url")]
        paths += [("sources", name, "token", key) for key in ("client_id", "client_secret")]
        paths += [("sources", name, "authorisation", key) for key in ("key", "code", "name")]
    endpoints = value.get("endpoints")
    paths += [("endpoints", name, "url") for name in (endpoints if isinstance(endpoints, dict) else ())]
    return paths


def _renamed(problem: Problem, document: Document, overridden: Mapping[tuple[str, ...], str]) -> Problem:
    """A problem of a value from the environment names the variable, not the line it replaced."""
    for path, name in overridden.items():
        if problem.line == document.line(path) and f"'{path[-1]}'" in problem.message:
            return Problem(name, 0, problem.message, problem.rule)
    return problem


# -- what must agree -----------------------------------------------------------------------------------


_Fault = tuple[tuple[str, ...], str, str]


def _faults(form: SettingsForm, directory: Path) -> Iterator[_Fault]:
    """(where, message, rule)."""
    yield from _source_faults(form)
    for name, endpoint in form.endpoints.items():
        yield from _endpoint_faults(("endpoints", name), endpoint)
    if form.key.kind == "file" and _inside(directory, form.key.place):
        # A copy of the directory, a backup, must not be able to undo the pseudonyms (R41, N6).
        yield ("key",), "the key file must lie outside the directory", "N6"
    if not _loopback(form.listen) and not form.proxies:
        yield ("listen",), "outside loopback a proxy must end TLS: name it in 'proxies'", "R107"
    if not _loopback(form.admin):
        yield ("admin",), "the admin listener stays on loopback", "R107"
    if form.listen == form.admin and form.listen[1] != 0:
        yield ("admin",), "'admin' needs an address of its own", "form"
    ids = [(pair.type, pair.id) for place in form.organisation.locations.values() for pair in place.ids]
    if len(ids) != len(set(ids)):
        yield ("organisation", "locations"), "one organisation id stands at two locations", "R68"


def _source_faults(form: SettingsForm) -> Iterator[_Fault]:
    for name, source in form.sources.items():
        if source.token is not None and source.url is None:
            yield ("sources", name, "token"), "a source without 'url' is never called and needs no token", "form"
        for key, other in (("succeeds", source.succeeds), ("numbers", source.numbers)):
            if other is not None and (other not in form.sources or other == name):
                yield ("sources", name, key), f"'{key}' must name another source of this file", "form"


def _endpoint_faults(where: tuple[str, str], endpoint: EndpointForm) -> Iterator[_Fault]:
    if not _protected(endpoint.url) or (endpoint.token and not _protected(endpoint.token.url)):
        yield (*where, "url"), "outside loopback an endpoint is https", "R107"
    secured = (endpoint.host_key, endpoint.identity)
    if endpoint.url.startswith("sftp:") and None in secured:
        # an unknown server is never trusted on first sight
        yield (*where, "url"), "sftp needs 'host_key' and 'identity'", "R107"
    elif not endpoint.url.startswith("sftp:") and secured != (None, None):
        yield (*where, "url"), "'host_key' and 'identity' belong to sftp", "form"
    if endpoint.identity is not None and endpoint.identity.kind != "file":
        yield (*where, "identity"), "a key stands in a file (file:PATH)", "form"
    if endpoint.certificate is not None and endpoint.certificate.kind != "file":
        yield (*where, "certificate"), "a certificate stands in a file (file:PATH)", "form"


def _inside(directory: Path, place: str) -> bool:
    return (directory / place).resolve().is_relative_to(directory.resolve())


def _protected(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("https", "sftp") or _loopback((parts.hostname or "", 0))


def _loopback(address: tuple[str, int]) -> bool:
    try:
        return ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return address[0] == "localhost"


# -- the form as values --------------------------------------------------------------------------------


def _build(form: SettingsForm, directory: Path) -> Settings:
    organisation = form.organisation
    locations = {
        name: Location(name, place.title, frozenset((pair.type, pair.id) for pair in place.ids), place.state_exams)
        for name, place in organisation.locations.items()
    }
    return Settings(
        directory=directory,
        school=form.school,
        url=(form.url or "http://{}:{}".format(*form.listen)).rstrip("/"),
        listen=form.listen,
        admin=form.admin,
        database=_database(form.database, directory),
        key=_secret(form.key, directory),
        workers=form.workers,
        proxies=tuple(form.proxies),
        policy=SchoolPolicy(**form.policy.model_dump()),
        organisation=Organisation(frozenset(organisation.master), locations),
        sources={name: _source(name, source, directory) for name, source in form.sources.items()},
        endpoints={name: _endpoint(name, endpoint, directory) for name, endpoint in form.endpoints.items()},
        limits=Limits(**form.limits.model_dump(exclude_none=True)),
    )


def _source(name: str, form: SourceForm, directory: Path) -> Source:
    known = form.authorisation
    return Source(
        name=name,
        url=form.url.rstrip("/") if form.url is not None else None,
        schemas=tuple(form.schemas),
        token=_token(form.token, directory),
        numbers=form.numbers,
        roster_every_seconds=form.roster.every,
        roster_stale_after_seconds=form.roster.stale_after,
        succeeds=form.succeeds,
        authorisation=Authorisation(_secret(known.key, directory), known.code, known.name) if known else None,
    )


def _endpoint(name: str, form: EndpointForm, directory: Path) -> Endpoint:
    certificate = _secret(form.certificate, directory) if form.certificate else None
    identity = _secret(form.identity, directory) if form.identity else None
    return Endpoint(name, form.url, _token(form.token, directory), certificate, form.host_key, identity)


def _token(form: TokenForm | None, directory: Path) -> Token | None:
    return Token(form.url, form.client_id, _secret(form.client_secret, directory)) if form else None


def _secret(place: SecretPlace, directory: Path) -> Secret:
    where = str((directory / place.place).resolve()) if place.kind == "file" else place.place
    return Secret(place.kind, where)


def _database(url: str, directory: Path) -> str:
    """SQLite's file counts from the directory, wherever the command is run."""
    prefix = "sqlite:///"
    return f"{prefix}{(directory / url.removeprefix(prefix)).resolve()}" if url.startswith(prefix) else url


def read_secret(secret: Secret, environment: Mapping[str, str] = os.environ) -> str:
    """What stands at this place. LookupError, which names the place only, when nothing does."""
    try:
        value = environment[secret.place] if secret.kind == "env" else Path(secret.place).read_text(encoding="utf-8")
    except (KeyError, OSError):
        raise LookupError(f"no secret at {secret.kind}:{secret.place}") from None
    if not value.strip():
        raise LookupError(f"an empty secret at {secret.kind}:{secret.place}")
    return value.strip()

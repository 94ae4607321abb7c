"""The form of gateway.yaml. Units stand in the names (`body_bytes`) or in the value (`5m`).

Leaves out: what the values become, and what must agree among them (`settings`).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from gateway.adapters.policy.forms import UNANSWERED, Day, Form, Key, Mended

# The rule that a missing key breaks.
RULES = {"policy": "R118", "version": "R118", "in_force": "R118", "organisation": "R68", "key": "N6"}

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_ADDRESS = r"^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$"
_DURATION = r"^[1-9][0-9]*[smhd]$"
_PLACE = r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$"
_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class SecretPlace:
    """Where a secret stands; a path counts from the directory."""

    kind: Literal["env", "file"]
    place: str


def _address(value: Any) -> Any:
    if not isinstance(value, str):
        raise PydanticCustomError("policy", "must be host:port")
    host, _, port = value.rpartition(":")
    if not re.fullmatch(_ADDRESS, value) or int(port) > _HIGHEST_PORT:
        raise PydanticCustomError("policy", "must be host:port")
    return host.strip("[]"), int(port)


def _duration(value: Any) -> Any:
    if not isinstance(value, str) or not re.fullmatch(_DURATION, value):
        raise PydanticCustomError("policy", "must be a number with s, m, h or d, as 5m")
    return float(int(value[:-1]) * _SECONDS[value[-1]])


def _secret(value: Any) -> Any:
    """A value that is not a place is refused and not repeated: it may be the secret itself."""
    if not isinstance(value, str) or not re.fullmatch(_PLACE, value):
        raise PydanticCustomError("policy", "must say where the secret stands: env:NAME or file:PATH")
    kind, _, place = value.partition(":")
    return SecretPlace("env" if kind == "env" else "file", place)


def _network(value: Any) -> Any:
    try:
        return ipaddress.ip_network(value) if isinstance(value, str) else value
    except ValueError:
        raise PydanticCustomError("policy", "must be an address or a network") from None


def _text(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern})


Plain = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"\S"), Mended(UNANSWERED)]
Address = Annotated[tuple[str, int], BeforeValidator(_address), _text(_ADDRESS), Mended("localhost:0")]
Duration = Annotated[float, BeforeValidator(_duration), _text(_DURATION), Mended("1s")]
Place = Annotated[SecretPlace, BeforeValidator(_secret), _text(_PLACE), Mended("env:NONE")]
Network = Annotated[
    ipaddress.IPv4Network | ipaddress.IPv6Network,
    BeforeValidator(_network),
    WithJsonSchema({"type": "string"}),
    Mended("127.0.0.1"),
]
Url = Annotated[
    str, StringConstraints(pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?$", max_length=500), Mended("http://localhost")
]
TokenUrl = Annotated[  # an LVS of several schools is told in the query which of them it is (Somtoday)
    str,
    StringConstraints(pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?(\?[^#\s]*)?$", max_length=500),
    Mended("http://localhost"),
]
EndpointUrl = Annotated[
    str,
    StringConstraints(pattern=r"^(https?://[^/?#@\s]+|sftp://[^/?#@:\s]+@[^/?#@\s]+)(/[^?#\s]*)?$", max_length=500),
    Mended("http://localhost"),
]
HostKey = Annotated[
    str,
    StringConstraints(
        pattern=r"^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/=]+$", max_length=2000
    ),
    Mended("ssh-ed25519 AAAA"),
]
Database = Annotated[
    str, StringConstraints(pattern=r"^(sqlite:///|postgresql)[^\s]+$", max_length=500), Mended("sqlite:///-")
]
Count = Annotated[int, Field(ge=1, le=10**12), Mended(1)]
Seconds = Annotated[float, Field(gt=0, le=3600), Mended(1.0)]


class PolicyForm(Form):
    """The school's regulation (R117, R118). `instemming`: the day the participation council consented;
    `adopted`: the day the board adopted it for good."""

    version: Plain
    in_force: Day
    instemming: Day | None = None
    evaluation: Day | None = None
    adopted: Day | None = None


class PairForm(Form):
    """An id of a location in the administration."""

    type: Plain
    id: Plain


class LocationForm(Form):
    """A vestiging. `state_exams`: pupils there take state exams (R51)."""

    title: Plain
    ids: Annotated[list[PairForm], Field(min_length=1)]
    state_exams: bool = False


class OrganisationForm(Form):
    """`master`: identifiers that stand for every location at once."""

    master: list[Plain] = Field(default_factory=list)
    locations: Annotated[dict[Key, LocationForm], Field(min_length=1)]


class TokenForm(Form):
    """OAuth2 client credentials at the source; its `url` may have a query."""

    url: TokenUrl
    client_id: Plain
    client_secret: Place


class AuthorisationForm(Form):
    """The school's own authorisation at the source, as UWLR has it: `autorisatiesleutel`, `klantcode`, `klantnaam`."""

    key: Place
    code: Annotated[Plain, StringConstraints(max_length=64)]
    name: Annotated[Plain, StringConstraints(max_length=64)]


class RosterForm(Form):
    """How often the roster is read, and how old it may be before deliveries stop (FACTS_STALE)."""

    every: Duration = 300.0
    stale_after: Duration = 259_200.0


class SourceForm(Form):
    """An LVS. Without a `url` it is never called: what it knows comes in as files (`gateway roster import`). `numbers`:
    the source whose numbers its pupils bear beside its own."""

    url: Url | None = None
    schemas: Annotated[list[Key], Field(min_length=1)]
    token: TokenForm | None = None
    authorisation: AuthorisationForm | None = None
    roster: RosterForm = RosterForm()
    succeeds: Key | None = None
    numbers: Key | None = None


class EndpointForm(Form):
    """Where pushes and exports to a recipient go: the whole URL. `certificate`: a PEM file with the key and the chain
    of the school (PKIoverheid); `token`: client credentials there. At `sftp`, `host_key`: the public key of the server,
    and `identity`: the file with the school's own key."""

    url: EndpointUrl
    token: TokenForm | None = None
    certificate: Place | None = None
    host_key: HostKey | None = None
    identity: Place | None = None


class LimitsForm(Form):
    """See `settings.Limits`, which has the defaults and the meaning of each."""

    body_bytes: Count | None = None
    depth: Count | None = None
    first_byte_seconds: Seconds | None = None
    total_seconds: Seconds | None = None
    concurrency_per_recipient: Count | None = None
    rate_per_recipient_per_minute: Count | None = None
    rate_per_origin_per_minute: Count | None = None
    answer_bytes: Count | None = None
    upstream_bytes: Count | None = None
    part_bytes: Count | None = None
    token_seconds: Count | None = None
    connections_per_source: Count | None = None
    session_idle_seconds: Count | None = None
    session_seconds: Count | None = None
    sign_in_attempts: Count | None = None
    sign_in_lockout_seconds: Count | None = None
    emergency_seconds: Count | None = None
    statutory_hold_days: Count | None = None


class SettingsForm(Form):
    """gateway.yaml. `url`: under which recipients reach the gateway, for links in answers; `proxies`: addresses of what
    ends TLS before it."""

    school: Plain
    url: Url | None = None
    listen: Address
    admin: Address
    database: Database = "sqlite:///gateway.db"
    key: Place
    workers: Annotated[int, Field(ge=1, le=64), Mended(1)] = 2
    proxies: list[Network] = Field(default_factory=list)
    policy: PolicyForm
    organisation: OrganisationForm
    sources: dict[Key, SourceForm]
    endpoints: dict[Key, EndpointForm] = Field(default_factory=dict)
    limits: LimitsForm = LimitsForm()

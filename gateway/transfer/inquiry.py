"""What one request asks, whole: its query, its purpose, and whom its body names. Read strictly by its route (R74).

What is not declared stops here. Leaves out: whether it may be answered (`core.gate.decide`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.core.gate.decide import Call
from gateway.core.policy.terms import Organisation
from gateway.core.reasons import Reason
from gateway.formats.json import BodyRefused, NamedRequest, read_named
from gateway.formats.json.nesting import too_deep
from gateway.transfer.request import Asked, Match, Request, Stop, ask, named_locations


@dataclass(frozen=True, slots=True)
class Inquiry:
    """`call` is what is to be decided; `body` is there for a write-back only."""

    call: Call
    asked: Asked
    named: NamedRequest | None = field(default=None, repr=False)
    body: bytes = field(default=b"", repr=False)


async def inquire(match: Match, request: Request, organisation: Organisation, *, depth: int) -> Inquiry:
    """Raises Stop for whatever does not follow the route's declaration; a body nests at most `depth` deep."""
    accepts(request, b"application/json")
    asked = ask(match, request.query, organisation)
    locations, named, body = asked.locations, None, b""
    if match.route.named is not None or match.route.write is not None:
        if declared(request) != b"application/json":
            raise Stop(Reason.MEDIA_TYPE_UNKNOWN)
        body = await request.body()
        if too_deep(body, depth):
            raise Stop(Reason.BODY_INVALID, "the body nests too deep")
    if match.route.named is not None:
        try:
            named = read_named(body, match.route.named)
        except BodyRefused as refused:
            raise Stop(Reason.BODY_INVALID, str(refused)) from None
        locations = named_locations(organisation, named.organisation_master, named.organisation_ids)
    call = Call(match.source, match.schema.name, match.route.record, named_purpose(request), locations)
    return Inquiry(call, asked, named, body)


def named_purpose(request: Request) -> str | None:
    """The purpose the header names; a value that cannot be one is one that nobody has."""
    header = request.headers.get(b"purpose")
    return None if header is None else header.decode("ascii", "replace").strip()


def accepts(request: Request, given: bytes) -> None:
    """RFC 9110 section 12.5.1, for the one format that is given. Raises Stop(NOT_ACCEPTABLE)."""
    accept = request.headers.get(b"accept")
    if accept is None:
        return
    for offer in accept.lower().split(b","):
        media, *parameters = (part.strip() for part in offer.split(b";"))
        if media in (b"*/*", given.partition(b"/")[0] + b"/*", given) and not _excluded(parameters):
            return
    raise Stop(Reason.NOT_ACCEPTABLE)


def _excluded(parameters: list[bytes]) -> bool:
    return any(parameter.replace(b" ", b"") in (b"q=0", b"q=0.0", b"q=0.00", b"q=0.000") for parameter in parameters)


def declared(request: Request) -> bytes:
    """The media type of the body. Only UTF-8, not encoded: what cannot be read strictly is not read (house rule 1)."""
    media, _, parameters = request.headers.get(b"content-type", b"").lower().partition(b";")
    encoding = request.headers.get(b"content-encoding", b"identity").strip().lower()
    charset = parameters.strip().replace(b'"', b"")
    if encoding != b"identity" or charset not in (b"", b"charset=utf-8"):
        raise Stop(Reason.MEDIA_TYPE_UNKNOWN)
    return media.strip()

"""What one request asks, whole: its query, its purpose, and whom its body names. Read strictly by its route (R74).

What is not declared stops here. Leaves out: whether it may be answered (`core.gate.decide`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.core.gate.decide import Call
from gateway.core.policy.schema import Parameter, Soap
from gateway.core.policy.terms import Organisation
from gateway.core.reasons import Reason
from gateway.core.release.minimised import EnvelopeBroken
from gateway.formats.json import BodyRefused, NamedRequest, read_named
from gateway.formats.json.nesting import too_deep
from gateway.formats.xml import Operation
from gateway.transfer.request import Asked, Match, Request, Stop, ask, check, is_part, named_locations, required


@dataclass(frozen=True, slots=True)
class Inquiry:
    """`call` is what is to be decided; `body` is there for a write-back only. `message`: what a request of SOAP says,
    in its order, and `since`: the moment of what its sender has."""

    call: Call
    asked: Asked
    named: NamedRequest | None = field(default=None, repr=False)
    body: bytes = field(default=b"", repr=False)
    message: tuple[tuple[Parameter, str], ...] = field(default=(), repr=False)
    since: str | None = None


async def inquire(match: Match, request: Request, organisation: Organisation, *, depth: int) -> Inquiry:
    """Raises Stop for whatever does not follow the route's declaration; a body nests at most `depth` deep."""
    if match.route.soap is not None:
        return await _message(match, match.route.soap, request, organisation)
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


SOAP = b"text/xml"


async def _message(match: Match, soap: Soap, request: Request, organisation: Organisation) -> Inquiry:
    """A message of SOAP. What it says of school and groups stands in its body, read by the route's parameters."""
    accepts(request, SOAP)
    if declared(request) != SOAP:
        raise Stop(Reason.MEDIA_TYPE_UNKNOWN)
    if request.query:
        raise Stop(Reason.PARAMETER_UNKNOWN)
    body = await request.body()
    if match.route.write is not None:
        call = Call(match.source, match.schema.name, match.route.record, named_purpose(request), None)
        return Inquiry(call, Asked(None, ()), body=body)
    message = _said(match, soap, body)
    locations = brin_locations(soap, organisation, {one.meaning: value for one, value in message})
    call = Call(match.source, match.schema.name, match.route.record, named_purpose(request), locations)
    since = next((value for one, value in message if one.meaning == "since"), None)
    told = tuple((one, value) for one, value in message if one.meaning not in ("since", "ignored"))
    kind = soap.location if any(one.meaning == "organisation-brin" for one, _ in message) else soap.schoolkey
    asked = Asked(locations, (), part=is_part(organisation, kind, locations))
    return Inquiry(call, asked, message=told, since=since)


def _said(match: Match, soap: Soap, body: bytes) -> list[tuple[Parameter, str]]:
    """Every value of a request with what it means."""
    declared = {one.name: one for one in match.route.parameters}
    try:
        pairs = Operation(soap, match.schema.namespaces).asked(body, declared)
    except EnvelopeBroken as broken:
        raise Stop(Reason.BODY_INVALID, str(broken)) from None
    said = [(declared[name], value) for name, value in pairs]
    single = [one.name for one, _ in said if one.meaning != "thing"]
    if len(single) != len(set(single)):
        raise Stop(Reason.PARAMETER_INVALID, "a value stands twice")
    for one, value in said:
        if one.meaning != "thing" or value:  # a group without key: whoever is in none
            check(one, value)
    required([one for one in match.route.parameters if one.meaning != "thing"], single)
    if any(one.meaning == "thing" for one in declared.values()) and len(said) == len(single):
        raise Stop(Reason.PARAMETER_MISSING, "groepen")
    return said


def brin_locations(soap: Soap, organisation: Organisation, said: Mapping[str, str]) -> frozenset[str]:
    """The locations that a school's codes name. They are mandatory (R68); a part of 00 means the same as none."""
    brin, key = said.get("organisation-brin"), said.get("organisation-key")
    if (brin is None) == (key is None):
        raise Stop(Reason.PARAMETER_MISSING, "brincode or schoolkey")
    if brin is not None:
        pair = soap.location, brin + said.get("organisation-part", "00")
        return named_locations(organisation, None, (pair,))
    return named_locations(organisation, None, ((soap.schoolkey, key or ""),))


def named_purpose(request: Request) -> str | None:
    """The purpose the header names; a value that cannot be one is one that nobody has."""
    header = request.headers.get(b"purpose")
    return None if header is None else header.decode("ascii", "replace").strip()


def action_of(request: Request) -> str:
    """SOAP 1.1 section 6.1.1: the action, in quotes as the standard has it, or without as some clients write it."""
    header = request.headers.get(b"soapaction", b"").decode("latin-1").strip()
    return header[1:-1] if len(header) > 1 and header[0] == header[-1] == '"' else header


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

"""`POST /SOURCE/filter`: a system of the school pushes records, and gets back what a recipient may have of them.

The body stands where the source's answer stands in a read; the rest is the same flow. With a school's credential only,
and decided before the body is read: to a recipient the route would be an oracle of pseudonyms and refusals. Leaves out:
files at the command line (`filter`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import parse_qsl

import msgspec

from gateway.core.file_forms import Form
from gateway.core.model import Caller
from gateway.core.reasons import Reason
from gateway.core.release.circle import Circle
from gateway.core.release.minimised import Minimised
from gateway.formats.json.minimiser import Pieces
from gateway.transfer.filing import (
    TOGETHER,
    Filing,
    Wanted,
    by_element,
    cut,
    handed_in,
    handed_in_as,
    is_set,
    through,
)
from gateway.transfer.flow import Target
from gateway.transfer.inquiry import Inquiry, accepts, declared, named_purpose
from gateway.transfer.parts import Part, Piece
from gateway.transfer.ports import RegisterUnavailable, Snapshot, UpstreamAnswer, UpstreamCall
from gateway.transfer.released import Answer, Released
from gateway.transfer.remembered import Remembered
from gateway.transfer.request import Match, Request, Stop
from gateway.transfer.steps import Outside, Sizes, unregistered
from gateway.transfer.trail import Trail

_PLACE = re.compile(rb"/([A-Za-z0-9-]+)/filter")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_NEEDED = ("recipient", "purpose", "schema")
_NAMES = (*_NEEDED, "record", "final_recipient")
_MEDIA = {
    "json": {
        b"application/json": frozenset({Form.ARRAY, Form.SINGLE}),
        b"application/x-ndjson": frozenset({Form.LINES, Form.SINGLE}),
    },
    "xml": dict.fromkeys((b"application/xml", b"text/xml"), frozenset({Form.SINGLE, Form.LIST})),
    "csv": {b"text/csv": frozenset({Form.TABLE}), b"application/zip": frozenset({Form.SET})},
}
"""What a body may be declared as, by the schema's format, and what it must then turn out to be."""


def is_upload(raw_path: bytes) -> bool:
    """Whether records are handed in here; no schema has this path."""
    return _PLACE.fullmatch(raw_path) is not None


class Upload(Filing):
    """One per request."""

    def __init__(self, outside: Outside, sizes: Sizes, remembered: Remembered) -> None:
        super().__init__(outside, sizes, remembered)
        self.form = Form.ARRAY
        self._head: bytes | None = None

    async def answer(self, caller: Caller, request: Request) -> Answer:
        """Every refusal is registered before it is told, as a problem: the schema says how a file looks, and nothing of
        how an error does to who hands one in."""
        return replace(await self._leaving(caller, request), shape="problem")

    async def _leaving(self, caller: Caller, request: Request) -> Answer:
        trail = self.begin(caller)
        try:
            wanted = _wanted(caller, request)
            trail = replace(trail, caller=wanted.caller(caller.credential))
            match, inquiry = handed_in(self.outside.world.now().compiled, wanted)
            trail = trail.at(match)
            media, forms = _declared(request, match.schema.format)
            await self.steadily(lambda snapshot: self.may_be_read(trail, inquiry, snapshot))
            pieces = await self._read(request, match, forms)
            wanted, _ = by_element(self.outside.world.now().compiled, wanted, pieces.bodies)
            answer = await self._answer(trail, wanted, pieces)
            return answer if answer.reason else replace(answer, media=media)
        except Stop as stop:
            return await self.refuse(trail, stop)
        except RegisterUnavailable:
            return unregistered(trail)

    async def _read(self, request: Request, match: Match, forms: frozenset[Form]) -> Pieces:
        """As the source would have sent it: an array, or one record; a large table or list in pieces. It is known to be
        whole before anything of it leaves."""
        body = await request.body()
        large = len(body) > self.sizes.answer_bytes and match.schema.format != "json"
        if large and (is_set(match) or (match.schema.format == "xml" and not _is_list(match))):
            raise self._too_large("a document or a set of files leaves whole")
        reader = handed_in_as(match, self.sizes.answer_bytes)
        size, most = (self.sizes.part_bytes, TOGETHER) if large else (len(body) + 1, None)
        found = [records for records, _ in cut(reader, _chunks(body), size, most)]
        if reader.form not in forms:
            raise Stop(Reason.MEDIA_TYPE_UNKNOWN)
        self.form = Form.LINES if Form.LINES in forms else reader.form
        count = sum(map(len, found))
        return Pieces([one[0] if self.form is Form.SINGLE else reader.piece(one) for one in found], count)

    def _too_large(self, why: str) -> Stop:
        return Stop(Reason.BODY_TOO_LARGE, f"{why}: at most {self.sizes.answer_bytes} bytes (limits.answer_bytes)")

    async def _answer(self, trail: Trail, wanted: Wanted, pieces: Pieces) -> Released:
        match, inquiry = handed_in(self.outside.world.now().compiled, wanted, self.form)
        trail, body = trail.at(match), pieces.bodies[0]
        if not is_set(match):
            self.outside.drift.look(match, body)
        if len(pieces.bodies) > 1:
            permit, _, minimiser = self.emission(trail, inquiry, self.outside.world.now())
            if minimiser.masks:
                raise self._too_large("text is masked by the names in a whole file")
            released = await self.leave_in_parts(trail, match, inquiry, permit, pieces)
        elif match.route.many and len(body) > self.sizes.answer_bytes and match.schema.format == "json":
            released = await self.in_parts(trail, match, inquiry, body)
        else:
            given = UpstreamAnswer(200, "", body)
            target = Target(UpstreamCall(match.source, match.route.method, match.route.path))
            released = await self.steadily(
                lambda snapshot: self.release(trail, match, inquiry, target, given, snapshot)
            )  # fmt: skip
        return released

    async def part(
        self,
        trail: Trail,
        match: Match,
        inquiry: Inquiry,
        piece: Piece,
        circle: Callable[[], Circle] | None,
        snapshot: Snapshot,
    ) -> Part:
        found = await super().part(trail, match, inquiry, piece, circle, snapshot)
        self._head = found.minimised.head if found.minimised is not None else None
        return found

    def framed(self, minimised: Minimised, match: Match) -> None:
        del match
        if self._head not in (None, minimised.head):  # of a table that began, the columns are no others by now
            raise Stop(Reason.FACTS_CHANGED)
        if self.form is Form.LINES:
            minimised.body = b"".join(bytes(row) + b"\n" for row in _ROWS.decode(minimised.body))


def _is_list(match: Match) -> bool:
    return bool(match.schema.records[match.route.record].envelope)


def _chunks(body: bytes) -> Iterator[bytes]:
    """So that a parser forgets what it gave before it reads on."""
    return (body[at : at + _CHUNK] for at in range(0, len(body), _CHUNK))


_CHUNK = 65_536
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])


def _wanted(caller: Caller, request: Request) -> Wanted:
    """Read strictly, and nothing of it before it is known that a school calls."""
    if caller.kind != "school":
        raise Stop(Reason.CALLER_NOT_RECIPIENT)
    if request.method != "POST":
        raise Stop(Reason.METHOD_NOT_ALLOWED, "POST")
    given: dict[str, str] = {}
    for name, value in _pairs(request.query):
        if name not in _NAMES:
            raise Stop(Reason.PARAMETER_UNKNOWN, "declared: " + ", ".join(_NAMES))
        if name in given or not _NAME.fullmatch(value):
            raise Stop(Reason.PARAMETER_INVALID, name)
        given[name] = value
    missing = [name for name in _NEEDED if name not in given]
    if missing:
        raise Stop(Reason.PARAMETER_MISSING, ", ".join(missing))
    source = request.raw_path.split(b"/")[1].decode("ascii")
    recipient, platform = through(given["recipient"], given.get("final_recipient"))
    purpose, schema, record = given["purpose"], given["schema"], given.get("record")
    return Wanted(source, schema, recipient, purpose, record, named_purpose(request), platform)


def _pairs(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query.decode("ascii"), keep_blank_values=True, strict_parsing=bool(query), max_num_fields=8, errors="strict"
        )  # fmt: skip
    except ValueError:
        raise Stop(Reason.PARAMETER_INVALID) from None


def _declared(request: Request, form: str) -> tuple[bytes, frozenset[Form]]:
    """The media type, and what the body may then turn out to be."""
    media = declared(request)
    forms = _MEDIA.get(form, {}).get(media)
    if forms is None:
        raise Stop(Reason.MEDIA_TYPE_UNKNOWN)
    accepts(request, media)
    return media, forms

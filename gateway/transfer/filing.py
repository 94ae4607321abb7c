"""Records that a school hands in instead of the source giving them: what is asked of them, and what reads them.

The call that follows names no organisation: each pupil's enrolment decides. What a file says of its own consents and
permissions decides nothing, as nothing but the facts ever does. Leaves out: who may hand in (`core.gate.decide`), one
file (`filter`), one upload (`upload`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Protocol

from gateway.core.file_forms import Form, OtherFormat
from gateway.core.gate.decide import FILE, Call, Permit
from gateway.core.model import Caller
from gateway.core.policy.schema import Csv, Record, Route, Schema
from gateway.core.reasons import Reason
from gateway.core.release.emission import Emission
from gateway.core.release.minimised import EnvelopeBroken
from gateway.formats.csv import CsvFile, SetFile
from gateway.formats.json import JsonFile
from gateway.formats.xml import Names, XmlDocumentFile, XmlFile, XmlItemsFile, XmlListFile, first_element, sections
from gateway.transfer.compiled import Compiled
from gateway.transfer.flow import Flow
from gateway.transfer.inquiry import Inquiry
from gateway.transfer.messages import operation
from gateway.transfer.minimiser import Documents, Minimiser, Sets, Tables
from gateway.transfer.ports import Snapshot
from gateway.transfer.request import Asked, Match, Stop
from gateway.transfer.trail import Trail

METHOD = "FILE"
"""Stands in the register where a call has its HTTP method."""

SET = "/*"
"""Stands there for the records of a set of files, which are no one kind."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the records are and for whom. `record` may be left out where the delivery has one kind only, and of XML;
    `named`: the purpose of the header, where there is one; `platform`: through whom (R55)."""

    source: str
    schema: str
    recipient: str
    purpose: str
    record: str | None = None
    named: str | None = None
    platform: str | None = None

    def caller(self, credential: str) -> Caller:
        """Of the school, which says for whom."""
        return Caller(credential, "school", self.recipient, self.purpose, self.platform)


def through(recipient: str, final: str | None) -> tuple[str, str | None]:
    """R55: whoever gets it first is a platform where a final recipient is named: (the recipient, the platform)."""
    return (recipient, None) if final is None else (final, recipient)


def handed_in(compiled: Compiled, wanted: Wanted, form: Form = Form.ARRAY) -> tuple[Match, Inquiry]:
    """As if a route had been called. Raises Stop for a schema or record that is not there. Of several documents in XML
    it is the first, until it is known which one came (`by_element`)."""
    schema = compiled.schemas.get(wanted.schema)
    if schema is None or wanted.schema not in compiled.spoken.get(wanted.source, ()):
        spoken = ", ".join(sorted(compiled.spoken.get(wanted.source, ()))) or "none"
        raise Stop(Reason.ROUTE_UNKNOWN, f"schema: of this source in order are {spoken}; gateway check tells the rest")
    whole = wanted.record is None and schema.csv is not None and schema.csv.manifest is not None
    several = whole or schema.format == "xml"
    record = wanted.record or (_records_of(compiled, wanted)[0] if several else _only_record(compiled, wanted))
    if record not in schema.records:
        raise Stop(Reason.ROUTE_UNKNOWN, "record: one of " + ", ".join(schema.records))
    route = Route(METHOD, SET if whole else f"/{record}", record, form is not Form.SINGLE and not whole)
    call = Call(wanted.source, schema.name, record, wanted.named, None, FILE)
    return Match(wanted.source, schema, route, {}), Inquiry(call, Asked(None, ()))


class Filing(Flow):
    """What a file and an upload have in common."""

    broken = Reason.BODY_INVALID

    def emission(self, trail: Trail, inquiry: Inquiry, snapshot: Snapshot) -> tuple[Permit, Emission, Minimiser]:
        """By the compiler of the schema's format."""
        granted = self.granted(trail, inquiry, snapshot)
        minimiser = minimiser_of(snapshot.compiled, granted.permit, inquiry.call.record, trail.match)
        if minimiser is None:
            raise Stop(Reason.SCHEMA_NOT_ACTIVE)
        return granted.permit, self.watched(trail, inquiry, granted, minimiser), minimiser

    async def may_be_read(self, trail: Trail, inquiry: Inquiry, snapshot: Snapshot) -> tuple[Permit, Minimiser]:
        """Decided before a byte is read."""
        permit, _, minimiser = self.emission(trail, inquiry, snapshot)
        if minimiser.aggregate is not None:  # R45: whoever chooses the file chooses what differs between two counts
            raise Stop(
                Reason.ROUTE_UNKNOWN,
                "counts are of a whole location, as the recipient asks for it: there is no file or export of them",
            )
        return permit, minimiser


def minimiser_of(compiled: Compiled, permit: Permit, record: str, match: Match | None = None) -> Minimiser | None:
    """What leaves of this record in this delivery, by the compiler of its format; None when it is no part of it.
    `match`: where a set of files may be handed in whole."""
    if match is not None and is_set(match):
        files = compiled.files(permit)
        return Sets(files) if files is not None else None
    xml, csv = compiled.xml(permit, record), compiled.csv(permit, record)
    if xml is not None:
        return Documents(xml)
    return Tables(csv) if csv is not None else compiled.minimiser(permit, record)


def by_element(compiled: Compiled, wanted: Wanted, chunks: Iterable[bytes]) -> tuple[Wanted, Iterable[bytes]]:
    """Where the record was left out and the delivery has several documents: the one whose element comes first."""
    schema = compiled.schemas[wanted.schema]
    records = [schema.records[name] for name in _records_of(compiled, wanted)]
    if wanted.record or schema.format != "xml" or len(records) == 1:
        return wanted, chunks
    rest, names = iter(chunks), Names(schema.namespaces)
    opening = next(rest, b"")
    came = first_element(opening)
    found = [one.name for one in records if names(one.envelope or one.element or one.name) == came]
    return replace(wanted, record=found[0] if found else None), chain((opening,), rest)


def _records_of(compiled: Compiled, wanted: Wanted) -> list[str]:
    """Of a delivery that is not there any record will do: the gate then says what is wrong. What a recipient answers is
    not handed in."""
    schema = compiled.schemas[wanted.schema]
    standing = compiled.standings.get((wanted.recipient, wanted.purpose, wanted.schema))
    answers = {route.answer for route in schema.routes}
    found = [one for one in standing.delivery.grants if one not in answers] if standing else []
    return found or [*schema.records][:1]


def _only_record(compiled: Compiled, wanted: Wanted) -> str:
    records = _records_of(compiled, wanted)
    if len(records) != 1:
        raise Stop(Reason.PARAMETER_MISSING, "record: " + ", ".join(records))
    return records[0]


class Reader(Protocol):
    """One file of a format, as it arrives: `feed` and `close` give the records that are complete, and raise
    EnvelopeBroken. `form`: known when it is closed."""

    @property
    def form(self) -> Form: ...

    def feed(self, chunk: bytes) -> list[bytes]: ...

    def close(self) -> list[bytes]: ...

    def piece(self, records: list[bytes]) -> bytes:
        """Some of these records, as the format's minimiser reads them."""
        ...


def is_set(match: Match) -> bool:
    """Whether files that refer to each other are handed in as one archive."""
    return match.route.path == SET


def handed_in_as(match: Match, most: int, small: int | None = None) -> Reader:
    """What reads what is handed in. `small`: of a document of lists that may leave in parts, what is read whole."""
    if is_set(match):
        return SetFile()
    record = match.schema.records[match.route.record]
    if small is not None and match.schema.format == "xml" and sections(record):
        return XmlDocumentFile(record, Names(match.schema.namespaces), small, most)
    return reader_of(match.schema, match.route.record, most)


def as_listed(match: Match, most: int) -> Reader:
    """What reads the source's own list."""
    if match.route.soap is None:
        return reader_of(match.schema, match.route.record, most)
    record, above = match.schema.records[match.route.record], operation(match, match.route.soap).above
    return XmlItemsFile(record, Names(match.schema.namespaces), most, above)


def reader_of(schema: Schema, record: str, most: int) -> Reader:
    """For a schema's format. `most`: bytes of one record; a row in CSV has a limit of its own."""
    match schema.format:
        case "json":
            return JsonFile(most)
        case "xml":
            return _xml(schema, schema.records[record], most)
        case "csv":
            return CsvFile(schema.csv or Csv())


def _xml(schema: Schema, record: Record, most: int) -> Reader:
    if not record.envelope:
        return XmlFile(most)
    names = Names(schema.namespaces)
    return XmlListFile(names(record.envelope), names(record.element or record.name), most)


TOGETHER = 2_000
"""Records in one part at most: a short row takes as much memory while it is decided about as a long one."""


def cut(
    reader: Reader, chunks: Iterable[bytes], part_bytes: int, most: int | None = None
) -> Iterator[tuple[list[bytes], bool]]:
    """The records in lists of about `part_bytes`, one at least and `most` at most, each with whether it is the last:
    before that one is given, the file is known to be whole. Raises Stop."""
    records: list[bytes] = []
    size = 0
    for record in _records(reader, chunks):
        if size >= part_bytes or len(records) == most:
            yield records, False
            records, size = [], 0
        records.append(record)
        size += len(record)
    yield records, True


def _records(reader: Reader, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """What the reader says of a broken file holds no word of it."""
    for chunk in chunks:
        try:
            found = reader.feed(chunk)
        except OtherFormat:
            raise Stop(Reason.MEDIA_TYPE_UNKNOWN) from None
        except EnvelopeBroken as broken:
            raise Stop(Reason.BODY_INVALID, str(broken)) from None
        yield from found
    try:
        found = reader.close()
    except EnvelopeBroken as broken:
        raise Stop(Reason.BODY_INVALID, str(broken)) from None
    yield from found

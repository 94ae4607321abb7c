"""What an export is asked, how far it is, and one page of it while it is read.

Leaves out: the steps (`export`), what is kept for a later run (`journal`).
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import msgspec

from gateway.core.gate.decide import Permit
from gateway.core.model import Subject
from gateway.core.policy.schema import Record
from gateway.core.release.emission import Emission
from gateway.core.release.sight import Sight
from gateway.formats.xml import Left, XmlItemsFile
from gateway.transfer.filing import Reader, Wanted
from gateway.transfer.inquiry import Inquiry
from gateway.transfer.journal import Done, Page
from gateway.transfer.listing import located, location_paths
from gateway.transfer.messages import operation
from gateway.transfer.ports import Receipt, Roster, UpstreamCall
from gateway.transfer.request import Match, Stop, upstream_path, upstream_query
from gateway.transfer.tally import Tally
from gateway.transfer.trail import Trail


class Source(Protocol):
    """The LVS, read as it sends."""

    def stream(self, permit: Permit, call: UpstreamCall) -> AsyncGenerator[bytes]:
        """The body of a list. Raises NotSent, UpstreamTimeout, UpstreamFailed, also halfway."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """One job: by whom, what they said of it, and what of which source for whom. `records`: of one schema; `endpoint`:
    the recipient's, to which the gateway itself sends it."""

    id: str
    person: str
    said: tuple[str, ...]
    wanted: Wanted
    records: tuple[str, ...]
    endpoint: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `doing`: reading, part, page, looking, handing over."""

    doing: str
    page: int
    pages: int
    read: int
    released: int


@dataclass(frozen=True, slots=True)
class Shape:
    """`one_each`: a record is a person's, and each has one; `paths`: what may leave of it."""

    one_each: bool
    paths: tuple[str, ...]


@dataclass(slots=True)
class Exported:
    """What came of it. `stop`: why nothing of it may leave; `shapes`: of the kinds of records."""

    trail: Trail
    tally: Tally = field(default_factory=Tally)
    parts: int = 0
    permit: Permit | None = None
    stop: Stop | None = None
    shapes: dict[str, Shape] = field(default_factory=dict)
    receipt: Receipt | None = None


@dataclass(slots=True)
class Reading:
    """One page while it is read: `known`: how far the parts came that are registered already; `left`: of a
    document, what they hold that others refer to. The rest is of the part at hand."""

    page: Page
    match: Match
    inquiry: Inquiry
    reader: Reader
    known: Done | None
    consumed: int = 0
    digest: hashlib.blake2b = field(default_factory=hashlib.blake2b)
    last: bool = False
    handed_in: int = 0
    unknown: Mapping[str, int] = field(default_factory=dict, repr=False)
    left: Left = field(default_factory=Left, repr=False)
    tally: Tally = field(default_factory=Tally)

    def take(self, record: bytes) -> bool:
        """Whether this one is new. Raises OtherPage when those before are not what they were."""
        if not (isinstance(self.reader, XmlItemsFile) and self.reader.frames(record)):
            self.digest.update(len(record).to_bytes(8, "big") + record)
        self.consumed += 1
        known = self.known
        if known is None or self.consumed > known.consumed:
            return True
        if self.consumed == known.consumed and self.digest.digest() != known.prefix:
            raise OtherPage
        return False


def calls_of(match: Match, inquiry: Inquiry, ids: frozenset[tuple[str, str]]) -> list[UpstreamCall]:
    """The list, in the source's own words; of a location with several `ids` that a path names, one for each."""
    soap, query = match.route.soap, upstream_query(inquiry.asked, {})
    if soap is not None:
        body = operation(match, soap).request([(one.name, text) for one, text in inquiry.message])
        return [UpstreamCall(match.source, "POST", upstream_path(match, {}), body=body, action=soap.action)]
    values = location_paths(match.schema, match.route, ids) if located(match.route) else [match.values]
    paths = [upstream_path(replace(match, values=one), {}) for one in values]
    return [UpstreamCall(match.source, match.route.method, path, query) for path in paths]


class OtherPage(Exception):
    """The source no longer says what it said."""


def light(done: Done) -> Done:
    """Without whose it is: of a million pupils that does not stay in memory."""
    return Done(
        done.number, done.page, done.consumed, done.prefix, done.last, done.versions, done.day, done.head, (), b""
    )  # fmt: skip


def whose(reading: Reading, emission: Emission) -> tuple[tuple[tuple[str, ...], tuple[tuple[bytes, bytes], ...]], ...]:
    """Who is in a part, by what was withheld of them."""
    record = reading.match.schema.records[reading.page.record]
    found: dict[tuple[str, ...], list[tuple[bytes, bytes]]] = {}
    for subject in emission.released:
        paths = tuple(sorted(emission.verdict(record, subject).withheld))
        found.setdefault(paths, []).append((subject.id, mark(emission.sight, subject)))
    return tuple((paths, tuple(ids)) for paths, ids in found.items())


def mark(sight: Sight, subject: Subject) -> bytes:
    """Of what the gateway itself knows of a person and lets leave, or compares with the record: their ids, the day of
    birth, the inzage."""
    facts = sight.facts.about(subject.id)
    seen = [(one.day, one.recipient, one.remark) for one in facts.inzagen]
    known = msgspec.msgpack.encode((sorted(subject.ids.items()), facts.birth, seen))
    return hashlib.blake2b(known, digest_size=8).digest()


def stands(done: Done, sight: Sight, roster: Roster, record: Record) -> bool:
    """Whether everybody in this part would be in it now, with the same, and every group in it has somebody still."""
    people = all(
        _same(sight, roster.by_id(one), record, paths, known) for paths, ids in done.released for one, known in ids
    )
    return people and all(sight.peopled(record, group) for group in done.groups)


def _same(sight: Sight, subject: Subject | None, record: Record, paths: tuple[str, ...], known: bytes) -> bool:
    if subject is None or mark(sight, subject) != known:
        return False
    verdict = sight.verdict(record, subject)
    return verdict.available and tuple(sorted(verdict.withheld)) == paths

"""A file that a person of the school hands in: cut, decided, minimised and registered part by part, in flat memory.

The same flow as a live answer; only where the records come from differs. Every part has its durable entry before its
rows are given on, so that what is decided while a large file runs concerns the pupils not yet emitted (house rules 3
and 4). Leaves out: sorting the rows of all parts and writing them (`adapters.file_output`), the report (`bootstrap`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from gateway.core.file_forms import Form, in_form
from gateway.core.gate.decide import Permit
from gateway.core.reasons import Reason
from gateway.core.register import Draft, altered
from gateway.core.release.emission import Emission
from gateway.core.release.minimised import Minimised, tolerable
from gateway.formats.csv import CsvSet, Leg, Opened, unknown_in_set
from gateway.formats.xml import Left, document_of, leaving, named_in, sections, waiting
from gateway.transfer import trail as entries
from gateway.transfer.drift import unknown_in
from gateway.transfer.filing import (
    TOGETHER,
    Filing,
    Reader,
    Wanted,
    by_element,
    cut,
    handed_in,
    handed_in_as,
    is_set,
)
from gateway.transfer.inquiry import Inquiry
from gateway.transfer.minimiser import Documents, Items, Minimiser, SetPieces, Sets
from gateway.transfer.parts import Part, Piece
from gateway.transfer.ports import Receipt, Register, RegisterUnavailable, Snapshot
from gateway.transfer.remembered import Remembered
from gateway.transfer.request import Match, Stop
from gateway.transfer.steps import Outside, Sizes
from gateway.transfer.tally import Tally, Unknown, placed, sampled
from gateway.transfer.trail import Trail

Rows = Sequence[tuple[str, bytes]]
"""Released records, each with what orders it: a pseudonym or mapped id."""


@dataclass(frozen=True, slots=True)
class PersonsRegister:
    """ports.Register: every entry names the person who hands in, and what they said of it."""

    register: Register
    person: str
    said: tuple[str, ...]

    async def append(self, draft: Draft) -> Receipt:
        return await self.register.append(altered(draft, actor=self.person, detail=(*draft.detail, *self.said)))


@dataclass(slots=True)
class Filed:
    """What came of one file. `stop`: why nothing of it may leave, also where parts are registered; then what was given
    on must be destroyed. `permit`: the terms under which the rest leaves; `named`: of a document that leaves item by
    item, what its rows refer to, and `waiting` which of them leave only where one does."""

    trail: Trail
    tally: Tally = field(default_factory=Tally)
    form: Form = Form.ARRAY
    head: bytes = b""
    parts: int = 0
    permit: Permit | None = None
    stop: Stop | None = None
    named: set[str] = field(default_factory=set, repr=False)
    waiting: set[str] = field(default_factory=set, repr=False)


def document(rows: Iterable[tuple[str, bytes]], named: Container[str], head: bytes) -> Iterable[bytes]:
    """Of rows in their order. A group that nobody refers to is not in it (R7)."""
    return document_of((row for _, row in leaving(rows, named)), head)


@dataclass(frozen=True, slots=True)
class Within:
    """A file of a set that leaves in pieces."""

    opened: Opened
    leg: Leg


@dataclass(frozen=True, slots=True)
class _Cut:
    """Some records of a file, or of a file in a set; `last`: there are no more."""

    reader: Reader
    records: list[bytes] = field(repr=False)
    last: bool
    within: Within | None = None

    @property
    def name(self) -> str:
        return self.within.leg.name if self.within is not None else ""


class Filter(Filing):
    """One per command."""

    apart = True

    def __init__(self, outside: Outside, sizes: Sizes, person: str, said: tuple[str, ...] = ()) -> None:
        register = PersonsRegister(outside.register, person, said)
        super().__init__(replace(outside, register=register), sizes, Remembered(outside.world))
        self.person = person

    async def file(self, wanted: Wanted, chunks: Iterable[bytes], give_on: Callable[[Rows], None]) -> Filed:
        """Every refusal is registered before it is told. `chunks` may raise Stop; `give_on` gets the rows of each part
        once its entry is durable."""
        self._form: Form | None = None
        self._within: Within | None = None
        self._left: Left | None = None
        self._heads: dict[str, bytes] = {}
        self._key: int | None = None
        filed = Filed(self.begin(wanted.caller(self.person)))
        try:
            await self._file(filed, wanted, chunks, give_on)
        except Stop as stop:
            await self._stopped(filed, stop)
        except RegisterUnavailable:
            filed.stop = Stop(Reason.REGISTER_UNAVAILABLE)
        return filed

    async def finish(self, filed: Filed) -> None:
        """All of it is about to be handed over; of parts an entry says so. Raises RegisterUnavailable."""
        if filed.parts > 1 or self._within is not None:
            await self.close(filed.trail, filed.parts)

    async def abandon(self, filed: Filed) -> None:
        """What was registered could not be written down: nothing of it left."""
        if filed.stop is None:
            await self._stopped(filed, Stop(Reason.INTERNAL, "the output could not be written"))

    # -- steps -------------------------------------------------------------------------------------------

    async def _file(
        self, filed: Filed, wanted: Wanted, chunks: Iterable[bytes], give_on: Callable[[Rows], None]
    ) -> None:
        match, inquiry, minimiser = await self._begun(filed, wanted)
        known, chunks = by_element(self.outside.world.now().compiled, wanted, chunks)
        if known != wanted:
            match, inquiry, minimiser = await self._begun(filed, known)
        for one in self._cut(match, minimiser, chunks):
            whole = one.last and filed.parts == 0 and one.within is None
            if minimiser.masks and not whole:
                raise Stop(Reason.BODY_TOO_LARGE, "text is masked by the names in a whole file, which must be smaller")
            # the whole file is registered with the digest of what it becomes, a part with that of its rows
            self._form = one.reader.form if whole else None
            self._within = one.within
            if one.reader.form is Form.DOCUMENT and self._left is None:
                self._left = Left()
            part = await self._emit(filed, match, inquiry, one, whole=whole)
            filed.parts += 1
            self.remembered = Remembered(self.outside.world)  # only this part's people are in memory
            filed.form = Form.SET if one.within is not None else one.reader.form
            assert part.minimised is not None
            assert part.emission is not None
            self._key = part.emission.sight.version
            self._heads[one.name] = part.minimised.head
            filed.head = part.minimised.head
            if self._left is not None:
                self._left.recall(sections(match.schema.records[match.route.record]), part.minimised.rows)
                filed.named |= named_in(part.minimised.rows)
                filed.waiting |= waiting(part.minimised.rows)
            give_on(part.minimised.rows)
        if self._left is not None:
            filed.tally.released -= len(filed.waiting - filed.named)
            if not filed.tally.persons:
                filed.tally.released = 0  # a document of groups of which nobody is in it says nothing (R7)
        if self._within is not None:
            assert isinstance(minimiser, Sets)
            give_on(minimiser.files.manifest(self._within.opened))

    async def _begun(self, filed: Filed, wanted: Wanted) -> tuple[Match, Inquiry, Minimiser]:
        match, inquiry = handed_in(self.outside.world.now().compiled, wanted)
        filed.trail = filed.trail.at(match)
        filed.permit, minimiser = await self.steadily(lambda snapshot: self.may_be_read(filed.trail, inquiry, snapshot))
        return match, inquiry, minimiser

    def _cut(self, match: Match, minimiser: Minimiser, chunks: Iterable[bytes]) -> Iterator[_Cut]:
        size, most = (self.sizes.answer_bytes, None) if minimiser.masks else (self.sizes.part_bytes, TOGETHER)
        reader = handed_in_as(match, self.sizes.answer_bytes, size)
        if isinstance(minimiser, Sets):
            ((archive, _),) = cut(reader, chunks, self.sizes.answer_bytes)
            yield from self._cut_set(reader, archive, minimiser.files)
            return
        for records, last in cut(reader, chunks, size, most):
            yield _Cut(reader, records, last)

    def _cut_set(self, reader: Reader, archive: list[bytes], files: CsvSet) -> Iterator[_Cut]:
        """In one, where it is small or something needs the whole of it; else file after file."""
        opened = self.minimised(lambda: files.opened(archive[0]))
        if files.whole or opened.archive.size <= self.sizes.part_bytes:
            yield _Cut(reader, archive, last=True)
            return
        self.minimised(lambda: files.check(opened))
        legs, most = files.legs(opened), TOGETHER // 2  # a row issues an id of its own beside that of its person
        for leg in legs:
            if leg.waiting and not opened.waiting[leg.name].rows:
                continue
            file, chunks = files.reader(), files.chunks(opened, leg)
            for records, last in cut(file, chunks, self.sizes.part_bytes, most):
                yield _Cut(file, records, last and leg is legs[-1], Within(opened, leg))

    async def _emit(self, filed: Filed, match: Match, inquiry: Inquiry, cut: _Cut, *, whole: bool) -> Part:
        tally, number = filed.tally, filed.parts + 1
        reader, records = cut.reader, cut.records
        tolerated = tolerable(tally.handed_in + len(records)) - tally.malformed
        one = Piece(reader.piece(records), number, tolerated, whole=whole)
        part = await self.steadily(lambda snapshot: self.part(filed.trail, match, inquiry, one, None, snapshot))
        assert part.minimised is not None
        assert part.emission is not None
        seen = part.minimised.seen if cut.within is not None else part.minimised.seen or len(records)
        tally.add(seen, part.minimised, part.emission)
        if cut.within is not None:
            cut.within.opened.take()
        tally.unknown.update(self._unknown(match, cut, reader.piece(sampled(records))))
        return part

    def _unknown(self, match: Match, cut: _Cut, sample: bytes) -> Counter[Unknown]:
        schema, record = match.schema, match.route.record
        if cut.within is not None:
            found = unknown_in(schema, cut.name, sample, many=True)
            return placed(schema, "", {f"{cut.name}.{path}": count for path, count in found.items()})
        if is_set(match):
            return placed(schema, "", unknown_in_set(sample, schema))
        self.outside.drift.look(match, sample)
        return placed(schema, record, unknown_in(schema, record, sample, many=True))

    def emission(self, trail: Trail, inquiry: Inquiry, snapshot: Snapshot) -> tuple[Permit, Emission, Minimiser]:
        """Of a piece of a set or of a document, by what left of it before."""
        permit, emission, minimiser = super().emission(trail, inquiry, snapshot)
        if self._key not in (None, emission.sight.version):  # one person would have two pseudonyms in one file
            raise Stop(Reason.FACTS_CHANGED)
        if self._left is not None and isinstance(minimiser, Documents):
            minimiser = Items(minimiser.xml, self._left)
        if self._within is None:
            return permit, emission, minimiser
        opened, leg = self._within.opened, self._within.leg
        if not isinstance(minimiser, Sets) or minimiser.files.whole or leg.name not in minimiser.files.minimisers:
            raise Stop(Reason.FACTS_CHANGED)  # the delivery is another than that under which it began
        return permit, emission, SetPieces(minimiser.files, opened, leg)

    def framed(self, minimised: Minimised, match: Match) -> None:
        del match
        name = self._within.leg.name if self._within is not None else ""
        if self._heads.get(name, minimised.head) != minimised.head:  # what left has other columns than what would now
            raise Stop(Reason.FACTS_CHANGED)
        if self._form is Form.DOCUMENT:
            minimised.body = b"".join(document(sorted(minimised.rows), named_in(minimised.rows), minimised.head))
        elif self._form not in (None, Form.SET):
            minimised.body = b"".join(in_form(self._form, (row for _, row in minimised.rows), minimised.head))

    async def _stopped(self, filed: Filed, stop: Stop) -> None:
        filed.stop = stop
        try:
            if filed.parts:
                await self.broken_off(filed.trail, stop, filed.parts + 1)
            else:
                await self.outside.register.append(entries.refusal(filed.trail, stop))
        except RegisterUnavailable:
            filed.stop = Stop(Reason.REGISTER_UNAVAILABLE)

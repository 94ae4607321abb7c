"""A file that a person of the school hands in: cut, decided, minimised and registered part by part, in flat memory.

The same flow as a live answer; only where the records come from differs. Every part has its durable entry before its
rows are given on, so that what is decided while a large file runs concerns the pupils not yet emitted (house rules 3
and 4). Leaves out: sorting the rows of all parts and writing them (`adapters.file_output`), the report (`bootstrap`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from gateway.core.file_forms import Form, in_form
from gateway.core.gate.decide import Permit
from gateway.core.reasons import Reason
from gateway.core.register import Draft, altered
from gateway.core.release.minimised import Minimised, tolerable
from gateway.formats.csv import unknown_in_set
from gateway.transfer import trail as entries
from gateway.transfer.drift import unknown_in
from gateway.transfer.filing import TOGETHER, Filing, Reader, Wanted, cut, handed_in, handed_in_as, is_set
from gateway.transfer.inquiry import Inquiry
from gateway.transfer.parts import Part, Piece
from gateway.transfer.ports import Receipt, Register, RegisterUnavailable
from gateway.transfer.remembered import Remembered
from gateway.transfer.request import Match, Stop
from gateway.transfer.steps import Outside, Sizes
from gateway.transfer.tally import Tally, placed, sampled
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
    on must be destroyed. `permit`: the terms under which the rest leaves."""

    trail: Trail
    tally: Tally = field(default_factory=Tally)
    form: Form = Form.ARRAY
    head: bytes = b""
    parts: int = 0
    permit: Permit | None = None
    stop: Stop | None = None


class Filter(Filing):
    """One per command."""

    apart = True

    def __init__(self, outside: Outside, sizes: Sizes, person: str, said: tuple[str, ...] = ()) -> None:
        register = PersonsRegister(outside.register, person, said)
        super().__init__(replace(outside, register=register), sizes, Remembered(outside.world))
        self.person = person
        self._form: Form | None = None

    async def file(self, wanted: Wanted, chunks: Iterable[bytes], give_on: Callable[[Rows], None]) -> Filed:
        """Every refusal is registered before it is told. `chunks` may raise Stop; `give_on` gets the rows of each part
        once its entry is durable."""
        filed = Filed(self.begin(wanted.caller(self.person)))
        try:
            await self._file(filed, wanted, chunks, give_on)
        except Stop as stop:
            await self._stopped(filed, stop)
        except RegisterUnavailable:
            filed.stop = Stop(Reason.REGISTER_UNAVAILABLE)
        return filed

    async def finish(self, filed: Filed) -> None:
        """All of it is about to be handed over; of several parts an entry says so. Raises RegisterUnavailable."""
        if filed.parts > 1:
            await self.close(filed.trail, filed.parts)

    async def abandon(self, filed: Filed) -> None:
        """What was registered could not be written down: nothing of it left."""
        if filed.stop is None:
            await self._stopped(filed, Stop(Reason.INTERNAL, "the output could not be written"))

    # -- steps -------------------------------------------------------------------------------------------

    async def _file(
        self, filed: Filed, wanted: Wanted, chunks: Iterable[bytes], give_on: Callable[[Rows], None]
    ) -> None:
        match, inquiry = handed_in(self.outside.world.now().compiled, wanted)
        filed.trail = filed.trail.at(match)
        filed.permit, minimiser = await self.steadily(lambda snapshot: self.may_be_read(filed.trail, inquiry, snapshot))
        reader = handed_in_as(match, self.sizes.answer_bytes)
        size, most = (self.sizes.answer_bytes, None) if minimiser.masks else (self.sizes.part_bytes, TOGETHER)
        for records, last in cut(reader, chunks, size, most):
            if minimiser.masks and not (last and filed.parts == 0):
                raise Stop(Reason.BODY_TOO_LARGE, "text is masked by the names in a whole file, which must be smaller")
            # the whole file is registered with the digest of what it becomes, a part with that of its rows
            self._form = reader.form if last and filed.parts == 0 else None
            part = await self._emit(filed, match, inquiry, reader, records, last=last)
            filed.parts += 1
            self.remembered = Remembered(self.outside.world)  # only this part's people are in memory
            filed.form = reader.form
            assert part.minimised is not None
            filed.head = part.minimised.head
            give_on(part.minimised.rows)

    async def _emit(
        self, filed: Filed, match: Match, inquiry: Inquiry, reader: Reader, records: list[bytes], *, last: bool
    ) -> Part:
        tally, number = filed.tally, filed.parts + 1
        tolerated = tolerable(tally.handed_in + len(records)) - tally.malformed
        one = Piece(reader.piece(records), number, tolerated, whole=last and number == 1)
        part = await self.steadily(lambda snapshot: self.part(filed.trail, match, inquiry, one, None, snapshot))
        assert part.minimised is not None
        assert part.emission is not None
        sample = reader.piece(sampled(records))
        tally.add(part.minimised.seen or len(records), part.minimised, part.emission)
        if is_set(match):
            tally.unknown.update(placed(match.schema, "", unknown_in_set(sample, match.schema)))
            return part
        record = match.route.record
        tally.unknown.update(placed(match.schema, record, unknown_in(match.schema, record, sample, many=True)))
        self.outside.drift.look(match, sample)
        return part

    def framed(self, minimised: Minimised, match: Match) -> None:
        del match
        if self._form is not None:
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

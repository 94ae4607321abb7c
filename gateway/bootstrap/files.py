"""`gateway filter`: files of the school through the data plane's own flow, in this process, to files that may leave.

A file appears when it is complete, with the cover that delivers its purpose and terms (R1); a folder appears whole,
its files numbered in an order that says nothing of whose they are. Leaves out: the flow (`transfer.filter`), what cover
and report say (`reports`), asking and telling (`cli`).
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from gateway.adapters.file_output import beside, chunks_of, chunks_typed, folder_beside, place, place_folder
from gateway.adapters.register.writer import DatabaseRegister
from gateway.adapters.sorted_rows import SortedRows
from gateway.bootstrap.export_jobs import forget_old
from gateway.bootstrap.plane import outside_of, sizes_of
from gateway.bootstrap.reports import cover
from gateway.bootstrap.school import Refused, School, random
from gateway.core.file_forms import Form, in_form
from gateway.core.gate.decide import Permit
from gateway.core.persons import Actor, Deed
from gateway.core.reasons import Reason
from gateway.formats.csv import set_of
from gateway.transfer.filing import Wanted
from gateway.transfer.filter import Filed, Filter, Rows, document
from gateway.transfer.ports import NotSent, RegisterUnavailable, UpstreamAnswer, UpstreamCall
from gateway.transfer.request import Stop

Texts = Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Given:
    """What is handed in: one file as chunks, or the files of a folder in the order of their names."""

    files: tuple[Texts, ...] = field(repr=False)
    folder: bool = False


class NoUpstream:
    """ports.Upstream: no source is asked here."""

    async def read(self, permit: Permit, call: UpstreamCall) -> UpstreamAnswer:
        raise NotSent

    async def write(self, permit: Permit, call: UpstreamCall) -> UpstreamAnswer:
        raise NotSent


def given(path: Path) -> Given:
    """A file, or the files of a folder. Raises Refused."""
    if not path.is_dir():
        return Given((chunks_of(path),))
    try:
        found = [one for one in sorted(path.iterdir()) if one.is_file() and not one.name.startswith(".")]
    except OSError:
        found = []
    if not found:
        raise Refused(["there are no files in this folder"])
    return Given(tuple(chunks_of(one) for one in found), folder=True)


def streamed(file: BinaryIO) -> Given:
    """Standard input."""
    return Given((chunks_typed(file),))


def keep(path: Path, told: dict[str, Any]) -> None:
    """A new file with this, for its owner only. Raises OSError."""
    with beside(path) as write:
        place(write(_text(told)), path)


def _text(told: dict[str, Any]) -> Texts:
    return msgspec.json.format(msgspec.json.encode(told), indent=2), b"\n"


def source_of(school: School, schema: str, source: str | None) -> str:
    """The one that speaks this schema. Raises Refused."""
    speaks = [name for name, one in school.settings.sources.items() if schema in one.schemas]
    if source is not None:
        return source
    if len(speaks) > 1:
        raise Refused(["several sources speak this schema: give --source"])
    return speaks[0] if speaks else next(iter(school.settings.sources), "")


def filter_files(
    school: School, actor: Actor, wanted: Wanted, reason: str, files: Given, output: Path | Callable[[Texts], None]
) -> list[Filed]:
    """What came of each file, in the order given; what may leave is at `output` when this returns (or was given to it,
    whole). Raises Refused."""
    act = school.act(actor, Deed.FILE_FILTER, reason)
    forget_old(school)
    said = [f"reason: {act.reason}", *([f"on behalf of: {act.on_behalf}"] if act.on_behalf else [])]
    return asyncio.run(_filter(school, actor.name, tuple(said), wanted, files, output))


async def _filter(
    school: School,
    person: str,
    said: tuple[str, ...],
    wanted: Wanted,
    files: Given,
    output: Path | Callable[[Texts], None],
) -> list[Filed]:
    register = DatabaseRegister(school.database, school.store_keys, lean=True)
    outside = outside_of(school, school.world(lean=True), register, NoUpstream())
    job = Job(school, Filter(outside, sizes_of(school), person, said), wanted)
    try:
        if files.folder and isinstance(output, Path):
            return await job.folder(files.files, output)
        return [await job.file(files.files[0], output)]
    except OSError:
        raise Refused([_UNWRITTEN]) from None
    finally:
        await outside.drift.settled()
        register.close()


_ENDINGS = {Form.LINES: "ndjson", Form.SET: "zip"}
_UNWRITTEN = "the output could not be written: is the disk full? What the register says of it did not leave"

Finish = Callable[[Filed, Texts], Awaitable[None]]
"""Write down what leaves, say in the register that it does, and give it its name. Raises OSError."""


@dataclass(frozen=True, slots=True)
class Job:
    """One command."""

    school: School
    flow: Filter
    wanted: Wanted

    async def file(self, texts: Texts, output: Path | Callable[[Texts], None]) -> Filed:
        async def to_stream(filed: Filed, texts: Texts) -> None:
            await self.flow.finish(filed)
            assert not isinstance(output, Path)
            try:
                output(texts)
            except OSError:  # some of it may have been taken, so the register is right
                filed.stop = Stop(Reason.OUTCOME_UNKNOWN, "standard output was closed, and some may have been taken")

        async def to_path(filed: Filed, texts: Texts) -> None:
            assert isinstance(output, Path)
            with beside(output) as write, self._cover(output, [filed]) as placed:
                made = write(texts)
                await self.flow.finish(filed)
                placed()
                place(made, output)

        if isinstance(output, Path):
            return await self._one(texts, output.parent, to_path)
        return await self._one(texts, Path(tempfile.gettempdir()), to_stream)

    async def folder(self, files: Sequence[Texts], output: Path) -> list[Filed]:
        """In a random order: the numbers of the files, and of their entries, say nothing of the names they had."""
        found: dict[int, Filed] = {}
        with folder_beside(output) as folder:
            for at in sorted(range(len(files)), key=lambda _: random(8)):
                number = sum(_leaves(one) for one in found.values()) + 1
                found[at] = await self._one(files[at], folder, self._numbered(folder, number))
            leaving = [one for one in found.values() if _leaves(one)]
            if leaving:
                await self._placed(folder, output, leaving)
        return [found[at] for at in sorted(found)]

    async def _placed(self, folder: Path, output: Path, leaving: Sequence[Filed]) -> None:
        """Where that fails, the register is told of each file that it did not leave. Raises OSError."""
        try:
            with self._cover(output, leaving) as placed:
                placed()
                place_folder(folder, output)
        except OSError:
            for one in leaving:
                await self.flow.abandon(one)
            raise

    def _numbered(self, folder: Path, number: int) -> Finish:
        async def finish(filed: Filed, texts: Texts) -> None:
            match = filed.trail.match
            assert match is not None
            kind = _ENDINGS.get(filed.form, match.schema.format)
            name = folder / f"{number:04d}.{kind}"
            with beside(name) as write:
                made = write(texts)
                await self.flow.finish(filed)
                place(made, name)

        return finish

    async def _one(self, texts: Texts, directory: Path, finish: Finish) -> Filed:
        with closing(SortedRows(directory, random)) as rows:
            filed = await self.flow.file(self.wanted, texts, lambda part: _taken(rows, part))
            if filed.stop is not None:
                return filed
            try:
                if filed.tally.released:
                    await finish(filed, _formed(filed, rows))
                else:
                    await self.flow.finish(filed)
            except OSError:
                await self.flow.abandon(filed)
            except RegisterUnavailable:
                filed.stop = Stop(Reason.REGISTER_UNAVAILABLE)
            return filed

    @contextmanager
    def _cover(self, output: Path, filed: Sequence[Filed]) -> Iterator[Callable[[], None]]:
        """Gives the cover its name when called; takes it away again when the block fails."""
        path = output.with_name(output.name + ".cover.json")
        named = False

        def placed() -> None:
            nonlocal named
            place(made, path)
            named = True

        with beside(path) as write:
            made = write(_text(cover(self.school, filed)))
            try:
                yield placed
            except BaseException:
                if named:
                    path.unlink(missing_ok=True)
                raise


def _leaves(filed: Filed) -> bool:
    return filed.stop is None and filed.tally.released > 0


def _formed(filed: Filed, rows: SortedRows) -> Texts:
    match filed.form:
        case Form.SET:
            return set_of(rows.keyed())
        case Form.DOCUMENT:
            return document(rows.keyed(), filed.named, filed.head)
        case form:
            return in_form(form, rows, filed.head)


def _taken(rows: SortedRows, part: Rows) -> None:
    try:
        rows.take(part)
    except OSError:
        raise Stop(Reason.INTERNAL, "the output could not be written: is the disk full?") from None

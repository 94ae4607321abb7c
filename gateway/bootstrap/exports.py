"""`gateway export`: all that a recipient may have of the source's records, page by page, to where it is handed over.

A run that was killed is gone on with by the same command. What is made appears whole, with the cover that delivers its
purpose and terms (R1). Leaves out: the flow (`transfer.export`), the journal (`adapters.exports`), what cover and
report say (`reports`), asking and telling (`cli`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gateway.adapters.endpoints import HttpEndpoints
from gateway.adapters.exports.journal import Content, Job, Jobs, Running, StoredJournal
from gateway.adapters.exports.made import Made
from gateway.adapters.exports.sftp import SftpPlaces
from gateway.adapters.lvs.upstream import HttpUpstream, system_trust
from gateway.adapters.register.writer import DatabaseRegister
from gateway.bootstrap.export_files import NAMES, Leaving
from gateway.bootstrap.export_jobs import begin_anew, forget_old, jobs_of
from gateway.bootstrap.files import keep
from gateway.bootstrap.following import PolicyFiles
from gateway.bootstrap.plane import outside_of, sizes_of
from gateway.bootstrap.reports import cover
from gateway.bootstrap.school import (
    Refused,
    School,
    clock,
    endpoints_of,
    sftp_places_of,
    upstream_sources,
    wire_limits,
)
from gateway.core.file_forms import Form
from gateway.core.persons import Actor, Deed
from gateway.core.reasons import Reason
from gateway.transfer.export import Export
from gateway.transfer.filing import Wanted
from gateway.transfer.journal import Handed
from gateway.transfer.listing import list_route
from gateway.transfer.pages import Asked, Exported, Progress
from gateway.transfer.ports import NotSent, OutcomeUnknown, UpstreamFailed
from gateway.transfer.request import Stop
from gateway.transfer.trail import instant

_ROUNDS = 3  # readings of pages whose pupils changed before it was handed over
_UNWRITTEN = "the output could not be written: is the disk full? The same command goes on from here"
# Of these it may be otherwise soon: the same command goes on. Anything else ends the job.
_PASSES = frozenset(
    {
        Reason.UPSTREAM_FAILED,
        Reason.UPSTREAM_TIMEOUT,
        Reason.NOT_SENT,
        Reason.REGISTER_UNAVAILABLE,
        Reason.FACTS_CHANGED,
        Reason.FACTS_STALE,
        Reason.ROSTER_DOUBTED,
        Reason.OUTCOME_UNKNOWN,
    }
)


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked at the command line. `form`: of what is made; it goes to `output`, or else `to` an endpoint of the
    recipient; `anew`: a job that was killed is thrown away. `records`: kinds; several in a `container`, which is a
    folder or a zip."""

    wanted: Wanted
    form: Form
    output: Path | None = None
    to: str | None = None
    anew: bool = False
    records: tuple[str, ...] = ()
    container: str = "file"


def export(
    school: School, actor: Actor, order: Order, reason: str, watch: Callable[[Progress], None]
) -> tuple[Exported, bool]:
    """What came of it, and whether the same command can go on with it; what may leave is at the output when this
    returns. Raises Refused."""
    act = school.act(actor, Deed.RECORDS_EXPORT, reason)
    if order.to is not None and order.to not in school.settings.endpoints:
        named = ", ".join(school.settings.endpoints) or "none"
        raise Refused([f"gateway.yaml has no such endpoint; it has {named}"])
    said = (f"reason: {act.reason}", *([f"on behalf of: {act.on_behalf}"] if act.on_behalf else []))
    _fits(school, order)
    records = _records(school, order)
    jobs, content = jobs_of(school), _content(actor, order, records, said)
    forget_old(school)
    if order.anew:
        begin_anew(school, actor, content)
    job = _job(school, jobs, content)
    try:
        with closing(jobs.journal(job.id)) as journal:
            asked = Asked(job.id, actor.name, job.content.said, order.wanted, records, order.to)
            exported = asyncio.run(_export(school, asked, order, journal, watch))
    except Running:
        raise Refused(["this export is running already"]) from None
    except OSError:
        raise Refused([_UNWRITTEN]) from None
    goes_on = exported.stop is not None and exported.stop.reason in _PASSES
    if not goes_on:
        jobs.end(job.id)
    return exported, goes_on


def usual_form(school: School, schema: str, container: str) -> Form:
    """Of a folder or a zip, whose name says none: documents where the schema is of them, else JSON or tables."""
    found = school.world(lean=True).now().compiled.schemas.get(schema)
    if found is not None and found.format == "xml":
        return Form.DOCUMENT
    return Form.TABLE if container == "zip" else Form.ARRAY


def unfinished(school: School, actor: Actor, order: Order) -> bool:
    """Whether a run of the same command was killed."""
    records = _records(school, order)
    mine = _content(actor, order, records, ())
    return any(job.content.same(mine) for job in jobs_of(school).open())


def _records(school: School, order: Order) -> tuple[str, ...]:
    """The kinds that are asked; else those of the delivery that its source lists. Raises Refused where there are
    several and one file."""
    wanted = order.wanted
    if order.records:
        return order.records
    compiled = school.world(lean=True).now().compiled
    standing = compiled.standings.get((wanted.recipient, wanted.purpose, wanted.schema))
    schema = compiled.schemas.get(wanted.schema)
    if standing is None or schema is None:
        return tuple(schema.records)[:1] if schema else ("",)  # the gate says what is wrong
    listed = tuple(record for record in standing.delivery.grants if list_route(schema, record))
    if len(listed) > 1 and order.container == "file":
        raise Refused(["give --record: " + ", ".join(listed)])
    return listed or tuple(standing.delivery.grants)[:1]


def _fits(school: School, order: Order) -> None:
    """Whether the schema's records can be written so. Raises Refused."""
    wanted, compiled = order.wanted, school.world(lean=True).now().compiled
    schema = compiled.schemas.get(wanted.schema)
    if schema is None:
        return  # the gate says so
    if (schema.format == "xml") is not (order.form is Form.DOCUMENT):
        can = "xml" if schema.format == "xml" else "json, ndjson or csv"
        raise Refused([f"{schema.name} is {schema.format.upper()}: --form {can}"])
    standing = compiled.standings.get((wanted.recipient, wanted.purpose, wanted.schema))
    several = standing is not None and len(standing.delivery.locations) > 1
    if several and order.form is Form.DOCUMENT and order.container == "file":
        raise Refused(["a document is of one location, and this delivery has several: -o NAME.zip, or --folder"])


# -- the job ---------------------------------------------------------------------------------------------


def _content(actor: Actor, order: Order, records: tuple[str, ...], said: tuple[str, ...]) -> Content:
    wanted = order.wanted
    return Content(
        person=actor.name,
        source=wanted.source,
        schema=wanted.schema,
        recipient=wanted.recipient,
        purpose=wanted.purpose,
        platform=wanted.platform,
        records=records,
        form=f"{order.form} {order.container}",
        target=f"endpoint {order.to}" if order.output is None else str(order.output.absolute()),
        said=said,
    )


def _job(school: School, jobs: Jobs, content: Content) -> Job:
    found = next((job for job in jobs.open() if job.content.same(content)), None)
    now = clock()
    return found or jobs.begin(school.new_id(now), content, instant(now))


async def _export(
    school: School, asked: Asked, order: Order, journal: StoredJournal, watch: Callable[[Progress], None]
) -> Exported:
    register = DatabaseRegister(school.database, school.store_keys, lean=True)
    upstream = HttpUpstream(upstream_sources(school.settings), system_trust, wire_limits(school.settings))
    outside = outside_of(school, school.world(lean=True), register, upstream)
    endpoints = _endpoints(school, order.to)
    flow = Export(outside, sizes_of(school), asked, upstream, journal, _following(school, watch))
    try:
        return await Run(school, order, journal, flow, endpoints, watch).run()
    finally:
        await outside.drift.settled()
        register.close()
        await upstream.close()
        await endpoints.close()


def _following(school: School, watch: Callable[[Progress], None]) -> Callable[[Progress], None]:
    """The files of the school are looked at between parts, and before the last look: nobody else may (no `serve`)."""
    files = PolicyFiles(school)

    def watched(how_far: Progress) -> None:
        watch(how_far)
        files.look()

    return watched


def _endpoints(school: School, to: str | None) -> HttpEndpoints | SftpPlaces:
    places = sftp_places_of(school.settings)
    if to in places:
        return SftpPlaces(places)
    return HttpEndpoints(endpoints_of(school.settings), system_trust, wire_limits(school.settings))


# -- what is made ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Run:
    """From the first page to the file with its cover."""

    school: School
    order: Order
    journal: StoredJournal
    flow: Export
    endpoints: HttpEndpoints | SftpPlaces
    watch: Callable[[Progress], None]

    async def run(self) -> Exported:
        for _ in range(_ROUNDS):
            exported = await self.flow.read_all()
            if exported.stop is not None or self._there(exported):
                return exported
            if await self._hand_over(exported):
                return exported
        self.flow.exported.stop = Stop(Reason.FACTS_CHANGED)
        return self.flow.exported

    async def _hand_over(self, exported: Exported) -> bool:
        if not exported.tally.released or (self.order.form is Form.DOCUMENT and not exported.tally.persons):
            exported.tally.released = 0  # a document of groups of which nobody is in it says nothing (R7)
            return await self.flow.hand_over(Handed(0, 0, ""))
        self._tell("writing", exported)
        leaving = self._leaving(exported)
        with leaving.made(self._target(), self.order.container) as made:
            handed = Handed(leaving.records, made.size, self.school.store_keys.digest(made.sha256))
            if not await self.flow.hand_over(handed):
                return False
            self._left(exported, leaving.records)
            if exported.stop is None:
                self._tell("handing over", exported)
                await (self._place(exported, made) if self.order.to is None else self._send(exported, made))
        return True

    def _target(self) -> Path:
        """What is sent is made under the name of the job: a name of a file says nothing of anybody."""
        folder, job = self.school.directory / "exports", self.flow.asked.id
        kind = "zip" if self.order.container == "zip" else NAMES[self.order.form]
        return self.order.output or folder / f"{job}.{kind}"

    async def _place(self, exported: Exported, made: Made) -> None:
        """The cover first: what it says is there as soon as the rest is."""
        self._cover(exported, made)
        made.place()

    def _cover(self, exported: Exported, made: Made) -> Path:
        path = made.target.with_name(made.target.name + ".cover.json")
        path.unlink(missing_ok=True)  # of a run that was killed here; before the first, nothing was there
        told = cover(self.school, [exported])
        keep(path, told | ({"record": list(exported.shapes)} if len(exported.shapes) > 1 else {}))
        return path

    async def _send(self, exported: Exported, made: Made) -> None:
        assert exported.permit is not None
        assert exported.receipt is not None
        assert self.order.to is not None
        cover_file = self._cover(exported, made)
        try:
            for path, name in ((cover_file, cover_file.name), (made.path, made.target.name)):
                await self.endpoints.put(exported.permit, exported.receipt, self.order.to, name, path)
        except NotSent:
            await self.flow.not_sent(Stop(Reason.NOT_SENT, "endpoint"))
        except UpstreamFailed:
            await self.flow.not_sent(Stop(Reason.UPSTREAM_FAILED, "the endpoint did not take it"))
        except OutcomeUnknown:
            await self.flow.not_sent(Stop(Reason.OUTCOME_UNKNOWN, "the same command sends it once more"))
        finally:
            cover_file.unlink(missing_ok=True)

    def _there(self, exported: Exported) -> bool:
        """A run before this one was killed when all was done. Raises Refused when something else is there."""
        closed = self.journal.closed()
        if self.order.output is None or not self.order.output.exists():
            return False
        made = Made.of(self.order.output)
        if closed is None or closed.digest != self.school.store_keys.digest(made.sha256):
            raise Refused([f"{self.order.output.name} exists already"])
        self._left(exported, closed.records)
        return True

    def _left(self, exported: Exported, records: int) -> None:
        """Whoever is at two locations was released at both, and leaves once."""
        tally = exported.tally
        tally.twice = max(0, tally.released - records) if self.order.form is not Form.DOCUMENT else 0
        tally.released = records

    def _leaving(self, exported: Exported) -> Leaving:
        return Leaving(self.journal, self.school.directory / "exports", self.order.form, exported.shapes)

    def _tell(self, doing: str, exported: Exported) -> None:
        tally = exported.tally
        self.watch(Progress(doing, 0, 0, tally.handed_in, tally.released))

"""What the supervisor does besides minding workers: policy taken over, rosters synchronised, readiness, metrics.

Leaves out: the processes and when things happen (`supervisor`).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from starlette.applications import Starlette

from gateway.adapters.database import DatabaseUnavailable
from gateway.adapters.facts.store import sweep
from gateway.adapters.lvs.upstream import HttpUpstream, system_trust
from gateway.adapters.pupils.details import PupilSync
from gateway.adapters.pupils.roster import Outcome, RosterSync
from gateway.adapters.world import StoredWorld
from gateway.bootstrap.desk import facts_api
from gateway.bootstrap.export_jobs import forget_old
from gateway.bootstrap.following import PolicyFiles
from gateway.bootstrap.holds import look_after
from gateway.bootstrap.rosters import pupil_sync, roster_syncs
from gateway.bootstrap.school import School, clock, open_school, upstream_sources, wire_limits
from gateway.bootstrap.views import forget_views
from gateway.transfer.ports import RegisterUnavailable
from gateway.web.admin import admin_app
from gateway.web.metrics import VARIABLE, exposition

METRICS_DIRECTORY = VARIABLE  # what tells a worker where to count, in its environment
_RETRY_ROSTER = 15.0  # seconds until a source that failed is asked again


@dataclass(slots=True)
class Office:
    """One school, as its supervisor runs it. `metrics`: the directory in which workers count."""

    school: School
    world: StoredWorld
    sync: Mapping[str, RosterSync]
    pupils: PupilSync
    upstream: HttpUpstream
    metrics: Path
    files: PolicyFiles
    log: structlog.stdlib.BoundLogger = field(default_factory=structlog.get_logger)

    def url(self, listening: str) -> str:
        """Under which recipients reach the gateway, which listens at this address."""
        settings = self.school.settings
        return listening if settings.url == f"http://{settings.listen[0]}:0" else settings.url

    def take_over_policy(self) -> None:
        """Look at the files; store them when one of them is not what it was at the last look."""
        for kind, name in sorted(self.files.look()):
            self.log.info("policy taken over", kind=kind, name=name)

    def look_after_holds(self) -> None:
        """Overdue cases become tasks, released ones lapse (D2)."""
        with contextlib.suppress(DatabaseUnavailable):  # looked at again at the next turn
            changed = look_after(self.school)
            if changed:
                self.log.info("holds looked after", changed=changed)

    def forget_views(self) -> None:
        """Of what recipients last got: ends that were told, deliveries that are over."""
        with contextlib.suppress(RegisterUnavailable):  # looked at again at the next turn
            self.world.refresh()
            forgotten = forget_views(self.school, self.world.now().compiled.standings)
            if forgotten:
                self.log.info("views forgotten", forgotten=forgotten)

    def forget_exports(self) -> None:
        """Of those that were killed, and that nobody went on with in time."""
        with contextlib.suppress(DatabaseUnavailable, OSError):  # looked at again at the next turn
            forgotten = forget_old(self.school)
            if forgotten:
                self.log.info("exports forgotten", forgotten=forgotten)

    async def synchronise(self, source: str) -> float:
        """One round over the locations of `source`; the seconds until the next."""
        try:
            outcomes = await _round(self.sync, self.pupils, source)
        # the supervisor's edge: whatever one source says, workers and the other sources go on, and its roster grows old
        except Exception as error:  # noqa: BLE001 - one source takes no other down
            self.log.warning("roster failed", source=source, kind=type(error).__name__)
            return _RETRY_ROSTER
        for one in outcomes:
            self.log.info("roster", source=one.source, location=one.location, persons=one.persons, failure=one.failure)
        failed = any(one.failure for one in outcomes)
        return _RETRY_ROSTER if failed else self.school.settings.sources[source].roster_every_seconds

    def ready(self) -> Mapping[str, bool]:
        """What must hold before a delivery can succeed."""
        try:
            self.world.refresh()
            rosters = self.world.now().rosters
        except RegisterUnavailable:
            return {"database": False}
        now = clock()
        return {"database": True, **{f"roster {name}": roster.fresh(now) for name, roster in rosters.items()}}

    def admin(self) -> Starlette:
        routes = facts_api(self.school, self._failed)
        return admin_app(self.ready, lambda: exposition(self.metrics), routes)

    def _failed(self, kind: str) -> None:
        self.log.error("admin API failed", kind=kind)


@contextlib.asynccontextmanager
async def open_office(directory: Path, metrics: Path) -> AsyncIterator[Office]:
    """What an import that died left is removed. Raises Unusable."""
    with open_school(directory) as school:
        settings = school.settings
        sweep(school.database)
        upstream = HttpUpstream(upstream_sources(settings), system_trust, wire_limits(settings))
        try:
            sync, pupils = roster_syncs(school, upstream), pupil_sync(school, upstream)
            yield Office(school, school.world(), sync, pupils, upstream, metrics, PolicyFiles(school))
        finally:
            await upstream.close()


async def synchronise(directory: Path, *sources: str, believed: Collection[str] = ()) -> bool:
    """One round over each, for the command line; whether every location answered whole."""
    async with open_office(directory, directory) as office:
        outcomes = [one for source in sources for one in await _round(office.sync, office.pupils, source, believed)]
    return not any(one.failure for one in outcomes)


async def _round(
    rosters: Mapping[str, RosterSync], pupils: PupilSync, source: str, believed: Collection[str] = ()
) -> list[Outcome]:
    """The roster first: it says who is a pupil."""
    return [*await rosters[source].run_source(source, clock(), believed), *await pupils.run_source(source, clock())]

"""Jobs of `gateway export` that were killed: for how long they can be gone on with.

Leaves out: a run (`exports`), what is kept of one (`adapters.exports.journal`).
"""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta

from gateway.adapters.exports.journal import Content, Job, Jobs, Running
from gateway.adapters.register.acts import Act, note
from gateway.bootstrap.school import School, clock, random
from gateway.core.persons import Actor

_KEPT = timedelta(hours=24)
_GATEWAY = "gateway"  # stands in the register as who does what nobody asks for


def jobs_of(school: School) -> Jobs:
    return Jobs(school.database, school.store_keys, school.directory / "exports", random)


def forget_old(school: School) -> int:
    """What was begun a day ago and does not run is not handed over any more, whether somebody exports again or nobody;
    how many that were."""
    now = clock()
    old = [job for job in jobs_of(school).open() if now - datetime.fromisoformat(job.begun) > _KEPT]
    return sum(_drop(school, job, Act(school.new_id(now), _GATEWAY, "a day old", now)) for job in old)


def begin_anew(school: School, actor: Actor, content: Content) -> None:
    """A job that was killed is thrown away."""
    for job in jobs_of(school).open():
        if job.content.same(content):
            _drop(school, job, school.told(actor, "begun anew"))


def _drop(school: School, job: Job, act: Act) -> bool:
    """Unless it runs."""
    jobs = jobs_of(school)
    try:
        with closing(jobs.journal(job.id)):
            note(school.database, act, "export dropped", kind="change", about={"export": job.id})
            jobs.end(job.id)
    except Running:
        return False
    return True

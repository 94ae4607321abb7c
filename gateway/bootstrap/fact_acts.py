"""What a person does about facts: bring in a file, record one row, end, lift, decide, withdraw, look.

Each needs a role, and is one act with its register entry; whoever holds a role at one location does it for pupils of
that location only (R65, R68). The command line and the admin API come through here. Leaves out: how it is shown.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, BinaryIO, get_args

import msgspec
import orjson

from gateway.adapters.facts import look as fact_look
from gateway.adapters.facts.consent_rows import CampaignForm
from gateway.adapters.facts.imports import Changed, FileWrong, Importer, Progress, Taken
from gateway.adapters.facts.look import Known
from gateway.adapters.facts.row_files import Form as FileForm
from gateway.adapters.facts.row_forms import RULES, Door
from gateway.adapters.facts.rows import MAKES, ROWS
from gateway.adapters.facts.store import (
    Entered,
    ImportRunning,
    NotKnown,
    UnknownSubject,
    campaigns,
    enter,
    new_campaign,
)
from gateway.adapters.policy.forms import fit
from gateway.adapters.policy.yaml_text import Problem, read
from gateway.adapters.register.acts import Act
from gateway.bootstrap.acts import written
from gateway.bootstrap.school import Refused, School, clock, legal_today, random
from gateway.core.facts import Capacity, Kind, Objection
from gateway.core.persons import Actor, Deed, places, sees_secrets

LONGEST_NOTICE = 366  # days ahead
_FEW = 12  # words that a question can name

__all__ = ["FileForm", "FileWrong", "Known", "Progress", "Taken"]


class NoSuchFact(Refused):
    """Nothing of this number is known, of this kind, about a pupil of theirs."""


class NotNow(Refused):
    """Something else must happen first."""


@dataclass(frozen=True, slots=True)
class Turning:
    """A pupil whose parents' consents end on a birthday (R28). `pupil`: how the register names them; `las_keys` when
    the person may see them."""

    day: date
    pupil: str
    consents: int
    las_keys: str = field(default="", repr=False)


def door(school: School) -> Door:
    """What rows are held against now."""
    return Door(clock(), legal_today(), written(school), campaigns(school.database), school.settings.numbering)


# -- in --------------------------------------------------------------------------------------------------


def allowed(school: School, actor: Actor, reason: str) -> Act:
    """Before anything is asked of this person too. Raises Refused."""
    return school.act(actor, Deed.FACTS_RECORD, reason, places(actor, Deed.FACTS_RECORD) or ())


def bring_in(
    school: School,
    actor: Actor,
    kind: str,
    file: BinaryIO,
    name: str,
    reason: str,
    progress: Progress = lambda _, __: None,
    form: FileForm | None = None,
) -> Taken:
    """The whole of a file, or nothing of it; `form`: what the sender says it is. Raises Refused, and FileWrong with
    everything that is wrong."""
    where = places(actor, Deed.FACTS_RECORD)
    act = allowed(school, actor, reason)
    importer = Importer(school.database, school.store_keys, kind, door(school), random, where, form)
    try:
        taken = importer.bring_in(file, name, act, {"rows of": kind}, progress)
    except ImportRunning:
        raise NotNow(["another import is running: one at a time"]) from None
    except Changed:
        raise NotNow(["what is known changed meanwhile: nothing was brought in; do it again"]) from None
    return taken if _sees(actor, kind) else replace(taken, entered=taken.entered + taken.known, known=0)


def _sees(actor: Actor, kind: str) -> bool:
    """Whoever may not see markers does not learn either, by bringing one in, that it was known (R100)."""
    return kind != Kind.MARKER or sees_secrets(actor.roles)


def record(school: School, actor: Actor, kind: str, values: Mapping[str, str], reason: str) -> Taken:
    """One row. Raises as `bring_in`."""
    given = {name: value for name, value in values.items() if value}
    return bring_in(school, actor, kind, io.BytesIO(orjson.dumps([given])), kind, reason)


def open_campaign(school: School, actor: Actor, text: str, name: str, reason: str) -> int:
    """The number of a campaign with the terms of this file (D6). Raises Refused, and FileWrong."""
    act = school.act(actor, Deed.FACTS_RECORD, reason)
    document = read(text, name)
    fitted = fit(CampaignForm, document, RULES)
    problems = [*fitted.problems, *(document.problem(one.path, "this is not answered yet") for one in document.asked)]
    if not problems and fitted.form is not None:
        problems = [Problem(name, 1, message, rule) for message, rule in fitted.form.wrong(door(school))]
    if problems or fitted.form is None:
        raise FileWrong(problems, len(problems))
    return new_campaign(school.database, act, fitted.form.terms())


# -- one fact --------------------------------------------------------------------------------------------


def end(school: School, actor: Actor, kind: str, number: int, reason: str, informed: date | None = None) -> None:
    """R95: a restriction ends only with the date on which the parents, or the pupil of 16, were informed. Raises
    Refused."""
    known = _known(school, actor, Deed.FACTS_RECORD, kind, number, reason)
    if kind == Kind.RESTRICTION and informed is None:
        raise NotNow(["say when the parents, or the pupil of 16, were informed: --informed (R95)"])
    if informed is not None and informed > legal_today():
        raise NotNow(["the parents, or the pupil of 16, are informed before it ends (R95)"])
    about = {"fact": str(number)} | ({"informed": informed.isoformat()} if informed else {})
    act = school.act(actor, Deed.FACTS_RECORD, reason, known.locations)
    _enter(school, act, [], [number], about)


def decide_objection(school: School, actor: Actor, number: int, reason: str, *, rejected: bool) -> None:
    """R96: the board's decision, with its reasons. Upheld, it stands for good; rejected, it stops nothing any more.
    Raises Refused."""
    known = _known(school, actor, Deed.OBJECTION_DECIDE, "objection", number, reason)
    act = school.act(actor, Deed.OBJECTION_DECIDE, reason, known.locations)
    assert isinstance(known.fact, Objection), "MAKES says so"
    about = {"fact": str(number), "decision": "rejected" if rejected else "upheld"}
    if not rejected:
        _enter(school, act, [], [], about)
        return
    decided = msgspec.structs.replace(known.fact, number=0, rejected=legal_today())
    _enter(school, act, [Entered(known.subject, decided)], [number], about)


def _known(school: School, actor: Actor, deed: Deed, kind: str, number: int, reason: str) -> Known:
    """The fact of this number, if it is of this kind and about a pupil of theirs: else nobody learns that it is
    there."""
    where = places(actor, deed)
    school.act(actor, deed, reason, where or ())  # whoever may not at all learns no number
    found = fact_look.by_number(school.database, school.store_keys, number)
    if found is None or found.kind not in MAKES[kind]:
        raise NoSuchFact(["no such fact is known"])
    if where and where.isdisjoint(found.locations):
        raise NoSuchFact(["no such fact is known"])
    return found


def _enter(school: School, act: Any, entered: list[Entered], ends: list[int], about: Mapping[str, str]) -> None:
    try:
        enter(school.database, school.store_keys, act, entered, ends, about)
    except (NotKnown, UnknownSubject):
        raise NoSuchFact(["no such fact is known"]) from None


# -- looking ---------------------------------------------------------------------------------------------


def listed(
    school: School, actor: Actor, kind: str, last: int = 100, reason: str | None = None
) -> tuple[int, list[Known]]:
    """How many are known, and the newest, oldest first. With a reason the pupils' las-keys stand beside them, and the
    view is registered (R80). Raises Refused."""
    where = places(actor, Deed.FACTS_READ)
    if reason is None:
        school.act(actor, Deed.FACTS_READ, "list", where or ())
    if not _sees(actor, kind):
        raise Refused(["markers are seen by the roles releaser and fg only"])
    count, found = fact_look.newest(school.database, school.store_keys, MAKES[kind], last, where)
    if reason is None:
        return count, found
    secret = {"secret": "yes"} if kind == Kind.MARKER else None  # by its roll the entry would tell whom it is about
    school.look(actor, Deed.FACTS_READ, reason, fact_look.subjects(found), where or (), secret)
    return count, fact_look.with_las_keys(school.database, school.store_keys, found)


def turning_sixteen(school: School, actor: Actor, days: int, reason: str | None = None) -> list[Turning]:
    """R28: who turns 16 within these days while consents of parents run. With a reason with las-keys, registered."""
    where = places(actor, Deed.FACTS_READ)
    if reason is None:
        school.act(actor, Deed.FACTS_READ, "turning 16", where or ())
    today = legal_today()
    soon = fact_look.born_between(
        school.database, school.store_keys, lambda birth: today <= birthday(birth, 16) <= today + timedelta(days=days)
    )
    running = _running(school, soon, today, where)
    if reason is not None:
        seen = fact_look.subjects(running)
        school.look(actor, Deed.FACTS_READ, reason, seen, where or ())
        running = fact_look.with_las_keys(school.database, school.store_keys, running)
    count = Counter(one.subject for one in running)
    of = {one.subject: one for one in running}
    turning = [Turning(birthday(soon[who], 16), one.pupil, count[who], one.las_keys) for who, one in of.items()]
    return sorted(turning, key=lambda one: (one.day, one.pupil))


def _running(school: School, pupils: Iterable[bytes], today: date, where: frozenset[str] | None) -> list[Known]:
    """Consents that somebody else than the pupil gave, and that have not ended."""
    theirs = fact_look.of_pupils(school.database, school.store_keys, pupils, (Kind.CONSENT,), where)
    return [one for one in theirs if fact_look.consent_runs(one.fact, today, but=Capacity.PUPIL)]


def birthday(birth: date, age: int) -> date:
    """Who was born on 29 February has a birthday on 1 March in other years (table 5.2)."""
    try:
        return birth.replace(year=birth.year + age)
    except ValueError:
        return date(birth.year + age, 3, 1)


@dataclass(frozen=True, slots=True)
class Column:
    """Of a row. `words`: those that it may be, where they are few."""

    name: str
    required: bool
    words: tuple[str, ...] = ()


def columns_of(kind: str) -> list[Column]:
    """The columns of a row of this kind, in order."""
    fields = ROWS[kind].model_fields.items()
    return [Column(name, one.is_required(), _words(one.annotation)) for name, one in fields]


def _words(kind: Any) -> tuple[str, ...]:
    found = next((one for one in (kind, *get_args(kind), *map(_inner, get_args(kind))) if _closed(one)), ())
    return tuple(map(str, found)) if len(found) <= _FEW else ()


def _inner(kind: Any) -> Any:
    return next(iter(get_args(kind)), None)


def _closed(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, StrEnum)

"""web.desk.Desk: the admin API's acts, done as the command line does them.

Blocks; each act runs in a thread of the supervisor. Leaves out: the acts themselves (`fact_acts`).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

from starlette.routing import Route

from gateway.adapters.access import sign_in
from gateway.adapters.facts.declarations import declarations
from gateway.adapters.facts.imports import RowProblem
from gateway.adapters.facts.rows import ROWS, json_schemas
from gateway.adapters.policy.yaml_text import Problem
from gateway.bootstrap import fact_acts, facts
from gateway.bootstrap.fact_acts import FileWrong, NoSuchFact, NotNow
from gateway.bootstrap.school import Refused, School, clock, monotonic, random
from gateway.core.persons import Actor
from gateway.web.admin_facts import FactsApi
from gateway.web.desk import Declined, Json, RowsForm
from gateway.web.openapi import document


def facts_api(school: School, report: Callable[[str], None]) -> list[Route]:
    """The routes of the admin API for this school. `report`: told the kind of an error."""
    desk = FactsDesk(school)
    return FactsApi(desk, document(desk), monotonic, report).routes()


@contextmanager
def _declined() -> Iterator[None]:
    """What bootstrap says, as HTTP says it."""
    try:
        yield
    except FileWrong as wrong:
        problems = [_problem(one) for one in wrong.problems]
        raise Declined(422, "nothing was brought in: the rows break rules", problems, wrong.count) from None
    except NoSuchFact as refused:
        raise Declined(404, _said(refused)) from None
    except NotNow as refused:
        raise Declined(409, _said(refused)) from None
    except Refused as refused:
        raise Declined(403, _said(refused)) from None


def _problem(one: Problem) -> Json:
    row = {"row": one.row} if isinstance(one, RowProblem) else {}
    return {**row, "line": one.line, "message": one.message, "rule": one.rule}


def _said(refused: Refused) -> str:
    return "; ".join(refused.problems)


class FactsDesk:
    """Implements web.desk.Desk for one school."""

    def __init__(self, school: School) -> None:
        self._school = school
        self.kinds = tuple(ROWS)
        self.schemas: Mapping[str, Json] = json_schemas()

    def sign_in(self, name: str, password: str, code: str) -> str | None:
        school, now = self._school, clock()
        rules, entry = school.sign_in_rules(), school.new_id(now)
        return sign_in.sign_in(
            school.database, school.store_keys, rules, name.strip(), password, code, entry, now, random
        )

    def actor(self, token: str) -> Actor | None:
        return sign_in.signed_in(self._school.database, token, clock())

    def sign_out(self, actor: Actor, token: str) -> None:
        sign_in.sign_out(self._school.database, token, self._school.told(actor, "sign-out"))

    def bring_in(self, actor: Actor, kind: str, body: bytes, form: RowsForm, reason: str) -> Json:
        with _declined():
            taken = fact_acts.bring_in(self._school, actor, kind, io.BytesIO(body), kind, reason, form=form)
        return {"rows": taken.rows, "entered": taken.entered, "ended": taken.ended, "known": taken.known}

    def listed(self, actor: Actor, kind: str, last: int) -> Json:
        with _declined():
            count, found = fact_acts.listed(self._school, actor, kind, last)
        rows = [
            {"number": one.number, "kind": one.kind.value, "pupil": one.pupil, "says": one.shown()} for one in found
        ]
        return {"count": count, "facts": rows}

    def end(self, actor: Actor, kind: str, number: int, reason: str, informed: date | None) -> None:
        with _declined():
            fact_acts.end(self._school, actor, kind, number, reason, informed)

    def decide(self, actor: Actor, number: int, reason: str, *, rejected: bool) -> None:
        with _declined():
            fact_acts.decide_objection(self._school, actor, number, reason, rejected=rejected)

    def open_campaign(self, actor: Actor, body: bytes, reason: str) -> Json:
        with _declined():
            try:
                text = body.decode()
            except UnicodeDecodeError:
                raise Declined(400, "the body is not UTF-8") from None
            return {"campaign": fact_acts.open_campaign(self._school, actor, text, "campaign", reason)}

    def declare(self, actor: Actor, kind: str, location: str, reason: str) -> None:
        if location not in self._school.settings.organisation.locations:
            raise Declined(404, "there is no such location")
        with _declined():
            facts.declare(self._school, actor, [kind], [location], reason)

    def status(self, actor: Actor) -> Json:
        with _declined():
            numbers = facts.numbers(self._school, actor)
        return {
            "facts": {kind.value: number for kind, number in numbers},
            "declared": [_plain(one) for one in declarations(self._school.database)],
        }


def _plain(one: Any) -> Json:
    return {"kind": one.kind.value, "location": one.location, "by": one.by, "moment": one.moment.isoformat()}

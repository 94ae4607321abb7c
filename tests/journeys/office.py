"""What people at the demo school do: sign in, take up another recipient, enter facts about pupils.

At the command line, as a process of its own. Leaves out: the process and who calls (`driving`), what must hold (tests).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson

from gateway.adapters.facts.store import Entered, enter
from gateway.bootstrap.school import legal_today, open_school
from gateway.core.facts import AnyFact
from tests.cli.test_persons import code_of
from tests.journeys.driving import STUDENTS, Demo, Vendor, replace_text, run, truth, until
from tests.simulators.persons import somebody
from tests.simulators.synchronised import silent

Row = Mapping[str, Any]
EXTRACT = "2026-01-05"


class Colleague:
    """A person of the demo at a command line of their own."""

    def __init__(self, demo: Demo, name: str, session: Path) -> None:
        self.demo = demo
        self.session = session
        told = next(one for one in demo.told["persons"] if one["name"] == name)
        self("login", answers=[name, told["password"], code_of(told["totp_secret"])])

    def __call__(self, *arguments: str, answers: list[str] | None = None, code: int = 0) -> str:
        typed = "".join(f"{answer}\n" for answer in answers or ())
        directory = ("-C", str(self.demo.directory))
        done = run(*arguments, *directory, typed=typed, GATEWAY_SESSION=str(self.session))
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr


# -- another recipient ---------------------------------------------------------------------------------------------


@contextmanager
def another(demo: Demo, name: str, purpose: str, text: str) -> Iterator[Vendor]:
    """A recipient beside the demo's own, activated, with a client. `text` may name `{begin}` and `{end}`."""
    signed = re.search(r"signed: \"?([0-9-]+)", demo.file("uitgever-zuid").read_text(encoding="utf-8"))
    assert signed is not None
    begin = date.fromisoformat(signed.group(1))
    replace_text(demo.file(name), text.format(begin=begin, end=begin + timedelta(days=200)))
    try:
        until(lambda: "active" in _activated(demo, name))
        made = demo.gateway("client", "new", "--recipient", name, "--purpose", purpose, "--by", "t")
        vendor = Vendor({"recipient": name, "purpose": purpose, **orjson.loads(made)}, demo.told["gateway"])
        until(lambda: vendor.get(STUDENTS).status_code == 200)
        yield vendor
    finally:
        demo.file(name).unlink()


def _activated(demo: Demo, name: str) -> str:
    demo.activate(name)
    return demo.state(name)


# -- facts ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Known:
    """A pupil, as the school knows them and as one recipient does."""

    number: str
    pseudonym: str
    internal: bytes = field(repr=False)
    reference: bytes = field(repr=False)


def pupils(
    demo: Demo, recipient: str, shown: Iterable[str], which: Callable[[Row], bool] = lambda _: True
) -> list[Known]:
    """Those of `shown`, pseudonyms this recipient got, of whom the LVS says what is asked; by number."""
    inside = truth(demo.directory, recipient)
    names = {inside.number[one]: one for one in shown}
    held = {number_of(one): one for one in demo.lvs.everything("/students/school")}
    return [
        Known(number, names[number], inside.internal[names[number]], inside.reference[names[number]])
        for number, one in sorted(held.items())
        if number in names and which(one)
    ]


def number_of(student: Row) -> str:
    return next(str(one["userId"]) for one in student["userIds"] if one["userIdType"] == "ASI")


def bring_in(demo: Demo, kind: str, rows: Iterable[Row]) -> str:
    """`gateway KIND import -`, as the person who is signed in; what it said."""
    typed = "\n".join(orjson.dumps(row).decode() for row in rows)
    done = run(kind, "import", "-", "--reason", "journey", "-C", str(demo.directory), typed=typed)
    assert done.returncode == 0, done.stderr
    return done.stdout


def learn(demo: Demo, known: Known, *facts: AnyFact) -> None:
    """The school knows this from now on (without starting a process, and past the door of an import)."""
    with open_school(demo.directory) as school:
        act = school.told(somebody("officer"), "journey")
        enter(school.database, school.store_keys, act, [Entered(known.internal, fact) for fact in facts])


def guardian(known: Known, capacity: str = "parent") -> Row:
    """A row of `gateway guardian import`: the one parent."""
    return {"pupil": known.number, "guardian": f"ouder-{known.number}", "capacity": capacity, "extract": EXTRACT}


def says_yes(known: Known, recipient: str, purpose: str, **differs: Any) -> Row:
    """A row of `gateway consent import`: that parent's written consent to a whole delivery, but for what differs."""
    return {
        "pupil": known.number,
        "giver": f"ouder-{known.number}",
        "capacity": "parent",
        "extract": EXTRACT,
        "answer": "yes",
        "given": "2026-02-01",
        "recipients": [recipient],
        "purpose": purpose,
        "categories": ["pupil-number", "organisation"],
        "text": "Brief 2026-1",
        "form": "written",
        "evidence": "f" * 64,
        **differs,
    }


def years_old(student: Row) -> int:
    """On this day, by the LVS."""
    born, today = date.fromisoformat(student["dateOfBirth"]), legal_today()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


@contextmanager
def asking(demo: Demo, name: str, purpose: str, *more: str) -> Iterator[tuple[Vendor, list[str]]]:
    """A publisher like `uitgever-zuid`, for `more` purposes too, whose pupils are asked; with the pseudonyms of all
    pupils in the north, whom it got before they were asked. It is told of no ends: absence is what is looked at."""
    like = silent(demo.file("uitgever-zuid").read_text(encoding="utf-8"))
    text = like.replace("recipient: uitgever-zuid", f"recipient: {name}")
    head, _, delivery = text.partition("deliveries:\n")
    others = [re.sub("purpose: .*", f"purpose: {other}", delivery, count=1) for other in more]
    whole = (head + "deliveries:\n" + delivery + "".join(others)).replace("{", "{{").replace("}", "}}")
    with another(demo, name, purpose, whole) as vendor:
        shown = vendor.pseudonyms()
        asked = demo.file(name).read_text(encoding="utf-8").replace("ground: e\n", "ground: a\n")
        replace_text(demo.file(name), asked)
        until(lambda: _activated(demo, name) == "active" and not vendor.pseudonyms())
        yield vendor, shown

"""bootstrap.facts: what is declared complete, what still waits for it, and who may say and see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.adapters.pupils import vanished
from gateway.bootstrap import acts, facts
from gateway.bootstrap.past import as_known_at
from gateway.bootstrap.school import Refused, School, clock, open_school
from gateway.core.facts import DECLARED, Kind
from gateway.core.persons import Actor, PersonRole
from tests.simulators.persons import somebody, somebody_at

OFFICER = somebody("officer", PersonRole.CONSENT_OFFICER)


@pytest.fixture
def school(directory: Path) -> Iterator[School]:
    with open_school(directory) as opened:
        yield opened


def declared(school: School) -> set[tuple[Kind, str]]:
    return {(kind, place) for kind, place, one, _ in facts.status(school).declared if one is not None}


def waits(school: School, recipient: str) -> set[tuple[Kind, str]]:
    return {(kind, place) for kind, place, _, names in facts.status(school).declared if recipient in names}


def test_fresh_installation_lists_everything_that_is_to_be_declared(school: School) -> None:
    rows = facts.status(school).declared

    assert [(place, kind) for kind, place, _, _ in rows] == [(p, kind) for p in ("noord", "zuid") for kind in DECLARED]
    assert declared(school) == set()
    assert (Kind.RESTRICTION, "noord") in waits(school, "uitgever-noord")


def test_declared_kind_holds_nobody_up_at_its_location(school: School) -> None:
    facts.declare(school, OFFICER, DECLARED, ["noord"], "entered from the files of the front office")

    assert declared(school) == {(kind, "noord") for kind in DECLARED}
    assert {place for _, place in waits(school, "uitgever-noord")} <= {"zuid"}
    facts.undeclare(school, OFFICER, ["marker"], ["noord"], "a folder turned up")
    assert (Kind.MARKER, "noord") in waits(school, "uitgever-noord")


def test_declaration_names_who_made_it_last(school: School) -> None:
    facts.declare(school, OFFICER, ["marker"], ["noord"], "entered")
    facts.declare(school, somebody_at("noord", "location"), ["marker"], ["noord"], "looked again")

    (one,) = [one for _, _, one, _ in facts.status(school).declared if one is not None]
    assert one.by == "location"


@pytest.mark.parametrize(("kind", "location"), [("birth", "noord"), ("nonsense", "noord"), ("marker", "oost")], ids=str)
def test_unknown_kind_or_location_is_refused(school: School, kind: str, location: str) -> None:
    with pytest.raises(Refused):
        facts.declare(school, OFFICER, ["restriction", kind], ["noord", location], "entered")
    assert declared(school) == set()


@pytest.mark.parametrize(
    "actor", [somebody("x", PersonRole.SCHEMA_EDITOR, PersonRole.ADMINISTRATOR, PersonRole.FG), somebody_at("zuid")]
)
def test_declaration_needs_the_role_at_the_location(school: School, actor: Actor) -> None:
    with pytest.raises(Refused):
        facts.declare(school, actor, ["marker"], ["noord"], "entered")
    assert declared(school) == set()


def test_ending_what_is_not_declared_is_refused(school: School) -> None:
    with pytest.raises(Refused):
        facts.undeclare(school, OFFICER, ["marker"], ["noord"], "a folder turned up")


def test_declaration_is_in_the_register(school: School) -> None:
    facts.declare(school, OFFICER, ["marker"], ["noord"], "entered")
    (entry,) = acts.entries(school, 1, None)

    assert (entry["outcome"], entry["actor"]) == ("facts declared", "officer")
    assert entry["detail"] == ["reason: entered", "kind: marker", "location: noord"]
    assert acts.verify(school, None).ok


def test_number_of_secret_facts_is_seen_by_releaser_and_fg_only(school: School) -> None:
    for_officer, for_fg = (dict(facts.numbers(school, one)) for one in (OFFICER, somebody("fg", PersonRole.FG)))

    assert for_officer[Kind.CONSENT] == for_fg[Kind.CONSENT] == 0
    assert (for_officer[Kind.MARKER], for_officer[Kind.PERMIT]) == ("withheld", "withheld")
    assert (for_fg[Kind.MARKER], for_fg[Kind.PERMIT]) == (0, 0)
    with pytest.raises(Refused):
        facts.numbers(school, somebody("administrator", PersonRole.ADMINISTRATOR))


def test_check_tells_what_is_to_be_declared_once_there_is_a_database(directory: Path) -> None:
    (directory / "gateway.db").unlink()
    assert facts.still_to_declare(directory) == []
    with open_school(directory) as school:
        told = facts.still_to_declare(directory)
        facts.declare(school, OFFICER, DECLARED, ["noord", "zuid"], "entered")

    assert any(line.startswith("restriction at noord, for ") and "uitgever-noord" in line for line in told)
    assert facts.still_to_declare(directory) == []


def test_past_is_what_was_known_and_active_then(school: School) -> None:
    before = clock()
    acts.activate(school, "uitgever-noord", somebody(), "agreed")
    facts.declare(school, OFFICER, ["marker"], ["noord"], "entered")
    then, now = as_known_at(school, before), as_known_at(school, clock())

    assert not any(key[0] == "uitgever-noord" for key in then.compiled.standings)
    assert not then.facts.declared(Kind.MARKER, "noord")
    assert any(key[0] == "uitgever-noord" for key in now.compiled.standings)
    assert now.facts.declared(Kind.MARKER, "noord")


def test_explain_tells_what_is_to_be_declared(school: School) -> None:
    acts.activate(school, "uitgever-noord", somebody(), "agreed")
    undone = [line for line in acts.explain(school, "uitgever-noord", "toegang-leermiddel") if "NOT_DECLARED" in line]
    facts.declare(school, OFFICER, DECLARED, ["noord", "zuid"], "entered")

    assert any("(beperking op noord: restriction)" in line for line in undone)
    assert "NOT_DECLARED" not in "".join(acts.explain(school, "uitgever-noord", "toegang-leermiddel"))


def test_explain_tells_which_location_is_in_doubt_and_what_to_do(school: School) -> None:
    acts.activate(school, "uitgever-noord", somebody(), "agreed")
    for source, place in (("lvs", "noord"), ("another", "zuid")):
        with school.database.write() as connection:
            vanished.begin(connection, source, place, clock())
    doubted = [line for line in acts.explain(school, "uitgever-noord", "toegang-leermiddel") if "DOUBTED" in line]
    with school.database.write() as connection:
        vanished.end(connection, "lvs", "noord", clock())

    [one] = doubted
    assert one.startswith("  [niet voldaan] stap 20: ROSTER_DOUBTED (R109; ")
    assert one.endswith("gateway roster believe lvs noord)")
    assert "DOUBTED" not in "".join(acts.explain(school, "uitgever-noord", "toegang-leermiddel"))

"""bootstrap.fact_acts and its commands: who may bring in, end, decide and see what is recorded, and what it leaves."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.facts.imports import FileWrong, Taken
from gateway.adapters.facts.store import campaigns, known
from gateway.adapters.pupils.ids import id_lookup
from gateway.adapters.pupils.subjects import Subjects
from gateway.bootstrap import fact_acts, facts, session
from gateway.bootstrap.school import Refused, School, clock, legal_today, open_school, random
from gateway.core.facts import Facts, Kind
from gateway.core.model import Category, Enrolment, Person
from gateway.core.persons import Actor, Held, PersonRole, shown_entry
from gateway.demo.fact_files import write_examples
from gateway.demo.school import make_school
from gateway.transfer.ports import Observation
from tests.cli.test_prompts import typed
from tests.commands import invoke
from tests.simulators.persons import somebody, somebody_at
from tests.simulators.stored import last_bodies

OFFICER = somebody("toestemming", PersonRole.CONSENT_OFFICER)
BOARD = somebody("bestuur", PersonRole.BOARD)
RELEASER = somebody("vrijgever", PersonRole.RELEASER)
ADMINISTRATOR = somebody("beheerder", PersonRole.ADMINISTRATOR)
RESTRICTED = "pupil,ground\n100001,accuracy\n"
CAMPAIGN = """\
recipients: toetsaanbieder
purpose: toetsafname
categories: [name, results]
text: "2026-1"
form: portal
evidence: "sha256:00"
"""


@pytest.fixture
def school(directory: Path) -> Iterator[School]:
    """The demo's directory, of which the roster knows a pupil at each location."""
    with open_school(directory) as opened:
        book = Subjects(opened.database, opened.store_keys)
        for location, number in (("noord", "100001"), ("zuid", "100002")):
            stay = (Enrolment(location, 1, date(2026, 8, 1), None),)
            book.learn("lvs", {location: [Observation(Person.PUPIL, {"las-key": number}, stay)]}, clock(), random)
        yield opened


def bring(school: School, kind: str, content: str, actor: Actor = OFFICER) -> Taken:
    return fact_acts.bring_in(school, actor, kind, io.BytesIO(content.encode()), f"{kind}.csv", "a reason")


def about(school: School, number: str = "100001") -> Facts:
    lookup = id_lookup(school.store_keys, "lvs", "las-key", number)
    with school.database.read() as connection:
        query = "SELECT subject FROM subject_id WHERE lookup = ?"
        subject = connection.exec_driver_sql(query, (lookup,)).scalar_one()
    return known(school.database, school.store_keys, subject)


def last_entry(school: School) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(last_bodies(school.database, 1)[0])
    return found


# -- who may -------------------------------------------------------------------------------------------


def test_import_is_registered_with_who_why_and_for_how_many(school: School) -> None:
    bring(school, "restriction", RESTRICTED)

    entry = last_entry(school)
    assert (entry["actor"], entry["outcome"], entry["kind"]) == ("toestemming", "facts entered", "change")
    assert "reason: a reason" in entry["detail"]


def test_import_without_the_role_is_refused_and_registered(school: School) -> None:
    with pytest.raises(Refused):
        bring(school, "restriction", RESTRICTED, ADMINISTRATOR)

    assert about(school).restrictions == ()
    assert last_entry(school)["outcome"] == "refused"


def test_import_at_a_location_is_for_its_pupils_only(school: School) -> None:
    bring(school, "restriction", RESTRICTED, somebody_at("noord"))

    with pytest.raises(FileWrong):
        bring(school, "restriction", RESTRICTED, somebody_at("zuid"))


def test_row_recorded_is_the_same_as_one_imported(school: School) -> None:
    values = {"pupil": "100001", "ground": "legal-claim", "source": "", "categories": "results name"}
    fact_acts.record(school, OFFICER, "restriction", values, "a reason")

    (fact,) = about(school).restrictions
    assert fact.ground == "legal-claim"
    assert fact.categories == frozenset({Category.RESULTS, Category.NAME})


# -- one fact ------------------------------------------------------------------------------------------


def a_number(school: School, kind: str) -> int:
    return fact_acts.listed(school, RELEASER, kind)[1][-1].number


def test_restriction_is_lifted_only_with_the_day_of_informing(school: School) -> None:
    """R95."""
    bring(school, "restriction", RESTRICTED)
    number = a_number(school, "restriction")

    with pytest.raises(Refused):
        fact_acts.end(school, OFFICER, "restriction", number, "settled")
    with pytest.raises(Refused):
        fact_acts.end(school, OFFICER, "restriction", number, "settled", legal_today() + timedelta(days=1))
    assert len(about(school).restrictions) == 1

    fact_acts.end(school, OFFICER, "restriction", number, "settled", legal_today())
    assert about(school).restrictions == ()
    assert f"informed: {legal_today()}" in last_entry(school)["detail"]


def test_number_of_another_kind_is_no_such_fact(school: School) -> None:
    bring(school, "restriction", RESTRICTED)

    with pytest.raises(Refused):
        fact_acts.end(school, OFFICER, "objection", a_number(school, "restriction"), "a reason")


def test_fact_of_another_location_is_no_such_fact(school: School) -> None:
    bring(school, "objection", "pupil,received\n100001,2026-01-01\n")
    number = a_number(school, "objection")

    with pytest.raises(Refused) as other:
        fact_acts.end(school, somebody_at("zuid"), "objection", number, "a reason")
    with pytest.raises(Refused) as none:
        fact_acts.end(school, somebody_at("zuid"), "objection", 999, "a reason")
    assert other.value.problems == none.value.problems

    fact_acts.end(school, somebody_at("noord"), "objection", number, "a reason")
    assert about(school).objections == ()


@pytest.mark.parametrize("rejected", [True, False])
def test_objection_is_decided_by_the_board(school: School, *, rejected: bool) -> None:
    """R96."""
    bring(school, "objection", "pupil,received,recipient\n100001,2026-01-01,toetsaanbieder\n")
    number = a_number(school, "objection")

    with pytest.raises(Refused):
        fact_acts.decide_objection(school, OFFICER, number, "a reason", rejected=rejected)
    fact_acts.decide_objection(school, BOARD, number, "a reason", rejected=rejected)

    (objection,) = about(school).objections
    assert objection.rejected == (legal_today() if rejected else None)
    assert f"decision: {'rejected' if rejected else 'upheld'}" in last_entry(school)["detail"]


# -- campaigns and turning 16 --------------------------------------------------------------------------


def test_campaign_states_its_terms_once(school: School) -> None:
    number = fact_acts.open_campaign(school, OFFICER, CAMPAIGN, "c.yaml", "school year")

    assert campaigns(school.database)[number].recipients == {"toetsaanbieder"}


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("portal", "oral", "R20"),
        ("toetsafname", "reclame", "R11"),
        ("toetsaanbieder", "kanarie", "R24"),
        ("evidence: ", "# ", "form"),
        ('"2026-1"', '"ASK: which text?"', "form"),
    ],
)
def test_campaign_that_proves_nothing_is_refused(school: School, old: str, new: str, rule: str) -> None:
    with pytest.raises(FileWrong) as caught:
        fact_acts.open_campaign(school, OFFICER, CAMPAIGN.replace(old, new), "c.yaml", "school year")

    assert {problem.rule for problem in caught.value.problems} == {rule}
    assert "kanarie" not in str(caught.value.problems)
    assert campaigns(school.database) == {}


def consented(school: School, birth: date) -> None:
    number = fact_acts.open_campaign(school, OFFICER, CAMPAIGN, "c.yaml", "school year")
    bring(school, "pupil", f"pupil,birth_date\n100001,{birth}\n")
    bring(school, "guardian", "pupil,guardian,capacity\n100001,g-1,parent\n")
    columns = "pupil,giver,capacity,extract,answer,given,campaign\n"
    bring(school, "consent", f"{columns}100001,g-1,parent,2026-01-01,yes,2026-09-01,{number}\n")


def test_turning_16_lists_whose_parents_consented(school: School) -> None:
    """R28."""
    day = legal_today() + timedelta(days=30)
    consented(school, fact_acts.birthday(day, -16))

    (one,) = fact_acts.turning_sixteen(school, OFFICER, 60)
    assert (one.day, one.consents, one.las_keys) == (day, 1, "")
    assert fact_acts.turning_sixteen(school, OFFICER, 29) == []


def test_turning_16_names_pupils_for_a_reason_that_is_registered(school: School) -> None:
    consented(school, fact_acts.birthday(legal_today(), -16))

    (one,) = fact_acts.turning_sixteen(school, OFFICER, 60, "letters")

    assert one.las_keys == "100001"
    assert (last_entry(school)["kind"], last_entry(school)["released"]) == ("view", 1)


@pytest.mark.parametrize(
    ("birth", "turns"),
    [(date(2012, 2, 29), date(2028, 2, 29)), (date(2011, 2, 28), date(2027, 2, 28))],
)
def test_birthday_is_on_the_day(birth: date, turns: date) -> None:
    assert fact_acts.birthday(birth, 16) == turns


def test_birthday_of_29_february_is_1_march_in_other_years() -> None:
    assert fact_acts.birthday(date(2012, 2, 29), 18) == date(2030, 3, 1)


# -- looking -------------------------------------------------------------------------------------------


def test_list_names_no_pupil_without_a_reason(school: School) -> None:
    bring(school, "restriction", RESTRICTED)

    count, (one,) = fact_acts.listed(school, OFFICER, "restriction")

    assert (count, one.las_keys, one.shown()) == (1, "", {"ground": "accuracy"})
    assert "100001" not in repr(one)


def test_list_names_pupils_for_a_reason_that_is_registered(school: School) -> None:
    bring(school, "restriction", RESTRICTED)

    _, (one,) = fact_acts.listed(school, OFFICER, "restriction", reason="a question of the parents")

    assert one.las_keys == "100001"
    assert (last_entry(school)["kind"], last_entry(school)["released"]) == ("view", 1)


def test_list_at_a_location_is_of_its_pupils(school: School) -> None:
    bring(school, "restriction", RESTRICTED)

    assert fact_acts.listed(school, somebody_at("zuid"), "restriction") == (0, [])
    assert fact_acts.listed(school, somebody_at("noord"), "restriction")[0] == 1


def test_markers_are_seen_by_releaser_and_fg_only(school: School) -> None:
    """R100."""
    bring(school, "marker", "pupil,mark\n100001,child-safety\n")

    with pytest.raises(Refused):
        fact_acts.listed(school, OFFICER, "marker")
    assert fact_acts.listed(school, RELEASER, "marker")[0] == 1
    assert dict(facts.numbers(school, OFFICER))[Kind.MARKER] == "withheld"
    assert dict(facts.numbers(school, RELEASER))[Kind.MARKER] == 1


MARKER = "pupil,mark\n100001,child-safety\n"


def test_marker_known_already_comes_in_as_a_new_one_for_who_may_see_none(school: School) -> None:
    """R100: or a row would ask whether there is one."""
    new = bring(school, "marker", MARKER)

    assert bring(school, "marker", MARKER) == new
    assert fact_acts.listed(school, RELEASER, "marker")[0] == 1


def test_marker_leaves_no_gap_in_numbers_and_has_none_to_guess(school: School) -> None:
    bring(school, "restriction", RESTRICTED)
    bring(school, "marker", MARKER)
    bring(school, "marker", MARKER.replace("child-safety", "secret-address"))
    bring(school, "objection", "pupil,received\n100001,2026-01-01\n")

    assert a_number(school, "objection") == a_number(school, "restriction") + 1
    first, second = (one.number for one in fact_acts.listed(school, RELEASER, "marker")[1])
    assert second > first + 1


def test_number_of_a_marker_is_told_to_nobody_who_may_not_end_one(school: School) -> None:
    bring(school, "marker", MARKER)

    with pytest.raises(Refused) as there:
        fact_acts.end(school, BOARD, "marker", a_number(school, "marker"), "a reason")
    with pytest.raises(Refused) as none:
        fact_acts.end(school, BOARD, "marker", 999, "a reason")
    assert (type(there.value), there.value.problems) == (type(none.value), none.value.problems)


def test_look_at_markers_is_in_the_register_for_who_sees_them(school: School) -> None:
    """Its roll is that of every other entry about the same pupil."""
    bring(school, "marker", MARKER)

    fact_acts.listed(school, RELEASER, "marker", reason="a reason")

    assert shown_entry(last_entry(school), OFFICER.roles) is None
    assert shown_entry(last_entry(school), RELEASER.roles) is not None


# -- the commands --------------------------------------------------------------------------------------


@pytest.fixture
def signed_in(school: School) -> School:
    """The same, with an officer at its command line."""
    roles = {Held(PersonRole.CONSENT_OFFICER), Held(PersonRole.RELEASER)}
    session.add_first_person(school, "officer", roles, session.new_credentials("a long password"))
    session.keep_session(school, "officer", school.sign_in_rules())
    session.accept_statement(school, session.signed_in(school))
    return school


def command(school: School, *words: str, given: str = "") -> tuple[int, str]:
    done = invoke(*words, "-C", str(school.directory), typed=given)
    return done.exit_code, done.output


def test_command_record_asks_nothing_of_who_may_not(school: School) -> None:
    session.add_first_person(school, "fg", {Held(PersonRole.FG)}, session.new_credentials("a long password"))
    session.keep_session(school, "fg", school.sign_in_rules())
    session.accept_statement(school, session.signed_in(school))

    record = ["restriction", "record", "--reason", "letters", "-C", str(school.directory)]
    shown = typed(f"from gateway.cli.app import app; app({record})", [])

    assert "this needs the role" in shown
    assert "pupil" not in shown


def test_command_import_of_a_good_file_exits_0(signed_in: School, tmp_path: Path) -> None:
    file = tmp_path / "restrictions.csv"
    file.write_text(RESTRICTED)

    done = command(signed_in, "restriction", "import", str(file), "--reason", "letters")

    assert done == (0, "1 row: 1 fact entered\n")
    code, told = command(signed_in, "restriction", "list")
    assert (code, "ground=accuracy" in told, "100001" in told) == (0, True, False)


def test_command_import_of_a_bad_file_exits_1_with_every_line(signed_in: School) -> None:
    given = "pupil,ground\nKanarie,accuracy\n100001,Kanarie\n"

    code, told = command(signed_in, "restriction", "import", "-", "--reason", "letters", given=given)

    assert code == 1
    assert "nothing was brought in: 2 problems" in told
    assert "-:2: 'pupil': no pupil is known by this id (R109)" in told
    assert "-:3: 'ground': must be one of" in told
    assert "Kanarie" not in told


def test_command_record_asks_every_column(signed_in: School) -> None:
    code, _ = command(signed_in, "dispute", "record", "--reason", "a letter", given="100001\n\n\nresults\n\n")

    assert code == 0
    assert len(about(signed_in).disputes) == 1


def test_command_withdraw_is_one_step(signed_in: School) -> None:
    """R26: no more steps than giving; the id is asked, not given."""
    code, told = command(signed_in, "consent", "withdraw", "--capacity", "pupil", given="100001\n")

    assert (code, "withdrawn" in told) == (0, True)
    assert len(about(signed_in).withdrawals) == 1


def test_command_lift_needs_the_day_of_informing(signed_in: School) -> None:
    bring(signed_in, "restriction", RESTRICTED)
    number = str(a_number(signed_in, "restriction"))

    assert command(signed_in, "restriction", "lift", number, "--reason", "settled")[0] == 2
    done = command(signed_in, "restriction", "lift", number, "--reason", "settled", "--informed", "2026-01-02")
    assert done == (0, f"{number} is lifted\n")


def test_command_decide_without_the_board_exits_3(signed_in: School) -> None:
    bring(signed_in, "objection", "pupil,received\n100001,2026-01-01\n")
    number = str(a_number(signed_in, "objection"))

    assert command(signed_in, "objection", "decide", number, "--rejected", "--reason", "x")[0] == 3


# -- what the demo gives to try with -----------------------------------------------------------------------


def test_example_files_of_the_demo_come_in(school: School, tmp_path: Path) -> None:
    made = make_school(1, legal_today())
    stay = (Enrolment("noord", 1, date(2026, 8, 1), None),)
    pupils = [Observation(Person.PUPIL, {"las-key": str(one.number)}, stay) for one in made.pupils]
    Subjects(school.database, school.store_keys).learn("lvs", {"noord": pupils}, clock(), random)
    write_examples(tmp_path, made)
    files = {path.name: path for path in (tmp_path / "examples" / "facts").iterdir()}
    files.pop("README.md")

    terms = files.pop("campaign.yaml").read_text()
    assert fact_acts.open_campaign(school, OFFICER, terms, "campaign.yaml", "a reason") == 1
    order = sorted(files, key=lambda name: name != "guardians.csv")
    taken = [bring(school, KINDS[name.partition(".")[0]], files[name].read_text()) for name in order]

    assert [one.entered for one in taken] == [one.rows for one in taken]


KINDS = {
    "consents": "consent", "court-orders": "court-order", "disputes": "dispute", "guardians": "guardian",
    "inzage": "inzage", "markers": "marker", "objections": "objection", "pupils": "pupil",
    "restrictions": "restriction", "statements": "statement", "support-requests": "support-request",
}  # fmt: skip

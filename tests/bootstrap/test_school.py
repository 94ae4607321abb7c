"""bootstrap: a directory as a person at the command line works with it, without any server."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import date, timedelta
from pathlib import Path

import pytest

from gateway.adapters.pupils.subjects import Subjects
from gateway.bootstrap import acts
from gateway.bootstrap.school import (
    Refused,
    Unusable,
    check,
    clock,
    create_key,
    legal_today,
    open_school,
    overdue,
    random,
    unread,
)
from gateway.bootstrap.templates import SHARE
from gateway.core.model import Enrolment, Person
from gateway.transfer.ports import Observation
from tests.simulators.persons import somebody


def rewrite(directory: Path, old: str, new: str) -> None:
    path = directory / "gateway.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_check_made_directory_has_no_problem_and_no_question(directory: Path) -> None:
    report = check(directory)

    assert (report.problems, report.questions) == ((), ())
    assert sorted(report.recipients) == sorted(path.stem for path in (directory / "recipients").iterdir())
    assert len(report.recipients) > 10


def test_push_to_an_endpoint_that_the_settings_lack_is_warned_of(directory: Path) -> None:
    known = check(directory).warnings
    rewrite(directory, "  duo:\n", "  elders:\n")

    (found,) = set(check(directory).warnings) - set(known)
    assert (found.file, found.rule, found.message.endswith(": duo")) == ("recipients/duo.yaml", "R75", True)


def test_policy_whose_evaluation_has_passed_is_told(directory: Path) -> None:
    rewrite(directory, "evaluation: 2027-09-18", "evaluation: 2025-01-01")

    assert overdue(directory) == ["gateway.yaml: the policy should have been evaluated by 2025-01-01"]


def test_policy_still_to_be_evaluated_is_not_told(directory: Path) -> None:
    rewrite(directory, "evaluation: 2027-09-18", "evaluation: 2999-01-01")

    assert overdue(directory) == []


def test_policy_adopted_before_the_council_consented_is_told(directory: Path) -> None:
    """C10, R117: the rules are in force all the same."""
    rewrite(directory, "evaluation: 2027-09-18", "evaluation: 2999-01-01\n  adopted: 1999-01-01")

    assert overdue(directory) == ["gateway.yaml: the policy was adopted before the participation council consented"]


def test_policy_adopted_after_the_council_consented_is_not_told(directory: Path) -> None:
    rewrite(directory, "evaluation: 2027-09-18", "evaluation: 2999-01-01\n  adopted: 2999-01-01")

    assert overdue(directory) == []


def test_secret_that_is_not_where_the_settings_say_is_told(directory: Path) -> None:
    place = directory.with_name("nowhere")
    rewrite(directory, "duo:\n", "duo:\n    certificate: file:../nowhere\n")

    assert f"gateway.yaml: no certificate at file:{place}" in unread(directory)


def test_key_is_never_made_over_an_existing_one(directory: Path) -> None:
    with pytest.raises(Unusable):
        create_key(directory)


def test_school_without_its_key_does_not_open(directory: Path) -> None:
    directory.with_name("school.key").unlink()

    with pytest.raises(Unusable), open_school(directory):
        pass


def test_recipient_with_an_open_question_is_not_activated(directory: Path) -> None:
    template = (SHARE / "recipients" / "uitgever-zuid.yaml").read_text()
    (directory / "recipients" / "uitgever-zuid.yaml").write_text(template)

    with open_school(directory) as school, pytest.raises(Refused):
        acts.activate(school, "uitgever-zuid", somebody(), "a reason")


def test_recipient_is_active_once_activated_and_suspended_once_suspended(directory: Path) -> None:
    with open_school(directory) as school:
        acts.activate(school, "uitgever-zuid", somebody(), "a reason")
        active = dict(acts.recipients(school))["uitgever-zuid"]
        acts.suspend(school, "uitgever-zuid", somebody(), "a reason")
        suspended = dict(acts.recipients(school))["uitgever-zuid"]

    assert (active, suspended) == ("active", "suspended")


def test_unknown_recipient_can_neither_be_activated_nor_suspended(directory: Path) -> None:
    with open_school(directory) as school:
        for act in (acts.activate, acts.suspend):
            with pytest.raises(Refused):
                act(school, "nobody", somebody(), "a reason")


def test_client_of_a_purpose_nobody_wrote_down_is_refused(directory: Path) -> None:
    with open_school(directory) as school, pytest.raises(Refused):
        acts.new_client(school, "uitgever-zuid", "reclame", somebody())


def test_rotated_key_is_in_use_and_the_one_before_ends(directory: Path) -> None:
    with open_school(directory) as school:
        started = acts.rotate_key(school, None, somebody(), "compromised")
        versions = acts.key_versions(school)

    assert started.number == 2
    assert [(number, until == "in use") for number, _, until in versions] == [(1, False), (2, True)]


def test_pupil_that_no_source_knows_cannot_be_forgotten(directory: Path) -> None:
    with open_school(directory) as school, pytest.raises(Refused):
        acts.forget_pupil(school, "lvs", "100001", somebody(), "a reason")


@pytest.mark.parametrize("gone", [timedelta(days=-1), None])
def test_pupil_is_forgotten_only_after_they_left(directory: Path, gone: timedelta | None) -> None:
    """One who is enrolled would come back with the next synchronisation, without restriction or objection (R103)."""
    until = legal_today() + gone if gone else None
    enrolled = Enrolment("noord", 2, date(2020, 8, 1), until)
    with open_school(directory) as school:
        book = Subjects(school.database, school.store_keys)
        book.learn("lvs", {"noord": [Observation(Person.PUPIL, {"las-key": "100001"}, (enrolled,))]}, clock(), random)
        outcome = nullcontext() if gone else pytest.raises(Refused)
        with outcome:
            acts.forget_pupil(school, "lvs", "100001", somebody(), "a reason")
        found = school.world().now().rosters["lvs"].find("las-key", "100001")

    assert (found is None) is (gone is not None)


def test_pupil_that_does_not_wait_cannot_be_linked(directory: Path) -> None:
    with open_school(directory) as school, pytest.raises(Refused):
        acts.link_pupil(school, 1, None, somebody(), "a reason")


def test_register_verifies_and_a_malformed_head_is_bad_usage(directory: Path) -> None:
    with open_school(directory) as school:
        acts.suspend(school, "uitgever-zuid", somebody(), "a reason")
        assert acts.verify(school, None).ok
        with pytest.raises(Unusable):
            acts.verify(school, "no head")

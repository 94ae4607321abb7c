"""bootstrap.proposals: what needs two persons is done when another confirms, once, as it was proposed (R116)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.adapters.access import proposals as stored
from gateway.bootstrap import acts, proposals, session
from gateway.bootstrap.school import Refused, School, check, clock, open_school
from gateway.core.persons import Actor, Deed, Held, PersonRole, Weight, shown_entry, weights
from tests.simulators.persons import somebody

STATUTORY = "uitgever-zuid"


@pytest.fixture
def school(directory: Path) -> Iterator[School]:
    """With a recipient on ground c, and the persons a, b (both schema-editor) and fg."""
    path = directory / "recipients" / f"{STATUTORY}.yaml"
    text = path.read_text()
    assert "ground: e" in text
    path.write_text(text.replace("ground: e", "ground: c"))
    with open_school(directory) as opened:
        editor = Held(PersonRole.SCHEMA_EDITOR)
        session.add_first_person(opened, "a", [editor], session.new_credentials())
        for name, role in (("b", PersonRole.SCHEMA_EDITOR), ("fg", PersonRole.FG), ("o", PersonRole.CONSENT_OFFICER)):
            session.add_person(opened, person("a", opened), name, [Held(role)], session.new_credentials(), "new")
        yield opened


def person(name: str, school: School) -> Actor:
    """As if signed in."""
    session.keep_session(school, name, school.sign_in_rules())
    return session.signed_in(school)


def state(school: School) -> str:
    return dict(acts.recipients(school))[STATUTORY]


def proposed(school: School) -> int:
    number = acts.activate(school, STATUTORY, person("a", school), "wettelijke taak")
    assert number is not None
    return number


def test_weighty_activation_waits_for_a_second_person(school: School) -> None:
    number = proposed(school)

    assert state(school) == "not activated"
    (waiting,) = proposals.waiting(school, person("b", school))
    assert (waiting.number, waiting.by, waiting.deed) == (number, "a", Deed.RECIPIENT_ACTIVATE)


def test_other_activation_needs_nobody_else(school: School) -> None:
    assert acts.activate(school, "uitgever-noord", person("a", school), "bijsluiter gelezen") is None


def test_second_person_carries_it_out_and_both_names_stand_in_the_entry(school: School) -> None:
    proposals.confirm(school, proposed(school), person("b", school))

    assert state(school) == "active"
    (entry,) = acts.entries(school, 1, None)
    assert (entry["actor"], entry["outcome"]) == ("a", "recipient activated")
    assert entry["detail"][:2] == ["reason: wettelijke taak", "second person: b"]
    assert proposals.waiting(school, person("b", school)) == []


@pytest.mark.parametrize("name", ["a", "fg", "o"])
def test_same_person_and_who_may_not_cannot_confirm(school: School, name: str) -> None:
    number = proposed(school)

    with pytest.raises(Refused):
        proposals.confirm(school, number, person(name, school))
    assert state(school) == "not activated"
    proposals.confirm(school, number, person("b", school))


def test_proposal_is_carried_out_once(school: School) -> None:
    number = proposed(school)
    proposals.confirm(school, number, person("b", school))

    with pytest.raises(Refused):
        proposals.confirm(school, number, person("b", school))


def test_proposal_is_taken_by_one_of_two_who_confirm_at_the_same_moment(school: School) -> None:
    number = proposed(school)
    taken = [stored.take(school.database, number, name, clock()) for name in ("b", "c")]

    assert taken == [True, False]


def test_what_weighs_is_seen_in_the_file(school: School) -> None:
    report = check(school.directory)
    weighs = {name: weights(one, report.schemas) for name, one in report.recipients.items()}

    assert weighs[STATUTORY] == {Weight.STATUTORY}
    assert weighs["hulpdiensten"] == {Weight.SPECIAL}
    assert weighs["politie"] == {Weight.STATUTORY, Weight.SPECIAL}
    assert weighs["uitgever-noord"] == frozenset()


def test_file_that_changed_since_is_not_what_was_proposed(school: School) -> None:
    number = proposed(school)
    path = school.directory / "recipients" / f"{STATUTORY}.yaml"
    path.write_text(path.read_text() + "# more\n")

    with pytest.raises(Refused):
        proposals.confirm(school, number, person("b", school))
    assert state(school) == "not activated"
    assert [one.number for one in proposals.waiting(school, person("b", school))] == [number]


def test_proposer_who_lost_the_role_proposes_nothing(school: School) -> None:
    number = proposed(school)
    session.change_roles(school, person("a", school), "a", [], [Held(PersonRole.SCHEMA_EDITOR)], "another task")

    with pytest.raises(Refused):
        proposals.confirm(school, number, person("b", school))
    assert state(school) == "not activated"


def test_proposer_who_is_gone_proposes_nothing(school: School) -> None:
    admin = [Held(PersonRole.ADMINISTRATOR)]
    session.change_roles(school, person("a", school), "b", admin, [], "more")
    number = proposed(school)
    session.revoke_person(school, person("b", school), "a", "left")

    with pytest.raises(Refused):
        proposals.confirm(school, number, person("b", school))


def test_withdrawn_proposal_is_over(school: School) -> None:
    number = proposed(school)
    proposals.withdraw(school, number, person("a", school), "toch niet")

    with pytest.raises(Refused):
        proposals.confirm(school, number, person("b", school))
    with pytest.raises(Refused):
        proposals.withdraw(school, number, person("a", school), "nogmaals")
    assert state(school) == "not activated"


def test_proposal_lapses_after_two_weeks(school: School) -> None:
    number = proposed(school)
    later = clock() + timedelta(days=14)

    assert stored.find(school.database, school.store_keys, number, later) is None
    assert stored.waiting(school.database, school.store_keys, later) == []
    assert not stored.take(school.database, number, "b", later)
    assert stored.find(school.database, school.store_keys, number, later - timedelta(minutes=1)) is not None


def test_only_who_could_confirm_and_the_fg_see_what_waits(school: School) -> None:
    proposed(school)

    seen = {name: len(proposals.waiting(school, person(name, school))) for name in ("a", "b", "fg", "o")}
    assert seen == {"a": 1, "b": 1, "fg": 1, "o": 0}


def test_secret_proposal_is_secret_in_the_register_too(school: School) -> None:
    actor = somebody("a", PersonRole.RELEASER)
    proposals.propose(school, actor, Deed.PERMIT_MAKE, {"secret": True}, "vordering")
    (entry,) = acts.entries(school, 1, None)

    assert shown_entry(entry, frozenset({PersonRole.ADMINISTRATOR})) is None
    assert shown_entry(entry, frozenset({PersonRole.FG})) == entry


def test_what_is_proposed_does_not_stand_readable_in_the_database(school: School) -> None:
    number = acts.activate(school, STATUTORY, person("a", school), "een reden")
    with school.database.read() as connection:
        (content,) = connection.exec_driver_sql("SELECT content FROM proposal").one()

    assert number is not None
    assert b"reden" not in content
    assert STATUTORY.encode() not in content

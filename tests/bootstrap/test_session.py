"""bootstrap.session: who is signed in at a command line, and that nothing is done without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.adapters.access.sign_in import code_at
from gateway.bootstrap import acts, session
from gateway.bootstrap.school import Refused, School, clock, open_school
from gateway.core.model import Person, Subject
from gateway.core.persons import Deed, Held, PersonRole
from tests.simulators.persons import somebody, somebody_at

ADMINISTRATOR = Held(PersonRole.ADMINISTRATOR)
PUPIL = Subject(bytes(16), Person.PUPIL, b"reference of one", {})


@pytest.fixture
def school(directory: Path) -> Iterator[School]:
    with open_school(directory) as opened:
        yield opened


def sign_in(school: School, name: str, credentials: session.Credentials) -> None:
    session.login(school, name, credentials.password, code_at(credentials.totp, int(clock().timestamp()) // 30))


def first_person(school: School) -> session.Credentials:
    credentials = session.new_credentials()
    session.add_first_person(school, "a", (), credentials)
    return credentials


def newest(school: School) -> dict[str, object]:
    (found,) = acts.entries(school, 1, None)
    return dict(found)


def test_first_person_is_administrator_and_can_sign_in(school: School) -> None:
    sign_in(school, "a", first_person(school))

    assert session.signed_in(school).held == {ADMINISTRATOR}


def test_second_first_person_is_refused(school: School) -> None:
    first_person(school)

    with pytest.raises(Refused):
        session.add_first_person(school, "b", (), session.new_credentials())


def test_nobody_is_signed_in_at_first_and_after_signing_out(school: School) -> None:
    with pytest.raises(Refused):
        session.signed_in(school)
    sign_in(school, "a", first_person(school))
    session.logout(school)

    with pytest.raises(Refused):
        session.signed_in(school)


def test_session_lies_beside_the_directory_for_its_owner_only(school: School) -> None:
    sign_in(school, "a", first_person(school))
    path = school.directory.with_name("school.session")

    assert path.stat().st_mode & 0o777 == 0o600
    assert not list(school.directory.rglob("*.session"))


def test_session_file_that_others_can_read_is_not_taken(school: School) -> None:
    sign_in(school, "a", first_person(school))
    school.directory.with_name("school.session").chmod(0o644)

    with pytest.raises(Refused):
        session.signed_in(school)


def test_session_of_another_directory_lets_nobody_in(school: School) -> None:
    first_person(school)
    path = school.directory.with_name("school.session")
    path.touch(0o600)
    path.write_text("gp_made-up\n")

    with pytest.raises(Refused):
        session.signed_in(school)


def test_act_without_the_role_is_refused_and_registered(school: School) -> None:
    fg = somebody("fg", PersonRole.FG)

    with pytest.raises(Refused):
        acts.suspend(school, "uitgever-zuid", fg, "a reason")
    entry = newest(school)
    assert (entry["kind"], entry["actor"], entry["outcome"]) == ("change", "fg", "refused")
    assert entry["detail"] == ["reason: a reason", "deed: recipient.suspend"]
    assert dict(acts.recipients(school))["uitgever-zuid"] == "not activated"


def test_act_on_behalf_of_somebody_tells_both(school: School) -> None:
    acts.suspend(school, "uitgever-zuid", replace(somebody("a"), on_behalf="directeur"), "a reason")
    entry = newest(school)

    assert entry["actor"] == "a"
    assert entry["detail"] == ["reason: a reason", "on behalf of: directeur"]


def test_act_without_reason_is_refused(school: School) -> None:
    with pytest.raises(Refused):
        acts.suspend(school, "uitgever-zuid", somebody(), "  ")


def test_key_is_not_touched_by_who_may_not_rotate_it(school: School) -> None:
    before = school.read_material()
    with pytest.raises(Refused):
        acts.rotate_key(school, None, somebody("fg", PersonRole.FG), "a reason")

    assert school.read_material() == before


def test_look_at_a_pupil_is_in_the_view_log(school: School) -> None:
    """R80."""
    school.look(somebody("a", PersonRole.CONSENT_OFFICER), Deed.PUPIL_VIEW, "a parent asks", [PUPIL], ["noord"])
    entry = newest(school)

    assert (entry["kind"], entry["actor"], entry["outcome"], entry["released"]) == ("view", "a", "pupil.view", 1)
    assert acts.verify(school, None).ok


def test_refused_look_at_a_pupil_is_in_the_view_log_too(school: School) -> None:
    """R80."""
    with pytest.raises(Refused):
        school.look(somebody_at("zuid", "b"), Deed.PUPIL_VIEW, "curious", [PUPIL], ["noord"])
    entry = newest(school)

    assert (entry["kind"], entry["actor"], entry["outcome"], entry["withheld"]) == ("view", "b", "refused", 1)
    assert "released" not in entry
    assert acts.verify(school, None).ok


def test_refused_act_about_a_pupil_names_whom(school: School) -> None:
    with pytest.raises(Refused):
        school.act(somebody_at("zuid", "b"), Deed.FACTS_RECORD, "a form", ["noord"], [PUPIL])
    entry = newest(school)

    assert (entry["kind"], entry["outcome"], entry["withheld"]) == ("change", "refused", 1)


def test_location_admin_needs_a_location_of_the_school(school: School) -> None:
    for held in (
        Held(PersonRole.LOCATION_ADMIN),
        Held(PersonRole.LOCATION_ADMIN, "oost"),
        Held(PersonRole.FG, "noord"),
    ):
        with pytest.raises(Refused):
            session.add_person(school, somebody(), "b", [held], session.new_credentials(), "new")
    session.add_person(
        school, somebody(), "b", [Held(PersonRole.LOCATION_ADMIN, "noord")], session.new_credentials(), "new"
    )


@pytest.mark.parametrize("name", ["", " a", "a\n", "x" * 81, "A"])
def test_name_that_is_taken_or_not_printable_is_refused(school: School, name: str) -> None:
    first_person(school)

    with pytest.raises(Refused):
        session.add_person(school, somebody(), name, [], session.new_credentials(), "new")


def test_short_password_is_refused(school: School) -> None:
    with pytest.raises(Refused):
        session.add_first_person(school, "a", (), session.new_credentials("elf tekens!"))


def test_last_administrator_stays(school: School) -> None:
    first_person(school)

    with pytest.raises(Refused):
        session.change_roles(school, somebody(), "a", [], [ADMINISTRATOR], "leaves")
    with pytest.raises(Refused):
        session.revoke_person(school, somebody(), "a", "leaves")


def test_unknown_person_cannot_be_changed(school: School) -> None:
    first_person(school)
    with pytest.raises(Refused):
        session.change_roles(school, somebody(), "nobody", [], [], "x")
    with pytest.raises(Refused):
        session.revoke_person(school, somebody(), "nobody", "x")
    with pytest.raises(Refused):
        session.renew_person(school, somebody(), "nobody", session.new_credentials(), "x")
    with pytest.raises(Refused):
        session.change_roles(school, somebody(), "a", [], [Held(PersonRole.FG)], "a role not held")


def test_persons_are_listed_for_who_may_see_them(school: School) -> None:
    first_person(school)

    assert [one.name for one in session.list_persons(school, somebody("fg", PersonRole.FG))] == ["a"]
    with pytest.raises(Refused):
        session.list_persons(school, somebody("b", PersonRole.RELEASER))


def test_register_is_shown_without_the_view_itself_but_with_the_one_before(school: School) -> None:
    acts.suspend(school, "uitgever-zuid", somebody(), "a reason")
    fg = somebody("fg", PersonRole.FG)

    first = acts.show_entries(school, fg, 1, None, "supervision")
    second = acts.show_entries(school, fg, 1, None, "supervision")

    assert [one["outcome"] for one in (*first, *second)] == ["recipient suspended", "register.view"]


def test_register_is_not_shown_to_the_board(school: School) -> None:
    with pytest.raises(Refused):
        acts.show_entries(school, somebody("b", PersonRole.BOARD), 1, None, "curious")


def a_secret(school: School) -> None:
    act = school.act(somebody("r"), Deed.PERMIT_MAKE, "melding")
    with school.database.write() as connection:
        act.register(connection, "permit made", about={"secret": "yes"})


def test_secret_entry_leaves_no_gap_for_others(school: School) -> None:
    acts.suspend(school, "uitgever-zuid", somebody(), "a reason")
    a_secret(school)
    (entry,) = acts.show_entries(school, somebody("o", PersonRole.CONSENT_OFFICER), 1, None, "look")

    assert entry["outcome"] == "recipient suspended"
    assert "sequence" not in entry


@pytest.mark.parametrize("role", [PersonRole.RELEASER, PersonRole.FG])
def test_secret_entry_is_shown_to_releaser_and_fg(school: School, role: PersonRole) -> None:
    a_secret(school)
    (entry,) = acts.show_entries(school, somebody("r", role), 1, None, "look")

    assert (entry["outcome"], entry["sequence"]) == ("permit made", 1)

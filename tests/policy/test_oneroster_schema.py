"""The shipped schema of OneRoster CSV has the columns of the standard, in its order; what must never leave cannot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.adapters.policy.files import load_schema
from gateway.core.model import FieldClass, Person, PseudonymMethod
from gateway.core.policy.grants import leaves
from gateway.core.policy.schema import Branch, Schema
from gateway.core.release.compiler import compile_projection
from gateway.formats.csv import CsvMinimiser, CsvSet
from tests.policy.shipped import changed, line_of, schema_text, schemas, told

STANDARD = "sourcedId status dateLastModified"
# Columns of both versions in the order of the standard; where a version lacks some, the rest stays in order.
COLUMNS = {
    "academicSessions": "title type startDate endDate parentSourcedId schoolYear",
    "orgs": "name type identifier parentSourcedId",
    "courses": "schoolYearSourcedId title courseCode grades orgSourcedId subjects subjectCodes",
    "classes": "title grades courseSourcedId classCode classType location schoolSourcedId termSourcedIds subjects"
    " subjectCodes periods",
    "roles": "userSourcedId roleType role beginDate endDate orgSourcedId userProfileSourcedId",
    "enrollments": "classSourcedId schoolSourcedId userSourcedId role primary beginDate endDate",
    "demographics": "birthDate sex americanIndianOrAlaskaNative asian blackOrAfricanAmerican"
    " nativeHawaiianOrOtherPacificIslander white demographicRaceTwoOrMoreRaces hispanicOrLatinoEthnicity"
    " countryOfBirthCode stateOfBirthAbbreviation cityOfBirth publicSchoolResidenceStatus",
    "userProfiles": "userSourcedId profileType vendorId applicationId description credentialType username password",
    "results": "lineItemSourcedId studentSourcedId scoreStatus score scoreDate comment textScore classSourcedId"
    " inProgress incomplete late missing",
}
USERS = {
    "1.1": "enabledUser orgSourcedIds role username userIds givenName familyName middleName identifier email sms phone"
    " agentSourcedIds grades password",
    "1.2": "enabledUser username userIds givenName familyName middleName identifier email sms phone agentSourcedIds"
    " grades password userMasterIdentifier preferredGivenName preferredMiddleName preferredFamilyName"
    " primaryOrgSourcedId pronouns",
}
TEXT = schema_text("oneroster-csv")


def oneroster() -> Schema:
    return schemas()["oneroster-csv"]


@pytest.mark.parametrize("name", COLUMNS)
def test_a_file_has_the_columns_of_the_standard_in_its_order(name: str) -> None:
    assert list(oneroster().records[name].fields.fields) == f"{STANDARD} {COLUMNS[name]}".split()


@pytest.mark.parametrize("version", USERS)
def test_users_have_the_columns_of_both_versions_in_their_order(version: str) -> None:
    wanted = f"{STANDARD} {USERS[version]}".split()
    found = [name for name in oneroster().records["users"].fields.fields if name in wanted]
    assert found == wanted


def test_passwords_and_what_a_row_says_of_nobody_never_leave() -> None:
    never = {FieldClass.CREDENTIAL, FieldClass.CONFIDENTIAL}
    for record, column in (("users", "password"), ("userProfiles", "password"), ("userProfiles", "username")):
        assert dict(leaves(oneroster().records[record].fields))[column].field_class is FieldClass.CREDENTIAL
    for record in ("resultLearningObjectiveIds", "resultScoreScales"):
        assert {leaf.field_class for _, leaf in leaves(oneroster().records[record].fields)} <= never


def test_every_file_that_names_a_user_says_who_it_is() -> None:
    for record in oneroster().records.values():
        users = {path for path, leaf in leaves(record.fields) if leaf.refers == "users.sourcedId"}
        assert users <= {f"{one.at}.#text" if one.at else "sourcedId" for one in record.subjects}


def test_guardians_stand_in_no_row_of_their_own() -> None:
    for record in oneroster().records.values():
        for one in record.subjects:
            assert Person.GUARDIAN not in one.others
            assert one.person is not Person.GUARDIAN or one.withheld == "item"


def minimisers() -> Iterator[tuple[str, CsvMinimiser]]:
    for name, record in oneroster().records.items():
        yield name, CsvMinimiser(compile_projection(record, {}, PseudonymMethod.HMAC, whole=False), oneroster().csv)


def test_every_file_can_be_minimised_and_all_together() -> None:
    assert repr(CsvSet(oneroster(), dict(minimisers()))) == f"<CsvSet of {len(oneroster().records)} files>"


WRONG = [
    ("refers: users.sourcedId", "refers: results.sourcedId", "items must be earlier"),
    (
        '"#text": {type: string, class: id, category: guardians',
        "text: {type: string, class: id, category: guardians",
        "a cell is one value",
    ),
    ("format: csv", "format: json", "csv belongs to csv"),
]


@pytest.mark.parametrize(("old", "new", "_why"), WRONG, ids=[why for *_, why in WRONG])
def test_a_schema_of_csv_that_does_not_agree_with_itself_is_refused(old: str, new: str, _why: str) -> None:
    loaded = load_schema(changed(TEXT, (old, new)), "schemas/oneroster-csv.yaml")
    assert not isinstance(loaded, Schema)
    assert any(rule == "form" for _, rule in told(loaded))


def test_what_refers_to_a_later_file_is_told_at_its_line() -> None:
    text = changed(TEXT, ("maps: course, refers: courses.sourcedId", "maps: course, refers: results.sourcedId"))
    loaded = load_schema(text, "schemas/oneroster-csv.yaml")
    assert not isinstance(loaded, Schema)
    assert told(loaded) == [(line_of(text, "results.sourcedId"), "form")]


def test_a_cell_of_a_person_holds_one_value() -> None:
    for record in oneroster().records.values():
        for node in record.fields.fields.values():
            assert not isinstance(node, Branch) or set(node.fields) == {"#text"}


def test_row_of_nobody_that_refers_to_a_persons_row_is_told_at_its_line() -> None:
    old = "learningObjectiveId: {type: string, class: ordinary, category: organisation"
    text = changed(TEXT, (f"{old}}}", f"{old}, refers: users.sourcedId}}"))
    loaded = load_schema(text, "schemas/oneroster-csv.yaml")
    assert not isinstance(loaded, Schema)
    assert told(loaded) == [(line_of(text, f"{old}, refers"), "form")]

"""The shipped templates keep to the limited set; a file that asks for more is refused at its line with its rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.adapters.policy.files import check_directory, load_recipient
from gateway.core.model import FieldClass, Ground, PseudonymMethod, RecipientKind, Transform
from gateway.core.policy.grants import leaf_at
from gateway.core.policy.schema import Record
from gateway.core.policy.terms import Delivery, Grant, Recipient, Rows
from tests.policy.shipped import (
    DOSSIERS,
    NAMED,
    ONE_OFF,
    PROFILES,
    PUSHED,
    RECIPIENTS,
    STANDING,
    TODAY,
    answered,
    changed,
    checked,
    line_of,
    schemas,
    school,
    template,
    told,
)

ALLOWED = {FieldClass.ID, FieldClass.ORDINARY, FieldClass.RESULT}


def loaded(text: str, name: str = "uitgever-noord") -> Recipient:
    found = load_recipient(text, f"{name}.yaml", schemas())
    assert isinstance(found, Recipient), found
    return found


def says_something(record: Record, grants: dict[str, Grant]) -> list[str]:
    """The granted fields that say something of their own; an id and its type are one."""
    types = {
        f"{position.at}.{position.typed.path}.{position.typed.type}".lstrip(".")
        for position in record.subjects
        if position.typed
    }
    silent = (Transform.FIXED, Transform.EMPTY, Transform.VIEW)
    return [path for path, grant in grants.items() if grant.transform not in silent and path not in types]


def outward(recipient: Recipient) -> list[tuple[Delivery, Record, dict[str, Grant]]]:
    """What leaves; what comes back (results) is another list."""
    return [
        (delivery, schemas()[delivery.schema].records[name], dict(grants))
        for delivery in recipient.deliveries
        if delivery.schema not in ("edu-v-results", "eindtoets-resultaten")
        for name, grants in delivery.grants.items()
    ]


# -- what ships ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RECIPIENTS)
def test_template_has_no_problems_and_at_most_twelve_questions(tmp_path: Path, name: str) -> None:
    report = check_directory(school(tmp_path / "school", **{name: template(name)}), TODAY)

    assert report.problems == ()
    # one that stands at several purposes is answered once, with a *
    assert 0 < len({question.question for question in report.questions}) <= 12
    assert len(report.recipients[name].asks) == len(report.questions)


@pytest.mark.parametrize("name", RECIPIENTS)
def test_template_with_its_answers_has_no_problems_and_no_questions(tmp_path: Path, name: str) -> None:
    report = check_directory(school(tmp_path / "school", **{name: answered(name)}), TODAY)

    assert report.problems == ()
    assert report.questions == ()


def test_templates_together_have_no_problems(tmp_path: Path) -> None:
    report = check_directory(school(tmp_path / "school", **{name: answered(name) for name in RECIPIENTS}), TODAY)

    assert report.problems == ()
    assert sorted(report.recipients) == RECIPIENTS


@pytest.mark.parametrize("name", sorted({*STANDING} - {*PROFILES, *PUSHED}))
def test_template_releases_at_most_six_fields_per_record(name: str) -> None:
    for _, record, grants in outward(loaded(template(name), name)):
        assert len(says_something(record, grants)) <= 6, record.name


@pytest.mark.parametrize("name", PROFILES)
def test_template_of_a_profile_releases_no_name_and_no_day(name: str) -> None:
    for _, record, grants in outward(loaded(template(name), name)):
        for path in says_something(record, grants):
            leaf = leaf_at(record.fields, path)
            assert leaf is not None
            kept = grants[path].transform is Transform.KEEP
            assert leaf.field_class in ALLOWED or (leaf.field_class is FieldClass.QUASI and not (leaf.format and kept))


@pytest.mark.parametrize("name", PUSHED)
def test_template_that_is_pushed_gives_the_number_of_the_law_or_of_the_chain_and_no_name(name: str) -> None:
    number = FieldClass.NATIONAL_NUMBER if name == "duo" else FieldClass.ID
    for _, record, grants in outward(loaded(template(name), name)):
        found = {leaf.field_class for path in says_something(record, grants) if (leaf := leaf_at(record.fields, path))}
        assert found <= {FieldClass.ORDINARY, FieldClass.SUPPORT, number}, record.name


@pytest.mark.parametrize("name", sorted({*STANDING} - {*NAMED, *PROFILES, *PUSHED}))
def test_template_releases_nothing_that_identifies_directly(name: str) -> None:
    for delivery, record, grants in outward(loaded(template(name), name)):
        allowed = {*ALLOWED, FieldClass.QUASI} if delivery.aggregate else ALLOWED  # counts are of nobody (R45)
        for path in says_something(record, grants):
            leaf = leaf_at(record.fields, path)
            assert leaf is not None
            assert leaf.field_class in allowed, path


@pytest.mark.parametrize("name", NAMED)
def test_template_that_names_pupils_does_so_by_deviation_on_consent_and_gives_no_number(name: str) -> None:
    for delivery, record, grants in outward(loaded(template(name), name)):
        assert delivery.grondslag is not None
        assert (delivery.grondslag.ground, bool(delivery.deviation)) == (Ground.CONSENT, True)
        found = {leaf.field_class for path in says_something(record, grants) if (leaf := leaf_at(record.fields, path))}
        assert FieldClass.DIRECT in found
        assert found <= {FieldClass.DIRECT, FieldClass.QUASI, FieldClass.THIRD_PERSON}


@pytest.mark.parametrize("name", ONE_OFF)
def test_template_for_a_permit_names_pupils_by_deviation_and_nobody_gets_a_number(name: str) -> None:
    recipient = loaded(template(name), name)

    for delivery, record, grants in outward(recipient):
        assert delivery.conditions.one_off
        assert (delivery.pseudonym, bool(delivery.deviation)) == (PseudonymMethod.NONE, True)
        found = [leaf.field_class for path in says_something(record, grants) if (leaf := leaf_at(record.fields, path))]
        assert not {FieldClass.ID, FieldClass.NATIONAL_NUMBER, FieldClass.FREE_TEXT} & set(found)


@pytest.mark.parametrize("name", DOSSIERS)
def test_template_for_a_dossier_names_pupils_by_deviation_and_lets_no_document_pass_as_text(name: str) -> None:
    for delivery, record, grants in outward(loaded(template(name), name)):
        assert (delivery.pseudonym, bool(delivery.deviation)) == (PseudonymMethod.NONE, True)
        found = {path: leaf for path in says_something(record, grants) if (leaf := leaf_at(record.fields, path))}
        free = [path for path, leaf in found.items() if leaf.field_class is FieldClass.FREE_TEXT]
        assert all(grants[path].transform is Transform.MASK for path in free)
        special = {FieldClass.ID, FieldClass.MEDICAL, FieldClass.SPECIAL, FieldClass.FINANCIAL}
        assert not special & {leaf.field_class for leaf in found.values()}


def test_template_for_the_samenwerkingsverband_gives_no_number_and_asks_for_an_open_request() -> None:
    for delivery, record, grants in outward(loaded(template("samenwerkingsverband"), "samenwerkingsverband")):
        assert delivery.conditions.open_request
        names = {path.rsplit(".", 1)[-1] for path in says_something(record, grants)}
        assert not names & {"bsn", "onderwijsnummer", "iban", "banknummer", "geboorteplaats", "nationaliteit"}


def test_number_leaves_to_a_school_with_its_own_basis_only(tmp_path: Path) -> None:
    """D7."""
    text = answered("school-povo")
    start = text.index("      national_number:")
    bare = text[:start] + text[text.index("    necessity:") :]

    report = check_directory(school(tmp_path / "school", school_povo=bare), TODAY)

    assert {problem.rule for problem in report.problems} == {"R39, N1"}


def test_closed_list_of_the_law_cannot_be_added_to(tmp_path: Path) -> None:
    """N24."""
    birth = "          huidigeschool.leerling.geboorteplaats:\n            reason: De geboorteplaats.\n"
    key = "          huidigeschool.leerling.onderwijsnummer:"
    text = changed(answered("school-povo"), (key, birth + key), ("    [address,", "    [birth-place, address,"))

    report = check_directory(school(tmp_path / "school", school_povo=text), TODAY)

    assert told(report.problems) == [(line_of(text, "huidigeschool.leerling.geboorteplaats"), "N24")]


def test_samenwerkingsverband_gets_no_account_place_of_birth_or_nationality(tmp_path: Path) -> None:
    """D7."""
    key = "          huidigeschool.leerling.verzorger.relatietotkind:"
    account = "          huidigeschool.leerling.verzorger.iban:\n            reason: De rekening van de ouders.\n"
    text = changed(answered("samenwerkingsverband"), (key, account + key), ("ground: e", "ground: c"))
    text = changed(text, ("    [address,", "    [financial, address,"))

    report = check_directory(school(tmp_path / "school", samenwerkingsverband=text), TODAY)

    assert [problem.rule for problem in report.problems] == ["R54, D7"]


@pytest.mark.parametrize(
    ("old", "new", "rules"),
    [
        ("occasion: break-glass", "occasion: standing", {"R13", "R71", "R114"}),
        (
            "          medicalNote:",
            "          dateOfBirth:\n            reason: De leeftijd.\n          medicalNote:",
            {"R13"},
        ),
    ],
    ids=["standing delivery", "more than the emergency profile"],
)
def test_emergency_file_that_asks_more_is_refused(tmp_path: Path, old: str, new: str, rules: set[str]) -> None:
    text = changed(answered("hulpdiensten"), (old, new))

    report = check_directory(school(tmp_path / "school", hulpdiensten=text), TODAY)

    assert {problem.rule for problem in report.problems} == rules


@pytest.mark.parametrize("occasion", ["police", "standing"])
def test_file_may_grant_an_image_as_each_pupil_s_consent_is_asked(tmp_path: Path, occasion: str) -> None:
    """R34: screening withholds the photo of whoever did not consent; under a permit no consent is looked up (D4)."""
    photo = "          photoUrl:\n            reason: De vordering vraagt een foto.\n          status:"
    text = changed(answered("politie"), ("          status:", photo))
    text = changed(text, ("occasion: police", f"occasion: {occasion}"))

    report = check_directory(school(tmp_path / "school", politie=text), TODAY)

    assert "R34" not in {problem.rule for problem in report.problems}


@pytest.mark.parametrize(
    ("name", "kind", "method"),
    [
        ("uitgever-noord", RecipientKind.PUBLISHER, PseudonymMethod.HMAC),
        ("uitgever-zuid", RecipientKind.PUBLISHER, PseudonymMethod.HMAC),
        ("distributeur-keten", RecipientKind.DISTRIBUTOR, PseudonymMethod.ECK_ID),
        ("onderwijsassistent", RecipientKind.ASSISTANT, PseudonymMethod.HMAC),
        ("toetsaanbieder", RecipientKind.TEST_PROVIDER, PseudonymMethod.HMAC),
    ],
)
def test_template_has_the_pseudonym_of_its_kind(name: str, kind: RecipientKind, method: PseudonymMethod) -> None:
    recipient = loaded(template(name), name)

    assert recipient.kind is kind
    assert {delivery.pseudonym for delivery in recipient.deliveries} == {method}
    assert {delivery.domain for delivery in recipient.deliveries} == {name}


def test_publisher_can_tell_which_pupils_follow_a_subject_in_which_year() -> None:
    (enrolment,) = [
        grants
        for name in ("uitgever-noord",)
        for delivery in loaded(template(name), name).deliveries
        for record, grants in delivery.grants.items()
        if record == "Enrollment"
    ]

    assert {"student.userIds.userId", "subject", "studyYear"} <= enrolment.keys()
    assert enrolment["beginDate"].transform is Transform.FIXED


def test_test_provider_may_return_results_without_free_text_or_links() -> None:
    (delivery,) = [
        one for one in loaded(template("toetsaanbieder"), "toetsaanbieder").deliveries if one.schema == "edu-v-results"
    ]
    grants = delivery.grants["AssessmentScoresAndResults"]

    assert "studentScoresAndResults.results.resultValue" in grants
    assert not [path for path in grants if path.endswith(("additionalInfo", "reviewUrl")) or "employees" in path]


# -- from file to values -------------------------------------------------------------------------------


def test_delivery_of_the_file_becomes_one_delivery_per_schema() -> None:
    recipient = loaded(answered("toetsaanbieder"), "toetsaanbieder")

    assert [delivery.schema for delivery in recipient.deliveries] == [
        "edu-v-students",
        "edu-v-association",
        "edu-v-results",
    ]
    assert len({(delivery.purpose, delivery.until, delivery.grondslag) for delivery in recipient.deliveries}) == 1


def test_rows_and_locations_are_as_written() -> None:
    delivery = loaded(answered("uitgever-noord")).deliveries[0]

    assert delivery.rows == Rows(years=frozenset({1, 2}), groups=None)
    assert delivery.locations == {"noord"}


def test_record_without_fields_is_released_empty_and_not_whole() -> None:
    text = answered("uitgever-noord")
    text = text[: text.index("        Group:")] + "        Group: {}\n"

    assert loaded(text).deliveries[1].grants["Group"] == {}


# -- what is refused -----------------------------------------------------------------------------------

REASON = "Zonder vast kenmerk raakt een leerling bij elke les zijn voortgang kwijt."
STUDENT = "        Student:\n"


def with_field(path: str, grant: str = "{reason: De docent zet hiermee lesstof klaar.}") -> tuple[str, str]:
    return STUDENT, f"{STUDENT}          {path}: {grant}\n"


@pytest.mark.parametrize(
    ("edits", "at", "rule"),
    [
        ([with_field('"*"')], '"*":', "R4, R7, R10"),
        ([with_field("address.*")], "address.*:", "R4, R7, R10"),
        ([with_field("enzovoort")], "enzovoort:", "R4, R7, R10"),
        ([("      edu-v-association:", '      "*":')], '"*":', "R4, R7"),
        ([("        Group:\n", "        alles:\n")], "alles:", "R4, R7"),
        ([("[pupil-number, organisation]", "[pupil-number, organisation, enzovoort]")], "categories:", "R10"),
        ([("[pupil-number, organisation]", '[pupil-number, organisation, "*"]')], "categories:", "R10"),
        ([("[pupil-number, organisation]", "[pupil-number, organisation, overige]")], "categories:", "R10"),
        ([("      - noord", '      - "*"')], '- "*"', "R68"),
        ([(REASON, '""')], 'reason: ""', "R4"),
        ([(REASON, "handig voor de planning")], "reason: handig", "R4"),
        ([with_field("dateOfBirth", "{transform: year}")], "dateOfBirth:", "R4"),
        ([with_field("religie")], "religie:", "R9"),
        ([with_field("address")], "address:", "R7"),
        ([with_field("bsn"), ("organisation]", "organisation, national-number]")], "bsn:", "R39, N1"),
        ([with_field("medicalNote"), ("organisation]", "organisation, medical]")], "medicalNote:", "R36, N9"),
        ([with_field("note"), ("organisation]", "organisation, observations]")], "note:", "R38, N5"),
        ([with_field("preferredFirstName"), ("organisation]", "organisation, name]")], "preferredFirstName:", "R40"),
        ([with_field("emailsParents"), ("organisation]", "organisation, guardians]")], "emailsParents:", "R46"),
        ([with_field("userMasterIdentifier")], "userMasterIdentifier:", "N3"),
        ([with_field("gender", "{reason: De aanspreekvorm in de les.}")], "gender:", "R10"),
        ([("purpose: toegang-leermiddel", "purpose: reclame")], "purpose: reclame", "R11"),
        ([("{country: NL}", "{country: US}")], "country: US", "N20"),
        ([('contact: "privacy@leverancier.example"\n', "")], "recipient:", "form"),
        ([("until: 2027-07-31\n  categories", "until: 2026-11-21\n  categories")], "agreement:", "R69"),
        ([("date: 2026-08-15", "date: 15-08-2026")], "date: 15-08-2026", "form"),
        ([("date: 2026-08-15", "date: 2026-8-15")], "date: 2026-8-15", "form"),
        ([("role: processor", "role: verwerker")], "role:", "form"),
        ([("{country: NL}", "{country: NO}")], "country: NO", "yaml"),
        ([("recipient: uitgever-noord", "recipient: uitgever-oost")], "recipient: uitgever-oost", "form"),
        ([("    channel: api", "    chanel: api\n    channel: api")], "chanel:", "form"),
        ([("pseudonym: hmac", "pseudonym: hash")], "pseudonym: hash", "form"),
        ([('value: "-"', "value: 7")], "transform: fixed\n            value: 7", "R7"),
    ],
)  # fmt: skip
def test_recipient_with_one_mistake_is_refused_at_its_line(
    tmp_path: Path, edits: list[tuple[str, str]], at: str, rule: str
) -> None:
    text = changed(answered("uitgever-noord"), ('- "noord"', "- noord"), *edits)

    report = checked(tmp_path / "school", text)

    assert (line_of(text, at), rule) in told(report.problems), report.problems


@pytest.mark.parametrize("edit", [with_field("religie"), ("        Group:\n", "        Klas:\n")])
def test_recipient_that_names_what_no_schema_has_does_not_load(edit: tuple[str, str]) -> None:
    text = changed(answered("uitgever-noord"), edit)

    found = load_recipient(text, "uitgever-noord.yaml", schemas())

    assert isinstance(found, list)
    assert told(found) == [(line_of(text, edit[1].removeprefix(STUDENT).strip().partition(":")[0]), "R9")]


def without_block(text: str, first: str, after: str) -> str:
    return text[: text.index(first)] + text[text.index(after) :]


@pytest.mark.parametrize(
    ("first", "after", "rule"),
    [
        ("    grondslag:", "    necessity:", "R2"),
        ("    necessity:", "    authorisation:", "R6"),
        ("    authorisation:", "    locations:", "R12"),
        ("agreement:", "deliveries:", "R69"),
    ],
)
def test_recipient_without_its_paper_is_refused(tmp_path: Path, first: str, after: str, rule: str) -> None:
    report = checked(tmp_path / "school", without_block(answered("uitgever-noord"), first, after))

    assert {problem.rule for problem in report.problems} == {rule}


def test_all_problems_of_a_file_are_told_at_once_shape_and_law_together(tmp_path: Path) -> None:
    text = changed(
        answered("uitgever-noord"),
        ("role: processor", "role: verwerker"),
        ("[pupil-number, organisation]", "[pupil-number, organisation, enzovoort]"),
        (REASON, "handig"),
        ("{country: NL}", "{country: US}"),
        ("    channel: api", "    chanel: api\n    channel: api"),
        with_field("religie"),
    )

    report = checked(tmp_path / "school", text)

    assert [problem.rule for problem in report.problems] == ["form", "R10", "N20", "form", "R9", "R4"]
    assert [problem.line for problem in report.problems] == sorted(problem.line for problem in report.problems)
    assert report.recipients == {}


def test_problem_repeats_no_value_of_the_file(tmp_path: Path) -> None:
    text = changed(
        answered("uitgever-noord"),
        ("role: processor", "role: jan jansen"),
        ("kind: publisher", "kind: jan jansen"),
        ("{country: NL}", "{country: jan jansen}"),
        ("      ground: e", "      ground: jan jansen"),
        ("    pseudonym: hmac", "    pseudonym: [jan jansen]"),
        ("    channel: api", "    jan jansen: 1\n    channel: Jan Jansen"),
        ('"noord"', '"Jan Jansen"'),
        ("years: [1, 2]", "years: [jan jansen]"),
    )

    report = checked(tmp_path / "school", text)

    assert len(report.problems) >= 9
    assert not any("jansen" in problem.message.lower() for problem in report.problems)


@pytest.mark.parametrize(
    ("edit", "part"),
    [
        (("kind: publisher", "kind: uitgever"), "must be one of publisher, distributor,"),
        (("date: 2026-08-15", "date: morgen"), "must be a date as 2026-08-01"),
        (("sub_processors: []", "sub_processors: geen"), "must be a list"),
        (("rows: {years: [1, 2]}", "rows: {years: [een]}"), "must be a whole number"),
        (("title: Uitgever Noord B.V.", "title: 7"), "must be text: put it in quotes"),
    ],
)
def test_problem_says_what_should_stand_there(tmp_path: Path, edit: tuple[str, str], part: str) -> None:
    report = checked(tmp_path / "school", changed(answered("uitgever-noord"), edit))

    assert [part in problem.message for problem in report.problems] == [True]


def test_second_delivery_of_a_purpose_with_the_same_schema_is_refused(tmp_path: Path) -> None:
    text = answered("uitgever-noord")
    item = text[text.index("  - purpose:") :]

    report = checked(tmp_path / "school", text + item)

    assert {problem.message.partition(":")[0] for problem in report.problems} == {"SCHEMA_NOT_ACTIVE"}


def test_problem_of_a_second_delivery_stands_at_its_own_line(tmp_path: Path) -> None:
    text = answered("uitgever-noord")
    item = changed(text[text.index("  - purpose:") :], ("toegang-leermiddel", "voortgang"), (REASON, "handig"))

    report = checked(tmp_path / "school", text + item)

    assert told(report.problems) == [(line_of(text + item, "reason: handig"), "R4")]


def test_schema_that_is_broken_stops_what_needs_it_and_says_so(tmp_path: Path) -> None:
    directory = school(tmp_path / "school", uitgever_noord=answered("uitgever-noord"))
    (directory / "schemas" / "edu-v-association.yaml").write_text("schema: [\n", encoding="utf-8")

    report = check_directory(directory, TODAY)

    assert [(problem.file, problem.rule) for problem in report.problems] == [
        ("recipients/uitgever-noord.yaml", "R9"),
        ("schemas/edu-v-association.yaml", "yaml"),
    ]


# -- open questions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "edit",
    [
        ("role: processor", 'role: "ASK: Welke?"'),
        ("title: Uitgever Noord B.V.", 'title: "ASK: Welke?"'),
        ("    - {country: NL}", '    - {country: "ASK: Welke?"}'),
        ("      ground: e", '      ground: "ASK: Welke?"'),
        ("years: [1, 2]", 'years: [1, "ASK: Welke?"]'),
        ("[pupil-number, organisation]", '[pupil-number, organisation, "ASK: Welke?"]'),
        ("sub_processors: []", 'sub_processors: [{name: "ASK: Welke?", country: NL}]'),
        (REASON, '"ASK: Welke?"'),
        ('value: "-"', 'value: "ASK: Welke?"'),
        ("    channel: api", '    channel: api\n    eck_login: "ASK: Welke?"'),
        ("  until: 2027-07-31", '  until: "ASK: Welke?"'),
    ],
)
def test_question_may_stand_where_a_scalar_is_expected(tmp_path: Path, edit: tuple[str, str]) -> None:
    text = changed(answered("uitgever-noord"), edit)

    report = checked(tmp_path / "school", text)

    line = line_of(text, '"ASK: Welke?"')
    assert report.problems == ()
    assert [str(question) for question in report.questions] == [f"recipients/uitgever-noord.yaml:{line}: Welke?"]
    assert report.recipients["uitgever-noord"].asks == ((line, "Welke?"),)


def test_question_does_not_hide_another_problem(tmp_path: Path) -> None:
    text = changed(template("uitgever-noord"), (REASON, "handig"))

    report = checked(tmp_path / "school", text)

    assert told(report.problems) == [(line_of(text, "reason: handig"), "R4")]
    assert len(report.questions) == 12

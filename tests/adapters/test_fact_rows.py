"""adapters.facts.rows and consent_rows: what a row becomes, and everything that is refused at the door, by rule."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.facts.consent_rows import CampaignForm
from gateway.adapters.facts.row_forms import Door, FactRow, Wrong, columns, fit_row, is_bsn
from gateway.adapters.facts.rows import MAKES, ROWS
from gateway.core.facts import (
    Admission,
    Answer,
    Birth,
    Capacity,
    Consent,
    ConsentTerms,
    CourtOrder,
    Dispute,
    Form,
    Inzage,
    Kind,
    Mark,
    Marker,
    Objection,
    Representative,
    Restriction,
    RestrictionGround,
    Statement,
    SupportRequest,
    Withdrawal,
)
from gateway.core.model import Category

CANARY = "Kanarie"
TERMS = ConsentTerms(
    recipients=frozenset({"bureau-a"}), purpose="dyslexieonderzoek", categories=frozenset({Category.RESULTS}),
    text="2026-1", form=Form.WRITTEN, evidence="sha256:00",
)  # fmt: skip
DOOR = Door(
    now=datetime(2026, 11, 22, 12, 0, tzinfo=UTC),
    today=date(2026, 11, 22),
    recipients={"bureau-a": frozenset({"dyslexieonderzoek"}), "uitgever": frozenset({"leermiddel", "reclame"})},
    campaigns={7: TERMS},
    sources=("lvs",),
)
CONSENT = {
    "pupil": "100001", "giver": "g-1", "capacity": "parent", "extract": "2026-01-10", "answer": "yes",
    "given": "2026-09-01T14:30", "recipients": "bureau-a", "purpose": "dyslexieonderzoek",
    "categories": "results, support", "text": "2026-1", "form": "written", "evidence": "sha256:00",
}  # fmt: skip
IN_CAMPAIGN = {
    "pupil": "100001", "giver": "g-1", "capacity": "parent", "extract": "2026-01-10", "answer": "no",
    "given": "2026-09-01", "campaign": "7",
}  # fmt: skip
ROW: dict[str, dict[str, Any]] = {
    "pupil": {"pupil": "100001", "birth_date": "2012-02-29"},
    "guardian": {"pupil": "100001", "guardian": "g-1", "capacity": "parent"},
    "consent": CONSENT,
    "withdrawal": {"pupil": "100001", "capacity": "pupil", "withdrawn": "2026-11-22T12:59"},
    "restriction": {"pupil": "100001", "ground": "accuracy"},
    "objection": {"pupil": "100001", "received": "2026-11-22"},
    "court-order": {"pupil": "100001"},
    "marker": {"pupil": "100001", "mark": "child-safety"},
    "dispute": {"pupil": "100001", "categories": "results"},
    "statement": {"pupil": "100001", "categories": "results", "text": "Wij zien dit anders."},
    "support-request": {"pupil": "100001", "recipient": "bureau-a"},
    "inzage": {"pupil": "100001", "day": "2026-11-20"},
}


def fitted(kind: str, door: Door = DOOR, **changes: Any) -> FactRow | list[Wrong]:
    """The good row of this kind with some columns changed; None takes one away."""
    values = {name: value for name, value in (ROW[kind] | changes).items() if value is not None}
    return fit_row(ROWS[kind], values, door)


def fact_of(kind: str, person: bytes | None = None, **changes: Any) -> Any:
    row = fitted(kind, **changes)
    assert isinstance(row, FactRow), row
    (fact,) = row.facts(person)
    return fact


def wrong(kind: str, **changes: Any) -> list[Wrong]:
    found = fitted(kind, **changes)
    assert isinstance(found, list), "nothing was wrong"
    assert CANARY not in repr(found)
    return found


def rules(kind: str, **changes: Any) -> list[str]:
    return [rule for _, rule in wrong(kind, **changes)]


# -- what a row becomes --------------------------------------------------------------------------------


def test_every_kind_of_row_says_which_facts_it_makes() -> None:
    for kind, values in ROW.items():
        row = fit_row(ROWS[kind], values, DOOR)
        assert isinstance(row, FactRow), (kind, row)
        tags = {Kind(str(type(fact).__struct_config__.tag)) for fact in row.facts(b"g" * 16)}
        assert tags <= set(MAKES[kind])
    assert ROW.keys() == ROWS.keys() == MAKES.keys()


def test_consent_row_is_a_consent_with_its_own_terms() -> None:
    assert fact_of("consent", b"g") == Consent(
        capacity=Capacity.PARENT,
        answer=Answer.YES,
        given=datetime(2026, 9, 1, 12, 30, tzinfo=UTC),
        giver=b"g",
        extract=date(2026, 1, 10),
        terms=ConsentTerms(
            recipients=frozenset({"bureau-a"}),
            purpose="dyslexieonderzoek",
            categories=frozenset({Category.RESULTS, Category.SUPPORT}),
            text="2026-1",
            form=Form.WRITTEN,
            evidence="sha256:00",
        ),
    )


def test_consent_row_in_a_campaign_needs_no_terms_of_its_own() -> None:
    row = fit_row(ROWS["consent"], IN_CAMPAIGN, DOOR)

    assert isinstance(row, FactRow)
    (fact,) = row.facts(b"g")
    assert isinstance(fact, Consent)
    assert (fact.campaign, fact.terms, fact.answer) == (7, None, Answer.NO)


def test_consent_oral_is_kept_as_a_note_without_evidence() -> None:
    fact = fact_of("consent", b"g", form="oral", evidence=None)

    assert (fact.terms.form, fact.terms.evidence) == (Form.ORAL, None)


@pytest.mark.parametrize("answer", ["no", "asked"])
def test_consent_that_gives_nothing_needs_no_evidence(answer: str) -> None:
    assert fact_of("consent", b"g", answer=answer, evidence=None).answer == Answer(answer)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-07-01T14:30", datetime(2026, 7, 1, 12, 30, tzinfo=UTC)),
        ("2026-07-01", datetime(2026, 6, 30, 22, 0, tzinfo=UTC)),
        ("2026-07-01 14:30:05Z", datetime(2026, 7, 1, 14, 30, 5, tzinfo=UTC)),
        ("2026-07-01T14:30:00+05:00", datetime(2026, 7, 1, 9, 30, tzinfo=UTC)),
        ("2026-10-25T02:30", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),  # shown twice: the later
    ],
)
def test_moment_without_an_offset_is_of_amsterdam(written: str, moment: datetime) -> None:
    assert fact_of("consent", given=written).given == moment


@pytest.mark.parametrize("written", ["01-07-2026", "2026-07", "20260701T1430", "2026-03-29T02:30", "2026-02-30", ""])
def test_moment_written_otherwise_is_refused(written: str) -> None:
    assert "'given'" in wrong("consent", given=written)[0][0]


def test_no_of_a_day_comes_after_all_that_was_said_that_day() -> None:
    """R26: a withdrawal noted with its day only outlives a consent of that morning; so does a refusal."""
    yes = fact_of("consent", given="2026-09-01T14:30")

    assert fact_of("withdrawal", withdrawn="2026-09-01").moment > yes.given
    assert fact_of("consent", given="2026-09-01", answer="no").given > yes.given
    assert fact_of("consent", given="2026-09-01").given < yes.given
    assert fact_of("withdrawal", withdrawn="2026-10-25").moment == datetime(2026, 10, 25, 22, 59, 59, 999_999, UTC)


def test_categories_in_one_text_or_in_a_list_are_the_same() -> None:
    one = fact_of("dispute", categories="results support")
    other = fact_of("dispute", categories=["support", "results"])

    assert one == other == Dispute(categories=frozenset({Category.RESULTS, Category.SUPPORT}))


def test_pupil_row_is_a_birth_and_an_admission() -> None:
    row = fitted("pupil", admitted="no", until="2027-07-31", destination="01AB")

    assert isinstance(row, FactRow)
    admission = Admission(admitted=False, until=date(2027, 7, 31), destination="01AB")
    assert row.facts(None) == (Birth(day=date(2012, 2, 29)), admission)


def test_guardian_row_is_a_representative() -> None:
    fact = fact_of("guardian", b"g", since="2026-01-01", informed="no")

    expected = Representative(person=b"g", capacity=Capacity.PARENT, since=date(2026, 1, 1), informed=False)
    assert fact == expected


@pytest.mark.parametrize(
    ("kind", "changes", "fact"),
    [
        ("restriction", {"categories": "results"},
         Restriction(ground=RestrictionGround.ACCURACY, categories=frozenset({Category.RESULTS}))),
        ("restriction", {}, Restriction(ground=RestrictionGround.ACCURACY)),
        ("objection", {"recipient": "uitgever", "purpose": "leermiddel"},
         Objection(received=date(2026, 11, 22), recipient="uitgever", purpose="leermiddel")),
        ("court-order", {"recipient": "uitgever"}, CourtOrder(addressee="uitgever")),
        ("statement", {}, Statement(categories=frozenset({Category.RESULTS}), text="Wij zien dit anders.")),
        ("support-request", {"until": "2027-01-01"}, SupportRequest(recipient="bureau-a", until=date(2027, 1, 1))),
        ("inzage", {"remark": "akkoord"}, Inzage(day=date(2026, 11, 20), remark="akkoord")),
        ("inzage", {"agreed": "no"}, Inzage(day=date(2026, 11, 20), agreed=False)),
        ("withdrawal", {}, Withdrawal(moment=datetime(2026, 11, 22, 11, 59, tzinfo=UTC))),
    ],
)  # fmt: skip
def test_row_is_its_fact(kind: str, changes: dict[str, Any], fact: object) -> None:
    assert fact_of(kind, **changes) == fact


def test_court_order_to_a_guardian_names_them_by_internal_id() -> None:
    assert fact_of("court-order", b"\1\2", guardian="g-1") == CourtOrder(addressee="0102")


def test_marker_names_against_whom() -> None:
    assert fact_of("marker", b"g", guardian="g-1") == Marker(mark=Mark.CHILD_SAFETY, against=b"g")


# -- what is refused at the door -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "rule"),
    [
        ("giver", "R18"),
        ("capacity", "R18"),
        ("extract", "D6"),
        ("answer", "R21"),
        ("given", "R18, R19"),
        ("recipients", "R18, R24"),
        ("purpose", "R18, R24"),
        ("categories", "R18, R23"),
        ("text", "R18, R23"),
        ("form", "R18, R20"),
        ("evidence", "R18, R22"),
    ],
)
def test_consent_what_a_row_lacks_is_listed(column: str, rule: str) -> None:
    ((message, cited),) = wrong("consent", **{column: None})

    assert (column in message, cited) == (True, rule)


def test_consent_lacks_several_all_are_listed() -> None:
    assert len(wrong("consent", giver=None, extract=None, text=None, evidence=None)) == 4


@pytest.mark.parametrize(
    ("kind", "changes", "rule"),
    [
        ("consent", {"giver": "School"}, "R18"),
        ("consent", {"capacity": "pupil"}, "R18"),
        ("consent", {"capacity": "school"}, "form"),
        ("consent", {"given": "2026-11-22T13:01"}, "R19"),
        ("consent", {"extract": "2026-11-23"}, "R19"),
        ("consent", {"answer": "ja"}, "form"),
        ("consent", {"purpose": "reclame", "recipients": "uitgever"}, "R11"),
        ("consent", {"purpose": "kanarie"}, "R24"),
        ("consent", {"recipients": "kanarie"}, "R24"),
        ("consent", {"recipients": "bureau-a uitgever"}, "R24"),
        ("consent", {"categories": []}, "form"),
        ("consent", {"categories": "alles"}, "form"),
        ("consent", {"until": "2026-11-21"}, "R18"),
        ("consent", {"campaign": "8", **dict.fromkeys(("recipients", "purpose", "categories", "text", "form",
                                                       "evidence"))}, "D6"),
        ("withdrawal", {"capacity": "parent-without-gezag"}, "D5"),
        ("withdrawal", {"withdrawn": "2026-11-22T13:01"}, "R26"),
        ("withdrawal", {"recipient": "kanarie"}, "R24"),
        ("pupil", {"birth_date": "2026-11-23"}, "R27"),
        ("pupil", {"birth_date": None}, "form"),
        ("pupil", {"bsn": "123456789"}, "R39"),
        ("guardian", {"capacity": "pupil"}, "D5"),
        ("guardian", {"guardian": None}, "R18"),
        ("guardian", {"since": "2026-02-01", "until": "2026-01-31"}, "form"),
        ("restriction", {"ground": None}, "R93"),
        ("objection", {"received": "2026-11-23"}, "R96"),
        ("court-order", {"recipient": "uitgever", "guardian": "g-1"}, "R14"),
        ("support-request", {"recipient": "kanarie"}, "R24"),
        ("inzage", {"day": "2026-11-23"}, "R57"),
        ("inzage", {"pupil": None}, "form"),
        ("inzage", {"pupil_id_kind": "Kanarie"}, "form"),
        ("inzage", {"pupil_id_kind": "bsn"}, "form"),
        ("inzage", {"source": "kanarie"}, "form"),
        ("inzage", {"Kanarie": "x"}, "form"),
        ("inzage", {"day": ["Kanarie"]}, "form"),
        ("inzage", {"pupil": 100001}, "form"),
    ],
)  # fmt: skip
def test_row_refused_cites_its_rule_and_no_value(kind: str, changes: dict[str, Any], rule: str) -> None:
    assert set(rules(kind, **changes)) == {rule}


def test_consent_campaign_and_terms_of_its_own_cannot_both_be_meant() -> None:
    assert rules("consent", campaign="7") == ["D6"] * 6


def test_consent_in_a_campaign_still_needs_the_giver() -> None:
    found = fit_row(ROWS["consent"], {**IN_CAMPAIGN, "giver": "school"}, DOOR)

    assert isinstance(found, list)
    assert [rule for _, rule in found] == ["R18"]


def test_source_of_several_must_be_named() -> None:
    door = Door(DOOR.now, DOOR.today, DOOR.recipients, sources=("lvs", "oud"))

    assert isinstance(fitted("inzage", door), list)
    assert isinstance(fitted("inzage", door, source="oud"), FactRow)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [({}, None), ({"form": "oral"}, "R20"), ({"recipients": "kanarie"}, "R24"), ({"until": "2026-11-01"}, "R18")],
)
def test_campaign_states_terms_that_can_be(changes: dict[str, str], rule: str | None) -> None:
    terms = {
        "recipients": "bureau-a", "purpose": "dyslexieonderzoek", "categories": "results", "text": "2026-1",
        "form": "written", "evidence": "sha256:00",
    }  # fmt: skip
    form = CampaignForm.model_validate(terms | changes)

    assert [cited for _, cited in form.wrong(DOOR)] == ([rule] if rule else [])
    assert form.terms().purpose == TERMS.purpose


@pytest.mark.parametrize(("value", "is_one"), [("111222333", True), ("123456782", True), ("123456789", False)])
def test_bsn_passes_the_11_proef(value: str, *, is_one: bool) -> None:
    assert is_bsn(value) is is_one


DOCUMENT = Path(__file__).parents[2] / "docs" / "facts.md"


@pytest.mark.parametrize("kind", ROWS)
def test_every_column_is_explained_under_its_kind(kind: str) -> None:
    text = DOCUMENT.read_text()
    section = text[text.index(f"\n## {kind}\n") + 1 :].partition("\n## ")[0]
    common = text[text.index("## Whom a row") :].partition("\n## ")[0]
    cells = " ".join(re.findall(r"^\|(.*?)\|", section + common, re.MULTILINE))
    told = set(re.findall(r"`(\w+)`", cells))

    assert told == columns(ROWS[kind])

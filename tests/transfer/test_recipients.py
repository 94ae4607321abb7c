"""Every recipient that the school's policy names, by its shipped template: something leaves, and what the rule forbids
does not (R31-R33, R45, R47-R58, R63).

DUO, the ouders and permits in full have tests of their own (`test_push`, `test_progress`, `test_handover`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import orjson
import pytest
from lxml import etree

from gateway.core.facts import (
    Admission,
    Answer,
    AnyFact,
    Birth,
    Capacity,
    Consent,
    ConsentTerms,
    Inzage,
    Occasion,
    Permit,
    Representative,
    SupportRequest,
)
from gateway.core.facts import Form as Written
from gateway.core.model import Caller, Category, Subject
from gateway.core.reasons import Reason
from gateway.demo.dossiers import dossier
from gateway.demo.examples import applicant
from gateway.demo.school import make_school
from gateway.transfer.handover import Handing, Handover
from gateway.transfer.released import Released
from tests.builders_formats import pupil, student_json
from tests.policy.shipped import answered, changed
from tests.simulators.world import NORTH, NOW, SIZES, School, a_request, a_school, policy

pytestmark = pytest.mark.anyio

SYSTEM = Caller("school-1", "school", None, None)
PARENT = Representative(person=b"a guardian here.", capacity=Capacity.PARENT, extract=date(2026, 9, 1))
BORN = Birth(day=date(2014, 3, 2))


def a_school_of(*names: str, pupils: list[Subject] | None = None) -> School:
    return a_school(compiled=policy(texts=tuple((name, answered(name)) for name in names)), pupils=pupils)


async def handed_in(school: School, query: str, body: bytes, media: str = "application/json") -> Released:
    """A file that a system of the school puts through the filter."""
    answer = await school.transfers.answer(SYSTEM, a_request(f"/lvs/filter?{query}", body=body, content_type=media))
    assert isinstance(answer, Released)
    return answer


async def asks(school: School, recipient: str, purpose: str, target: str) -> Released:
    who = Caller(f"{recipient}-1", "recipient", recipient, purpose)
    answer = await school.transfers.answer(who, a_request(target))
    assert isinstance(answer, Released)
    return answer


def consent(recipient: str, purpose: str, *categories: str, answer: Answer = Answer.YES) -> Consent:
    terms = ConsentTerms(
        recipients=frozenset({recipient}),
        purpose=purpose,
        categories=frozenset(Category(one) for one in categories),
        text="formulier 2026",
        form=Written.WRITTEN,
        evidence="in het dossier",
        until=date(2027, 7, 31),
    )
    given = NOW - timedelta(days=30)
    return Consent(
        capacity=Capacity.PARENT,
        answer=answer,
        given=given,
        giver=PARENT.person,
        extract=date(2026, 10, 1),
        terms=terms,
    )


def records(answer: Released) -> list[dict[str, Any]]:
    assert answer.reason is None, answer.reason
    assert isinstance(answer.body, bytes)
    found: list[dict[str, Any]] = orjson.loads(answer.body)
    return found


# -- those whose pupils consent by name (R16, R30, R63) --------------------------------------------------------

NAMED = {
    "hulpverlening": ("aanmelding-hulpverlening", ("name", "birth-date", "guardians", "organisation")),
    "stagebedrijf": ("stage", ("name", "school-email", "organisation")),
    "dyslexiebureau": ("dyslexieonderzoek", ("name", "birth-date", "organisation")),
}


@pytest.mark.parametrize("name", NAMED)
async def test_named_pupil_leaves_on_written_consent_and_nobody_else(name: str) -> None:
    purpose, categories = NAMED[name]
    school = a_school_of(name)
    school.record(1, BORN, PARENT, consent(name, purpose, *categories))
    school.record(2, BORN, PARENT)
    more = {"email": "a@school.example", "gender": "male", "dateOfBirth": BORN.day.isoformat()}
    students = [student_json(school.pupils[n], **more) for n in (1, 2)]

    if name == "dyslexiebureau":
        school.upstream.holds["/students/school"] = students
        answer = await asks(school, name, purpose, f"/lvs/students/school?{NORTH}")
    else:
        query = f"recipient={name}&purpose={purpose}&schema=edu-v-students"
        answer = await handed_in(school, query, orjson.dumps(students))

    (left,) = records(answer)
    assert left["givenName"] == students[0]["givenName"]
    assert not {"gender", "userIds", "userMasterIdentifier", "address"} & left.keys()
    withheld = dict(school.register.drafts[-1].withheld)
    assert Reason.CONSENT_MISSING in withheld[school.pupils[2]]


# -- authorities ------------------------------------------------------------------------------------------------


def enrolment(subject: Subject, number: int) -> dict[str, Any]:
    return {
        "enrollmentId": f"e{number}",
        "student": {"userIds": [{"userId": subject.ids["las-key"], "userIdType": "ASI"}]},
        "enrollmentType": "study",
        "studyYear": 1,
        "schoolPeriod": "2026-2027",
        "beginDate": "2026-08-01",
        "status": "active",
        "dateCreated": "2026-08-01T00:00:00Z",
        "dateLastModified": "2026-08-01T00:00:00Z",
    }


@pytest.mark.parametrize(("name", "purpose"), [("inspectie", "toezicht"), ("onderzoek", "onderwijsonderzoek")])
async def test_list_under_a_pseudonym_leaves_by_its_own_channel_and_is_nobody_s_to_fetch(
    name: str, purpose: str
) -> None:
    """R47, R48, R50, R63."""
    school = a_school_of(name)
    school.record(1, consent(name, purpose, "organisation", answer=Answer.NO))
    rows = orjson.dumps([enrolment(school.pupils[n], n) for n in (1, 2)])

    left = records(await handed_in(school, f"recipient={name}&purpose={purpose}&schema=edu-v-association", rows))
    fetched = await asks(school, name, purpose, f"/lvs/enrollments/school?{NORTH}")

    assert len(left) == 2  # neither asks for consent
    assert {one["beginDate"] for one in left} == {"2000-01-01"}
    assert not any("las-" in str(one) for one in left)
    assert fetched.reason is Reason.CHANNEL_NOT_ALLOWED


def test_mail_is_no_channel_to_the_inspectie() -> None:
    """R50."""
    text = changed(answered("inspectie"), ("channel: internet-schooldossier", "channel: email"))
    key = ("inspectie", "toezicht", "edu-v-association")

    findings = {one.reason for one in policy(texts=(("inspectie", text),)).standings[key].findings}

    assert Reason.CHANNEL_NOT_ALLOWED in findings


@pytest.mark.parametrize(
    ("name", "purpose", "schema"),
    [
        ("leerplicht", "leerplichtzaak", "edu-v-students"),
        ("inspectie-onderzoek", "specifiek-onderzoek", "edu-v-students"),
    ],
)
async def test_who_receives_case_by_case_gets_nothing_without_a_permit(name: str, purpose: str, schema: str) -> None:
    """R48, R52; with one: `test_handover`."""
    school = a_school_of(name)
    students = orjson.dumps([student_json(school.pupils[1])])

    handed = await handed_in(school, f"recipient={name}&purpose={purpose}&schema={schema}", students)
    asked = await asks(school, name, purpose, f"/lvs/students/school?{NORTH}")

    assert handed.reason is asked.reason is Reason.PERMIT_MISSING
    assert school.upstream.calls == []


async def test_leerplicht_gets_the_closed_list_of_one_pupil_on_a_permit() -> None:
    """R52, N29."""
    school = a_school_of("leerplicht")
    categories = frozenset({Category.NAME, Category.BIRTH_DATE, Category.ADDRESS, Category.GUARDIANS})
    terms: dict[str, Any] = {
        "occasion": Occasion.INVESTIGATION, "recipient": "leerplicht", "purpose": "leerplichtzaak",
        "channel": "beveiligde-overdracht",
    }  # fmt: skip
    school.record(1, Permit(number=7, categories=categories, until=NOW + timedelta(days=7), **terms))
    school.upstream.holds["/students"] = [student_json(school.pupils[1], medicalNote="x", gender="male")]
    handing = Handing(
        id="h1", person="j.jansen", permit="p7", fact=7, subject=school.pupils[1].id, secret=False, **terms
    )
    standing = school.world.compiled.standings["leerplicht", "leerplichtzaak", "edu-v-students"]

    answer = await Handover(school.outside, SIZES, handing).deliver("lvs", standing.delivery, "Student")

    assert isinstance(answer, Released)
    (left,) = records(answer)
    assert "givenName" in left
    assert not {"gender", "medicalNote", "userIds", "userMasterIdentifier"} & left.keys()


async def test_ministry_gets_counts_and_no_small_one() -> None:
    """R45, R53."""
    school = a_school_of("ocw", pupils=[pupil(number) for number in range(1, 9)])
    born = ["2014-05-01"] * 6 + ["2013-05-01"] * 2
    students = [
        student_json(one, gender="male", dateOfBirth=day) for one, day in zip(school.pupils.values(), born, strict=True)
    ]
    school.upstream.holds["/students/school"] = students

    answer = await asks(school, "ocw", "beleidscijfers", f"/lvs/students/school?{NORTH}")
    one = await asks(school, "ocw", "beleidscijfers", f"/lvs/students/school?{NORTH}&schoolPeriodId=2026")

    assert isinstance(answer.body, bytes)
    assert b"las-" not in answer.body
    assert b'"count":2' not in answer.body.replace(b" ", b"")
    assert one.reason is not None


# -- dossiers (R54, R55, R57, R58, R109) --------------------------------------------------------------------------


@cache
def demo_pupil() -> tuple[Subject, Birth, Callable[[str], bytes]]:
    school = make_school(1, NOW.date())
    one = applicant(school)
    known = replace(pupil(1), ids={"las-key": str(one.number)})
    return known, Birth(day=one.birth), lambda profile: dossier(school, one, profile)


def a_school_with_a_dossier(*names: str, facts: list[AnyFact]) -> School:
    known, born, _ = demo_pupil()
    school = a_school_of(*names, pupils=[known])
    school.record(1, born, PARENT, *facts)
    return school


async def dossier_for(school: School, recipient: str, purpose: str, profile: str, more: str = "") -> Released:
    _, _, made = demo_pupil()
    query = f"recipient={recipient}&purpose={purpose}&schema=oso-2019{more}"
    return await handed_in(school, query, made(profile), "application/xml")


def names_in(answer: Released) -> set[str]:
    assert answer.reason is None, answer.reason
    assert isinstance(answer.body, bytes)
    return {etree.QName(one).localname for one in etree.fromstring(answer.body).iter("*")}


SWV = "samenwerkingsverband"
NUMBERS = {"bsn", "onderwijsnummer"}
NEVER = {"iban", "banknummer", "geboorteplaats", "nationaliteit", *NUMBERS}


@pytest.mark.parametrize("purpose", ["advies", "ondersteuning", "toelaatbaarheid"])
async def test_samenwerkingsverband_gets_a_dossier_while_a_request_is_open_and_no_number(purpose: str) -> None:
    """R54."""
    opened = SupportRequest(recipient=SWV, since=date(2026, 9, 1))
    open_school = a_school_with_a_dossier(SWV, facts=[opened])
    closed = a_school_with_a_dossier(SWV, facts=[])

    left = names_in(await dossier_for(open_school, SWV, purpose, "VOSWV"))
    refused = await dossier_for(closed, SWV, purpose, "VOSWV")

    assert "leerling" in left
    assert not left & NEVER
    assert refused.reason is Reason.NOT_AVAILABLE
    assert closed.register.drafts[-1].withheld[0][1] == (Reason.PUPIL_NOT_IN_SCOPE,)


async def test_platform_passes_a_dossier_on_to_whom_it_names_and_to_nobody_else() -> None:
    """R55."""
    opened = SupportRequest(recipient=SWV, since=date(2026, 9, 1))
    school = a_school_with_a_dossier("onderwijstransparant", SWV, facts=[opened])
    through = ("onderwijstransparant", "toelaatbaarheid", "VOSWV")

    left = await dossier_for(school, *through, more=f"&final_recipient={SWV}")
    unnamed = await dossier_for(school, *through)

    assert not names_in(left) & NEVER
    assert unnamed.reason is Reason.FINAL_RECIPIENT_MISSING


INZAGE = Inzage(day=date(2026, 11, 1))
GOES = Admission(destination="27XY", since=date(2026, 11, 1))
ALL = (
    "name", "birth-date", "guardians", "national-number", "observations", "organisation", "results", "sex", "support",
    "address", "phone", "private-email", "attendance", "pupil-number",
)  # fmt: skip


@pytest.mark.parametrize(
    ("missing", "reason"),
    [("inzage", Reason.INZAGE_NOT_RECORDED), ("destination", Reason.PUPIL_NOT_IN_SCOPE), ("", None)],
)
async def test_receiving_school_after_primary_school_gets_the_number_after_the_inzage(
    missing: str, reason: Reason | None
) -> None:
    """R57, R109, D7: no consent is asked; a refusal of the parents does not stop it."""
    refusal = consent("school-povo", "overstap", *ALL, answer=Answer.NO)
    known: dict[str, AnyFact] = {"inzage": INZAGE, "destination": GOES, "refusal": refusal}
    school = a_school_with_a_dossier("school-povo", facts=[one for name, one in known.items() if name != missing])

    answer = await dossier_for(school, "school-povo", "overstap", "POVO")

    if reason is None:
        assert names_in(answer) & NUMBERS
        assert not names_in(answer) & {"nationaliteit", "geboorteplaats", "iban"}
    else:
        assert answer.reason is Reason.NOT_AVAILABLE
        assert reason in school.register.drafts[-1].withheld[0][1]


@pytest.mark.parametrize(
    ("name", "purpose", "profile"),
    [("school-vovo", "overstap", "VOVO"), ("vervolgonderwijs", "overstap", "VOVO")],
)
async def test_school_after_secondary_school_gets_nothing_without_consent(
    name: str, purpose: str, profile: str
) -> None:
    """R58: of the parents, or of the pupil from 16."""
    agreed = a_school_with_a_dossier(name, facts=[INZAGE, GOES, consent(name, purpose, *ALL)])
    silent = a_school_with_a_dossier(name, facts=[INZAGE, GOES])

    left = names_in(await dossier_for(agreed, name, purpose, profile))
    refused = await dossier_for(silent, name, purpose, profile)

    assert bool(left & NUMBERS) == (name == "school-vovo")
    assert refused.reason is Reason.NOT_AVAILABLE
    assert silent.register.drafts[-1].withheld[0][1] == (Reason.CONSENT_MISSING,)


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"<broken>", Reason.BODY_INVALID), (b"<a/>", Reason.BODY_INVALID), (b"[]", Reason.MEDIA_TYPE_UNKNOWN)],
)
async def test_broken_file_of_a_format_of_messages_is_answered_by_a_problem_as_any_file(
    body: bytes, reason: Reason
) -> None:
    text = changed(answered("uwlr-smalle-set"), ("channel: api", "channel: omgeving-leverancier"))
    school = a_school(compiled=policy(texts=(("uwlr-smalle-set", text),)))

    answer = await handed_in(
        school, "recipient=uwlr-smalle-set&purpose=methodetoetsen&schema=uwlr-2-2", body, "application/xml"
    )

    assert (answer.reason, answer.shape) == (reason, "problem")

"""`GET /lvs/notices` (R26, R91, R94, N12): what to delete, keep unused or use again; what waits until that is known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.core.facts import Birth, Capacity, Consent, Restriction, RestrictionGround, Withdrawal
from gateway.core.model import Caller, Category, Person, Subject
from gateway.core.reasons import Reason
from gateway.transfer.steps import Sizes
from tests.builders_formats import pupil, student_json
from tests.policy.shipped import answered, changed
from tests.simulators import oneroster
from tests.simulators.asking import ASKING, asking_school, consent, pseudonyms
from tests.simulators.left import Left, left
from tests.simulators.oneroster import an_online_school, online
from tests.simulators.synchronised import announcing, pseudonym_of, silent, telling
from tests.simulators.world import NORTH, NOW, SIZES, School, a_request, a_school, policy
from tests.transfer.test_synchronisation import CONSENTED, LATER, RECORD, RESTRICTED, at, new_key, with_sex

pytestmark = pytest.mark.anyio

STUDENTS = f"/lvs/students/school?{NORTH}"
NOTICES = "/lvs/notices?schema=edu-v-students"


def consented(change: Callable[[str], str] = announcing, sizes: Sizes = SIZES) -> School:
    school = asking_school(3, sizes, change=change)
    for known in school.pupils:
        school.record(known, *CONSENTED)
    return school


async def ask(school: School, target: str = STUDENTS) -> Left:
    school.clock.now += LATER
    return await left(await school.ask(target, recipient=ASKING))


BUREAU = Caller("client of the bureau", "recipient", "dyslexiebureau", "dyslexieonderzoek")
BORN = Birth(day=date(2008, 1, 1))


def agreed() -> Consent:
    """A written yes to this bureau."""
    said = consent(Capacity.PUPIL)
    assert said.terms is not None
    categories = said.terms.categories | {Category.BIRTH_DATE}
    terms = replace(said.terms, recipients=frozenset({"dyslexiebureau"}), purpose=BUREAU.purpose, categories=categories)
    return replace(said, terms=terms)


def named_to_a_bureau(granted: str, second: Subject | None = None) -> School:
    """Pupils whom a recipient knows by name; `granted`: what it gets beside that."""
    text = changed(
        announcing(answered("dyslexiebureau")),
        ("categories: [name,", "categories: [pupil-number, name,"),
        ("        Student:\n", f"        Student:\n{granted}"),
    )
    school = a_school(
        compiled=policy(texts=(("dyslexiebureau", text),)), pupils=[pupil(1), second or pupil(2), pupil(3)]
    )
    school.upstream.holds["/students/school"] = [
        student_json(one, dateOfBirth=BORN.day.isoformat()) for one in school.pupils.values()
    ]
    for known in school.pupils:
        school.record(known, BORN, agreed())
    return school


async def of_the_bureau(school: School, target: str = STUDENTS) -> Left:
    school.clock.now += LATER
    return await left(await school.transfers.answer(BUREAU, a_request(target)))


def restrict(school: School, number: int = 2, **said: Any) -> None:
    school.record(number, *CONSENTED, Restriction(ground=RestrictionGround.ACCURACY, **said))


async def test_list_waits_while_somebody_restricted_was_not_announced() -> None:
    school = consented()
    await ask(school)
    restrict(school)

    waits = await ask(school)
    told = (await ask(school, NOTICES)).json()
    after = await ask(school)

    name = pseudonyms(school)[2]
    assert (waits.status, waits.header("gateway-reason")) == (409, "NOTICES_FIRST")
    assert told == [{"pupil": name, "notice": "restrict", "since": at(3)}]
    assert (after.status, name in after.body.decode()) == (200, False)


async def test_list_in_parts_waits_before_its_first_part() -> None:
    school = consented(sizes=Sizes(100, RECORD + 10, 32))
    await ask(school)
    restrict(school)

    assert (await ask(school)).status == 409


async def test_restriction_is_told_as_long_as_it_lasts_and_the_pupil_comes_back_as_changed() -> None:
    school = consented(lambda text: announcing(telling(text)))
    await ask(school)
    restrict(school)
    first = (await ask(school, NOTICES)).json()
    again = (await ask(school, NOTICES)).json()
    school.record(2, *CONSENTED)

    lifted = (await ask(school, NOTICES)).json()
    back = {pseudonym_of(one): one for one in (await ask(school)).json()}[pseudonyms(school)[2]]

    assert first == again != []
    assert lifted == []
    assert (back["status"], back["dateCreated"], back["dateLastModified"]) == ("active", at(1), at(5))
    assert (await ask(school)).status == 200


async def test_who_might_be_two_has_not_ended_and_stays_restricted() -> None:
    school = consented(lambda text: announcing(telling(text)))
    await ask(school)
    restrict(school)
    before = (await ask(school, NOTICES)).json()
    school.roster.doubtful = {school.pupils[number].id for number in (1, 2)}

    assert (await ask(school, NOTICES)).json() == before != []
    assert {one["status"] for one in (await ask(school)).json()} == {"active"}
    assert (await ask(school, NOTICES)).json() == before


async def test_end_is_told_where_the_format_has_no_word_for_it() -> None:
    school = consented(lambda text: announcing(silent(text)))
    await ask(school)
    school.record(2, *CONSENTED, Withdrawal(moment=NOW))

    listed = await ask(school)
    told = (await ask(school, NOTICES)).json()

    assert (listed.status, len(listed.json())) == (200, 2)
    assert told == [{"pupil": pseudonyms(school)[2], "notice": "delete", "since": at(2)}]


async def test_restriction_comes_before_a_withdrawal() -> None:
    school = consented()
    await ask(school)
    school.record(2, *CONSENTED, RESTRICTED, Withdrawal(moment=NOW))

    (told,) = (await ask(school, NOTICES)).json()

    assert told["notice"] == "restrict"


async def test_restriction_comes_before_the_end_of_an_old_pseudonym() -> None:
    school = consented(lambda text: announcing(telling(text)))
    await ask(school)
    name = pseudonyms(school)[2]
    restrict(school)
    new_key(school)

    told = {one["pupil"]: one["notice"] for one in (await ask(school, NOTICES)).json()}
    listed = {pseudonym_of(one) for one in (await ask(school)).json()}

    assert told[name] == "restrict"
    assert sorted(told.values()) == ["delete", "delete", "restrict"]
    assert name not in listed


async def test_restricted_field_is_named_and_its_record_goes_on_leaving() -> None:
    school = a_school(compiled=with_sex(announcing))
    school.upstream.holds["/students/school"] = [student_json(one) for one in school.pupils.values()]
    await left(await school.ask(STUDENTS))
    restricted = Restriction(ground=RestrictionGround.ACCURACY, categories=frozenset({Category.SEX}))
    school.record(2, restricted)

    (told,) = (await left(await school.ask(NOTICES))).json()
    listed = (await left(await school.ask(STUDENTS))).json()

    assert (told["notice"], told["fields"]) == ("restrict", ["gender"])
    assert [one["userIds"][0]["userId"] for one in listed if "gender" not in one] == [told["pupil"]]


async def test_restriction_of_all_that_leaves_restricts_the_pupil() -> None:
    school = consented()
    await ask(school)
    restrict(school, categories=frozenset({Category.PUPIL_NUMBER}))

    told = (await ask(school, NOTICES)).json()

    assert [(one["pupil"], one["notice"]) for one in told] == [(pseudonyms(school)[2], "restrict")]


async def test_notices_are_about_pupils_whom_this_recipient_had() -> None:
    school = consented()
    restrict(school)
    await ask(school)

    assert (await ask(school, NOTICES)).json() == []


async def test_pupil_is_named_by_an_id_that_this_recipient_was_given() -> None:
    school = named_to_a_bureau("          userMasterIdentifier:\n            reason: Het dossier heeft dit kenmerk.\n")
    first = await of_the_bureau(school)
    school.record(2, BORN, agreed(), RESTRICTED)

    waits, told = await of_the_bureau(school), await of_the_bureau(school, NOTICES)

    assert (len(first.json()), waits.status) == (3, 409)
    assert [one["pupil"] for one in told.json()] == [school.pupils[2].ids["eck-id"]]
    assert (await of_the_bureau(school)).status == 200


async def test_pupil_without_the_id_by_which_notices_name_pupils_never_leaves_so_that_no_list_waits_for_ever() -> None:
    text = "          userMasterIdentifier:\n            reason: De naam alleen is niet genoeg.\n"
    school = named_to_a_bureau(text, pupil(2, eck=False))

    first = await of_the_bureau(school)
    withheld = dict(school.register.drafts[-1].withheld)[school.pupils[2]]
    school.record(2, BORN, agreed(), RESTRICTED)

    assert len(first.json()) == 2
    assert withheld == (Reason.PUPIL_UNRESOLVED,)
    assert (await of_the_bureau(school)).status == 200


async def test_list_of_what_is_theirs_waits_until_its_pupil_was_named() -> None:
    school = an_online_school(compiled=oneroster.compiled(announcing(answered(oneroster.RECIPIENT))))
    lists = ("/users", "/enrollments")
    before = [await left(await online(school, one)) for one in lists]
    school.clock.now += LATER
    pupil = next(number for number, one in school.pupils.items() if one.person is Person.PUPIL)
    school.record(pupil, RESTRICTED)

    waiting = [await left(await online(school, one)) for one in lists]
    told = await left(await school.ask("/lvs/notices?schema=oneroster", recipient=oneroster.RECIPIENT))
    after = [await left(await online(school, one)) for one in lists]

    assert [one.status for one in before + waiting + after] == [200, 200, 409, 409, 200, 200]
    assert [one["notice"] for one in told.json()] == ["restrict"]
    assert told.json()[0]["pupil"].encode() in before[1].body
    assert told.json()[0]["pupil"].encode() not in after[1].body


async def test_notices_are_registered_about_whom_they_speak() -> None:
    school = consented()
    await ask(school)
    restrict(school)

    answer = await ask(school, NOTICES)

    entry = school.register.drafts[-1]
    assert (entry.id, entry.route) == (answer.header("gateway-transfer"), "GET /notices")
    assert (entry.released, entry.detail) == ((school.pupils[2],), ("notices: 1",))


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("/lvs/notices", "PARAMETER_MISSING"),
        ("/lvs/notices?schema=edu-v-students&since=2026", "PARAMETER_UNKNOWN"),
        ("/lvs/notices?schema=edu-v-results", "ROUTE_UNKNOWN"),
        ("/lvs/notices?schema=nothing", "ROUTE_UNKNOWN"),
        ("/other/notices?schema=edu-v-students", "ROUTE_UNKNOWN"),
    ],
)
async def test_notices_are_asked_strictly(target: str, reason: str) -> None:
    assert (await ask(consented(), target)).header("gateway-reason") == reason


async def test_delivery_without_notices_has_none() -> None:
    school = consented(telling)
    await ask(school)
    restrict(school)

    assert (await ask(school, NOTICES)).header("gateway-reason") == "ROUTE_UNKNOWN"
    assert (await ask(school)).status == 200


async def test_notices_that_cannot_be_registered_are_not_told() -> None:
    school = consented()
    await ask(school)
    restrict(school)
    school.register.unwritable = True

    assert (await ask(school, NOTICES)).status == 503
    school.register.unwritable = False
    assert (await ask(school)).status == 409

"""core.overview: what the register says about one pupil, for whom, and what may be handed over (R78, N11)."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.core.dutch import CATEGORIES, GROUNDS
from gateway.core.model import Category, Ground
from gateway.core.overview import GUARDED, Line, Reader, Share, Times, as_json, overview, sentences, share
from gateway.core.persons import SECRET_DETAIL, PersonRole
from gateway.core.reasons import Reason
from gateway.core.register import roll_of

ONE, OTHER = bytes(15) + b"\x01", bytes(15) + b"\x02"
FG = Reader(frozenset({PersonRole.FG}))
OFFICER = Reader(frozenset({PersonRole.CONSENT_OFFICER}))
_ADDRESS = Category.ADDRESS
CLASSIFIED = {"pupils": [("name", Category.NAME), ("address.city", _ADDRESS), ("address.street", _ADDRESS)]}
PARENT = Reader(frozenset({PersonRole.FG}), hand_over=True, classified=CLASSIFIED)
TITLES = {"uitgever-noord": "Uitgever Noord B.V.", "platform": "Platform Oost"}
GIVEN = Share(released=True, without=(), withheld=())


def transfer(**more: Any) -> dict[str, Any]:
    entry = {"id": "t-1", "kind": "transfer", "moment": "2026-11-22T09:30:00Z", "actor": "uitgever-noord"}
    said = {
        "recipient": "uitgever-noord",
        "purpose": "toegang",
        "grondslag": "e: de wet",
        "fields": ["name", "address.city"],
        "categories": ["address", "name"],
        "schema": "pupils",
    }
    return {**entry, **said, "detail": [], **more}


def act(kind: str, **more: Any) -> dict[str, Any]:
    said = {"outcome": "facts.read", "detail": ["reason: een vraag", "on behalf of: B. Ander"]}
    return {"id": "a-1", "kind": kind, "moment": "2026-11-22T09:30:00Z", "actor": "C. Consent", **said, **more}


def without(path: str, reason: Reason) -> Share:
    return Share(released=True, without=((path, str(reason)),), withheld=())


def withheld(*reasons: Reason) -> Share:
    return Share(released=False, without=(), withheld=tuple(map(str, reasons)))


def seen(entry: dict[str, Any], part: Share = GIVEN, reader: Reader = FG) -> str:
    return "\n".join(sentences(overview([(entry, part)], reader), {}))


def test_share_is_read_from_the_list_behind_an_entry() -> None:
    roll = roll_of([ONE], [(OTHER, (Reason.PUPIL_RESTRICTED,))], [(ONE, (("address.city", Reason.FIELD_DISPUTED),))])

    assert roll is not None
    assert share(roll.body, ONE) == without("address.city", Reason.FIELD_DISPUTED)
    assert share(roll.body, OTHER) == withheld(Reason.PUPIL_RESTRICTED)


def test_share_of_who_stands_across_two_neighbours_is_none() -> None:
    left, right = bytes(8) + b"\x11" * 8, b"\x11" * 8 + b"\x22" * 8
    roll = roll_of([left, right], [])

    assert roll is not None
    assert share(roll.body, b"\x11" * 16) == Share(released=False, without=(), withheld=())


def test_transfer_is_told_with_recipient_purpose_ground_and_fields() -> None:
    told = "\n".join(sentences(overview([(transfer(), GIVEN)], FG), {"uitgever-noord": "Uitgever Noord B.V."}))

    for word in ("Uitgever Noord B.V.", "doel: toegang", "e: de wet", "name, address.city", "2026-11-22 10:30:00"):
        assert word in told


def test_field_that_stayed_behind_is_not_among_those_that_left() -> None:
    told = seen(transfer(), without("address", Reason.FIELD_DISPUTED))

    assert "ten hoogste: name\n" in told
    assert "bleef achter: address: FIELD_DISPUTED (R93" in told


def test_withheld_pupil_is_told_with_every_reason() -> None:
    told = seen(transfer(), withheld(Reason.PUPIL_NOT_IN_SCOPE, Reason.PUPIL_RESTRICTED))

    assert told.startswith("Niet overgedragen:")
    assert "PUPIL_NOT_IN_SCOPE" in told
    assert "afgeschermd" in told
    assert "address.city" not in told


def test_alike_entries_are_one_line_with_their_number() -> None:
    found = overview([(transfer(id=f"t-{number}"), GIVEN) for number in range(3)], FG)

    assert [times.number for times in found.values()] == [3]
    assert "3 keer" in "\n".join(sentences(found, {}))


def test_nothing_about_the_pupil_is_told_as_such() -> None:
    assert list(sentences({}, {})) == ["Het register noemt deze leerling niet."]


@pytest.mark.parametrize("reason", [Reason.CHILD_SAFETY, Reason.SECRET_ADDRESS])
def test_secret_reason_is_kept_from_who_may_not_see_it(reason: Reason) -> None:
    told = seen(transfer(), withheld(reason), OFFICER) + seen(transfer(), without("address", reason), OFFICER)

    assert reason not in told
    assert "omdat: achtergehouden" in told


def test_secret_entry_is_there_for_fg_only_and_marked() -> None:
    report = transfer(recipient="veilig-thuis", detail=[SECRET_DETAIL, "permit: p-1"])

    assert seen(report, GIVEN, OFFICER) == "Het register noemt deze leerling niet."
    assert GUARDED in seen(report)


@pytest.mark.parametrize(
    ("entry", "part"),
    [
        (transfer(recipient="veilig-thuis", detail=[SECRET_DETAIL]), GIVEN),
        (transfer(), withheld(Reason.CHILD_SAFETY)),
        (act("change"), GIVEN),
    ],
)
def test_what_may_not_be_told_is_not_handed_over(entry: dict[str, Any], part: Share) -> None:
    assert seen(entry, part, PARENT) == "Het register noemt deze leerling niet."


def handed_over(entry: dict[str, Any], part: Share = GIVEN) -> str:
    return "\n".join(sentences(overview([(entry, part)], PARENT), TITLES, hand_over=True))


def test_handed_over_category_that_is_secret_is_not_even_named() -> None:
    told = handed_over(transfer(), without("address", Reason.SECRET_ADDRESS))

    assert "gegevens, ten hoogste: naam\n" in told + "\n"
    assert "adres" not in told


def test_handed_over_transfer_is_told_in_words_of_the_law_and_not_of_a_system() -> None:
    told = handed_over(transfer(purpose="toegang-leermiddel", detail=["through: platform"], route="GET /students"))

    assert told.splitlines() == [
        "Overgedragen:",
        "  Uitgever Noord B.V.",
        "    22 november 2026 om 10.30 uur, regel t-1",
        "    doel: toegang leermiddel",
        "    grondslag: publieke taak (de wet)",
        "    gegevens, ten hoogste: adres en woonplaats; naam",
        "    daarbij: via: Platform Oost",
    ]


def test_handed_over_category_that_stayed_behind_is_told_with_its_reason_and_article() -> None:
    told = handed_over(transfer(), without("address", Reason.FIELD_DISPUTED))

    assert "gegevens, ten hoogste: naam\n" in told
    assert told.count("bleef achter: adres en woonplaats: De juistheid van dit gegeven wordt betwist. (art. 18") == 1


def test_handed_over_delivery_of_counts_says_that_it_is_one() -> None:
    counting = PARENT._replace(counted=frozenset({("uitgever-noord", "toegang")}))
    told = list(sentences(overview([(transfer(), GIVEN)], counting), TITLES, hand_over=True))

    assert "    alleen: in aantallen leerlingen, zonder wie zij zijn" in told
    assert "aantallen" not in handed_over(transfer())


def test_alike_entries_within_a_minute_are_told_at_that_minute() -> None:
    found = overview([(transfer(), GIVEN), (transfer(moment="2026-11-22T09:30:09Z"), GIVEN)], PARENT)

    assert "    2 keer, 22 november 2026 om 10.30 uur, de laatste in regel t-1" in sentences(found, {}, hand_over=True)


def test_handed_over_reason_is_told_without_our_own_word_for_it() -> None:
    told = handed_over(transfer(), withheld(Reason.CONSENT_MISSING))

    assert "omdat: Er is geen toestemming bekend. (art. 6(1)(a), 7 AVG)" in told
    assert "CONSENT_MISSING" not in told


def test_handed_over_categories_of_a_schema_that_is_gone_are_those_of_the_entry() -> None:
    assert "ten hoogste: adres en woonplaats; naam" in handed_over(
        transfer(schema="oud"), without("name", Reason.COURT_ORDER)
    )


@pytest.mark.parametrize("known", [*Category, *Ground])
def test_every_category_and_ground_has_a_dutch_name(known: Category | Ground) -> None:
    assert known in (CATEGORIES if isinstance(known, Category) else GROUNDS)


def test_handed_over_view_names_nobody_at_school() -> None:
    told = seen(act("view"), GIVEN, PARENT)

    assert "een medewerker: bekeek wat is vastgelegd" in told
    assert "een vraag" in told
    assert "C. Consent" not in told
    assert "B. Ander" not in told


def test_act_is_told_in_dutch_and_says_of_whom_its_number_is() -> None:
    entry = act(
        "change", outcome="facts entered", detail=["reason: brief", "entered: restriction 287", "rows of: restriction"]
    )
    told = "\n".join(sentences(overview([(entry, GIVEN)], FG), {}))

    for said in ("reden: brief", "vastgelegd, van alle leerlingen samen: restriction 287", "soort: restriction"):
        assert f"daarbij: {said}" in told


def test_line_for_a_program_has_its_moments_and_says_when_it_is_guarded() -> None:
    line = Line("released", (("recipient", "veilig-thuis"),), guarded=True)

    assert as_json(line, Times(2, "first", "last", "t-2")) == {
        "what": "released",
        "recipient": "veilig-thuis",
        "times": 2,
        "first": "first",
        "last": "last",
        "id": "t-2",
        "guarded": True,
    }

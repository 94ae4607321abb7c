"""What the school reads about one pupil in one delivery, and what the wrong reader does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from gateway.core.facts import (
    NOTHING_KNOWN,
    Answer,
    Capacity,
    Consent,
    CourtOrder,
    Facts,
    Mark,
    Marker,
    Objection,
    Occasion,
    Permit,
    Restriction,
    RestrictionGround,
)
from gateway.core.gate.explain_pupil import explain_pupil
from gateway.core.model import Category, Ground, PseudonymMethod, RecipientKind
from gateway.core.persons import WITHHELD, PersonRole, shown
from gateway.core.policy.terms import Conditions, Delivery, Grondslag
from gateway.core.reasons import Reason
from tests.builders_policy import DELIVERY, SCHEMA, delivery, enrolled, grant, pupil, standing

NOW = datetime(2026, 10, 5, 8, tzinfo=UTC)
LAW = Grondslag(Ground.STATUTORY_DUTY, "WRO artikel 12")
NAMED = delivery(grant("direct"), grant("contact"), pseudonym=PseudonymMethod.NONE)


def lines(
    one: Delivery, facts: Facts, role: PersonRole = PersonRole.FG, kind: RecipientKind = RecipientKind.TEST_PROVIDER
) -> list[str]:
    def seen(reason: Reason) -> bool:
        return shown(reason, frozenset({role})) != WITHHELD

    return explain_pupil(standing(one, kind=kind), SCHEMA, pupil(enrolled()), facts, NOW, seen)


def about(found: list[str], reason: Reason) -> list[str]:
    return [line for line in found if f": {reason} (" in line]


def test_nobody_the_gateway_knows_is_told_so() -> None:
    (line,) = explain_pupil(standing(), SCHEMA, None, NOTHING_KNOWN, NOW, lambda _: True)

    assert "PUPIL_UNRESOLVED" in line


def test_pupil_with_nothing_against_goes_with_every_rule_that_passed() -> None:
    found = lines(DELIVERY, NOTHING_KNOWN)

    assert found[0] == "Deze leerling gaat mee, op de velden na die hieronder achterblijven"
    assert about(found, Reason.COURT_ORDER) == ["  [voldaan] stap 10: COURT_ORDER (R14; art. 1:253a, 1:377a BW)"]
    assert "    ids.value: gaat mee" in found


def test_reason_is_told_with_rule_article_and_sentence() -> None:
    found = lines(DELIVERY, Facts(court_orders=(CourtOrder(),)))

    assert found[0] == "Deze leerling gaat niet mee"
    (line,) = about(found, Reason.COURT_ORDER)
    assert line.startswith("  [achterwege] stap 10: COURT_ORDER (R14; art. 1:253a, 1:377a BW): ")
    assert line.endswith("Een rechterlijke uitspraak verbiedt deze verstrekking.")
    assert "    ids.value: blijft achter" in found


def test_hold_says_that_it_waits_for_the_school() -> None:
    found = lines(
        replace(DELIVERY, grondslag=LAW), Facts(restrictions=(Restriction(ground=RestrictionGround.ACCURACY),))
    )

    assert found[0] == "Deze leerling wacht op een besluit van de school"
    assert about(found, Reason.PUPIL_RESTRICTED)[0].startswith("  [wacht]")


def test_field_that_stays_behind_says_why() -> None:
    found = lines(delivery(grant("medical"), grant("year")), NOTHING_KNOWN)

    assert "    medical: blijft achter: CONSENT_MISSING" in found
    assert "    year: gaat mee" in found
    assert about(found, Reason.CONSENT_MISSING)[0].endswith("(medical)")


def test_statutory_duty_says_that_refusal_and_objection_have_no_effect() -> None:
    against = Facts(
        objections=(Objection(received=date(2026, 9, 1)),),
        consents=(Consent(capacity=Capacity.PARENT, answer=Answer.NO, given=NOW),),
    )
    found = lines(replace(DELIVERY, grondslag=LAW), against)

    assert about(found, Reason.PUPIL_OBJECTED)[0].endswith("bezwaar heeft geen werking: wettelijke verplichting (R96)")
    assert about(found, Reason.CONSENT_REFUSED)[0].endswith(
        "toestemming niet van toepassing, een weigering houdt niets tegen: wettelijke verplichting (R3)"
    )


def test_objection_against_consent_has_no_effect() -> None:
    found = lines(replace(DELIVERY, grondslag=Grondslag(Ground.CONSENT, "Formulier")), NOTHING_KNOWN)

    assert "bezwaar heeft geen werking: toestemming (R96)" in about(found, Reason.PUPIL_OBJECTED)[0]
    assert about(found, Reason.CONSENT_MISSING)[0].startswith("  [achterwege]")


def test_pseudonymous_delivery_says_why_a_secret_address_does_not_matter() -> None:
    assert about(lines(DELIVERY, NOTHING_KNOWN), Reason.SECRET_ADDRESS)[0].endswith("(D10)")


def test_rule_about_parents_is_left_out_for_others() -> None:
    assert not about(lines(DELIVERY, NOTHING_KNOWN), Reason.CHILD_SAFETY)
    assert about(lines(DELIVERY, Facts(birth=date(2014, 1, 1)), kind=RecipientKind.PARENT), Reason.CHILD_SAFETY)


def test_inzage_is_told_only_where_it_is_asked() -> None:
    asked = replace(DELIVERY, conditions=Conditions(inzage=True))

    assert not about(lines(DELIVERY, NOTHING_KNOWN), Reason.INZAGE_NOT_RECORDED)
    assert about(lines(asked, NOTHING_KNOWN), Reason.INZAGE_NOT_RECORDED)[0].startswith("  [wacht]")


SECRET = Facts(markers=(Marker(mark=Mark.SECRET_ADDRESS),))


def test_marker_is_told_to_who_may_see_it() -> None:
    found = lines(NAMED, SECRET)

    assert about(found, Reason.SECRET_ADDRESS)
    assert "    contact: blijft achter: SECRET_ADDRESS" in found


def test_marker_is_hidden_from_who_may_not_see_it() -> None:
    found = lines(NAMED, SECRET, PersonRole.SCHEMA_EDITOR)

    assert not any("SECRET_ADDRESS" in line or "N39" in line for line in found)
    assert "    contact: blijft achter" in found
    assert "  [achterwege] achtergehouden" in found


def test_rule_about_a_marker_that_passed_is_hidden_from_who_may_not_see_it() -> None:
    assert not about(lines(NAMED, NOTHING_KNOWN, PersonRole.SCHEMA_EDITOR), Reason.SECRET_ADDRESS)


SAFETY = replace(
    delivery(grant("direct")), conditions=Conditions(occasion=Occasion.SAFETY), pseudonym=PseudonymMethod.NONE
)
PERMIT = Permit(
    occasion=Occasion.SAFETY,
    recipient="uitgever",
    purpose="oefenen",
    categories=frozenset(Category),
    channel="api",
    until=datetime(2026, 10, 6, tzinfo=UTC),
    secret=True,
)


def test_secret_permit_does_not_exist_for_who_may_not_see_it() -> None:
    facts = Facts(permits=(PERMIT,))

    assert lines(SAFETY, facts)[0].startswith("Deze leerling gaat mee")
    assert lines(SAFETY, facts, PersonRole.SCHEMA_EDITOR) == lines(SAFETY, Facts(), PersonRole.SCHEMA_EDITOR)


def test_occasion_says_that_consent_and_objection_are_not_asked() -> None:
    found = lines(SAFETY, Facts(permits=(PERMIT,)))

    assert about(found, Reason.PERMIT_MISSING) == [
        line for line in found if "[voldaan]" in line and "PERMIT_MISSING" in line
    ]
    assert about(found, Reason.CONSENT_MISSING)[0].endswith("eenmalige verstrekking (D4)")
    assert about(found, Reason.PUPIL_OBJECTED)[0].endswith("eenmalige verstrekking (D4)")

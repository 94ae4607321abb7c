"""One answer's persons: resolved, screened, pseudonymised; and what is issued for the first time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from gateway.core.facts import AnyFact, Birth, Mark, Marker, Occasion, Permit, gathered
from gateway.core.gate.question import Audience
from gateway.core.model import Category, Person, PseudonymMethod, RecipientKind, Verdict
from gateway.core.policy.terms import Conditions
from gateway.core.reasons import Reason
from gateway.core.release.compiler import compile_projection
from gateway.core.release.emission import Emission
from gateway.core.release.projection import Subject as Position
from gateway.core.release.sight import Issued, Seen, Sight
from tests import builders_formats as build
from tests.simulators.facts import SimulatedFacts

RECORD = build.student()
ANNE, BEN = build.pupil(1), build.pupil(2)
HMAC = PseudonymMethod.HMAC


def position(method: PseudonymMethod = HMAC) -> Position:
    if method is PseudonymMethod.HMAC:
        grants = build.student_grants()
    else:
        grants = build.keep("userMasterIdentifier") | build.fixed(givenName="-", familyName="-") | build.fillers()
    found = compile_projection(RECORD, grants, method).root.subject
    assert found is not None
    return found


def sight(*, issued: Issued | None = None) -> Sight:
    terms = build.delivery({"Student": build.student_grants()}, years=frozenset({1}))
    return build.sight(terms, [ANNE, BEN, build.pupil(3, year=2)], issued=issued)


def see(where: Sight, *ids: tuple[str, str]) -> Seen:
    return where.see(RECORD, position(), ids)


def test_person_known_by_one_id_is_seen() -> None:
    found = see(sight(), ("las-key", "las-1"))

    assert found.subject is ANNE
    assert not found.reasons


def test_person_known_by_ids_that_agree_is_seen() -> None:
    assert see(sight(), ("las-key", "las-1"), ("nepri", "nepri-1")).subject is ANNE


def test_person_with_an_id_of_a_kind_the_roster_lacks_is_seen() -> None:
    assert see(sight(), ("las-key", "las-1"), ("bpi", "something new")).subject is ANNE


def test_ids_of_two_pupils_are_nobody() -> None:
    found = see(sight(), ("las-key", "las-1"), ("nepri", "nepri-2"))

    assert found.subject is None
    assert found.reasons == (Reason.PUPIL_UNRESOLVED,)


def test_ids_of_which_one_contradicts_the_roster_are_nobody() -> None:
    """A record with Anne's key and an ECK iD that nobody has may be another child's."""
    assert see(sight(), ("las-key", "las-1"), ("eck-id", "https://ketenid.example/other")).subject is None


def test_unknown_and_missing_ids_are_nobody() -> None:
    assert see(sight(), ("las-key", "las-99")).subject is None
    assert see(sight()).subject is None


def test_staff_in_a_pupils_place_are_nobody() -> None:
    staff = build.pupil(9, person=Person.STAFF)
    where = build.sight(build.delivery({"Student": build.student_grants()}), [staff])

    assert see(where, ("las-key", "las-9")).subject is None


def test_person_outside_the_rows_is_withheld() -> None:
    found = see(sight(), ("las-key", "las-3"))

    assert found.reasons == (Reason.PUPIL_NOT_IN_SCOPE,)


def test_pupil_without_an_eck_id_is_unresolved_where_the_eck_id_leaves() -> None:
    without = build.pupil(4, eck=False)
    where = build.sight(build.delivery({"Student": {}}, method=PseudonymMethod.ECK_ID), [without])

    found = where.see(RECORD, position(PseudonymMethod.ECK_ID), [("las-key", "las-4")])

    assert found.reasons == (Reason.PUPIL_UNRESOLVED,)


def test_pupil_with_an_eck_id_has_it_as_what_leaves() -> None:
    where = build.sight(build.delivery({"Student": {}}, method=PseudonymMethod.ECK_ID), [ANNE])

    found = where.see(RECORD, position(PseudonymMethod.ECK_ID), [("las-key", "las-1")])

    assert found.ids == (("eck-id", ANNE.ids["eck-id"]),)
    assert found.issues[0].pseudonym == ANNE.ids["eck-id"]


def test_pseudonym_is_over_the_internal_id_and_survives_another_lvs() -> None:
    moved = replace(ANNE, ids={"las-key": "otherwise"})
    terms = build.delivery({"Student": build.student_grants()})

    assert build.sight(terms, [moved]).pseudonym(moved) == sight().pseudonym(ANNE)


def test_emission_reports_each_released_person_once() -> None:
    where = sight()
    emission = Emission(where)
    emission.release([see(where, ("las-key", "las-1")), see(where, ("nepri", "nepri-1"))])

    assert emission.released == (ANNE,)


def test_emission_joins_the_reasons_of_a_withheld_person() -> None:
    where = sight()
    emission = Emission(where)
    emission.withhold([see(where, ("las-key", "las-3"))])
    emission.withhold([see(where, ("las-key", "las-3"))], Reason.RECORD_MALFORMED)

    assert [reasons for _, reasons in emission.withheld] == [(Reason.PUPIL_NOT_IN_SCOPE, Reason.RECORD_MALFORMED)]


def test_emission_of_a_person_with_a_disputed_field_reports_the_case() -> None:
    where = sight()
    emission = Emission(where)
    seen = see(where, ("las-key", "las-1"))
    seen.held = (Reason.CONSENT_REFUSED,)
    emission.release([seen, seen])

    assert emission.held == ((ANNE, Reason.CONSENT_REFUSED),)


def test_emission_counts_who_is_nobody() -> None:
    where = sight()
    emission = Emission(where)
    emission.withhold([see(where, ("las-key", "x")), see(where, ("las-key", "y"))])

    assert emission.unresolved == 2
    assert emission.withheld == ()


def test_issued_holds_a_new_pseudonym_once_and_no_more_after_the_receipt() -> None:
    where = sight()
    emission = Emission(where)
    emission.release([see(where, ("las-key", "las-1"))])

    (issue,) = emission.issued
    emission.confirm()

    assert (issue.thing, issue.value, issue.owner) == ("pupil", None, ANNE.id)
    assert issue.pseudonym == where.pseudonym(ANNE)
    assert emission.issued == ()


def test_issued_holds_a_pseudonym_again_while_no_receipt_came() -> None:
    where = sight()
    seen = see(where, ("las-key", "las-1"))
    first, second = Emission(where), Emission(where)
    first.release([seen])
    second.release([seen])

    assert first.issued == second.issued != ()


def test_issued_outlives_a_sight_when_the_process_remembers() -> None:
    issued = Issued()
    before = sight(issued=issued)
    emission = Emission(before)
    emission.release([see(before, ("las-key", "las-1"))])
    emission.mapped("group", "1A")
    emission.confirm()

    after = Emission(sight(issued=issued))
    after.release([see(after.sight, ("las-key", "las-1"))])
    after.mapped("group", "1A")

    assert after.issued == ()


def test_issued_of_a_withheld_person_holds_nothing() -> None:
    where = sight()
    emission = Emission(where)
    emission.withhold([see(where, ("las-key", "las-3"))])

    assert emission.issued == ()


def test_mapped_id_is_issued_with_its_owner_and_source() -> None:
    emission = Emission(sight())

    mapped = emission.mapped("enrolment", "e-1", ANNE.id)
    emission.mapped("enrolment", "e-1")

    (issue,) = emission.issued
    assert (issue.pseudonym, issue.thing, issue.source, issue.value, issue.owner) == (
        mapped,
        "enrolment",
        "lvs",
        "e-1",
        ANNE.id,
    )


def test_mapped_id_that_was_issued_without_an_owner_is_issued_again_with_it() -> None:
    where = sight()
    first, second, third = Emission(where), Emission(where), Emission(where)

    mapped = first.mapped("assignment", "a-1")
    first.confirm()
    assert second.mapped("assignment", "a-1", ANNE.id) == mapped
    assert [issue.owner for issue in second.issued] == [ANNE.id]
    second.confirm()
    assert third.mapped("assignment", "a-1") == third.mapped("assignment", "a-1", ANNE.id) == mapped
    assert third.issued == ()


def test_what_is_known_as_issued_has_a_bound_and_is_issued_again_beyond_it() -> None:
    where = sight()
    where.issued.most = 2
    for value in ("1", "2", "3"):
        emission = Emission(where)
        emission.mapped("group", value)
        emission.release([see(where, ("las-key", "las-1"))])
        emission.confirm()

    again = Emission(where)
    assert again.mapped("group", "1") == where.thing("group", "1")
    assert [issue.value for issue in again.issued] == ["1"]
    assert set(where.named("group")) == {"3"}


def test_mapped_ids_of_two_kinds_differ() -> None:
    emission = Emission(sight())

    assert emission.mapped("group", "1") != emission.mapped("subject-offering", "1")


def test_repr_shows_no_id_of_a_person() -> None:
    where = sight()
    emission = Emission(where)
    seen = see(where, ("las-key", "las-1"))
    emission.release([seen])

    shown = f"{seen!r} {emission!r} {where!r} {emission.issued!r}"

    assert "las-1" not in shown
    assert where.pseudonym(ANNE) not in shown


# -- to whom, and when -----------------------------------------------------------------------------------------------


def seen_by(audience: Audience, now: datetime | None, occasion: Occasion, *known: AnyFact) -> Verdict:
    """What a sight on Anne says, with these facts."""
    terms = replace(
        build.delivery({"Student": build.keep("givenName")}), conditions=Conditions(occasion=occasion), channel="api"
    )
    facts = SimulatedFacts({ANNE.id: gathered(known)})
    where = Sight(terms, "lvs", build.Roster.of([ANNE]), facts, build.Keys(), build.TODAY, audience=audience, now=now)
    return where.verdict(build.student(), ANNE)


def test_sight_of_a_parent_is_screened_as_a_parents() -> None:
    born, marker = Birth(day=date(2014, 5, 10)), Marker(mark=Mark.CHILD_SAFETY)
    parent, other = Audience(RecipientKind.PARENT), Audience(RecipientKind.CARE)

    assert Reason.CHILD_SAFETY in seen_by(parent, None, Occasion.STANDING, born, marker).reasons
    assert seen_by(other, None, Occasion.STANDING, born, marker).available


def test_sight_at_a_moment_knows_which_permits_hold() -> None:
    end = datetime(2026, 11, 22, 12, tzinfo=UTC)
    terms = build.delivery({})
    permit = Permit(
        occasion=Occasion.SAFETY,
        recipient=terms.recipient,
        purpose=terms.purpose,
        categories=frozenset(Category),
        channel="api",
        until=end,
    )
    care = Audience(RecipientKind.CARE)

    assert seen_by(care, end - timedelta(seconds=1), Occasion.SAFETY, permit).available
    assert seen_by(care, end, Occasion.SAFETY, permit).reasons == (Reason.PERMIT_MISSING,)

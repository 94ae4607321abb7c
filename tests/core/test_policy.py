"""Every rule about a recipient's deliveries: one change on a good recipient, and exactly what is found wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from gateway.core.model import Category, FieldClass, Ground, PseudonymMethod, RecipientKind, Role, Transform
from gateway.core.policy.grants import kinds_given
from gateway.core.policy.rules import group_problems, problems, standing_problems
from gateway.core.policy.rules_terms import AGREEMENT_ITEMS, AIMS
from gateway.core.policy.schema import Branch
from gateway.core.policy.terms import (
    Authorisation,
    Dpia,
    Grant,
    Grondslag,
    Necessity,
    Organisation,
    Profiling,
    Recipient,
    Storage,
    SubProcessor,
)
from gateway.core.reasons import Reason
from tests.builders_policy import (
    A_RECORD,
    AGREEMENT,
    DELIVERY,
    DPIA,
    ORGANISATION,
    RECIPIENT,
    SCHEMA,
    SCHEMAS,
    TODAY,
    WEIGHING,
    delivery,
    grant,
    grants,
    recipient,
    text,
)

YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
NAMED = {"pseudonym": PseudonymMethod.NONE, "deviation": "De toets staat op naam; besluit 2026-4."}
REAL_IDS = {"Pupil": {one.path: one for one in (grant("ids.value"), grant("ids.type"))}}
LAW = Grondslag(Ground.STATUTORY_DUTY, "WRO artikel 12", national_number="WRO artikel 12 lid 2")
ARTICLE9 = Grondslag(Ground.PUBLIC_TASK, "WPO artikel 8", article9="UAVG artikel 30 lid 2")

PROFILING = Profiling(date(2026, 8, 20), "De docent kijkt elke uitslag na.", "De uitslag kiest de volgende opgave.")


def found(one: Recipient) -> set[Reason]:
    return {problem.reason for problem in problems(one, SCHEMAS, ORGANISATION, TODAY)}


def with_agreement(**terms: Any) -> Recipient:
    return recipient(agreement=replace(AGREEMENT, **terms))


def named(*fields: str, kind: RecipientKind = RecipientKind.GOVERNMENT, **terms: Any) -> Recipient:
    """A delivery on real ids with a recorded deviation."""
    more = {field: grant(field) for field in fields}
    granted = {"Pupil": REAL_IDS["Pupil"] | more}
    return recipient(delivery(**({"grants": granted} | NAMED | terms)), kind=kind)


def test_recipient_without_fault_has_no_problems() -> None:
    assert problems(RECIPIENT, SCHEMAS, ORGANISATION, TODAY) == []


def test_problem_names_its_place_and_delivery() -> None:
    (problem,) = problems(recipient(delivery(grant("year", reason="handig"))), SCHEMAS, ORGANISATION, TODAY)

    assert problem.where == ("deliveries", "oefenen", "schemas", "pupils", "Pupil", "year", "reason")
    assert problem.delivery == ("uitgever", "oefenen", "pupils")


def test_problem_messages_hold_no_value_of_the_file() -> None:
    canary = "Kanarie"
    one = recipient(
        delivery(grant("year", reason=f"handig {canary}"), purpose=f"verkoop-{canary}", absence="", channel="mail"),
        agreement=replace(AGREEMENT, model=canary, storage=(Storage(canary),)),
    )

    assert not any(canary in problem.message for problem in problems(one, SCHEMAS, ORGANISATION, TODAY))


def test_problems_stand_in_gate_order() -> None:
    one = recipient(delivery(grant("criminal"), grondslag=None, channel="mail"))

    reasons = [problem.reason for problem in problems(one, SCHEMAS, ORGANISATION, TODAY)]

    assert reasons == [Reason.CHANNEL_NOT_ALLOWED, Reason.NO_GRONDSLAG, Reason.CRIMINAL_DATA]


TERMS = {
    "mail as channel": (recipient(delivery(channel="e-mail")), Reason.CHANNEL_NOT_ALLOWED),
    "no channel": (recipient(delivery(channel=" ")), Reason.CHANNEL_NOT_ALLOWED),
    "no location": (recipient(delivery(locations=frozenset())), Reason.LOCATION_OUT_OF_SCOPE),
    "unknown location": (recipient(delivery(locations=frozenset({"west"}))), Reason.LOCATION_OUT_OF_SCOPE),
    "wildcard purpose": (recipient(delivery(purpose="diverse")), Reason.PURPOSE_UNKNOWN),
    "every location": (recipient(delivery(locations=frozenset({"noord", "zuid"}))), None),
    "sale": (recipient(delivery(purpose="verkoop-van-lijsten")), Reason.PURPOSE_FORBIDDEN),
    "no necessity": (recipient(delivery(necessity=None)), Reason.NO_NOODZAAK),
    "no absence": (recipient(delivery(absence="-")), Reason.AGREEMENT_INCOMPLETE),
    "no authorisation": (recipient(delivery(authorisation=None)), Reason.AGREEMENT_MISSING),
    "nobody authorised": (
        recipient(delivery(authorisation=Authorisation(" ", TODAY, TODAY))),
        Reason.AGREEMENT_MISSING,
    ),
    "processor without agreement": (recipient(agreement=None), Reason.AGREEMENT_MISSING),
    "controller without arrangement": (
        recipient(role=Role.CONTROLLER, agreement=None),
        Reason.AGREEMENT_MISSING,
    ),
    "arrangement without name": (
        recipient(role=Role.CONTROLLER, agreement=replace(AGREEMENT, model=" ")),
        Reason.AGREEMENT_INCOMPLETE,
    ),
    "convenant without bijsluiter": (with_agreement(bijsluiter=None), Reason.AGREEMENT_INCOMPLETE),
    "convenant with an empty deviation": (with_agreement(items={"security": "-"}), Reason.AGREEMENT_INCOMPLETE),
    "own model without items": (with_agreement(model="eigen"), Reason.AGREEMENT_INCOMPLETE),
    "no storage": (with_agreement(storage=()), Reason.AGREEMENT_INCOMPLETE),
    "no contact": (recipient(contact=""), Reason.AGREEMENT_INCOMPLETE),
    "outside the EEA": (with_agreement(storage=(Storage("US"),)), Reason.OUTSIDE_EEA),
    "outside the EEA with basis": (with_agreement(storage=(Storage("US", "SCC met TIA 2026"),)), None),
    "sub-processor outside the EEA": (
        with_agreement(sub_processors=(SubProcessor("Wolk Inc.", "US"),)),
        Reason.OUTSIDE_EEA,
    ),
    "unnamed sub-processor": (
        with_agreement(sub_processors=(SubProcessor("Wolk B.V.", "NL"), SubProcessor("diverse", "NL"))),
        Reason.SUBPROCESSOR_UNKNOWN,
    ),
    "profiling without DPIA": (recipient(delivery(profiling=PROFILING)), Reason.DPIA_MISSING),
    "profiling with DPIA": (recipient(delivery(profiling=PROFILING, dpia=DPIA)), None),
    "DPIA without advice": (
        recipient(delivery(profiling=PROFILING, dpia=replace(DPIA, fg_advice=" "))),
        Reason.DPIA_MISSING,
    ),
    "DPIA without reference": (
        recipient(delivery(profiling=PROFILING, dpia=replace(DPIA, reference=" "))),
        Reason.DPIA_MISSING,
    ),
    "no ground": (recipient(delivery(grondslag=None)), Reason.NO_GRONDSLAG),
    "no reference": (recipient(delivery(grondslag=Grondslag(Ground.PUBLIC_TASK, " "))), Reason.NO_GRONDSLAG),
    "consent": (recipient(delivery(grondslag=Grondslag(Ground.CONSENT, "formulier 2026"))), None),
    "consent for a duty": (
        recipient(delivery(grondslag=Grondslag(Ground.CONSENT, "formulier 2026")), kind=RecipientKind.DUO),
        Reason.NO_GRONDSLAG,
    ),
    "vital interest": (
        recipient(delivery(grondslag=Grondslag(Ground.VITAL_INTEREST, "noodgeval"))),
        Reason.NO_GRONDSLAG,
    ),
    "no weighing": (
        recipient(delivery(grondslag=Grondslag(Ground.LEGITIMATE_INTEREST, "belang"))),
        Reason.NO_BELANGENAFWEGING,
    ),
    "open deviation": (named(deviation="geen"), Reason.DIRECT_IDENTIFIER_NOT_ALLOWED),
    "log-in with the ECK iD": (recipient(delivery(eck_login=True)), Reason.DIRECT_IDENTIFIER_NOT_ALLOWED),
    "one delivery twice": (replace(RECIPIENT, deliveries=(DELIVERY, DELIVERY)), Reason.SCHEMA_NOT_ACTIVE),
    "unknown schema": (recipient(delivery(schema="else")), Reason.SCHEMA_NOT_ACTIVE),
}


@pytest.mark.parametrize(("one", "expected"), TERMS.values(), ids=TERMS)
def test_terms_with_one_change_give_one_reason(one: Recipient, expected: Reason | None) -> None:
    assert found(one) == ({expected} if expected else set())


@pytest.mark.parametrize("part", ["subsidiarity", "proportionality", "by"])
def test_necessity_with_an_empty_answer_is_refused(part: str) -> None:
    changes: dict[str, Any] = {part: "handig"}
    good = Necessity("Kan niet met minder.", "Licht.", "directeur", TODAY)

    assert found(recipient(delivery(necessity=replace(good, **changes)))) == {Reason.NO_NOODZAAK}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, set()),
        ({"aim": "marketing"}, {Reason.NO_BELANGENAFWEGING}),
        ({"outcome": "pupil"}, {Reason.NO_BELANGENAFWEGING}),
        ({"school_interest": " "}, {Reason.NO_BELANGENAFWEGING}),
        ({"pupil_interest": " "}, {Reason.NO_BELANGENAFWEGING}),
        ({"by": " "}, {Reason.NO_BELANGENAFWEGING}),
    ],
)
def test_weighing_must_be_complete_and_favour_the_school(change: dict[str, Any], expected: set[Reason]) -> None:
    weighing = replace(WEIGHING, **change)
    ground = Grondslag(Ground.LEGITIMATE_INTEREST, "belang van begeleiding")

    assert found(recipient(delivery(grondslag=ground, weighing=weighing))) == expected


def test_weighing_aims_leave_out_commerce() -> None:
    assert not {aim for aim in AIMS if "market" in aim or "reclame" in aim}


@pytest.mark.parametrize("item", AGREEMENT_ITEMS)
def test_agreement_of_another_model_needs_each_item(item: str) -> None:
    items = {name: "Beschreven in bijlage 1." for name in AGREEMENT_ITEMS if name != item}

    (problem,) = problems(with_agreement(model="eigen", items=items), SCHEMAS, ORGANISATION, TODAY)

    assert (problem.reason, problem.where[-1]) == (Reason.AGREEMENT_INCOMPLETE, item)


def test_agreement_of_another_model_with_all_items_is_complete() -> None:
    items = dict.fromkeys(AGREEMENT_ITEMS, "Beschreven in bijlage 1.")

    assert found(with_agreement(model="eigen", items=items)) == set()


def test_agreement_that_ends_before_it_starts_is_incomplete() -> None:
    one = with_agreement(starts=TODAY, until=YESTERDAY)

    assert [problem.reason for problem in standing_problems(one, SCHEMAS, ORGANISATION)] == [
        Reason.AGREEMENT_INCOMPLETE
    ]


def test_wildcard_in_an_object_is_refused() -> None:
    assert Reason.NO_NOODZAAK in found(recipient(delivery(grant("school.*"))))


def test_inspectie_needs_no_agreement() -> None:
    on_channel = delivery(channel="internet-schooldossier")
    one = recipient(on_channel, kind=RecipientKind.INSPECTIE, role=Role.CONTROLLER, agreement=None)

    assert found(one) == set()


def test_data_subject_needs_no_agreement() -> None:
    assert found(recipient(kind=RecipientKind.PARENT, role=Role.DATA_SUBJECT, agreement=None)) == set()


@pytest.mark.parametrize(("role", "rule"), [(Role.PROCESSOR, "R69"), (Role.CONTROLLER, "R71")])
def test_missing_paper_is_told_by_the_rule_of_the_role(role: Role, rule: str) -> None:
    (problem,) = problems(recipient(role=role, agreement=None), SCHEMAS, ORGANISATION, TODAY)

    assert problem.rule == rule


def test_agreement_of_one_day_is_complete() -> None:
    assert found(with_agreement(starts=TODAY, until=TODAY)) == set()


def test_controller_needs_no_items_and_no_authorisation() -> None:
    one = recipient(
        delivery(authorisation=None),
        role=Role.CONTROLLER,
        agreement=replace(AGREEMENT, model="uitwisselafspraken 2026", bijsluiter=None, storage=()),
    )

    assert found(one) == set()


def test_template_without_school_is_judged_without_its_locations() -> None:
    one = recipient(delivery(locations=frozenset({"west"})))

    assert problems(one, SCHEMAS, None, TODAY) == []


# -- shape --------------------------------------------------------------------------------------------

SHAPES = {
    "unknown field": (grant("shoe"), Reason.FIELD_UNCLASSIFIED),
    "field below a field": (grant("year.month"), Reason.FIELD_UNCLASSIFIED),
    "wildcard": (grant("*"), Reason.NO_NOODZAAK),
    "object": (grant("school"), Reason.NO_NOODZAAK),
    "list of objects": (grant("ids"), Reason.NO_NOODZAAK),
    "object without its required field": (grant("school.name"), Reason.SCHEMA_NOT_ACTIVE),
    "object with its required field": (grant("school.code"), None),
    "year of a date": (grant("born", Transform.YEAR), None),
    "year of a moment": (grant("changed", Transform.YEAR), None),
    "year of a number": (grant("year", Transform.YEAR), Reason.SCHEMA_NOT_ACTIVE),
    "age band of a moment": (grant("changed", Transform.AGE_BAND), Reason.SCHEMA_NOT_ACTIVE),
    "pc4 of a code": (grant("ordinary", Transform.PC4), Reason.SCHEMA_NOT_ACTIVE),
    "initials of a text": (grant("ordinary", Transform.INITIALS), None),
    "initials of a date": (grant("changed", Transform.INITIALS), Reason.SCHEMA_NOT_ACTIVE),
    "first letter of a choice": (grant("sex", Transform.FIRST_LETTER), Reason.SCHEMA_NOT_ACTIVE),
    "first letter of a mapped id": (grant("group", Transform.FIRST_LETTER), Reason.SCHEMA_NOT_ACTIVE),
    "redacted number": (grant("year", Transform.REDACT), Reason.SCHEMA_NOT_ACTIVE),
    "pseudonym of a mapped id": (grant("group", Transform.PSEUDONYM), None),
    "pseudonym of a text": (grant("ordinary", Transform.PSEUDONYM), Reason.SCHEMA_NOT_ACTIVE),
    "empty list": (grant("tags", Transform.EMPTY), None),
    "empty scalar": (grant("ordinary", Transform.EMPTY), Reason.SCHEMA_NOT_ACTIVE),
    "fixed text": (grant("ordinary", Transform.FIXED, value="-"), None),
    "fixed without value": (grant("ordinary", Transform.FIXED), Reason.SCHEMA_NOT_ACTIVE),
    "fixed list": (grant("tags", Transform.FIXED, value="-"), Reason.SCHEMA_NOT_ACTIVE),
    "fixed choice": (grant("sex", Transform.FIXED, value="m"), None),
    "fixed to no choice": (grant("sex", Transform.FIXED, value="x"), Reason.SCHEMA_NOT_ACTIVE),
    "fixed date": (grant("born", Transform.FIXED, value="2000-01-01"), None),
    "fixed to no date": (grant("born", Transform.FIXED, value="2000-13-01"), Reason.SCHEMA_NOT_ACTIVE),
    "fixed moment": (grant("changed", Transform.FIXED, value="2000-01-01T00:00:00Z"), None),
    "fixed to a moment without zone": (
        grant("changed", Transform.FIXED, value="2000-01-01T00:00:00"),
        Reason.SCHEMA_NOT_ACTIVE,
    ),
    "fixed number": (grant("year", Transform.FIXED, value=1), None),
    "fixed to text where a number is": (grant("year", Transform.FIXED, value="1"), Reason.SCHEMA_NOT_ACTIVE),
    "fixed to a truth where a number is": (grant("year", Transform.FIXED, value=True), Reason.SCHEMA_NOT_ACTIVE),
    "fixed to a fraction where a whole is": (grant("year", Transform.FIXED, value=1.5), Reason.SCHEMA_NOT_ACTIVE),
    "fixed fraction": (grant("share", Transform.FIXED, value=1.5), None),
    "fixed truth": (grant("adult", Transform.FIXED, value=False), None),
    "fixed to a number where a truth is": (grant("adult", Transform.FIXED, value=0), Reason.SCHEMA_NOT_ACTIVE),
    "value without fixed": (grant("year", value=1), Reason.SCHEMA_NOT_ACTIVE),
}


@pytest.mark.parametrize(("one", "expected"), SHAPES.values(), ids=SHAPES)
def test_grant_must_fit_the_schema(one: Grant, expected: Reason | None) -> None:
    assert found(recipient(delivery(one))) == ({expected} if expected else set())


def test_record_that_the_schema_lacks_is_unclassified() -> None:
    one = delivery(grants=grants() | {"Other": {}})

    assert found(recipient(one)) == {Reason.FIELD_UNCLASSIFIED}


def test_record_without_grants_is_released_empty() -> None:
    root = Branch({"code": text(Category.ORGANISATION, FieldClass.ORDINARY, required=True)})
    schemas = {"pupils": replace(SCHEMA, records={"Pupil": replace(A_RECORD, fields=root, subjects=())})}

    assert problems(recipient(delivery(grants={"Pupil": {}})), schemas, ORGANISATION, TODAY) == []


def test_list_released_empty_with_a_field_granted_in_it_is_refused() -> None:
    one = delivery(grant("ids", Transform.EMPTY))

    assert found(recipient(one)) == {Reason.SCHEMA_NOT_ACTIVE}


# -- ids ----------------------------------------------------------------------------------------------

WRONG_ID = {Reason.DIRECT_IDENTIFIER_NOT_ALLOWED}


def eck(*more: Grant, kind: RecipientKind = RecipientKind.DISTRIBUTOR) -> Recipient:
    granted = {"Pupil": {one.path: one for one in (grant("master"), *more)}}
    return recipient(delivery(grants=granted, pseudonym=PseudonymMethod.ECK_ID, eck_login=True), kind=kind)


def test_hmac_with_the_eck_id_beside_it_is_refused() -> None:
    assert found(recipient(delivery(grant("master")))) == WRONG_ID


def test_hmac_with_the_real_id_in_the_slot_is_refused() -> None:
    assert found(recipient(delivery(grants=REAL_IDS))) == WRONG_ID


def test_hmac_slot_without_its_type_is_refused() -> None:
    granted = {"Pupil": {"ids.value": grant("ids.value", Transform.PSEUDONYM)}}

    assert found(recipient(delivery(grants=granted))) == {Reason.SCHEMA_NOT_ACTIVE}


def test_hmac_for_a_teacher_in_the_teachers_slot_is_accepted() -> None:
    one = delivery(grant("teacher.ids.value", Transform.PSEUDONYM), grant("teacher.ids.type"))

    assert found(recipient(one)) == set()


def test_hmac_for_a_teacher_with_the_real_id_is_refused() -> None:
    one = delivery(grant("teacher.ids.value"), grant("teacher.ids.type"))

    assert found(recipient(one)) == WRONG_ID


@pytest.mark.parametrize("kind", list(RecipientKind))
def test_eck_id_stays_in_its_chain(kind: RecipientKind) -> None:
    chain = {RecipientKind.PUBLISHER, RecipientKind.DISTRIBUTOR, RecipientKind.TEST_PROVIDER}

    assert found(eck(kind=kind)) >= (set() if kind in chain else WRONG_ID)
    assert bool(found(eck(kind=kind))) == (kind not in chain)


def test_eck_id_with_our_pseudonym_beside_it_is_refused() -> None:
    assert found(eck(grant("ids.value", Transform.PSEUDONYM), grant("ids.type"))) == WRONG_ID


def test_eck_id_slot_with_another_transform_is_refused() -> None:
    one = delivery(
        grants={"Pupil": {"master": grant("master", Transform.FIXED, value="-")}}, pseudonym=PseudonymMethod.ECK_ID
    )

    assert found(recipient(one)) == WRONG_ID


def test_real_ids_with_the_transform_pseudonym_are_refused() -> None:
    granted = {"Pupil": {one.path: one for one in (grant("ids.value", Transform.PSEUDONYM), grant("ids.type"))}}

    assert found(named(grants=granted)) == WRONG_ID


def test_recipient_with_our_pseudonym_and_the_eck_id_is_refused() -> None:
    other = delivery(
        purpose="inloggen", grants={"Pupil": {"master": grant("master")}}, pseudonym=PseudonymMethod.ECK_ID
    )

    assert found(replace(RECIPIENT, deliveries=(DELIVERY, other))) == WRONG_ID


def other_recipient(**terms: Any) -> Recipient:
    one = replace(DELIVERY, recipient="ander", domain="ander")
    return replace(recipient(replace(one, **terms)), name="ander")


def test_group_of_companies_with_two_methods_is_refused_at_both() -> None:
    both = [
        replace(RECIPIENT, group="noordgroep"),
        replace(other_recipient(pseudonym=PseudonymMethod.ECK_ID), group="noordgroep"),
    ]

    found_between = group_problems(both)

    assert [(one.rule, one.delivery) for one in found_between] == [
        ("N3", ("uitgever", "oefenen", "pupils")),
        ("N3", ("ander", "oefenen", "pupils")),
    ]


def test_two_methods_outside_one_group_are_accepted() -> None:
    assert group_problems([RECIPIENT, other_recipient(pseudonym=PseudonymMethod.ECK_ID)]) == []


def test_two_recipients_with_one_domain_are_refused_unless_they_are_one_group() -> None:
    both = [RECIPIENT, other_recipient(domain="uitgever")]

    assert [one.rule for one in group_problems(both)] == ["R40", "R40"]
    assert group_problems([replace(one, group="noordgroep") for one in both]) == []


# -- dates and questions ------------------------------------------------------------------------------

DATES = {
    "delivery ends today": (recipient(delivery(until=TODAY)), None),
    "delivery ended": (recipient(delivery(until=YESTERDAY)), Reason.SCHEMA_EXPIRED),
    "agreement ends today": (with_agreement(until=TODAY), None),
    "agreement ended": (with_agreement(until=YESTERDAY), Reason.AGREEMENT_EXPIRED),
    "agreement starts today": (with_agreement(starts=TODAY), None),
    "agreement starts tomorrow": (with_agreement(starts=TOMORROW), Reason.AGREEMENT_MISSING),
    "agreement signed tomorrow": (with_agreement(signed=TOMORROW), Reason.AGREEMENT_MISSING),
    "DPIA to review": (
        recipient(delivery(dpia=Dpia("DPIA 3", "akkoord", YESTERDAY))),
        Reason.DPIA_EXPIRED,
    ),
}


@pytest.mark.parametrize(("one", "expected"), DATES.values(), ids=DATES)
def test_dates_count_their_last_day(one: Recipient, expected: Reason | None) -> None:
    assert found(one) == ({expected} if expected else set())


def test_dates_are_no_part_of_what_stands() -> None:
    assert standing_problems(with_agreement(until=YESTERDAY), SCHEMAS, ORGANISATION) == []


def test_agreement_out_of_date_is_one_problem_however_many_deliveries() -> None:
    more = replace(DELIVERY, purpose="toetsen")
    one = replace(with_agreement(until=YESTERDAY), deliveries=(DELIVERY, more))

    (problem,) = problems(one, SCHEMAS, ORGANISATION, TODAY)

    assert (problem.where, problem.delivery) == (("agreement",), None)


def test_open_questions_are_no_problem_of_the_file() -> None:
    assert found(replace(RECIPIENT, asks=((12, "Wie tekent?"),))) == set()


def test_school_without_locations_refuses_every_delivery() -> None:
    nowhere = Organisation(frozenset(), {})

    assert {one.reason for one in problems(RECIPIENT, SCHEMAS, nowhere, TODAY)} == {Reason.LOCATION_OUT_OF_SCOPE}


# -- notices (R94, N12) ----------------------------------------------------------------------------------------------


def test_notices_by_a_channel_on_which_the_recipient_cannot_ask_are_refused() -> None:
    assert found(recipient(delivery(notices=True))) == set()
    (problem,) = problems(recipient(delivery(notices=True, channel="bestand")), SCHEMAS, ORGANISATION, TODAY)

    assert (problem.reason, problem.rule) == (Reason.CHANNEL_NOT_ALLOWED, "R94, N12")
    assert problem.where == ("deliveries", "oefenen", "notices")


def test_notices_that_could_name_nobody_are_refused() -> None:
    by_name = {"Pupil": {"direct": grant("direct")}}
    (problem,) = problems(named(grants=by_name, notices=True), SCHEMAS, ORGANISATION, TODAY)

    assert (problem.reason, problem.where) == (Reason.SCHEMA_NOT_ACTIVE, ("deliveries", "oefenen", "notices"))
    assert found(named(notices=True)) == found(named(grants=by_name)) == set()


def test_pupil_is_known_by_no_id_of_who_teaches_them() -> None:
    assert list(kinds_given(A_RECORD, {"teacher.ids.value"})) == []
    assert "las-key" in kinds_given(A_RECORD, {"ids.value"})

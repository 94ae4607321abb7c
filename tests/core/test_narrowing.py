"""What may leave is what is both activated and in the file; and why a delivery stands as it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from gateway.core.gate.decide import Permit, Refusal, Standing, decide
from gateway.core.model import Category, FieldClass, Ground, Person, PseudonymMethod, RecipientKind, Role, Transform
from gateway.core.policy.rules import RecipientState, compile_standings, narrow
from gateway.core.policy.schema import Branch, Leaf, Many, Route, Schema, SubjectPosition
from gateway.core.policy.terms import (
    Aggregate,
    Conditions,
    Delivery,
    Grondslag,
    Location,
    Organisation,
    Profiling,
    Recipient,
    Rows,
)
from gateway.core.reasons import Reason
from tests.builders_policy import (
    A_RECORD,
    AGREEMENT,
    CALL,
    CALLER,
    DELIVERY,
    DPIA,
    KEY,
    ORGANISATION,
    POLICY,
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

SOONER = date(2026, 12, 31)


def narrowed(active: Delivery, file: Delivery) -> Delivery:
    """What is left of a delivery that differs in nothing else."""
    found = narrow(recipient(active), recipient(file), SCHEMAS, SCHEMAS)
    assert not found.differences
    return found.recipient.deliveries[0]


def differences(file: Recipient | None, active: Recipient = RECIPIENT) -> Mapping[Any, tuple[str, ...]]:
    return narrow(active, file, SCHEMAS, SCHEMAS).differences


def test_same_file_narrows_nothing() -> None:
    assert narrow(RECIPIENT, RECIPIENT, SCHEMAS, SCHEMAS).recipient == RECIPIENT


def test_field_removed_from_the_file_is_gone() -> None:
    kept = narrowed(delivery(grant("year"), grant("result")), delivery(grant("result")))

    assert set(kept.grants["Pupil"]) == {"ids.value", "ids.type", "result"}


def test_field_added_to_the_file_does_not_leave() -> None:
    kept = narrowed(delivery(grant("result")), delivery(grant("result"), grant("year")))

    assert set(kept.grants["Pupil"]) == {"ids.value", "ids.type", "result"}


def test_record_in_one_of_both_is_no_part_of_the_delivery() -> None:
    both = {"Pupil": grants()["Pupil"], "Other": {}}

    assert set(narrowed(delivery(grants=both), DELIVERY).grants) == {"Pupil"}
    assert set(narrowed(DELIVERY, delivery(grants=both)).grants) == {"Pupil"}


@pytest.mark.parametrize(
    ("active", "file", "left"),
    [
        (Rows(), Rows(), Rows()),
        (Rows(frozenset({1, 2})), Rows(frozenset({2, 3})), Rows(frozenset({2}))),
        (Rows(), Rows(frozenset({2})), Rows(frozenset({2}))),
        (Rows(frozenset({2})), Rows(), Rows(frozenset({2}))),
        (Rows(None, frozenset("ab")), Rows(None, frozenset("bc")), Rows(None, frozenset("b"))),
        (Rows(frozenset({1})), Rows(frozenset({2})), Rows(frozenset())),
    ],
)
def test_rows_must_be_in_both(active: Rows, file: Rows, left: Rows) -> None:
    assert narrowed(delivery(rows=active), delivery(rows=file)).rows == left


def test_locations_must_be_in_both() -> None:
    kept = narrowed(delivery(locations=frozenset({"noord", "zuid"})), delivery(locations=frozenset({"zuid", "oost"})))

    assert kept.locations == {"zuid"}


def test_agreement_categories_must_be_in_both() -> None:
    active = recipient(agreement=replace(AGREEMENT, categories=frozenset({Category.NAME, Category.RESULTS})))
    file = recipient(agreement=replace(AGREEMENT, categories=frozenset({Category.RESULTS, Category.SEX})))

    agreement = narrow(active, file, SCHEMAS, SCHEMAS).recipient.agreement

    assert agreement is not None
    assert agreement.categories == {Category.RESULTS}


@pytest.mark.parametrize("sooner", ["active", "file"])
def test_of_two_end_dates_the_earlier_counts(sooner: str) -> None:
    assert DELIVERY.authorisation is not None
    late = recipient(delivery(dpia=DPIA))
    soon = recipient(
        delivery(
            until=SOONER,
            dpia=replace(DPIA, review=SOONER),
            authorisation=replace(DELIVERY.authorisation, until=SOONER),
        ),
        agreement=replace(AGREEMENT, until=SOONER),
    )
    active, file = (late, soon) if sooner == "file" else (soon, late)

    found = narrow(active, file, SCHEMAS, SCHEMAS)
    one = found.recipient.deliveries[0]

    assert not found.differences
    assert found.recipient.agreement
    assert found.recipient.agreement.until == SOONER
    assert one.authorisation
    assert one.authorisation.until == SOONER
    assert one.dpia
    assert one.dpia.review == SOONER
    assert one.until == SOONER


def test_missing_file_refuses_every_delivery() -> None:
    assert differences(None) == {KEY: ("file",)}


def test_delivery_that_the_file_lacks_is_refused() -> None:
    assert differences(replace(RECIPIENT, deliveries=())) == {KEY: ("file",)}


OTHER_TERMS: dict[str, Any] = {
    "grondslag": Grondslag(Ground.STATUTORY_DUTY, "WRO"),
    "necessity": None,
    "pseudonym": PseudonymMethod.NONE,
    "domain": "ander",
    "channel": "soap",
    "absence": "Niets.",
    "weighing": WEIGHING,
    "authorisation": None,
    "dpia": DPIA,
    "profiling": Profiling(date(2026, 8, 20), "De docent kijkt na."),
    "deviation": "besluit",
    "class_list": "besluit",
    "eck_login": True,
    "conditions": Conditions(inzage=True),
    "aggregate": Aggregate(("year",), 5),
    "endpoint": "elders",
    "notices": True,
}


@pytest.mark.parametrize("term", OTHER_TERMS)
def test_other_difference_in_a_delivery_refuses_it(term: str) -> None:
    assert differences(recipient(delivery(**{term: OTHER_TERMS[term]}))) == {KEY: (term,)}


def test_every_term_of_a_delivery_is_narrowed_or_compared() -> None:
    narrowing = {"recipient", "purpose", "schema", "locations", "rows", "until", "grants"}

    assert set(Delivery.__dataclass_fields__) == narrowing | OTHER_TERMS.keys()


OTHER_RECIPIENT: dict[str, Any] = {
    "name": "ander",
    "title": "Ander B.V.",
    "kind": RecipientKind.PUBLISHER,
    "role": Role.CONTROLLER,
    "contact": "ander@uitgever.example",
    "oin": "1" * 20,
    "group": "noordgroep",
    "agreement": None,
}


@pytest.mark.parametrize("term", OTHER_RECIPIENT)
def test_other_difference_in_a_recipient_refuses_its_deliveries(term: str) -> None:
    assert differences(replace(RECIPIENT, **{term: OTHER_RECIPIENT[term]})) == {KEY: (term,)}


def test_every_term_of_a_recipient_is_narrowed_or_compared() -> None:
    assert set(Recipient.__dataclass_fields__) == {"deliveries", "asks", "text_hash"} | OTHER_RECIPIENT.keys()


@pytest.mark.parametrize("term", ["model", "signed", "starts", "storage", "sub_processors", "endpoints", "items"])
def test_other_difference_in_the_agreement_refuses_its_deliveries(term: str) -> None:
    other: dict[str, Any] = {"model": "eigen", "signed": SOONER, "starts": SOONER, "storage": ()}
    changed = {term: other.get(term, ("x",) if term != "items" else {"data": "x"})}

    assert differences(recipient(agreement=replace(AGREEMENT, **changed))) == {KEY: ("agreement",)}


@pytest.mark.parametrize(
    "other",
    [
        grant("year", reason="Een andere reden."),
        grant("year", Transform.FIXED, value=1),
        grant("year", Transform.FIXED, value=2),
    ],
)
def test_field_with_another_reason_transform_or_value_refuses_the_delivery(other: Any) -> None:
    active = recipient(delivery(grant("year", Transform.FIXED, value=3)))

    assert differences(recipient(delivery(other)), active) == {KEY: ("Pupil.year",)}


def test_difference_in_one_delivery_leaves_the_other() -> None:
    more = replace(DELIVERY, purpose="toetsen")
    active = replace(RECIPIENT, deliveries=(DELIVERY, more))
    file = replace(RECIPIENT, deliveries=(DELIVERY, replace(more, channel="soap")))

    assert set(differences(file, active)) == {("uitgever", "toetsen", "pupils")}


# -- schemas ------------------------------------------------------------------------------------------


def with_fields(**fields: Any) -> Mapping[str, Schema]:
    root = Branch({**A_RECORD.fields.fields, **fields})
    return {"pupils": replace(SCHEMA, records={"Pupil": replace(A_RECORD, fields=root)})}


def fields_under(before: Mapping[str, Schema], after: Mapping[str, Schema], *paths: str) -> set[str]:
    one = recipient(delivery(*(grant(path) for path in paths)))
    return set(narrow(one, one, before, after).recipient.deliveries[0].grants["Pupil"]) - {"ids.value", "ids.type"}


CHANGED_NODES: dict[str, Any] = {
    "class": text(Category.RESULTS, FieldClass.FREE_TEXT),
    "category": text(Category.NAME, FieldClass.RESULT),
    "type": Leaf("integer", Category.RESULTS, FieldClass.RESULT),
    "list": Many(text(Category.RESULTS, FieldClass.RESULT)),
    "object": Branch({"result": text(Category.RESULTS, FieldClass.RESULT)}),
    "mapping": text(Category.RESULTS, FieldClass.RESULT, maps="group"),
}


@pytest.mark.parametrize("node", CHANGED_NODES.values(), ids=CHANGED_NODES)
def test_field_whose_schema_changed_is_dropped_alone(node: Any) -> None:
    assert fields_under(SCHEMAS, with_fields(result=node), "result", "year") == {"year"}


def test_field_whose_parent_changed_is_dropped() -> None:
    listed = Many(Branch({"code": text(Category.ORGANISATION, FieldClass.ORDINARY, required=True)}))

    assert fields_under(SCHEMAS, with_fields(school=listed), "school.code", "year") == {"year"}


def test_field_that_a_schema_lost_is_dropped() -> None:
    assert fields_under(with_fields(new=text(Category.SEX, FieldClass.QUASI)), SCHEMAS, "new", "year") == {"year"}


def test_new_field_text_or_version_of_a_schema_changes_nothing() -> None:
    after = {
        name: replace(schema, version="2", title="Anders", text_hash="other")
        for name, schema in with_fields(new=text(Category.SEX, FieldClass.QUASI)).items()
    }

    assert narrow(RECIPIENT, RECIPIENT, SCHEMAS, after).differences == {}


OTHER_SCHEMAS: dict[str, tuple[Schema, str]] = {
    "routes": (replace(SCHEMA, routes=(Route("GET", "/all", "Pupil", many=True),)), "schema routes"),
    "base path": (replace(SCHEMA, base_path="/v2"), "schema base_path"),
    "errors": (replace(SCHEMA, errors="edu-v"), "schema errors"),
    "direction": (replace(SCHEMA, direction="push"), "schema direction"),
    "format": (replace(SCHEMA, format="xml"), "schema format"),
    "subjects": (
        replace(
            SCHEMA,
            records={
                "Pupil": replace(A_RECORD, subjects=(SubjectPosition("", Person.STAFF, "record", "master", None),))
            },
        ),
        "schema Pupil",
    ),
    "order": (replace(SCHEMA, records={"Pupil": replace(A_RECORD, order="group")}), "schema Pupil"),
}


@pytest.mark.parametrize(("schema", "about"), OTHER_SCHEMAS.values(), ids=OTHER_SCHEMAS)
def test_other_difference_in_the_schema_refuses_its_deliveries(schema: Schema, about: str) -> None:
    assert narrow(RECIPIENT, RECIPIENT, SCHEMAS, {"pupils": schema}).differences == {KEY: (about,)}


def test_schema_that_is_missing_on_one_side_refuses_and_releases_nothing() -> None:
    for before, after in ((SCHEMAS, {}), ({}, SCHEMAS)):
        found = narrow(RECIPIENT, RECIPIENT, before, after)

        assert found.differences == {KEY: ("schema",)}
        assert found.recipient.deliveries[0].grants == {}


# -- how deliveries stand -----------------------------------------------------------------------------


def compiled(*states: RecipientState, schemas: Mapping[str, Schema] = SCHEMAS) -> dict[Any, Standing]:
    return compile_standings(states, schemas, ORGANISATION)


def state(active: Recipient | None = RECIPIENT, file: Recipient | None = RECIPIENT, **more: Any) -> RecipientState:
    return RecipientState(active, SCHEMAS, file, **more)


def reasons(standing: Standing) -> set[tuple[Reason, str]]:
    return {(finding.reason, finding.about) for finding in standing.findings}


def test_delivery_that_is_active_and_in_the_file_stands_without_findings() -> None:
    assert compiled(state()) == {KEY: Standing(RECIPIENT, DELIVERY)}


NOT_ACTIVE = {
    "suspended": state(suspended=True),
    "activation": state(active=None),
    "file": state(file=None),
    "channel": state(file=recipient(delivery(channel="soap"))),
}


@pytest.mark.parametrize(("about", "one"), NOT_ACTIVE.items(), ids=NOT_ACTIVE)
def test_delivery_that_is_not_active_stands_with_the_reason_why(about: str, one: RecipientState) -> None:
    standing = compiled(one)[KEY]

    assert reasons(standing) == {(Reason.SCHEMA_NOT_ACTIVE, about)}
    refusal = decide(CALLER, CALL, {KEY: standing}, POLICY, ORGANISATION, TODAY)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.SCHEMA_NOT_ACTIVE


def test_suspension_needs_no_file() -> None:
    assert (Reason.SCHEMA_NOT_ACTIVE, "suspended") in reasons(compiled(state(file=None, suspended=True))[KEY])


def test_recipient_that_is_nowhere_has_no_standing() -> None:
    assert compiled(state(active=None, file=None)) == {}


def test_broken_file_stops_its_recipient_only() -> None:
    other = replace(recipient(replace(DELIVERY, recipient="ander", domain="ander")), name="ander")

    standings = compiled(state(file=None), state(other, other))

    assert standings[KEY].findings
    assert not standings["ander", "oefenen", "pupils"].findings


def test_file_that_check_refuses_gives_its_recipient_nothing() -> None:
    more = replace(DELIVERY, purpose="toetsen")
    wrong = delivery(grant("criminal"))

    standings = compiled(
        state(replace(RECIPIENT, deliveries=(DELIVERY, more)), replace(RECIPIENT, deliveries=(wrong, more)))
    )

    assert {reason for reason, _ in reasons(standings[KEY])} == {Reason.CRIMINAL_DATA}
    assert reasons(standings["uitgever", "toetsen", "pupils"]) == {(Reason.SCHEMA_NOT_ACTIVE, "file")}


def test_rule_that_activation_did_not_know_refuses_what_is_active() -> None:
    wrong = recipient(delivery(grant("criminal")))

    assert {reason for reason, _ in reasons(compiled(state(wrong, wrong))[KEY])} == {Reason.CRIMINAL_DATA}


def test_two_methods_in_one_group_refuse_each_other() -> None:
    theirs = replace(
        DELIVERY,
        recipient="ander",
        domain="ander",
        pseudonym=PseudonymMethod.ECK_ID,
        grants={"Pupil": {"master": grant("master")}},
    )
    ours, other = replace(RECIPIENT, group="g"), replace(recipient(theirs), name="ander", group="g")

    standings = compiled(state(ours, ours), state(other, other))

    for standing in standings.values():
        assert {reason for reason, _ in reasons(standing)} == {Reason.DIRECT_IDENTIFIER_NOT_ALLOWED}


def test_location_that_the_school_lost_refuses_the_delivery() -> None:
    only = Organisation(frozenset(), {"zuid": Location("zuid", "Zuid", frozenset())})

    standing = compile_standings([state()], SCHEMAS, only)[KEY]

    assert {reason for reason, _ in reasons(standing)} == {Reason.LOCATION_OUT_OF_SCOPE}


def test_end_of_the_agreement_is_left_to_the_day_of_the_call() -> None:
    ended = recipient(agreement=replace(AGREEMENT, until=TODAY))
    standings = compiled(state(file=ended))

    today = decide(CALLER, CALL, standings, POLICY, ORGANISATION, TODAY)
    tomorrow = decide(CALLER, CALL, standings, POLICY, ORGANISATION, TODAY + timedelta(days=1))

    assert isinstance(today, Permit)
    assert isinstance(tomorrow, Refusal)
    assert tomorrow.reason is Reason.AGREEMENT_EXPIRED


def test_field_whose_required_neighbour_is_gone_refuses_the_delivery() -> None:
    one = recipient(delivery(grant("school.code"), grant("school.name")))
    nodes = {"code": text(Category.NAME, FieldClass.ORDINARY, required=True)}
    changed = with_fields(school=Branch({**nodes, "name": A_RECORD_NAME}))

    standing = compiled(state(one, one), schemas=changed)[KEY]

    assert {reason for reason, _ in reasons(standing)} == {Reason.SCHEMA_NOT_ACTIVE}


A_RECORD_NAME = text(Category.ORGANISATION, FieldClass.ORDINARY)

"""The cases of tests/vectors, readable by a privacy officer, run through reader, rules, decision and screening.

Each case names what differs from base.yaml and what must come of it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.policy.files import load_recipient, load_schema
from gateway.adapters.policy.yaml_text import read
from gateway.core.days import legal_date
from gateway.core.gate.decide import LACKS, Call, Permit, Refusal, Standing, Standings, decide
from gateway.core.gate.question import Audience
from gateway.core.gate.screening import screen
from gateway.core.gate.screening_fields import field_terms
from gateway.core.model import Caller, Enrolment, Person, Subject, Verdict
from gateway.core.policy.rules import RecipientState, compile_standings
from gateway.core.policy.schema import Schema
from gateway.core.policy.terms import Location, Organisation, Recipient, SchoolPolicy
from gateway.core.reasons import Reason
from tests.builders_facts import PEOPLE, PUPIL, known

FOLDER = Path(__file__).parents[1] / "vectors"
PARTS = ("recipient", "agreement", "delivery", "fields")
KEYS = {"case", "about", "rules", "file", "active", "suspended", "policy", "call", "pupil", "with"} | set(PARTS)
KEYS |= {
    "platform",
    "facts",
    "moment",
    "guardian",
    "by",
    "permit",
    "outcome",
    "answer",
    "reasons",
    "held",
    "released",
    "withheld",
}


def strictly_read(path: Path) -> Any:
    document = read(path.read_text(), path.name)
    assert not document.problems, document.problems
    return document.value


BASE = strictly_read(FOLDER / "base.yaml")
ALL: list[dict[str, Any]] = [case for path in sorted(FOLDER.glob("[0-9]*.yaml")) for case in strictly_read(path)]
CASES = [pytest.param(case, id=case["case"]) for case in ALL]


def changed(base: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Put each change in place; nothing takes it out."""
    for name, value in changes.items():
        if value is None:
            base.pop(name, None)
        else:
            base[name] = value


def recipient_text(*layers: Mapping[str, Any]) -> str:
    """The good recipient with the changes of each layer, as a file."""
    found = copy.deepcopy(BASE["recipient"])
    for layer in layers:
        changed(found.get("agreement", {}), layer.get("agreement", {}))
        changed(found, layer.get("recipient", {}))
        (delivery,) = found["deliveries"]
        changed(delivery, layer.get("delivery", {}))
        changed(delivery["schemas"]["leerlingen"]["Leerling"], layer.get("fields", {}))
    return json.dumps(found)


SCHEMA = load_schema(json.dumps(BASE["schema"]), "leerlingen.yaml")
assert isinstance(SCHEMA, Schema), SCHEMA
SCHEMAS = {SCHEMA.name: SCHEMA}


def read_back(case: Mapping[str, Any], *layers: Mapping[str, Any]) -> Recipient | None:
    """None: the file is invalid."""
    kinds = [BASE["layers"][name] for name in case.get("with", ())]
    loaded = load_recipient(recipient_text(*kinds, case, *layers), "toetsbureau.yaml", SCHEMAS)
    return loaded if isinstance(loaded, Recipient) else None


def recipient(case: Mapping[str, Any]) -> Recipient:
    loaded = read_back(case)
    assert loaded
    return loaded


def state(case: Mapping[str, Any]) -> RecipientState:
    other = case.get("file", {})
    return RecipientState(
        active=recipient(case) if case.get("active", True) else None,
        active_schemas=SCHEMAS,
        file=None if other is None else read_back(case, other),
        suspended=case.get("suspended", False),
    )


def day(value: str | None) -> date | None:
    return None if value is None else date.fromisoformat(value)


def now(case: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(case.get("moment", BASE["moment"]))


ORGANISATION = Organisation(frozenset(), {name: Location(name, name, frozenset()) for name in BASE["locations"]})


def platforms(case: Mapping[str, Any]) -> list[RecipientState]:
    """The platform through which it goes, if any (R55), with what the case changes of it."""
    if "platform" not in case:
        return []
    made = copy.deepcopy(BASE["platform"])
    changed(made["agreement"], case["platform"].get("agreement", {}))
    changed(made["deliveries"][0], case["platform"].get("delivery", {}))
    loaded = load_recipient(json.dumps(made), "doorgever.yaml", SCHEMAS)
    assert isinstance(loaded, Recipient), loaded
    return [RecipientState(loaded, SCHEMAS, loaded)]


def standings(case: Mapping[str, Any]) -> Standings:
    return compile_standings([state(case), *platforms(case)], SCHEMAS, ORGANISATION)


def decided(case: Mapping[str, Any]) -> Permit | Refusal:
    said = BASE["policy"] | case.get("policy", {})
    in_force = date.fromisoformat(said["in_force"])
    policy = SchoolPolicy("1", in_force, day(said["instemming"]))
    asked = BASE["call"] | case.get("call", {})
    kind, platform = asked.get("kind", "recipient"), asked.get("platform")
    caller = Caller("c", kind, asked["recipient"], asked["purpose"], platform)
    call = Call(
        "lvs",
        asked["schema"],
        asked["record"],
        asked.get("header"),
        frozenset(asked["locations"]),
        asked["channel"],
    )
    return decide(caller, call, standings(case), policy, ORGANISATION, legal_date(now(case)))


def handed_over(case: Mapping[str, Any]) -> Standing:
    """By a person of the school: on an occasion no recipient calls (D4)."""
    (standing,) = standings(case).values()
    assert not standing.findings, standing.findings
    return standing


def subject(case: Mapping[str, Any]) -> Subject | None:
    if case.get("pupil", {}) is None:
        return None
    said = BASE["pupil"] | case.get("pupil", {})
    enrolments = tuple(
        Enrolment(one["location"], one["year"], date.fromisoformat(one["begin"]), day(one.get("end")))
        for one in said["enrolments"]
    )
    groups = frozenset(said.get("groups", ()))
    return Subject(PUPIL, Person(said["person"]), b"2" * 16, {}, enrolments, groups)


def screened(standing: Standing, case: Mapping[str, Any]) -> tuple[Verdict, set[str]]:
    """The verdict, and the fields that leave of this pupil's record."""
    delivery, about = standing.delivery, subject(case)
    record = SCHEMAS[delivery.schema].records[BASE["call"]["record"]]
    facts = known(case.get("facts"), BASE["facts"], BASE["consent"])
    audience = Audience(standing.recipient.kind, PEOPLE[case["guardian"]] if "guardian" in case else None)
    fields = field_terms(delivery, record, about.person if about else Person.PUPIL)
    moment = now(case)
    verdict = screen(
        delivery,
        about,
        facts,
        legal_date(moment),
        fields,
        audience=audience,
        now=moment,
        permit=case.get("permit"),
    )
    granted = set(delivery.grants[record.name])
    return verdict, granted - verdict.withheld if verdict.available else set()


def reasons(case: Mapping[str, Any]) -> set[Reason]:
    answer = [case["answer"]] if "answer" in case else []
    return {Reason(word) for word in case.get("reasons", answer)}


@pytest.mark.parametrize("case", CASES)
def test_case_comes_out_as_it_says(case: dict[str, Any]) -> None:
    found = handed_over(case) if case.get("by") == "person" else decided(case)

    if isinstance(found, Refusal):
        assert case["outcome"] == "refused", found.findings
        assert found.reason == case["answer"]
        assert {finding.reason for finding in found.findings} == reasons(case)
        return
    verdict, released = screened(found.standing if isinstance(found, Permit) else found, case)
    spoke = {*(finding.reason for finding in found.findings), *verdict.reasons, *(why for _, why in verdict.fields)}
    assert case["outcome"] == ("released" if verdict.available else "withheld"), verdict.reasons
    assert spoke == reasons(case)
    assert set(verdict.held) == {Reason(word) for word in case.get("held", ())}
    assert verdict.withheld == set(case.get("withheld", ()))
    if "released" in case:
        assert released == set(case["released"])


@pytest.mark.parametrize("case", CASES)
def test_case_says_nothing_that_the_runner_does_not_read(case: dict[str, Any]) -> None:
    assert set(case) <= KEYS
    assert set(case.get("file") or ()) <= set(PARTS)


# Answered before there is a call to decide on, and once its answer is there (`test_notices`).
BESIDE_THE_GATE = {Reason.CALLER_UNAUTHENTICATED, Reason.NOTICES_FIRST}
OF_THE_GATE = [reason for reason in Reason if 1 <= reason.meaning.step <= 8 and reason not in BESIDE_THE_GATE]


@pytest.mark.parametrize("reason", OF_THE_GATE, ids=str)
def test_reason_of_steps_1_to_8_has_a_case_that_passes_and_one_that_refuses(reason: Reason) -> None:
    outcomes = {case["outcome"]: case for case in ALL if case.get("about") == reason}

    assert {"released", "refused"} <= set(outcomes)
    assert reason in reasons(outcomes["refused"])


# Said of a record that somebody else reads: the formats (16, 18) and the resolver (9).
BEYOND_THE_VERDICT = {Reason.PSEUDONYM_UNKNOWN, Reason.FACTS_CONTRADICTED}
OF_THE_PUPIL = [
    *(reason for reason in Reason if 9 <= reason.meaning.step <= 14 and reason not in BEYOND_THE_VERDICT),
    *sorted(set(LACKS.values())),
    Reason.FIELD_DISPUTED,
]


@pytest.mark.parametrize("reason", OF_THE_PUPIL, ids=str)
def test_reason_about_a_pupil_has_a_case_that_passes_and_one_that_does_not(reason: Reason) -> None:
    cases = [case for case in ALL if case.get("about") == reason]

    assert any(reason in reasons(case) for case in cases)
    assert any(reason not in reasons(case) and case["outcome"] == "released" for case in cases)


# Rules that the verdict about one pupil keeps; each is named (`rules`) by a case that passes and by one that does not.
ABOUT_A_PUPIL = [
    *(f"R{number}" for number in (3, 8, 13, 14, *range(18, 36), 38, 48, 54, 56, 57, 58, 92, 93, 96, 97, 100)),
    *("R103", "R109", "R115"),
    *(f"N{number}" for number in (8, 13, 14, 25, 26, 31, 32, 37, 38, 39)),
    *(f"D{number}" for number in (2, 4, 5, 6, 10, 11, 13)),
]

# Rules about a delivery, whoever is in it. What no terms can open (R37, R64 in part) is only refused.
ABOUT_A_DELIVERY = [
    *(
        f"R{number}"
        for number in (1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 16, 17, 36, 39, 40, 44, 45, 46, 47, 50, 51, 52, 53, 55)
    ),
    *(f"R{number}" for number in (*range(59, 65), *range(67, 74), 75, 88, 98, 114, 116, 117, 118)),
    *(f"N{number}" for number in (1, 3, 5, 7, 9, 16, 17, 18, 20, 22, 27, 28, 29, 33, 35, 36, 42)),
    *("R120", "N4", "D1", "D7", "D8", "D12"),
]
NEVER = {"R37"}
ENFORCED = sorted({*ABOUT_A_PUPIL, *ABOUT_A_DELIVERY})


@pytest.mark.parametrize("rule", ENFORCED)
def test_rule_has_a_case_that_passes_and_one_that_does_not(rule: str) -> None:
    cases = [case for case in ALL if rule in case.get("rules", ())]

    assert any(not reasons(case) for case in cases)
    assert any(reasons(case) for case in cases)


def test_rules_that_cases_name_are_all_listed() -> None:
    assert {rule for case in ALL for rule in case.get("rules", ())} == {*ENFORCED, *NEVER}

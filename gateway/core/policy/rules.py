"""What is wrong with a recipient's deliveries, whatever the call; and the deliveries as they stand now.

The rules stand in `rules_terms`, `rules_kinds`, `rules_fields` and `rules_shape`, one function each. They run in
`gateway check`, at activation, and when policy is compiled. All run, all problems are collected, in gate order. Leaves
out: reading the files (`adapters`), the call (`decide`), the pupils (`screening`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from gateway.core.gate.decide import Standing, dated
from gateway.core.model import Category, Finding, PseudonymMethod
from gateway.core.policy.narrowing import Narrowed, key_of, narrow
from gateway.core.policy.problems import Key, PolicyProblem, delivery_terms
from gateway.core.policy.rules_aggregate import AGGREGATE_RULES, counted_once
from gateway.core.policy.rules_fields import FIELD_RULES
from gateway.core.policy.rules_kinds import KIND_DOUBTS, KIND_RULES
from gateway.core.policy.rules_shape import SHAPE_RULES
from gateway.core.policy.rules_terms import RECIPIENT_RULES, TERMS_RULES
from gateway.core.policy.schema import Schema
from gateway.core.policy.terms import Delivery, Organisation, Recipient
from gateway.core.reasons import Reason, rank

__all__ = [
    "Key",
    "Narrowed",
    "PolicyProblem",
    "RecipientState",
    "compile_standings",
    "doubts",
    "group_problems",
    "key_of",
    "narrow",
    "out_of_date",
    "platform_problems",
    "problems",
    "standing_problems",
]

_DELIVERY_RULES = (*TERMS_RULES, *KIND_RULES, *FIELD_RULES, *SHAPE_RULES, *AGGREGATE_RULES)


def problems(
    recipient: Recipient, schemas: Mapping[str, Schema], organisation: Organisation | None, today: date
) -> list[PolicyProblem]:
    """Everything `gateway check` reports about one recipient. Open questions are no problem."""
    found = [*standing_problems(recipient, schemas, organisation), *out_of_date(recipient, today)]
    return sorted(found, key=lambda problem: rank(problem.reason))


def standing_problems(
    recipient: Recipient, schemas: Mapping[str, Schema], organisation: Organisation | None
) -> list[PolicyProblem]:
    """What no new day can change."""
    found = [problem for rule in (*RECIPIENT_RULES, counted_once) for problem in rule(recipient)]
    for delivery in recipient.deliveries:
        terms = delivery_terms(recipient, delivery, schemas, organisation)
        found += [problem for rule in _DELIVERY_RULES for problem in rule(terms)]
    return sorted(found, key=lambda problem: rank(problem.reason))


def doubts(recipient: Recipient, schemas: Mapping[str, Schema]) -> list[PolicyProblem]:
    """What stops nothing and is told all the same (N23)."""
    every = [delivery_terms(recipient, delivery, schemas, None) for delivery in recipient.deliveries]
    return [doubt for terms in every for rule in KIND_DOUBTS for doubt in rule(terms)]


def out_of_date(recipient: Recipient, today: date) -> Iterator[PolicyProblem]:
    """What today's date makes wrong; of the agreement once, of a delivery at each."""
    seen: set[tuple[str | int, ...]] = set()
    for delivery in recipient.deliveries:
        for finding in dated(recipient, delivery, today):
            whole = finding.about == "agreement"
            where = ("agreement",) if whole else ("deliveries", delivery.purpose, finding.about)
            if (finding.reason, *where) not in seen:
                seen.add((finding.reason, *where))
                rule = finding.reason.meaning.rule
                message = "not in force today: " + finding.about
                yield PolicyProblem(finding.reason, rule, message, where, None if whole else key_of(delivery))


def group_problems(recipients: Iterable[Recipient]) -> list[PolicyProblem]:
    """Between recipients: N3 in one group of companies, R40 for a domain that two recipients would share."""
    deliveries = [(recipient, delivery) for recipient in recipients for delivery in recipient.deliveries]
    found: list[PolicyProblem] = []
    for recipient, delivery in deliveries:
        others = [(other, one) for other, one in deliveries if other.name != recipient.name]
        group = [one for other, one in others if recipient.group is not None and other.group == recipient.group]
        if any({one.pseudonym, delivery.pseudonym} == _NEVER_TOGETHER for one in group):
            message = "one group of companies gets our pseudonym or the ECK iD, never both"
            found.append(_between(delivery, "N3", message, "pseudonym"))
        strangers = [one for other, one in others if recipient.group is None or other.group != recipient.group]
        if any(one.domain == delivery.domain and _mapped(one) and _mapped(delivery) for one in strangers):
            message = "another recipient has this pseudonymisation domain: their pseudonyms would be the same"
            found.append(_between(delivery, "R40", message, "domain"))
    return found


def platform_problems(recipients: Iterable[Recipient], schemas: Mapping[str, Schema]) -> list[PolicyProblem]:
    """R55, R70: the agreement with a platform covers what it passes on. A final recipient that the school has no file
    of gets nothing anyhow."""
    known = {recipient.name: recipient for recipient in recipients}
    found: list[PolicyProblem] = []
    for platform in known.values():
        for delivery in platform.deliveries:
            covered = platform.agreement.categories if platform.agreement else frozenset()
            if _passed_on(delivery, known, schemas) - covered:
                message = "the agreement with this platform does not cover what its final recipients get"
                where = ("agreement", "categories")
                found.append(PolicyProblem(Reason.FIELD_NOT_IN_AGREEMENT, "R55, R70", message, where, key_of(delivery)))
    return found


def _passed_on(
    delivery: Delivery, known: Mapping[str, Recipient], schemas: Mapping[str, Schema]
) -> frozenset[Category]:
    found: set[Category] = set()
    for recipient in (known[name] for name in delivery.conditions.final_recipients if name in known):
        for one in recipient.deliveries:
            if (one.purpose, one.schema) == (delivery.purpose, delivery.schema):
                granted = delivery_terms(recipient, one, schemas, None).granted
                found |= {each.leaf.category for each in granted if each.leaf and not each.says_nothing}
    return frozenset(found)


_NEVER_TOGETHER = {PseudonymMethod.HMAC, PseudonymMethod.ECK_ID}


def _mapped(delivery: Delivery) -> bool:
    """Under eck-id too, groups and enrolments are called by the domain."""
    return delivery.pseudonym is not PseudonymMethod.NONE


def _between(delivery: Delivery, rule: str, message: str, term: str) -> PolicyProblem:
    where = ("deliveries", delivery.purpose, term)
    return PolicyProblem(Reason.DIRECT_IDENTIFIER_NOT_ALLOWED, rule, message, where, key_of(delivery))


@dataclass(frozen=True, slots=True)
class RecipientState:
    """One recipient as the school has it. `active`: as last activated, with the schemas of that moment, by name.
    `file`: as the file stands, None when it is missing or invalid."""

    active: Recipient | None
    active_schemas: Mapping[str, Schema]
    file: Recipient | None
    suspended: bool = False


def compile_standings(
    states: Iterable[RecipientState], schemas: Mapping[str, Schema], organisation: Organisation | None
) -> dict[Key, Standing]:
    """Every delivery anybody activated or wrote, with what is wrong with it. `schemas`: the files as they stand,
    by name; minimisers are compiled from these, because what differs from the activated ones is dropped here.
    A delivery that was never activated stands here too, so that `decide` can say why it gives nothing."""
    known = list(states)
    narrowed = [one for state in known if (one := _narrowed(state, schemas)[0])]
    between = [*group_problems(narrowed), *platform_problems(narrowed, schemas)]
    standings: dict[Key, Standing] = {}
    for state in known:
        standings |= _standings(state, schemas, organisation, between)
    return standings


def _narrowed(
    state: RecipientState, schemas: Mapping[str, Schema]
) -> tuple[Recipient | None, Mapping[Key, tuple[str, ...]]]:
    if state.active is None:
        return None, {}
    narrowed = narrow(state.active, state.file, state.active_schemas, schemas)
    return narrowed.recipient, narrowed.differences


def _standings(
    state: RecipientState,
    schemas: Mapping[str, Schema],
    organisation: Organisation | None,
    between: list[PolicyProblem],
) -> dict[Key, Standing]:
    recipient, differences = _narrowed(state, schemas)
    of_file = standing_problems(state.file, schemas, organisation) if state.file else []
    same = recipient == state.file  # then judged already
    of_active = standing_problems(recipient, schemas, organisation) if recipient and not same else of_file
    standings: dict[Key, Standing] = {}
    for shown, delivery in _deliveries(recipient, state.file):
        key = key_of(delivery)
        inactive = [*_why_inactive(state, recipient, key), *differences.get(key, ())]
        findings = [Finding(Reason.SCHEMA_NOT_ACTIVE, about) for about in inactive]
        findings += _findings(of_active if shown is recipient else of_file, key)
        findings += _findings(between, key)
        findings += _of_file(of_file, key)
        standings[key] = Standing(shown, delivery, tuple(dict.fromkeys(findings)))
    return standings


def _deliveries(recipient: Recipient | None, file: Recipient | None) -> Iterator[tuple[Recipient, Delivery]]:
    """The activated ones as narrowed, and those that only the file has."""
    activated = {key_of(delivery) for delivery in recipient.deliveries} if recipient else set()
    if recipient:
        yield from ((recipient, delivery) for delivery in recipient.deliveries)
    if file:
        yield from ((file, delivery) for delivery in file.deliveries if key_of(delivery) not in activated)


def _why_inactive(state: RecipientState, recipient: Recipient | None, key: Key) -> Iterator[str]:
    if state.suspended:
        yield "suspended"
    if recipient is None or key not in {key_of(delivery) for delivery in recipient.deliveries}:
        yield "activation"


def _findings(found: Iterable[PolicyProblem], key: Key) -> list[Finding]:
    return [Finding(one.reason, ".".join(map(str, one.where))) for one in found if one.delivery in (None, key)]


def _of_file(found: list[PolicyProblem], key: Key) -> list[Finding]:
    """A file that `check` refuses is invalid: its recipient gets nothing, also by its other deliveries."""
    own = _findings(found, key)
    return own if own or not found else [Finding(Reason.SCHEMA_NOT_ACTIVE, "file")]

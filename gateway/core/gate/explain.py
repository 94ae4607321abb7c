"""Why a delivery may leave or not, in Dutch, for the school: every rule that spoke or passed, and every field.

Pure; releases nothing and names no pupil. Each line cites its article, because the article is what holds (R119). Leaves
out: one pupil (`explain_pupil`), who may ask, and where the lines go (`cli`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple

from gateway.core.dutch import CATEGORIES, GROUNDS
from gateway.core.gate.decide import Call, Permit, Refusal, Standing, Standings, decide
from gateway.core.model import Caller, Category, Finding, Ground, Transform
from gateway.core.policy.grants import leaf_at, leaves
from gateway.core.policy.schema import Record, Schema
from gateway.core.policy.terms import Grant, Organisation, Rows, SchoolPolicy
from gateway.core.reasons import Reason, rank
from gateway.core.spoken import said_about

# What a delivery can be refused for. Who calls and what a record holds is seen only in a call.
RULES = tuple(
    sorted(
        (
            reason
            for reason in Reason
            if reason.meaning.status == 403
            and reason.meaning.step in (*range(1, 9), 17, 18)
            and reason not in (Reason.CALLER_NOT_RECIPIENT, Reason.RECIPIENT_UNKNOWN)
        ),
        key=rank,
    )
)

_TRANSFORMS: Mapping[Transform, str] = {
    Transform.KEEP: "zoals het is",
    Transform.PSEUDONYM: "pseudoniem",
    Transform.YEAR: "alleen het jaar",
    Transform.AGE_BAND: "leeftijdsgroep op 1 oktober",
    Transform.INITIALS: "voorletters",
    Transform.PC4: "vier cijfers van de postcode",
    Transform.FIXED: "voor iedereen hetzelfde",
    Transform.FIRST_LETTER: "eerste letter",
    Transform.REDACT: "leeggemaakt",
    Transform.MASK: "zonder namen en nummers",
    Transform.EMPTY: "lege lijst",
    Transform.VIEW: "van de gateway zelf: wat deze ontvanger het laatst kreeg",
}
_MAPPED = "per ontvanger omgezet"  # whatever the grant says (house rule 7)
_SHORT = 80  # characters of fields that stand behind their category


class School(NamedTuple):
    """What a decision stands on besides the delivery."""

    schemas: Mapping[str, Schema]
    policy: SchoolPolicy
    organisation: Organisation


def explain(
    recipient: str, purpose: str, standings: Standings, school: School, today: date, *, every_field: bool = False
) -> list[str]:
    """One block of lines per delivery of this recipient and purpose; `today` is the date in Europe/Amsterdam.
    `every_field`: what stays behind by its name too, however much it is."""
    found = [one for key, one in sorted(standings.items()) if key[:2] == (recipient, purpose)]
    if not found:
        known = any(key[0] == recipient for key in standings)
        reason = Reason.PURPOSE_UNKNOWN if known else Reason.RECIPIENT_UNKNOWN
        return [f"Geen levering. {_spoken(reason, '')}"]
    lines: list[str] = []
    for standing in found:
        lines += _delivery(standing, standings, school, today, every_field=every_field)
        for final in sorted(standing.delivery.conditions.final_recipients):
            lines += _passed_on(standing, final, standings, school, today, every_field=every_field)
    return lines


def _passed_on(
    standing: Standing, final: str, standings: Standings, school: School, today: date, *, every_field: bool
) -> Iterator[str]:
    """R55: what goes through this platform to one of its final recipients."""
    platform = standing.delivery
    passed = standings.get((final, platform.purpose, platform.schema))
    yield f"Via {standing.recipient.title} aan {passed.recipient.title if passed else final}:"
    if passed is None:
        yield "  De school heeft voor deze ontvanger geen levering met dit doel: er gaat niets."
        return
    yield from _delivery(passed, standings, school, today, platform.recipient, every_field=every_field)


def verdict(
    standing: Standing, standings: Standings, school: School, today: date, platform: str | None = None
) -> Permit | Refusal:
    """What `decide` says to this recipient's own, well-formed call for all it may ask, `platform`: or through one."""
    delivery = standing.delivery
    caller = Caller("explain", "recipient", delivery.recipient, delivery.purpose, platform)
    record = next(iter(delivery.grants), "")
    call = Call("", delivery.schema, record, None, delivery.locations, delivery.channel)
    return decide(caller, call, standings, school.policy, school.organisation, today)


def _delivery(
    standing: Standing,
    standings: Standings,
    school: School,
    today: date,
    platform: str | None = None,
    *,
    every_field: bool,
) -> Iterator[str]:
    delivery, outcome = standing.delivery, verdict(standing, standings, school, today, platform)
    schema = school.schemas.get(delivery.schema)
    version = f" {schema.version}" if schema else ""
    answer = "mag" if isinstance(outcome, Permit) else f"mag niet: {outcome.reason}"
    yield f"{standing.recipient.title} · {delivery.purpose} · {delivery.schema}{version} · op {today}: {answer}"
    yield from _terms(standing)
    yield from _rules(outcome)
    for name, grants in delivery.grants.items():
        record = schema.records.get(name) if schema else None
        yield f"  Velden van {name}:"
        yield from _fields(record, grants)
        if record:
            yield from _left(record, grants, every_field=every_field)


def _terms(standing: Standing) -> Iterator[str]:
    delivery, grondslag = standing.delivery, standing.delivery.grondslag
    if grondslag:
        yield f"  Grondslag: {grondslag.ground} ({GROUNDS[grondslag.ground]}): {grondslag.reference}"
        if grondslag.ground is Ground.CONSENT:
            yield "  Toestemming: per leerling, van wie haar op de dag zelf mag geven (R3, R21, R27)"
        else:
            yield "  Toestemming: niet van toepassing (R3)"
    places = ", ".join(sorted(delivery.locations)) or "geen"
    yield f"  Locaties: {places} · leerlingen: {_rows(delivery.rows)} · tot en met {delivery.until}"
    yield f"  Nummer: {delivery.pseudonym}, domein {delivery.domain} · kanaal: {delivery.channel}"
    yield f"  Bij afwezigheid: {delivery.absence}"


def _rows(rows: Rows) -> str:
    limits = []
    if rows.years is not None:
        limits.append("leerjaar " + (", ".join(map(str, sorted(rows.years))) or "geen"))
    if rows.groups is not None:
        limits.append(f"{len(rows.groups)} groep(en)")
    return " en ".join(limits) or "alle ingeschreven leerlingen"


def _rules(outcome: Permit | Refusal) -> Iterator[str]:
    """Those that spoke with their sentence; those that passed in the same place of the gate order."""
    spoke: dict[Reason, list[Finding]] = {}
    for finding in outcome.findings:
        spoke.setdefault(finding.reason, []).append(finding)
    mark = "bevinding" if isinstance(outcome, Permit) else "niet voldaan"
    for reason in sorted({*RULES, *spoke}, key=rank):
        if reason not in spoke:
            yield f"  [voldaan] stap {reason.meaning.step}: {reason} ({reason.meaning.rule}; {reason.meaning.article})"
        for finding in spoke.get(reason, ()):
            yield f"  [{mark}] {_spoken(reason, finding.about)}"


def unmet(reason: Reason, about: str) -> str:
    """A line about what a delivery waits for beside its own terms."""
    return f"  [niet voldaan] {_spoken(reason, about)}"


def _spoken(reason: Reason, about: str) -> str:
    meaning = reason.meaning
    place = f" ({said_about(about)})" if about else ""
    return f"stap {meaning.step}: {reason} ({meaning.rule}; {meaning.article}): {meaning.school}{place}"


def _fields(record: Record | None, grants: Mapping[str, Grant]) -> Iterator[str]:
    for path, grant in grants.items():
        leaf = leaf_at(record.fields, path) if record else None
        category = f"; {CATEGORIES[leaf.category]}" if leaf else ""
        done = _MAPPED if leaf and leaf.maps and grant.transform is Transform.KEEP else _TRANSFORMS[grant.transform]
        yield f"    {path} ({done}{category}): {grant.reason}"


def _left(record: Record, grants: Mapping[str, Grant], *, every_field: bool) -> Iterator[str]:
    """What stays behind, by its category: of a dossier it is hundreds of fields."""
    emptied = tuple(f"{path}." for path, grant in grants.items() if grant.transform is Transform.EMPTY)
    left: dict[Category, list[str]] = {}
    for path, leaf in leaves(record.fields):
        if path not in grants and not path.startswith(emptied):
            left.setdefault(leaf.category, []).append(path)
    yield f"    Gaat niet mee: {_counted(sum(map(len, left.values())))}"
    for category in sorted(left, key=list(Category).index):
        said, paths = CATEGORIES[category], left[category]
        if len(named := ", ".join(paths)) <= _SHORT:
            yield f"      {said}: {named}"
        else:
            yield f"      {said}: {_counted(len(paths))}{'' if every_field else ' (--fields noemt ze)'}"
            yield from (f"        {path}" for path in paths if every_field)


def _counted(fields: int) -> str:
    return f"{fields or 'geen'} {'veld' if fields == 1 else 'velden'}"

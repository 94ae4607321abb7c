"""Why one pupil's data may leave in a delivery or not, in Dutch, for who may know: every rule that spoke or passed,
what has no effect and why, and each field.

Pure; releases nothing and names nobody. Whoever may not see a reason reads that something is withheld, not why, and
sees nothing of a secret permit (D4, R100). Leaves out: the delivery itself (`explain`), who may see what (`persons`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import msgspec

from gateway.core.days import legal_date
from gateway.core.dutch import GROUNDS
from gateway.core.facts import Facts
from gateway.core.gate.decide import LACKS, Standing
from gateway.core.gate.prohibitions import OBJECTED
from gateway.core.gate.question import Audience, Question
from gateway.core.gate.screening import screen
from gateway.core.gate.screening_fields import field_terms
from gateway.core.model import Ground, Subject, Verdict
from gateway.core.persons import WITHHELD_SENTENCE
from gateway.core.policy.schema import Record, Schema
from gateway.core.reasons import Reason, rank

Shown = Callable[[Reason], bool]

_OCCASIONS = frozenset(LACKS.values())
_CONSENT = frozenset({Reason.BIRTH_DATE_UNKNOWN, *(one for one in Reason if one.name.startswith("CONSENT_"))})
_OF_A_PARENT = frozenset({Reason.CHILD_SAFETY, Reason.PARENT_PROGRESS_ONLY})
_ELSEWHERE = frozenset({Reason.PSEUDONYM_UNKNOWN, Reason.PUPIL_UNRESOLVED, Reason.FACTS_CONTRADICTED})
RULES = sorted(
    {*(one for one in Reason if 9 <= one.meaning.step <= 14), *_OCCASIONS, Reason.FIELD_DISPUTED} - _ELSEWHERE, key=rank
)


@dataclass(frozen=True, slots=True)
class _Screened:
    """What screening said about one record of the delivery."""

    record: Record
    question: Question
    verdict: Verdict


def explain_pupil(
    standing: Standing, schema: Schema, subject: Subject | None, facts: Facts, now: datetime, shown: Shown
) -> list[str]:
    """`facts`: as known at the aware moment `now`. `shown`: which reasons the reader may see."""
    if subject is None:
        return [f"[achterwege] {_spoken(Reason.PUPIL_UNRESOLVED)}"]
    if not shown(Reason.CHILD_SAFETY):
        facts = msgspec.structs.replace(facts, permits=tuple(one for one in facts.permits if not one.secret))
    found = [_screened(standing, schema.records[name], subject, facts, now) for name in standing.delivery.grants]
    lines = [f"Deze leerling {_answer(found)}"]
    for reason in RULES:
        lines += _rule(found, reason, shown)
    for one in found:
        lines.append(f"  Velden van {one.record.name}:")
        lines += _fields(one, shown)
    return lines


def _screened(standing: Standing, record: Record, subject: Subject, facts: Facts, now: datetime) -> _Screened:
    delivery, audience, today = standing.delivery, Audience(standing.recipient.kind), legal_date(now)
    fields = field_terms(delivery, record, subject.person)
    verdict = screen(delivery, subject, facts, today, fields, audience=audience, now=now)
    return _Screened(record, Question(delivery, subject, facts, today, now, fields, audience), verdict)


def _answer(found: list[_Screened]) -> str:
    if any(one.verdict.available for one in found):
        return "gaat mee, op de velden na die hieronder achterblijven"
    held = any(one.verdict.held for one in found)
    return "wacht op een besluit van de school" if held else "gaat niet mee"


def _rule(found: list[_Screened], reason: Reason, shown: Shown) -> Iterator[str]:
    """One line per rule: spoken, without effect, or passed. Of what may not be shown no more than that it spoke."""
    fields = sorted({path for one in found for path, why in one.verdict.fields if why is reason})
    if not shown(reason):
        if fields or any(reason in one.verdict.reasons for one in found):
            yield f"  [achterwege] {WITHHELD_SENTENCE}"
    elif any(reason in one.verdict.held for one in found):
        yield f"  [wacht] {_spoken(reason)}"
    elif any(reason in one.verdict.reasons for one in found):
        yield f"  [achterwege] {_spoken(reason)}"
    elif fields:
        yield f"  [velden] {_spoken(reason)} ({', '.join(fields)})"
    elif note := _without_effect(found, reason):
        yield f"  [niet van toepassing] {_named(reason)}: {note}"
    elif _asked(found, reason):
        yield f"  [voldaan] {_named(reason)}"


def _without_effect(found: list[_Screened], reason: Reason) -> str | None:
    """Why what a pupil or parent brought forward does not count here."""
    question = found[0].question
    ground = GROUNDS[question.ground] if question.ground else "geen grondslag"
    if reason is Reason.PUPIL_OBJECTED and question.one_off:
        return "bezwaar heeft geen werking: eenmalige verstrekking (D4)"
    if reason is Reason.PUPIL_OBJECTED and question.ground not in OBJECTED:
        return f"bezwaar heeft geen werking: {ground} (R96)"
    if reason in _CONSENT and question.one_off:
        return "naar toestemming wordt niet gevraagd: eenmalige verstrekking (D4)"
    if reason in _CONSENT and not _needs_consent(found):
        return f"toestemming niet van toepassing, een weigering houdt niets tegen: {ground} (R3)"
    if reason is Reason.SECRET_ADDRESS and not any(one.question.fields.located for one in found):
        return "wat meegaat zegt niet wie de leerling is (D10)"
    return None


def _needs_consent(found: list[_Screened]) -> bool:
    question = found[0].question
    always = question.ground in (None, Ground.CONSENT) or question.audience.parent
    return always or any(one.question.fields.consent for one in found)


def _asked(found: list[_Screened], reason: Reason) -> bool:
    """Whether this delivery asks this rule at all."""
    delivery, audience = found[0].question.delivery, found[0].question.audience
    if reason in _OCCASIONS:
        return LACKS.get(delivery.conditions.occasion) is reason
    if reason in _OF_A_PARENT:
        return audience.parent
    return reason is not Reason.INZAGE_NOT_RECORDED or delivery.conditions.inzage


def _fields(one: _Screened, shown: Shown) -> Iterator[str]:
    why: dict[str, list[Reason]] = {}
    for path, reason in one.verdict.fields:
        why.setdefault(path, []).append(reason)
    for path in one.question.delivery.grants[one.record.name]:
        if not one.verdict.available or path in why:
            told = ", ".join(reason for reason in why.get(path, ()) if shown(reason))
            yield f"    {path}: blijft achter{': ' if told else ''}{told}"
        else:
            yield f"    {path}: gaat mee"


def _named(reason: Reason) -> str:
    meaning = reason.meaning
    return f"stap {meaning.step}: {reason} ({meaning.rule}; {meaning.article})"


def _spoken(reason: Reason) -> str:
    return f"{_named(reason)}: {reason.meaning.school}"

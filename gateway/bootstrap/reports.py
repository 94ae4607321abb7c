"""What is told of files that were filtered: the cover for the recipient, the report for the school.

The cover delivers purpose and terms with the data (R1); the report says what became of the rest, with no id of anybody
and each reason as far as this person may read it. Leaves out: writing them down (`files`, `cli`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from gateway.bootstrap.school import School, clock
from gateway.core.gate.decide import Permit
from gateway.core.persons import PersonRole, sees_secrets, sentence, shown
from gateway.core.reasons import Reason
from gateway.transfer.request import Stop
from gateway.transfer.tally import Tally
from gateway.transfer.trail import Trail, instant


class Came(Protocol):
    """What came of one file, or of one export."""

    @property
    def trail(self) -> Trail: ...

    @property
    def tally(self) -> Tally: ...

    @property
    def permit(self) -> Permit | None: ...

    @property
    def stop(self) -> Stop | None: ...


def cover(school: School, filed: Sequence[Came]) -> dict[str, Any]:
    """Of files under one delivery; for whoever opens them."""
    permit, match = filed[0].permit, filed[0].trail.match
    assert permit is not None
    assert match is not None
    recipient, delivery = permit.standing.recipient, permit.standing.delivery
    ground, agreement = delivery.grondslag, recipient.agreement
    return {
        "sentence": f"Deze gegevens zijn verstrekt voor {delivery.purpose} en mogen alleen daarvoor worden gebruikt.",
        "school": school.settings.school,
        "recipient": {"name": recipient.name, "title": recipient.title, "role": recipient.role},
        **({"platform": permit.caller.platform} if permit.caller.platform else {}),
        "purpose": delivery.purpose,
        "ground": {"article6": ground.ground, "reference": ground.reference} if ground else None,
        "agreement": (
            {"model": agreement.model, "version": agreement.bijsluiter, "until": agreement.until} if agreement else None
        ),
        "channel": delivery.channel,
        "until": delivery.until,
        "absence": delivery.absence,
        "pseudonyms": {"method": delivery.pseudonym, "domain": delivery.domain},
        "schema": {"name": match.schema.name, "version": match.schema.version, "hash": match.schema.text_hash},
        "record": match.route.path.removeprefix("/"),
        "terms": recipient.text_hash,
        "policy": school.settings.policy.version,
        "transfers": sorted(one.trail.id for one in filed),
        "records": sum(one.tally.released for one in filed),
        "made": instant(clock()),
    }


def report(filed: Sequence[Came], roles: frozenset[PersonRole]) -> dict[str, Any]:
    """Of all files of one command, for a person with these roles."""
    whole = Tally()
    for one in filed:
        whole.join(one.tally)
    caller = filed[0].trail.caller
    match = filed[0].trail.match
    return {
        "recipient": caller.recipient,
        **({"platform": caller.platform} if caller.platform else {}),
        "purpose": caller.purpose,
        "schema": match.schema.name if match else None,
        "record": match.route.path.removeprefix("/") if match else None,
        "transfers": sorted(one.trail.id for one in filed),
        "files": len(filed),
        "refused": [
            {"file": number, "reasons": _why(one, roles)} for number, one in enumerate(filed, 1) if one.stop is not None
        ],
        "records": whole.handed_in,
        "released": sum(one.tally.released for one in filed if one.stop is None),
        "withheld": _counted(whole.withheld.items(), roles),
        "fields_withheld": [
            {"field": path, "reason": shown(reason, roles), "persons": times}
            for (path, reason), times in sorted(whole.fields.items())
        ],
        "waiting_for_a_decision": _counted(whole.held.items(), roles),
        "unresolved": whole.unresolved,
        "malformed": whole.malformed,
        "twice": whole.twice,
        "documents_dropped": whole.documents,
        "unclassified": dict(whole.unclassified()),
        **(_references(whole) if sees_secrets(roles) else {}),
    }


def _counted(counts: Iterable[tuple[Reason, int]], roles: frozenset[PersonRole]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for reason, times in counts:
        found[shown(reason, roles)] += times
    return dict(sorted(found.items()))


def _references(whole: Tally) -> dict[str, Any]:
    """By the reference of the register, which finds the pupil back there."""
    listed = [
        {"reference": reference.hex(), "reasons": list(reasons)} for reference, reasons in whole.references.items()
    ]
    listed.sort(key=lambda one: str(one["reference"]))
    return {"references": listed, "references_left_out": whole.more}


def _why(one: Came, roles: frozenset[PersonRole]) -> list[dict[str, str]]:
    stop = one.stop
    assert stop is not None
    said = dict.fromkeys(stop.findings)
    return [
        {"reason": shown(reason.reason, roles), "about": reason.about, "sentence": sentence(reason.reason, roles)}
        for reason in said
    ]


_NEXT = {
    Reason.CALLER_NOT_RECIPIENT: "gateway recipient list says which recipients there are",
    Reason.PURPOSE_UNKNOWN: "its purposes stand in its file in recipients/",
    Reason.SCHEMA_NOT_ACTIVE: "gateway check says what is wrong, gateway recipient list what is in force",
    Reason.CHANNEL_NOT_ALLOWED: "how this delivery may leave stands in its file in recipients/, as channel",
    Reason.FACTS_NOT_DECLARED: "gateway facts status says what must be declared complete",
    Reason.FACTS_STALE: "gateway roster status says what is old",
    Reason.FINAL_RECIPIENT_MISSING: "name who gets it in the end: --final-recipient",
    Reason.ROUTE_UNKNOWN: "gateway filter --help and gateway export --help say what can be asked",
    Reason.PARAMETER_MISSING: "give it as an option",
    Reason.MEDIA_TYPE_UNKNOWN: "the file is in another format: give the --schema that it was made by",
    Reason.BODY_INVALID: "is it as its schema says (XML: namespace, first element)? Else take it out once more",
    Reason.REGISTER_UNAVAILABLE: "is the disk full? Then the same command once more",
    Reason.INTERNAL: "then the same command once more",
    Reason.OUTCOME_UNKNOWN: "ask whoever receives it before it is sent once more",
}
"""What a person does next about what was refused; of all else gateway explain says why."""

_UNRESOLVED = "of nobody that the roster knows: PUPIL_UNRESOLVED (gateway roster status says when it was read)"


def told(made: dict[str, Any]) -> list[str]:
    """The report in lines, for a person at a terminal."""
    lines = [f"{_many(made['records'], 'record')} handed in, {made['released']} released"]
    lines += [f"  {_many(times, 'person')} withheld: {reason}" for reason, times in made["withheld"].items()]
    lines += [
        f"  {_many(one['persons'], 'person')} without {one['field']}: {one['reason']}"
        for one in made["fields_withheld"]
    ]  # fmt: skip
    waiting = made["waiting_for_a_decision"].items()
    lines += [f"  {times} {'waits' if times == 1 else 'wait'} for a decision: {reason}" for reason, times in waiting]
    lines += [f"  {made['unresolved']} {_UNRESOLVED}"] if made["unresolved"] else []
    for name in ("malformed", "documents_dropped"):
        lines += [f"  {made[name]} {name.replace('_', ' ')}"] if made[name] else []
    lines += [f"  {made['twice']} stood in more than one list, and left once"] if made["twice"] else []
    lines += [f"  unclassified, never leaves: {name}" for name in made["unclassified"]]
    lines += list(_refused(made))
    return [*lines, *(f"registered as {one}" for one in made["transfers"][:20])]


def _refused(made: dict[str, Any]) -> Iterator[str]:
    """A file is called by its number, as its name may name somebody."""
    several, nexts = made["files"] > 1, dict[str, None]()
    for one in made["refused"]:
        which = f"file {one['file']}: " if several else ""
        for why in one["reasons"]:
            yield f"{which}{why['reason']}: {why['about'] or why['sentence']}"
            explain = f"gateway explain --recipient {made['recipient']} --purpose {made['purpose']} says why"
            nexts[_NEXT.get(why["reason"], explain)] = None
    if several and made["refused"]:
        yield "  files are numbered in the order of their names"
    yield from (f"  {one}" for one in nexts)


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"

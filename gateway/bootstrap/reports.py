"""What is told of files that were filtered: the cover for the recipient, the report for the school, and its Dutch.

The cover delivers purpose and terms with the data (R1); the report says what became of the rest, with no id of anybody
and each reason as far as this person may read it. Leaves out: writing them down (`files`, `cli`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from gateway.bootstrap.acts import near, written
from gateway.bootstrap.school import School, clock
from gateway.core.gate.decide import Permit
from gateway.core.model import Caller, Finding
from gateway.core.persons import PersonRole, sees_secrets, sentence, shown
from gateway.core.reasons import Reason
from gateway.core.spoken import said_about, said_expected, said_records
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


def report(school: School, filed: Sequence[Came], roles: frozenset[PersonRole]) -> dict[str, Any]:
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
            {"file": number, "reasons": _why(school, one, roles)}
            for number, one in enumerate(filed, 1)
            if one.stop is not None
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
        "malformed_fields": [
            {"field": fault.path, "expected": fault.expected, "records": times}
            for fault, times in sorted(whole.faults.items())
        ],
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


def _why(school: School, one: Came, roles: frozenset[PersonRole]) -> list[dict[str, Any]]:
    stop = one.stop
    assert stop is not None
    return [
        {
            "reason": shown(found.reason, roles),
            "about": found.about,
            "sentence": sentence(found.reason, roles),
            **({"instead": instead} if (instead := _instead(school, found, one.trail.caller)) else {}),
        }
        for found in dict.fromkeys(stop.findings)
    ]


def _instead(school: School, found: Finding, caller: Caller) -> list[str]:
    """What may have been meant: names of the school's own files."""
    if found.reason is Reason.RECIPIENT_UNKNOWN:
        name = caller.platform if caller.platform and found.about == "recipient" else caller.recipient
        return near(school, name or "")
    if found.reason is Reason.PURPOSE_UNKNOWN:
        return sorted(written(school).get(caller.recipient or "", ()))
    return []


# -- for a person at a terminal, in Dutch ---------------------------------------------------------------

_NEXT = {
    Reason.RECIPIENT_UNKNOWN: "gateway recipient list noemt de ontvangers, gateway check wat er mis is",
    Reason.PURPOSE_UNKNOWN: "de doelen staan in het bestand van de ontvanger, in recipients/",
    Reason.SCHEMA_NOT_ACTIVE: "gateway check zegt wat er mis is, gateway recipient list wat van kracht is",
    Reason.CHANNEL_NOT_ALLOWED: "hoe deze levering mag vertrekken staat in recipients/, als channel",
    Reason.FACTS_NOT_DECLARED: "gateway facts status zegt wat volledig verklaard moet worden",
    Reason.FACTS_STALE: "gateway roster status zegt wat te oud is",
    Reason.ROSTER_DOUBTED: "kijk in het LVS; met gateway roster believe zegt u dat de leerlingen echt weg zijn",
    Reason.FINAL_RECIPIENT_MISSING: "noem wie het uiteindelijk krijgt: --final-recipient",
    Reason.ROUTE_UNKNOWN: "gateway filter --help en gateway export --help zeggen wat gevraagd kan worden",
    Reason.PARAMETER_MISSING: "geef dit als optie mee",
    Reason.MEDIA_TYPE_UNKNOWN: "het bestand heeft een ander formaat: klopt --schema? Een tabel uit een set: --record",
    Reason.REGISTER_UNAVAILABLE: "is de schijf vol? Geef dezelfde opdracht daarna opnieuw",
    Reason.INTERNAL: "geef dezelfde opdracht daarna opnieuw",
    Reason.OUTCOME_UNKNOWN: "vraag de ontvanger voordat u het nog eens verstuurt",
}
"""What a person does next about what was refused; of all else gateway explain says why."""

_BROKEN = {
    "json": "is het hele JSON, een lijst van records, zoals het schema zegt? Haal het anders opnieuw op",
    "xml": "zijn namespace en eerste element zoals het schema zegt? Haal het anders opnieuw op",
    "csv": "heeft het alle kolommen die het schema noemt, en geen afgebroken regel? Haal het anders opnieuw op",
}
"""The same of a file that is not of its format."""

_UNRESOLVED = (
    "van niemand die de leerlinglijst kent: PUPIL_UNRESOLVED (gateway roster status zegt wanneer die is gelezen)"
)
_REASONS = frozenset(Reason)


def told(made: dict[str, Any], filed: Sequence[Came]) -> list[str]:
    """The report of `filed` in lines; what each reason means stands once, after them."""
    records, released = made["records"], made["released"]
    counted = f"{said_records(records)}, {_many(released, 'gaat', 'gaan')} mee"
    lines = [counted] if records or not made["refused"] else []
    lines += [f"  {_persons(times)} achtergehouden: {reason}" for reason, times in made["withheld"].items()]
    lines += [
        f"  {_persons(one['persons'])} zonder {one['field']}: {one['reason']}" for one in made["fields_withheld"]
    ]  # fmt: skip
    waiting = made["waiting_for_a_decision"]
    lines += [f"  {_many(times, 'wacht', 'wachten')} op een besluit: {reason}" for reason, times in waiting.items()]
    lines += [f"  {made['unresolved']} {_UNRESOLVED}"] if made["unresolved"] else []
    malformed, documents, twice = made["malformed"], made["documents_dropped"], made["twice"]
    stay = "blijft" if malformed == 1 else "blijven"
    lines += [f"  {_many(malformed, 'wijkt', 'wijken')} af van het schema, en {stay} achter"] if malformed else []
    lines += [
        f"    {one['field'] or 'het record'}: {said_records(one['records'])}, verwacht {said_expected(one['expected'])}"
        for one in made["malformed_fields"]
    ]  # fmt: skip
    lines += [f"  {_many(documents, 'document', 'documenten')} weggelaten"] if documents else []
    lines += [f"  {twice} keer iemand in meer dan één lijst, die één keer meegaat"] if twice else []
    lines += [f"  niet ingedeeld, gaat nooit mee: {name}" for name in made["unclassified"]]
    named = {*made["withheld"], *(one["reason"] for one in made["fields_withheld"]), *waiting} & _REASONS
    lines += [f"  {one}: {Reason(one).meaning.school}" for one in sorted(named)]
    lines += list(_refused(made, _NEXT | _broken(filed)))
    return [*lines, *(f"in het register als {one}" for one in made["transfers"][:20])]


def _broken(filed: Sequence[Came]) -> dict[Reason, str]:
    formats = (one.trail.match.schema.format for one in filed if one.trail.match)
    form = next(formats, None)
    return {Reason.BODY_INVALID: _BROKEN[form]} if form else {}


def _refused(made: dict[str, Any], todo: Mapping[Reason, str]) -> Iterator[str]:
    """A file is called by its number, as its name may name somebody."""
    several, nexts = made["files"] > 1, dict[str, None]()
    for one in made["refused"]:
        which = f"bestand {one['file']}: " if several else ""
        for why in one["reasons"]:
            about = f" ({said_about(why['about'])})" if why["about"] else ""
            yield f"{which}{why['reason']}: {why['sentence']}{about}"
            explain = f"gateway explain --recipient {made['recipient']} --purpose {made['purpose']} zegt waarom"
            instead = " of ".join(why.get("instead", ()))
            nexts[f"bedoelt u {instead}?" if instead else todo.get(why["reason"], explain)] = None
    if several and made["refused"]:
        yield "  de bestanden zijn genummerd in de volgorde van hun namen"
    yield from (f"  {one}" for one in nexts)


def _many(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"


def _persons(count: int) -> str:
    return _many(count, "persoon", "personen")

"""Files of facts to try the imports with, about pupils of the demo school; nothing of them is brought in by the demo.

Leaves out: what the columns mean (docs/facts.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from gateway.demo.school import Pupil, School

_README = """\
# Voorbeelden van bestanden

Voorbeelden om mee te proberen, over leerlingen van de demoschool. Begin met de ouders en met de campagne; daarna kan de
rest in elke volgorde. De kolommen staan in docs/facts.md.

    gateway guardian import examples/facts/guardians.csv --reason "begin schooljaar"
    gateway consent campaign examples/facts/campaign.yaml --reason "begin schooljaar"
    gateway consent import examples/facts/consents.csv --reason "begin schooljaar"
    gateway restriction import examples/facts/restrictions.csv --reason "verzoek van ouders"

`consents.csv` noemt campagne 1: opent u er meer, vervang dan het nummer.
"""


def write_examples(directory: Path, school: School) -> None:
    """Into `directory`/examples/facts; what stands there already stays as it is."""
    place = directory / "examples" / "facts"
    place.mkdir(parents=True, exist_ok=True)
    for name, text in examples(school).items():
        if not (place / name).exists():
            (place / name).write_text(text, encoding="utf-8")


def examples(school: School) -> dict[str, str]:
    """Name → content."""
    pupils = [pupil for pupil in school.pupils if not pupil.left][:8]
    numbers = [str(pupil.number) for pupil in pupils]
    begin = school.year.begin
    one, two, three, four, *_ = numbers
    return {
        "README.md": _README,
        "pupils.csv": _csv("pupil,birth_date", ((pupil.number, pupil.birth) for pupil in pupils)),
        "guardians.csv": _csv("pupil,guardian,capacity,extract", _guardians(pupils, begin)),
        "campaign.yaml": _campaign(school.today),
        "consents.csv": _csv("pupil,giver,capacity,extract,answer,given,campaign", _consents(numbers, begin)),
        "consents.json": _single(one, begin, school.today),
        "restrictions.csv": _csv("pupil,ground,categories", [(two, "accuracy", "results")]),
        "objections.csv": _csv("pupil,received,recipient,purpose", [(three, begin, "uitgever-noord", "")]),
        "court-orders.csv": _csv("pupil,guardian,categories,since", [(one, f"{one}-b", "address phone", begin)]),
        "markers.csv": _csv("pupil,mark", [(four, "secret-address")]),
        "disputes.csv": _csv("pupil,categories,since", [(two, "results", begin)]),
        "statements.csv": _csv("pupil,categories,text", [(two, "results", '"De toets is onder protest gemaakt."')]),
        "support-requests.csv": _csv("pupil,recipient,since", [(three, "onderwijsassistent", begin)]),
        "inzage.csv": _csv("pupil,day,remark", [(one, begin, "Akkoord")]),
    }


def _csv(header: str, rows: Iterable[tuple[object, ...]]) -> str:
    return "\n".join((header, *(",".join(map(str, row)) for row in rows))) + "\n"


def _guardians(pupils: list[Pupil], begin: date) -> Iterable[tuple[object, ...]]:
    """Two of each, the second of the first without gezag."""
    for at, pupil in enumerate(pupils):
        yield pupil.number, f"{pupil.number}-a", "parent", begin
        yield pupil.number, f"{pupil.number}-b", "parent" if at else "parent-without-gezag", begin


def _consents(numbers: list[str], begin: date) -> Iterable[tuple[object, ...]]:
    answers = ("yes", "no", "asked")
    for at, number in enumerate(numbers):
        yield number, f"{number}-a", "parent", begin, answers[at % 3], f"{begin}T20:15", 1


def _campaign(today: date) -> str:
    return f"""\
recipients: toetsaanbieder
purpose: toetsafname
categories: [pupil-number, organisation, results]
text: "informatiebrief 2026-1"
form: portal
evidence: "export ouderportaal, sha256 9f2c"
until: {(today + timedelta(days=300)).isoformat()}
"""


def _single(number: str, begin: date, today: date) -> str:
    row = {
        "pupil": number, "giver": f"{number}-a", "capacity": "parent", "extract": begin.isoformat(), "answer": "yes",
        "given": f"{begin.isoformat()}T09:30", "recipients": ["onderwijsassistent"],
        "purpose": "begeleiding-bij-taken", "categories": ["pupil-number", "organisation"],
        "text": "informatiebrief 2026-2", "form": "written", "evidence": "formulier in het dossier, 2026-09",
        "until": (today + timedelta(days=300)).isoformat(),
    }  # fmt: skip
    return json.dumps([row], indent=2, ensure_ascii=False) + "\n"

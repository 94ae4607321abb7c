"""What ships, and one change to it: the files of a school in a temporary directory, for tests that break one thing.

Leaves out: the demo school (its own tests).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

from gateway.adapters.policy.answers import answers, questions
from gateway.adapters.policy.files import Report, check_directory, load_schema
from gateway.adapters.policy.yaml_text import Problem
from gateway.core.policy.schema import Leaf, Many, Node, Schema

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 22)
RECIPIENTS = sorted(path.stem for path in (ROOT / "recipients").glob("*.yaml"))
# Those who receive on a permit alone (D4), and those with a standing delivery.
ONE_OFF = ["hulpdiensten", "inspectie-onderzoek", "leerplicht", "op-verzoek", "politie", "veilig-thuis"]
# Those whose pupils consent by name (R16, R30, R63).
NAMED = ["dyslexiebureau", "hulpverlening", "stagebedrijf"]
# Those who receive a dossier about one pupil.
DOSSIERS = ["samenwerkingsverband", "school-bb", "school-povo", "school-vovo", "vervolgonderwijs"]
# Those who receive the set that a profile of a standard lays down, all in one document.
PROFILES = ["edexml-smalle-set", "uwlr-lvs-set", "uwlr-smalle-set"]
# Those to whom the gateway pushes what a standard or a law lists.
PUSHED = ["doorstroomtoets", "duo"]
STANDING = [name for name in RECIPIENTS if name not in ONE_OFF + DOSSIERS]
SCHEMAS = sorted(path.stem for path in (ROOT / "schemas").glob("*.yaml"))

ANSWERED = {
    "contact": "privacy@leverancier.example",
    "agreement.bijsluiter": "Bijsluiter 3.1",
    "agreement.signed": "2026-08-01",
    "agreement.starts": "2026-08-01",
    "agreement.until": "2027-07-31",
    "deliveries.0.necessity.by": "Privacyofficer",
    "deliveries.0.necessity.date": "2026-08-15",
    "deliveries.0.authorisation.by": "Directeur",
    "deliveries.0.authorisation.date": "2026-08-15",
    "deliveries.0.authorisation.until": "2027-07-31",
    "deliveries.0.locations.0": "noord",
    "deliveries.0.until": "2027-07-31",
    "deliveries.0.conditions.destination": "27XY",
    "deliveries.0.grondslag.reference": "Artikel 178 WPO",
}


@cache
def schema_text(name: str) -> str:
    return (ROOT / "schemas" / f"{name}.yaml").read_text(encoding="utf-8")


@cache
def template(name: str) -> str:
    return (ROOT / "recipients" / f"{name}.yaml").read_text(encoding="utf-8")


@cache
def answered(name: str) -> str:
    text = template(name)
    asked = {".".join(one.path) for one in questions(text)}
    same = {path: re.sub(r"^deliveries\.\d+", "deliveries.0", path) for path in asked}
    return answers(text, {path: ANSWERED[known] for path, known in same.items() if known in ANSWERED})


def changed(text: str, *edits: tuple[str, str]) -> str:
    """The text with each first occurrence replaced; a test whose edit no longer applies fails here."""
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def line_of(text: str, part: str) -> int:
    """The line on which `part` stands first."""
    return text[: text.index(part)].count("\n") + 1


@cache
def schemas() -> dict[str, Schema]:
    found: dict[str, Schema] = {}
    for name in SCHEMAS:
        loaded = load_schema(schema_text(name), f"schemas/{name}.yaml")
        assert isinstance(loaded, Schema), loaded
        found[name] = loaded
    return found


def school(directory: Path, **recipients: str) -> Path:
    """A directory with the shipped schemas and these recipients (`_` in a name stands for `-`)."""
    shutil.copytree(ROOT / "schemas", directory / "schemas")
    (directory / "recipients").mkdir()
    for name, text in recipients.items():
        (directory / "recipients" / f"{name.replace('_', '-')}.yaml").write_text(text, encoding="utf-8")
    return directory


def checked(directory: Path, text: str) -> Report:
    """The report about one recipient, uitgever-noord, with this text."""
    return check_directory(school(directory, uitgever_noord=text), TODAY)


def told(problems: tuple[Problem, ...] | list[Problem]) -> list[tuple[int, str]]:
    return [(problem.line, problem.rule) for problem in problems]


def leaves_of(node: Node, path: str = "") -> Iterator[tuple[str, Leaf]]:
    if isinstance(node, Leaf):
        yield path, node
    elif isinstance(node, Many):
        yield from leaves_of(node.item, path)
    else:
        for name, child in node.fields.items():
            yield from leaves_of(child, f"{path}.{name}" if path else name)

"""core.spoken: what a person reads at a terminal behind a reason is Dutch, wherever the words come from."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.core.model import Category, FieldClass
from gateway.core.policy.schema import Leaf
from gateway.core.release import faults
from gateway.core.release.faults import ELSEWHERE, Fault, expectation, told
from gateway.core.spoken import ABOUT, said_about, said_expected

ROOT = Path(__file__).parents[2] / "gateway"
_OF_MESSAGES = {"inbound.py", "operations.py", "soap.py"}  # read by systems, not at a terminal
_FILED = ["transfer/filing.py", "transfer/filter.py", "transfer/export.py", "transfer/whole.py", "bootstrap/files.py"]
SAYING = sorted(
    [
        ROOT / "core/gate/decide.py",
        ROOT / "adapters/file_output.py",
        ROOT / "bootstrap/exports.py",
        *(ROOT / name for name in _FILED),
        *(one for one in (ROOT / "formats").rglob("*.py") if one.name not in _OF_MESSAGES),
    ]
)
_SAYS = {"EnvelopeBroken": 0, "OtherFormat": 0, "Finding": 1, "Stop": 1}
_THE_SAME_IN_DUTCH = {"record"}
_OF_THE_REGISTER = {"this part is not handed over"}


def words(path: Path) -> Iterator[str]:
    """What is written out behind a reason in this module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _SAYS:
            for one in node.args[_SAYS[node.func.id] :][:1]:
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    yield one.value


def test_everything_that_is_said_of_a_delivery_or_file_is_said_in_dutch_at_a_terminal() -> None:
    said = {word for path in SAYING for word in words(path)} - _THE_SAME_IN_DUTCH - _OF_THE_REGISTER

    assert len(said) > 60
    assert said - ABOUT.keys() == set()


@pytest.mark.parametrize(
    "expected",
    [
        *(one for name, one in vars(faults).items() if name.isupper() and isinstance(one, str) and name[0] != "_"),
        ELSEWHERE.expected,
        "what `transform: year` reads",
    ],
)
def test_everything_that_a_field_should_have_held_is_said_in_dutch(expected: str) -> None:
    assert said_expected(expected) != expected


def leaf(type_: str = "string", **more: object) -> Leaf:
    return Leaf(type_, Category.SUPPORT, more.pop("field_class", FieldClass.ORDINARY), **more)  # type: ignore[arg-type]  # what a test gives


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (leaf("integer"), "een geheel getal"),
        (leaf("number"), "een getal"),
        (leaf("boolean"), "waar of onwaar (true, false)"),
        (leaf(format="date"), "een dag, zoals 2026-10-05"),
        (leaf(format="date-time"), "een moment, zoals 2026-10-05T09:30:00+02:00"),
        (leaf(format="uuid"), "een UUID"),
        (leaf(values=("a", "b")), "een van: a, b"),
        (leaf(pattern="[A-Z]+"), "tekst naar het patroon [A-Z]+"),
    ],
)
def test_what_a_schema_says_of_a_field_is_said_in_dutch(one: Leaf, said: str) -> None:
    assert said_expected(expectation(one)) == said


def test_free_text_is_said_with_its_bound() -> None:
    expected = expectation(leaf(field_class=FieldClass.FREE_TEXT))

    assert said_expected(expected).startswith("tekst van ten hoogste ")


def test_faults_of_a_body_are_said_with_their_field_and_how_often() -> None:
    one, record = told({Fault("basis:brin", "type: string"): 3, Fault("", "fields: an object"): 1}, 5)

    assert said_about(one) == "basis:brin: 3 records, verwacht tekst"
    assert said_about(record) == "het record: 1 record, verwacht een object"


def test_what_is_not_declared_is_said_with_its_location_and_the_word_of_the_command() -> None:
    assert said_about("court-order@noord") == "uitspraak van de rechter op noord: court-order"


def test_name_of_the_schools_own_files_stays_as_it_is() -> None:
    assert said_about("deliveries.0.until") == "deliveries.0.until"
    assert said_about("record: one of Student, Group") == "record: een van Student, Group"

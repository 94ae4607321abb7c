"""The shipped JSON Schemas say the same as the forms about the shape of a file."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft7Validator
from pydantic import ValidationError

from gateway.adapters.policy.json_schema import FORMS, file_name, text
from gateway.adapters.policy.yaml_text import Ask, read
from tests.policy.shipped import RECIPIENTS, ROOT, SCHEMAS, changed, schema_text, template
from tests.policy.test_settings import GATEWAY

SHIPPED = [("schema", schema_text(name)) for name in SCHEMAS] + [("recipient", template(name)) for name in RECIPIENTS]
SMALL = {
    "gateway": GATEWAY,
    "recipient": template("uitgever-noord").partition("          userIds.userIdType")[0],
    "schema": changed(
        schema_text("edu-v-students"),
        ("      # A language preference", "      tail: "),
    ).partition("      tail: ")[0]
    + schema_text("edu-v-students").partition("      photoUrl")[2].partition("\n")[2],
}


def shipped_schema(kind: str) -> Draft7Validator:
    loaded = json.loads((ROOT / "schemas" / "json" / file_name(kind)).read_text(encoding="utf-8"))
    Draft7Validator.check_schema(loaded)
    return Draft7Validator(loaded)


def as_editor_sees(value: Any) -> Any:
    """A file's value with its questions as the text they are."""
    if isinstance(value, Ask):
        return f"ASK: {value.question}"
    if isinstance(value, dict):
        return {key: as_editor_sees(one) for key, one in value.items()}
    return [as_editor_sees(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("kind", sorted(FORMS))
def test_json_schema_is_what_the_forms_make(kind: str) -> None:
    shipped = (ROOT / "schemas" / "json" / file_name(kind)).read_text(encoding="utf-8")

    assert shipped == text(kind), "run: python -m scripts.json_schemas"


@pytest.mark.parametrize(("kind", "shipped"), SHIPPED)
def test_json_schema_accepts_what_ships(kind: str, shipped: str) -> None:
    assert list(shipped_schema(kind).iter_errors(as_editor_sees(read(shipped, "").value))) == []


@pytest.mark.parametrize(("kind", "shipped"), SHIPPED)
def test_shipped_file_names_its_json_schema_on_the_first_line(kind: str, shipped: str) -> None:
    folder = "" if kind == "schema" else "../schemas/"

    assert shipped.splitlines()[0] == f"# yaml-language-server: $schema={folder}json/{file_name(kind)}"


def variants(value: Any) -> Iterator[Any]:
    """The file with one place left out, renamed, or of another kind; every place in turn."""
    for path in places(value):
        parent = value
        for step in path[:-1]:
            parent = parent[step]
        there = parent[path[-1]]
        for other in (None, 7, True, "?", "", "*", [], {}, [there], {"x": there}):
            yield replaced(value, path, other)
        yield replaced(value, path, None, drop=True)
        if isinstance(path[-1], str):
            yield replaced(value, (*path[:-1], f"{path[-1]} x"), there)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inside in items:
        yield from places(inside, (*path, step))


def replaced(value: Any, path: tuple[str | int, ...], other: Any, *, drop: bool = False) -> Any:
    changed_value = copy.deepcopy(value)
    parent = changed_value
    for step in path[:-1]:
        parent = parent[step]
    if drop:
        del parent[path[-1]]
    else:
        parent[path[-1]] = other
    return changed_value


@pytest.mark.parametrize("kind", sorted(FORMS))
def test_json_schema_and_form_refuse_the_same_shapes(kind: str) -> None:
    validator, form = shipped_schema(kind), FORMS[kind][0]
    value = read(SMALL[kind], "").value
    refused = 0

    for variant in variants(value):
        try:
            form.model_validate(variant)
            accepted = True
        except ValidationError:
            accepted = False
        refused += not accepted
        assert validator.is_valid(as_editor_sees(variant)) is accepted, difference(value, variant)

    assert refused > 200


def difference(value: Any, variant: Any) -> str:
    before, after = json.dumps(as_editor_sees(value), indent=1), json.dumps(as_editor_sees(variant), indent=1)
    changed_lines = set(after.splitlines()) ^ set(before.splitlines())
    return "\n".join(sorted(changed_lines))

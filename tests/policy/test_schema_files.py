"""The shipped schemas hold every field and route of the official description; a schema that contradicts itself is
refused at its line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.policy.files import load_schema
from gateway.adapters.policy.yaml_text import read
from gateway.core.model import FieldClass, Person
from gateway.core.policy.schema import Branch, Leaf, Many, Node, Schema
from tests.policy.shipped import ROOT, SCHEMAS, changed, leaves_of, line_of, schema_text, schemas, told

OFFICIAL = {
    "edu-v-students": ("students-api.yaml", ["Student"]),
    "edu-v-association": ("association-api.yaml", ["SchoolPeriod", "Enrollment", "Assignment", "Group"]),
    "edu-v-results": ("results-api.yaml", ["AssessmentScoresAndResults"]),
}
# What administrations send beside the standard.
EXTENSIONS = {
    "edu-v-students": {"Student.bsn", "Student.medicalNote", "Student.note", "Student.photoUrl"},
    "edu-v-association": {"Enrollment.supportNote", "Group.remark"},
    "edu-v-results": set(),
}
USER_IDS = ("userId", "userMasterIdentifier")  # ids whatever their class: of staff it is another
# OpenAPI's name → ours.
CLASSES = {
    "Student.bsn": FieldClass.NATIONAL_NUMBER,
    "Student.medicalNote": FieldClass.MEDICAL,
    "Student.note": FieldClass.FREE_TEXT,
    "Student.photoUrl": FieldClass.IMAGE,
    "Enrollment.supportNote": FieldClass.SUPPORT,
    "Group.remark": FieldClass.FREE_TEXT,
}


@pytest.fixture(params=sorted(OFFICIAL), name="name")
def schema_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def official(name: str) -> dict[str, Any]:
    folder = os.environ.get("STANDARDS_DIR")
    if not folder:
        pytest.skip("STANDARDS_DIR is not set: the official files are not here")
    text = (Path(folder) / "edu-v" / OFFICIAL[name][0]).read_text(encoding="utf-8")
    found = read(text, "").value
    assert isinstance(found, dict)
    return found


def flat(value: Any, whole: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI schema with its references and single alternatives taken in."""
    while "$ref" in value or "oneOf" in value:
        if "oneOf" in value:
            (value,) = value["oneOf"]
        else:
            value = whole["components"]["schemas"][value["$ref"].rsplit("/", 1)[1]]
    found: dict[str, Any] = value
    return found


Shape = tuple[str, bool, str | None, tuple[str, ...]]


def official_shapes(value: Any, whole: dict[str, Any], path: str, *, required: bool) -> Iterator[tuple[str, Shape]]:
    """Every place with its kind, whether it is required, its format and its values."""
    value = flat(value, whole)
    kind = value.get("type", "object")
    told_format = value.get("format") if value.get("format") != "string" else None
    yield path, (kind, required, told_format, tuple(value.get("enum", ())))
    if kind == "array":
        inside = flat(value["items"], whole)
        if inside.get("type", "object") != "object":
            yield f"{path}[]", (inside["type"], False, inside.get("format"), tuple(inside.get("enum", ())))
            return
        value = inside
    for name, child in value.get("properties", {}).items():
        yield from official_shapes(child, whole, f"{path}.{name}", required=name in value.get("required", ()))


def our_shapes(node: Node, path: str) -> Iterator[tuple[str, Shape]]:
    if isinstance(node, Leaf):
        yield path, (node.type, node.required, node.format, node.values)
        return
    yield path, ("array" if isinstance(node, Many) else "object", node.required, None, ())
    inside = node.item if isinstance(node, Many) else node
    if isinstance(inside, Leaf):
        yield f"{path}[]", (inside.type, False, inside.format, inside.values)
        return
    for name, child in inside.fields.items():
        yield from our_shapes(child, f"{path}.{name}")


def shapes_of(schema: Schema) -> dict[str, Shape]:
    return {
        path: shape
        for record in schema.records.values()
        for path, shape in our_shapes(Branch(record.fields.fields), record.name)
    }


@pytest.mark.standards
def test_schema_has_every_official_field_with_its_type_and_no_other_but_extensions(
    name: str, official: dict[str, Any]
) -> None:
    theirs: dict[str, Shape] = {}
    for record in OFFICIAL[name][1]:
        theirs |= dict(official_shapes(official["components"]["schemas"][record], official, record, required=False))
    ours = shapes_of(schemas()[name])

    assert ours.keys() - theirs.keys() == EXTENSIONS[name]
    assert {path: shape for path, shape in ours.items() if path not in EXTENSIONS[name]} == theirs


@pytest.mark.standards
def test_schema_has_every_official_route_with_its_parameters(name: str, official: dict[str, Any]) -> None:
    theirs = {}
    for path, item in official["paths"].items():
        for method in item.keys() & {"get", "post", "put", "delete", "patch"}:
            parameters = [*item.get("parameters", ()), *item[method].get("parameters", ())]
            theirs[method.upper(), path] = {
                (one["name"], one["in"], one["required"], one["schema"]["type"], tuple(one["schema"].get("enum", ())))
                for one in parameters
            }
    ours = {
        (route.method, route.path): {
            (one.name, one.place, one.required, one.type, one.values) for one in route.parameters
        }
        for route in schemas()[name].routes
    }

    assert ours == theirs


@pytest.mark.standards
def test_route_answers_many_exactly_when_the_official_answer_is_a_list(name: str, official: dict[str, Any]) -> None:
    for route in schemas()[name].routes:
        answer = official["paths"][route.path][route.method.lower()]["responses"].get("200")
        if answer:
            shape = answer["content"]["application/json"]["schema"]
            assert route.many is (shape.get("type") == "array"), route.path
            record = (shape["items"] if route.many else shape)["$ref"].rsplit("/", 1)[1]
            assert route.record == record


@pytest.mark.standards
def test_body_names_the_official_keys(name: str, official: dict[str, Any]) -> None:
    for route in schemas()[name].routes:
        if route.named:
            operation = official["paths"][route.path][route.method.lower()]
            body = operation["requestBody"]["content"]["application/json"]["schema"]
            assert set(body["required"]) == {route.named.key, route.named.organisation_key}


@pytest.mark.parametrize(("path", "field_class"), CLASSES.items())
def test_extension_has_the_class_that_keeps_it_in(path: str, field_class: FieldClass) -> None:
    record, _, field = path.partition(".")
    (leaf,) = [
        leaf
        for schema in schemas().values()
        for name, found in schema.records.items()
        for place, leaf in leaves_of(found.fields)
        if (name, place) == (record, field)
    ]

    assert leaf.field_class is field_class


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_id_of_a_person_is_in_a_subject_position(name: str) -> None:
    json = schemas()[name].format == "json"
    for record in schemas()[name].records.values():
        slots = set()
        for position in record.subjects:
            root = f"{position.at}." if position.at else ""
            slots |= {f"{root}{position.master}"} if position.master else set()
            slots |= {f"{root}{position.typed.path}.{position.typed.value}"} if position.typed else set()
            slots |= {f"{root}{position.keys.own}"} if position.keys and position.keys.own else set()
        ids = {
            path
            for path, leaf in leaves_of(record.fields)
            if leaf.field_class is FieldClass.ID or (json and path.rsplit(".", 1)[-1] in USER_IDS)
        }
        assert ids == slots, record.name


def test_association_knows_pupils_and_staff() -> None:
    assignment = schemas()["edu-v-association"].records["Assignment"]

    assert {position.at: position.person for position in assignment.subjects} == {
        "employee": Person.STAFF,
        "student": Person.PUPIL,
    }


def test_schema_hash_is_of_its_text() -> None:
    text = schema_text("edu-v-students")
    other = load_schema(text + "\n", "edu-v-students.yaml")

    assert isinstance(other, Schema)
    assert len(other.text_hash) == 64
    assert other.text_hash != schemas()["edu-v-students"].text_hash


LANGUAGE = "      language: {type: string, class: quasi, category: nationality}"


@pytest.mark.parametrize(
    ("old", "new", "at", "rule"),
    [
        (LANGUAGE, "      language: {type: string, category: nationality}", "language:", "R9"),
        (LANGUAGE, "      language: {type: string, class: quasi}", "language:", "R9"),
        (LANGUAGE, "      language: {type: string, class: geheim, category: nationality}", "language:", "form"),
        (LANGUAGE, "      language: {type: text, class: quasi, category: nationality}", "language:", "form"),
        (LANGUAGE, LANGUAGE.replace("}", ", format: datum}"), "language:", "form"),
        (LANGUAGE, LANGUAGE.replace("}", ", refers: gender}"), "language:", "form"),
        ("ASI: las-key", "ASI: leerlingnummer", "kinds: {ASI", "form"),
        ("userMasterIdentifier: {type: string", "userMasterIdentifier: {type: integer", '- {at: "", person', "form"),
        (LANGUAGE, "      language: nationality", "language: nat", "form"),
        (LANGUAGE, f"{LANGUAGE}\n      'een naam': {{type: string, class: quasi, category: sex}}", "een naam", "form"),
        ('{at: "", person: pupil', "{at: nergens, person: pupil", "at: nergens", "form"),
        ("withheld: record, ids: user", "withheld: record, ids: niemand", "ids: niemand", "form"),
        ("own: ASI", "own: DD", "own: DD", "form"),
        ("person: pupil, ids: user}\n  - method", "person: pupil, ids: wie}\n  - method", "ids: wie}", "form"),
        (
            "record: Student\n    many: true\n    named",
            "record: Pupil\n    many: true\n    named",
            "record: Pupil",
            "form",
        ),
        ("uses: [organisation]", "uses: [school]", "uses: [school]", "form"),
        ("schoolPeriodId: {meaning: plain}", "schoolPeriodId: {meaning: thing}", "schoolPeriodId: {", "form"),
        ("path: /students/school", "path: /students/{id}", "path: /students/{id}", "form"),
        ("path: /students/school", "path: /students/*", "path: /students/*", "form"),
        (
            "  - method: GET\n    path: /students/school",
            "  - method: POST\n    path: /students",
            "method: POST\n    path: /students\n    record: Student\n    many: true\n    uses",
            "form",
        ),
        ("method: GET", "method: DELETE", "method: DELETE", "form"),
        ("schema: edu-v-students", "schema: edu-v-pupils", "schema: edu-v-pupils", "form"),
        ("title: Edu-V Students", 'title: "ASK: Welke?"', "title:", "form"),
    ],
)
def test_schema_with_one_mistake_is_refused_at_its_line(old: str, new: str, at: str, rule: str) -> None:
    text = changed(schema_text("edu-v-students"), (old, new))

    found = load_schema(text, "edu-v-students.yaml")

    assert isinstance(found, list)
    assert told(found) == [(line_of(text, at), rule)]


def test_schema_record_with_ids_but_no_subject_is_refused() -> None:
    text = changed(
        schema_text("edu-v-students"),
        ('    subjects:\n      - {at: "", person: pupil, withheld: record, ids: user}\n', ""),
    )

    found = load_schema(text, "edu-v-students.yaml")

    assert isinstance(found, list)
    assert told(found) == [(line_of(text, "  Student:"), "R46")]


def test_order_that_is_no_value_is_refused_at_its_line() -> None:
    text = changed(schema_text("edu-v-association"), ("order: groupId", "order: students"))

    found = load_schema(text, "edu-v-association.yaml")

    assert isinstance(found, list)
    assert told(found) == [(line_of(text, "order: students"), "form")]


def test_schema_with_several_mistakes_tells_all_of_them() -> None:
    text = changed(
        schema_text("edu-v-students"),
        ("class: quasi, category: sex", "class: geheim, category: NO"),
        ("own: ASI", "own: DD"),
        ("uses: [organisation]", "uses: [school]\n    geheim: 1"),
    )

    found = load_schema(text, "edu-v-students.yaml")

    assert isinstance(found, list)
    assert len(found) == 5
    assert [problem.line for problem in found] == sorted(problem.line for problem in found)


def test_example_in_the_documents_is_a_schema() -> None:
    text = (ROOT / "docs" / "schema-files.md").read_text(encoding="utf-8")
    example = text.split("```yaml\n", 1)[1].split("```", 1)[0]
    loaded = load_schema(example, "schemas/mijn-formaat.yaml")
    assert isinstance(loaded, Schema), loaded
    assert loaded.records["leerling"].subjects[0].keys is not None


def test_path_that_names_a_location_needs_the_type_of_its_ids() -> None:
    places = [("    places: [vestiging.uuid]\n", "")] * 2 + [("    places: [uuid]\n", "")]
    text = changed(schema_text("somtoday"), ("location_type: vestiging\n", ""), *places)

    loaded = load_schema(text, "schemas/somtoday.yaml")

    assert isinstance(loaded, list)
    assert {(one.rule, "'location_type'" in one.message) for one in loaded} == {("R68", True)}


def test_id_that_stands_by_itself_in_json_has_nothing_beside_it() -> None:
    line = '          "#text": {type: string, class: id, category: staff, format: uuid}\n'
    naam = "          naam: {type: string, class: third-person, category: staff}\n"

    loaded = load_schema(changed(schema_text("somtoday"), (line, line + naam)), "schemas/somtoday.yaml")

    assert isinstance(loaded, list)
    assert ["no other field beside it" in one.message for one in loaded] == [True]


@pytest.mark.parametrize("target", ["groepen.groep.@sleutel", "groepen", "leerlingen.leerling.groep.@key"])
def test_reference_in_xml_that_leads_to_no_other_value_is_refused_at_its_line(target: str) -> None:
    line = "maps: group, refers: groepen.groep.@key}"
    text = schema_text("edexml-2-1").replace(line, line.replace("groepen.groep.@key", target), 1)

    loaded = load_schema(text, "schemas/edexml-2-1.yaml")

    assert isinstance(loaded, list)
    assert told(loaded) == [(line_of(text, f"refers: {target}"), "form")]


def test_what_a_record_claims_is_read_in_xml_only() -> None:
    line = next(one for one in schema_text("edu-v-students").splitlines() if one.strip().startswith("alias:"))
    text = changed(schema_text("edu-v-students"), (line, line.replace("}", ", claim: {of: consent}}")))
    loaded = load_schema(text, "schemas/edu-v-students.yaml")
    assert isinstance(loaded, list)
    assert [one.message for one in loaded] == ["'claim' belongs to XML"]

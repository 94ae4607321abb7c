"""Fields a source sends and no schema knows: counted by name, never a value, never a name that may be a person's."""

from __future__ import annotations

import json

import pytest

from gateway.formats.json import unknown_fields
from tests import builders_formats as build

ANNE = build.pupil(1)


def found(*records: object, many: bool = True) -> dict[str, int]:
    body = json.dumps(list(records) if many else records[0]).encode()
    return dict(unknown_fields(body, build.student(), many=many))


def test_known_fields_are_not_counted() -> None:
    assert found(build.student_json(ANNE, address={"street": "x"}, emailsParents=["a"])) == {}


def test_unknown_field_is_counted_per_record() -> None:
    assert found(build.student_json(ANNE, bsn="1"), build.student_json(ANNE, bsn="2"), build.student_json(ANNE)) == {
        "bsn": 2
    }


def test_unknown_field_within_objects_and_arrays_has_its_path_and_counts_once_a_record() -> None:
    sent = build.student_json(ANNE, address={"floor": 2}, userIds=[{"extra": 1}, {"extra": 2}])

    assert found(sent) == {"address.floor": 1, "userIds.extra": 1}


def test_single_record_is_looked_at_too() -> None:
    assert found(build.student_json(ANNE, bsn="1"), many=False) == {"bsn": 1}


@pytest.mark.parametrize("name", ["Anne de Vries", "123456782", "a123456782", "é", "", "x" * 65, "a\nb"])
def test_name_that_may_be_a_value_is_not_told(name: str) -> None:
    assert found(build.student_json(ANNE, **{name: 1})) == {"unnamed": 1}


@pytest.mark.parametrize("body", [b"", b"{", b"[1,2]", b"null", b'"x"', b"\xff", b"[" * 2000])
def test_body_that_is_no_record_has_no_fields(body: bytes) -> None:
    assert unknown_fields(body, build.student(), many=True) == {}

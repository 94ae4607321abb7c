"""Bodies made to break, crash or leak: refused whole or withheld, never told."""

from __future__ import annotations

import json
import traceback
from typing import Any

import pytest

from gateway.core.policy.schema import Branch, Node, Record
from gateway.formats.json import EnvelopeBroken
from tests import builders_formats as build

CANARY = "kanarie-7f3a"
ANNE, BEN = build.pupil(1), build.pupil(2)


def minimise(body: bytes, *, many: bool = True) -> Any:
    grants = build.student_grants() | build.keep("gender", "language")
    one = build.bench(build.student(), grants, [ANNE, BEN])
    found = one.minimiser.minimise(body, one.emission(), many=many).body
    return json.loads(found) if found else None


def student(**more: Any) -> bytes:
    return json.dumps(build.student_json(ANNE, **more)).encode()


def spliced(text: bytes) -> bytes:
    """A page with one good student and one that holds `text` as the value of a granted field."""
    return (
        b"[" + student(language="X").replace(b'"X"', text) + b"," + json.dumps(build.student_json(BEN)).encode() + b"]"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"1",
        b'"text"',
        b"{}",
        b'{"students":[]}',
        b"[",
        b"[{}",
        b"[]]",
        b"[{}] x",
        b"\xef\xbb\xbf[]",
        b"[NaN]",
        b'[{"x":NaN}]',
        b'[{"x":Infinity}]',
        b"[1,]",
        b"<html>" + CANARY.encode() + b"</html>",
        b"\x1f\x8b\x08\x00" + CANARY.encode(),
        '["é"]'.encode("utf-16"),
    ],
)
def test_body_that_is_no_list_of_records_is_refused_whole(body: bytes) -> None:
    with pytest.raises(EnvelopeBroken) as refusal:
        minimise(body)

    _tells_nothing(refusal.value)


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"", b'{"a":', b"[{}]"])
def test_body_that_is_no_single_record_is_refused(body: bytes) -> None:
    with pytest.raises(EnvelopeBroken):
        minimise(body, many=False)


def test_body_with_invalid_utf8_in_a_granted_field_is_refused_whole() -> None:
    with pytest.raises(EnvelopeBroken) as refusal:
        minimise(spliced(b'"' + CANARY.encode() + b'\xff"'))

    _tells_nothing(refusal.value)


def test_invalid_utf8_in_a_skipped_field_does_not_leave() -> None:
    body = b"[" + student()[:-1] + b',"note":"\xff\xfe"}]'

    assert "note" not in minimise(body)[0]


def test_lone_surrogate_in_a_granted_field_does_not_leave() -> None:
    with pytest.raises(EnvelopeBroken):
        minimise(spliced(b'"\\ud800"'))


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_deep_nesting_in_an_unknown_field_is_refused_and_does_not_crash(opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"
    depth = 50_000
    deep = opening * depth + b"1" + closing * depth
    body = b"[" + student()[:-1] + b',"unknown":' + deep + b"}]"

    with pytest.raises(EnvelopeBroken) as refusal:
        minimise(body)

    assert refusal.value.__cause__ is None
    _tells_nothing(refusal.value)


def test_nesting_that_any_record_has_is_no_depth_problem() -> None:
    deep: Any = 1
    for _ in range(100):
        deep = [deep]

    assert len(minimise(b"[" + student(unknown=deep) + b"]")) == 1


def test_duplicate_keys_count_as_the_last_one_everywhere() -> None:
    """Who is looked up and whose data leave are read from one and the same place."""
    twice = student()[:-1] + b"," + json.dumps(build.reference(BEN)).encode()[1:]

    (found,) = minimise(b"[" + twice + b"]")

    sight = build.sight(build.delivery({}))
    assert found["userIds"][0]["userId"] == sight.pseudonym(BEN)


def test_key_that_is_escaped_is_the_same_key() -> None:
    body = b"[" + student(gender="female").replace(b'"gender"', b'"g\\u0065nder"') + b"]"

    assert minimise(body)[0]["gender"] == "female"


@pytest.mark.parametrize("key", ["a0", "a1", "__class__", "__dict__", "language ", "Language", "lang\u0000uage"])
def test_key_that_only_resembles_a_granted_one_does_not_leave(key: str) -> None:
    (found,) = minimise(b"[" + student(**{key: CANARY}) + b"]")

    assert CANARY not in json.dumps(found)


def test_numbers_too_large_to_be_true_are_malformed() -> None:
    grants = build.student_grants() | build.keep("accessibility.additionalTestingTime.time-multiplier")
    one = build.bench(build.student(), grants, [ANNE])
    sent = student(accessibility=[{"additionalTestingTime": {"time-multiplier": 1}}]).replace(b": 1}", b": 1e400}")
    emission = one.emission()

    found = one.minimiser.minimise(b"[" + sent + b"]", emission, many=True)

    assert (found.body, emission.malformed) == (b"[]", 1)


def test_refusal_of_a_page_with_malformed_records_tells_no_value() -> None:
    body = b"[" + b",".join([student(gender=CANARY)] * 9) + b"]"

    with pytest.raises(EnvelopeBroken) as refusal:
        minimise(body)

    _tells_nothing(refusal.value)


def test_repr_of_a_minimiser_and_its_result_holds_no_value() -> None:
    grants = build.student_grants() | build.keep("language")
    one = build.bench(build.student(), grants, [ANNE])
    emission = one.emission()

    found = one.minimiser.minimise(b"[" + student(language=CANARY) + b"]", emission, many=True)

    assert CANARY.encode() in found.body
    assert CANARY not in f"{found!r} {emission!r} {one.minimiser!r} {emission.sight!r}"


def test_text_of_a_walk_holds_no_word_of_a_schema() -> None:
    """What runs is our own text; a field's name can never become code."""
    fields: dict[str, Node] = {"x'); import os; ('": build.leaf(), "ok": build.leaf(maps="group'); ('")}
    record = Record("R", Branch(fields))
    one = build.bench(record, build.keep(*fields), [])

    found = one.minimiser.minimise(json.dumps([dict.fromkeys(fields, "v")]).encode(), one.emission(), many=True)

    assert json.loads(found.body)[0]["x'); import os; ('"] == "v"
    written = one.minimiser.walk(frozenset(), build.TODAY)
    assert written is not None
    assert "import" not in written.text
    assert "group" not in written.text


def _tells_nothing(error: BaseException) -> None:
    """Not in its text, nor in what led to it (a UnicodeDecodeError holds the whole body)."""
    assert error.__context__ is None
    assert CANARY not in "".join(traceback.format_exception(error)) + repr(error)

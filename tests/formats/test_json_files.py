"""formats.json.files: a file cut into its records whatever the chunks; what is no list of objects breaks it."""

from __future__ import annotations

from collections.abc import Iterable
from time import process_time
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.file_forms import Form, OtherFormat, in_form
from gateway.core.release.minimised import EnvelopeBroken
from gateway.formats.json import JsonFile

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.lists(st.dictionaries(st.text(max_size=4), JSON, max_size=4), min_size=1, max_size=5)


def cut(text: bytes, *, size: int = 1 << 20, most: int = 1 << 20) -> tuple[list[Any], Form]:
    reader = JsonFile(most)
    found = [one for at in range(0, len(text), size) for one in reader.feed(text[at : at + size])]
    reader.close()
    return [orjson.loads(one) for one in found], reader.form


def lines(records: Iterable[Any]) -> bytes:
    return b"".join(orjson.dumps(one) + b"\r\n" for one in records)


@given(records=RECORDS, size=st.integers(1, 40), indented=st.booleans())
def test_records_of_an_array_come_out_whatever_the_chunks(records: list[Any], size: int, *, indented: bool) -> None:
    text = orjson.dumps(records, option=orjson.OPT_INDENT_2 if indented else 0)

    assert cut(text, size=size) == (records, Form.ARRAY)


@given(records=RECORDS, size=st.integers(1, 40))
def test_records_of_ndjson_come_out_whatever_the_chunks(records: list[Any], size: int) -> None:
    assert cut(lines(records), size=size)[0] == records


@given(records=RECORDS, form=st.sampled_from([Form.ARRAY, Form.LINES]))
def test_rows_leave_in_the_form_they_came_in(records: list[Any], form: Form) -> None:
    text = b"".join(in_form(form, map(orjson.dumps, records)))

    assert cut(text)[0] == records
    assert text.startswith(b"[") is (form is Form.ARRAY)


def test_empty_array_is_a_file_and_leaves_as_one() -> None:
    assert cut(b" [ ] \n") == ([], Form.ARRAY)
    assert b"".join(in_form(Form.ARRAY, [])) == b"[]"


def test_one_object_is_a_single_record_also_when_indented() -> None:
    assert cut(b'{\n "a": {"b": [1]}\n}\n') == ([{"a": {"b": [1]}}], Form.SINGLE)
    assert b"".join(in_form(Form.SINGLE, [b"{}"])) == b"{}"


def test_piece_is_an_array_of_the_records() -> None:
    assert orjson.loads(JsonFile(100).piece([b'{"a":1}', b"{}"])) == [{"a": 1}, {}]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"  ",
        b"[",
        b"[{}",
        b"[{},",
        b"[{},]",
        b"[,{}]",
        b"[{} {}]",
        b"[{}]{}",
        b"[{}]]",
        b"[1]",
        b"[[{}]]",
        b'["a"]',
        b"[null]",
        b"{}{}",
        b"{} {}",
        b"{},{}",
        b'{"a": "',
        b'{"a": "\\',
        b'[{"a": "\\"}]',
        b"[{]",
    ],
)
def test_file_that_is_no_whole_list_of_objects_is_broken(text: bytes) -> None:
    with pytest.raises(EnvelopeBroken):
        cut(text)


@pytest.mark.parametrize(
    "text", [b"<OSO/>", b"\xef\xbb\xbf[]", b"\xff\xfe[\0]\0", b"a;b\n1;2\n", b"PK\x03\x04", b'"x"']
)
def test_another_format_or_encoding_is_seen_at_the_first_byte(text: bytes) -> None:
    with pytest.raises(OtherFormat):
        JsonFile(1_000).feed(text[:1])


@pytest.mark.parametrize(
    "text",
    [
        b'[{"a": "' + b"x" * 5_000,
        b'[{"a": "' + b"\\n" * 5_000,
        b'[{"a": ' + b"[" * 5_000,
        b"[{" + b'"a":1,' * 5_000,
        b'[{"a": "' + b"x" * 5_000 + b'"}]',
    ],
    ids=["text", "escapes", "nesting", "members", "whole"],
)
def test_record_larger_than_allowed_is_broken_before_it_ends(text: bytes) -> None:
    with pytest.raises(EnvelopeBroken, match="larger"):
        cut(text, size=64, most=4_000)


@pytest.mark.parametrize("sign", [b"x", b'\\"', b'x","y":"', b"1"], ids=["text", "escapes", "texts", "number"])
def test_long_record_that_arrives_slowly_is_looked_at_once(sign: bytes) -> None:
    def seconds(length: int) -> float:
        text = b'[{"a":"' + sign * (length // len(sign)) + b'"}]'
        begun = process_time()
        cut(text, size=64)
        return process_time() - begun

    assert seconds(800_000) < 24 * max(seconds(100_000), 0.01)


def test_what_came_out_is_not_kept() -> None:
    reader = JsonFile(1_000)
    reader.feed(b"[")

    for _ in range(1_000):
        assert reader.feed(b'{"a": "' + b"x" * 500 + b'"},') != []

    assert len(reader._buffer) < 1_000


def test_repr_and_errors_hold_nothing_of_the_file() -> None:
    reader = JsonFile(1_000)
    with pytest.raises(EnvelopeBroken) as caught:
        reader.feed(b'[{"naam": "Fatima"}, "Fatima"]')

    assert "Fatima" not in f"{caught.value!r}{reader!r}"

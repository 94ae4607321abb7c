"""adapters.facts.row_files: rows of CSV and JSON, one by one; what is wrong with their shape is named, never quoted."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.facts.row_files import Flaw, Row, read_rows

COLUMNS = frozenset({"pupil", "birth_date", "text"})
SECRET = "Kanarie"
VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40).map(str.strip)


def rows(content: str | bytes) -> list[Row | Flaw]:
    return list(read_rows(io.BytesIO(content.encode() if isinstance(content, str) else content), COLUMNS))


def flaws(content: str | bytes) -> list[tuple[int, str]]:
    return [(one.line, one.message) for one in rows(content) if isinstance(one, Flaw)]


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_csv_of_any_office_program_is_read_as_text(delimiter: str, encoding: str) -> None:
    content = delimiter.join(("pupil", "text")) + "\r\n" + delimiter.join(("00123", "Zoë")) + "\r\n"

    assert rows(content.encode(encoding)) == [Row(2, {"pupil": "00123", "text": "Zoë"})]


def test_csv_quoted_line_break_counts_lines_of_the_file() -> None:
    assert rows('pupil,text\n1,"a\n""b"", c"\n2,x\n') == [
        Row(2, {"pupil": "1", "text": 'a\n"b", c'}),
        Row(4, {"pupil": "2", "text": "x"}),
    ]


def test_csv_empty_cell_is_an_absent_column() -> None:
    assert rows("pupil,birth_date,text\n1, ,x\n") == [Row(2, {"pupil": "1", "text": "x"})]


def test_csv_lines_below_the_table_are_no_rows() -> None:
    assert rows("pupil;text\n1;x\n;\n\n") == [Row(2, {"pupil": "1", "text": "x"})]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "the file is empty: the first line names the columns"),
        ("pupil,pupil", "column 'pupil' stands here twice"),
        ("pupil,naam", "column 'naam' does not belong here; possible are birth_date, pupil, text"),
        ("jansen", "column number 1 does not belong here; possible are birth_date, pupil, text"),
        (f"{SECRET},pupil", "column number 1 does not belong here; possible are birth_date, pupil, text"),
    ],
)
def test_csv_header_is_checked_and_what_is_no_column_name_is_not_repeated(header: str, message: str) -> None:
    assert flaws(f"{header}\n1,2\n") == [(1, message)]


def test_csv_ragged_row_is_named_and_the_others_are_read() -> None:
    found = rows(f"pupil,text\n1\n2,x\n3,x,{SECRET}\n")

    assert found == [
        Flaw(2, "1 values under 2 columns"),
        Row(3, {"pupil": "2", "text": "x"}),
        Flaw(4, "3 values under 2 columns"),
    ]


@pytest.mark.parametrize("bad", [f'1,"{SECRET}', f'1,"a"{SECRET}', '1,"' + "x\n" * 100_000])
def test_csv_that_is_not_rfc_4180_stops_at_its_line(bad: str) -> None:
    found = rows(f"pupil,text\n0,x\n{bad}")

    assert found[0] == Row(2, {"pupil": "0", "text": "x"})
    assert [one.line for one in found[1:] if isinstance(one, Flaw)] == [3]


@pytest.mark.parametrize("content", [b"pupil\n1\0\n", "pupil\n1\n".encode("utf-16"), b"pupil\n\x81\n"])
def test_what_is_no_text_is_refused(content: bytes) -> None:
    assert flaws(content) == [(1, "neither UTF-8 nor Windows-1252, or no text at all")]


@pytest.mark.parametrize(
    "content",
    ['[\n{"pupil": "1"},\n\n{"pupil": "2",\n"text": null}]\n', '{"pupil": "1"}\n\n\n{"pupil": "2", "text": null}\n'],
)
def test_json_array_and_lines_are_the_same_rows(content: str) -> None:
    found = rows(content)

    assert [one.values for one in found if isinstance(one, Row)] == [{"pupil": "1"}, {"pupil": "2"}]
    assert [one.line for one in found] == ([2, 4] if content[0] == "[" else [1, 4])


def test_json_empty_array_has_no_rows() -> None:
    assert rows(" [ ] ") == []


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('[\n{"pupil": "1"}\n{"pupil": "2"}]', 3),
        ('[{"pupil": "1"},\n]', 2),
        ('[{"pupil": "1"}]\nx', 2),
        ('[{"pupil": "1"},\n{"pupil": "Kanarie', 2),
        ('[{"pupil": "1"},\n{"pupil": "1", "pupil": "2"}]', 2),
        ('[{"pupil": "1"},\n"Kanarie"]', 2),
        ('[\n{"pupil": NaN}]', 2),
        ('[\n{"pupil": ' + "[" * 60_000 + "}]", 2),
        ('[\n{"pupil": "' + "x" * 300_000 + '"}]', 2),
        ("[", 1),
    ],
)
def test_json_that_cannot_be_read_stops_at_its_line(content: str, line: int) -> None:
    assert [number for number, _ in flaws(content)] == [line]


@pytest.mark.parametrize("bad", ["Kanarie", '{"pupil": "1", "pupil": "2"}', "[1]", '{"pupil": NaN}', '"Kanarie"'])
def test_json_bad_line_is_named_and_the_others_are_read(bad: str) -> None:
    found = rows(f'{{"pupil": "1"}}\n{bad}\n{{"pupil": "3"}}\n')

    assert [(one.line, type(one)) for one in found] == [(1, Row), (2, Flaw), (3, Row)]


@given(st.binary(max_size=300))
def test_no_bytes_make_it_raise_or_echo(content: bytes) -> None:
    for one in rows(content):
        assert "Kanarie" not in repr(one)


@given(st.lists(st.dictionaries(st.sampled_from(sorted(COLUMNS)), VALUES.filter(bool), min_size=1), max_size=5))
def test_csv_and_json_of_the_same_values_are_the_same_rows(values: list[dict[str, str]]) -> None:
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, sorted(COLUMNS), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(values)

    from_csv = [one.values for one in rows(written.getvalue()) if isinstance(one, Row)]
    from_json = [one.values for one in rows(json.dumps(values)) if isinstance(one, Row)]

    assert from_csv == from_json == values


@pytest.mark.parametrize("kind", ["csv", "array", "lines"])
def test_a_long_file_takes_the_memory_of_a_short_one(kind: str) -> None:
    one = {"csv": "1,x\n", "array": '{"pupil": "1"},\n', "lines": '{"pupil": "1"}\n'}[kind]
    begin, end = {"csv": ("pupil,text\n", ""), "array": ("[", '{"pupil": "1"}]'), "lines": ("", "")}[kind]
    file = io.BytesIO((begin + one * 50_000 + end).encode())
    tracemalloc.start()
    try:
        count = sum(1 for _ in read_rows(file, COLUMNS))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert count >= 50_000
    assert peak < 3_000_000

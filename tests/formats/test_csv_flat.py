"""formats.csv.flat: what left as JSON, as a table that people open."""

from __future__ import annotations

import orjson

from gateway.formats.csv import Flat

PATHS = ("userIds.userId", "familyName", "active", "address.houseNumber")


def lines(*records: dict[str, object]) -> list[str]:
    flat = Flat(PATHS)
    return (flat.head + b"".join(flat.line(orjson.dumps(one)) for one in records)).decode("utf-8-sig").splitlines()


def test_each_path_is_a_column_and_a_list_stands_in_one_cell() -> None:
    record = {
        "userIds": [{"userId": "a"}, {"userId": "b"}],
        "familyName": 'De "Vries"; zn.',
        "active": True,
        "address": {"houseNumber": 7},
    }

    assert lines(record) == [";".join(PATHS), 'a|b;"De ""Vries""; zn.";true;7']


def test_what_is_not_there_is_an_empty_cell() -> None:
    assert lines({"familyName": None}) == [";".join(PATHS), ";;;"]


def test_what_has_no_path_does_not_leave() -> None:
    assert lines({"userIds": {"other": "x"}, "bsn": "999990019", "address": "straat"})[1] == ";;;"


def test_no_cell_begins_a_formula() -> None:
    assert lines({"familyName": "=HYPERLINK(1)"})[1] == ";'=HYPERLINK(1);;"

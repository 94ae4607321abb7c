"""CSV made to break, to crash or to leak: refused whole, quickly, and never told."""

from __future__ import annotations

import traceback
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model import PseudonymMethod, Transform
from gateway.core.policy.schema import Csv
from gateway.core.release.minimised import EnvelopeBroken
from gateway.formats.csv import CsvFile
from tests import builders_csv as csv
from tests import builders_formats as build

CANARY = "kanarie-7f3a"
GOOD = f"number,name,code\r\n00121,Anne,{CANARY}\r\n".encode()
HOSTILE = {
    "nothing": b"",
    "space": b" \r\n \r\n",
    "json": b'[{"number": "00121"}]',
    "xml": b"<pupils><number>00121</number></pupils>",
    "nul": GOOD + b"00122,B\0en,1\r\n",
    "utf-16": GOOD.decode().encode("utf-16"),
    "utf-16 without mark": GOOD.decode().encode("utf-16-le"),
    "no encoding": GOOD + b"00122,\x81\x8d,1\r\n",
    "utf-8 first and cp1252 later": GOOD + "00122,é,1\r\n".encode() + "00122,é,1\r\n".encode("cp1252"),
    "a column twice": f"number,name,code,code\r\n00121,Anne,1,{CANARY}\r\n".encode(),
    "a column twice but for spaces": f"number,name, name\r\n00121,Anne,{CANARY}\r\n".encode(),
    "another delimiter": GOOD.replace(b",", b";"),
    "no header": f"00121,Anne,{CANARY}\r\n".encode(),
    "a quote that does not close": GOOD + b'00122,"Ben,1\r\n00123,Chris,1\r\n',
    "a quote that closes early": GOOD + b'00122,"Ben"x,1\r\n',
    "lines that end as on an old mac": GOOD.replace(b"\r\n", b"\r"),
    "a line that ends within a cell": GOOD + b"00122,B\ren,1\r\n",
    "a row without end": GOOD + b"00122," + b"x" * 200_000,
    "a cell without end": GOOD + b'00122,"' + b"x\n" * 200_000 + b'",1\r\n',
    "ten thousand columns": b",".join(b"c%d" % n for n in range(10_000)) + b"\r\n",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_refused_and_nothing_of_it_is_told(body: bytes) -> None:
    bench = csv.bench(csv.grants("code"))
    with pytest.raises(EnvelopeBroken) as caught:
        bench.run(body)
    told = "".join(traceback.format_exception(caught.value)).replace("test_csv_hostile", "")
    assert CANARY not in told
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def read(body: bytes, cut: int) -> list[bytes] | None:
    """The rows of a file that arrives in pieces of this size; None when it is refused."""
    file, rows = CsvFile(Csv(delimiter=";")), []
    try:
        for at in range(0, len(body), cut):
            rows += file.feed(body[at : at + cut])
        return [*rows, *file.close()]
    except EnvelopeBroken:
        return None


@given(body=st.binary(max_size=300), cut=st.integers(1, 50))
def test_whatever_comes_gives_the_same_rows_however_it_is_cut_or_is_refused(body: bytes, cut: int) -> None:
    assert read(body, cut) == read(body, 300)


@given(body=st.binary(max_size=300))
def test_whatever_comes_below_a_header_leaves_in_its_columns_or_is_refused(body: bytes) -> None:
    bench = csv.bench(csv.grants("code"), dialect=Csv(delimiter=";"))
    with suppress(EnvelopeBroken):
        assert b"note" not in bench.run(b"number;name;note\n" + body)[0].body


NAMES = [name for name in csv.pupils().fields.fields if name not in ("number", "bsn")]
HARMLESS = st.text("abcXYZ=+-@,;\"\n' \u00e9\u0142", max_size=12)


@st.composite
def files(draw: st.DrawFn) -> tuple[frozenset[str], list[str], list[list[str]]]:
    """What is granted, a header with columns of a vendor, and rows; each cell holds where it stands as a canary."""
    granted = frozenset(draw(st.lists(st.sampled_from(["code", "subjects.", "group"]), unique=True)))
    header = draw(st.permutations(["number", *NAMES, "vendor", "metadata.secret"]))
    rows = []
    for at in range(draw(st.integers(0, 4))):
        number = draw(st.sampled_from(["00121", "00122", "00999", ""]))
        cells = [number if name == "number" else f"<{name}#{at}>{draw(HARMLESS)}" for name in header]
        rows.append(cells[: draw(st.integers(len(cells) - 1, len(cells)))] if draw(st.booleans()) else cells)
    return granted, header, rows


@given(files())
def test_no_value_that_was_not_granted_is_in_what_leaves(
    case: tuple[frozenset[str], list[str], list[list[str]]],
) -> None:
    granted, header, rows = case
    paths = {path.rstrip(".") for path in granted}
    grants = {**build.fixed(name="-"), **build.keep(*paths), **build.changed(Transform.PSEUDONYM, "number")}
    bench = csv.bench(grants, [csv.ANNE], method=PseudonymMethod.HMAC, dialect=Csv(opened=True))
    out, emission = bench.run(csv.text(header, *rows))
    text = out.body.decode()
    for name in header:
        assert (f"<{name}#" in text) <= (name in paths - {"group"})
    assert "00121" not in text
    whole = [row for row in rows if len(row) == len(header) and row[header.index("number")] == "00121"]
    assert out.records == len(whole)
    assert len(csv.read(out.body)) == out.records
    assert set(emission.released) <= {csv.ANNE}

"""What leaves of a row in CSV: the granted columns of who may be seen, as text, and nothing else (house rule 2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from gateway.core.facts import Facts
from gateway.core.model import PseudonymMethod, Transform
from gateway.core.policy.schema import Branch, Csv, Many
from gateway.core.policy.terms import Aggregate, Grant
from gateway.core.reasons import Reason
from gateway.core.release.compiler import DeliveryRefused, compile_projection
from gateway.core.release.emission import Emission
from gateway.core.release.minimised import EnvelopeBroken, Share
from gateway.formats.csv import CsvFile, CsvMinimiser, Limits, unknown_columns
from tests import builders_csv as csv
from tests import builders_formats as build
from tests.simulators.facts import SimulatedFacts

HMAC = PseudonymMethod.HMAC
NAMES = "number", "name", "born", "year", "code"
ANNE = "00121", "Anne", "2015-03-01", "3", "00123"
BEN = "00122", "Ben", "2014-03-01", "4", "00124"


def own_slot(path: str) -> dict[str, Grant]:
    return build.changed(Transform.PSEUDONYM, path)


# -- the allow-list ------------------------------------------------------------------------------------------


def test_what_is_not_granted_has_no_column() -> None:
    assert csv.bench(csv.grants("code")).rows(csv.text(NAMES, ANNE)) == [{"name": "Anne", "code": "00123"}]


def test_columns_of_a_standard_stay_and_are_empty() -> None:
    dialect = Csv(columns="standard")
    (row,) = csv.bench(csv.grants(), dialect=dialect).rows(csv.text((*NAMES, "vendor"), (*ANNE, "canary")))
    assert row == {"number": "", "name": "Anne", "born": "", "year": "", "code": ""}


def test_a_column_that_the_schema_does_not_know_stays_behind() -> None:
    out, _ = csv.bench(csv.grants()).run(csv.text((*NAMES, "metadata.secret"), (*ANNE, "canary")))
    assert b"canary" not in out.body
    assert b"metadata" not in out.body


def test_columns_leave_in_the_order_of_the_schema() -> None:
    body = csv.text(("code", "number", "name"), ("1", "00121", "Anne"))
    out, _ = csv.bench(csv.grants("code")).run(body)
    assert out.body == b"name,code\r\nAnne,1\r\n"


def test_a_number_with_zeros_before_it_leaves_as_it_was_written() -> None:
    body = csv.text(("number", "name", "year", "size"), ("00121", "Anne", "003", "07.50"))
    (row,) = csv.bench(csv.grants("year", "size")).rows(body)
    assert (row["year"], row["size"]) == ("003", "07.50")


def test_what_looks_like_csv_within_a_cell_stays_one_cell() -> None:
    name = 'de "Boer", Anne\r\n00122,Ben'
    assert csv.bench(csv.grants()).rows(csv.text(("number", "name"), ("00121", name))) == [{"name": name}]


def test_a_transform_changes_what_leaves() -> None:
    granted = {**csv.grants(), "born": Grant("born", "needed", Transform.YEAR)}
    (row,) = csv.bench(granted).rows(csv.text(NAMES, ANNE))
    assert row["born"] == "2015-01-01"


def test_a_fixed_value_is_there_for_everybody_also_without_a_column() -> None:
    granted = {**csv.grants(), **build.fixed(code="x")}
    assert csv.bench(granted).rows(csv.text(("number", "name"), ANNE[:2])) == [{"name": "Anne", "code": "x"}]


# -- who -----------------------------------------------------------------------------------------------------


def test_a_row_of_somebody_unknown_is_withheld() -> None:
    out, emission = csv.bench(csv.grants()).run(csv.text(("number", "name"), ("00999", "Chris"), ANNE[:2]))
    assert (out.records, emission.unresolved, emission.released) == (1, 1, (csv.ANNE,))


def test_a_row_without_an_id_is_malformed() -> None:
    out, emission = csv.bench(csv.grants()).run(csv.text(("number", "name"), ("", "Chris")))
    assert (out.records, out.malformed, emission.malformed) == (0, 1, 1)


def test_a_withheld_pupil_is_in_no_row_and_the_school_reads_why() -> None:
    bench = csv.bench(csv.grants(), [csv.ANNE, replace(csv.BEN, enrolments=())])
    out, emission = bench.run(csv.text(NAMES, ANNE, BEN))
    assert csv.read(out.body) == [{"name": "Anne"}]
    assert [reasons for _, reasons in emission.withheld] == [(Reason.PUPIL_NOT_IN_SCOPE,)]


def test_rows_leave_in_the_order_of_their_pseudonyms() -> None:
    bench = csv.bench({**csv.grants("code"), **own_slot("number")}, method=HMAC)
    there, back = (bench.run(csv.text(NAMES, *rows))[0].body for rows in ((ANNE, BEN), (BEN, ANNE)))
    assert there == back
    found = [row["number"] for row in csv.read(there)]
    assert found == sorted(found)
    assert "0012" not in "".join(found)


def test_another_number_than_the_pupils_own_makes_the_row_nobodys() -> None:
    anne = replace(csv.ANNE, numbers=frozenset({b"digest of 123456782"}))
    body = csv.text(("number", "bsn", "name"), ("00121", "111222333", "Anne"))
    _, emission = csv.bench(csv.grants(), [anne]).run(body)
    assert emission.unresolved == 1


def test_an_id_that_leaves_as_the_source_has_it_is_no_national_number() -> None:
    anne = replace(csv.ANNE, ids={"las-key": "123456782"}, numbers=frozenset({b"digest of 123456782"}))
    body = csv.text(("number", "name"), ("123456782", "Anne"))
    out, emission = csv.bench(csv.grants("number"), [anne]).run(body)
    assert b"123456782" not in out.body
    assert emission.partial == ((anne, (("number", Reason.BSN_NOT_ALLOWED),)),)


def test_a_number_of_a_pupil_who_is_not_in_this_part_of_a_file_does_not_leave() -> None:
    ben = replace(csv.BEN, numbers=frozenset({b"digest of 123456782"}))
    body = csv.text(("number", "name", "code"), ("00121", "Anne", "nr 123456782"))
    out, emission = csv.bench(csv.grants("code"), [csv.ANNE, ben]).run(body)
    assert b"123456782" not in out.body
    assert emission.partial == ((csv.ANNE, (("code", Reason.BSN_NOT_ALLOWED),)),)


def test_another_birth_date_than_the_one_recorded_withholds_the_row() -> None:
    facts = SimulatedFacts({csv.ANNE.id: Facts(birth=date(2015, 3, 2))})
    _, emission = csv.bench(csv.grants(), facts=facts).run(csv.text(NAMES, ANNE))
    assert emission.withheld == ((csv.ANNE, (Reason.FACTS_CONTRADICTED,)),)


def test_of_another_kind_of_person_only_what_is_ordinary_leaves() -> None:
    body = csv.text(NAMES, ("00127", "Meester Jan", "1980-01-01", "1", "00127"))
    granted = {**build.fixed(name="-"), **build.keep("code", "born"), **own_slot("number")}
    (row,) = csv.bench({**granted, **own_slot("number")}, [csv.TEACHER], method=HMAC).rows(body)
    assert (row["code"], row["name"]) == ("00127", "-")
    named, emission = csv.bench(csv.grants("code"), [csv.TEACHER]).run(body)
    assert (named.records, emission.withheld) == (0, ((csv.TEACHER, (Reason.NOT_AVAILABLE,)),))


def test_a_kind_of_person_that_has_no_place_there_is_nobody() -> None:
    _, emission = csv.bench(csv.grants(), [csv.GUARDIAN]).run(csv.text(("number", "name"), ("00128", "Moeder")))
    assert emission.unresolved == 1


def test_each_row_can_name_several_persons_in_cells() -> None:
    granted = {**build.keep("id"), **own_slot("pupil.#text"), **own_slot("coach.#text")}
    bench = csv.bench(granted, [csv.ANNE, csv.TEACHER], method=HMAC, record=csv.places())
    body = csv.text(("id", "pupil", "coach"), ("e1", "00121", "00127"), ("e2", "00121", "00999"), ("e3", "00999", ""))
    out, emission = bench.run(body)
    assert out.records == 2
    assert set(emission.released) == {csv.ANNE, csv.TEACHER}
    assert sum(not row["coach"] for row in csv.read(out.body)) == 1
    assert not any(said in out.body for said in (b"0012", b"e1", b"e2"))


def test_a_row_without_the_person_it_needs_is_malformed() -> None:
    granted = {**build.keep("id"), **own_slot("pupil.#text")}
    bench = csv.bench(granted, method=HMAC, record=csv.places())
    assert bench.run(csv.text(("id", "pupil"), ("e1", "")))[0].malformed == 1


def test_an_id_of_a_thing_leads_back_to_whom_it_is_about() -> None:
    bench = csv.bench({**build.keep("id"), **own_slot("pupil.#text")}, method=HMAC, record=csv.places())
    _, emission = bench.run(csv.text(("id", "pupil"), ("e1", "00121")))
    assert [one.owner for one in emission.issued if one.thing == "enrolment"] == [csv.ANNE.id]


# -- several in one cell -------------------------------------------------------------------------------------


def test_each_id_in_a_cell_is_mapped_and_their_order_says_nothing() -> None:
    bench = csv.bench(csv.grants("groups"))
    there, back = (
        bench.rows(csv.text(("number", "name", "groups"), ("00121", "Anne", said)))[0]["groups"]
        for said in ("g1,g2", "g2, g1")
    )
    assert there == back
    assert there.split(",") == [*sorted(there.split(","))]
    assert "g1" not in there


def test_who_is_withheld_goes_alone_out_of_a_cell() -> None:
    bench = csv.bench(csv.grants("mentors.#text"), [csv.ANNE, csv.TEACHER])
    out, emission = bench.run(csv.text(("number", "name", "mentors"), ("00121", "Anne", "00127,00999")))
    assert csv.read(out.body)[0]["mentors"] == "00127"
    assert set(emission.released) == {csv.ANNE, csv.TEACHER}


def test_who_is_known_and_withheld_does_not_stand_in_a_cell_with_others() -> None:
    gone = replace(csv.TEACHER, enrolments=())
    bench = csv.bench(csv.grants("mentors.#text"), [csv.ANNE, gone])
    out, emission = bench.run(csv.text(("number", "name", "mentors"), ("00121", "Anne", "00127")))
    assert csv.read(out.body)[0]["mentors"] == ""
    assert emission.withheld == ((gone, (Reason.PUPIL_NOT_IN_SCOPE,)),)


def test_a_list_that_is_granted_empty_is_empty() -> None:
    granted = {**csv.grants(), **build.changed(Transform.EMPTY, "subjects")}
    (row,) = csv.bench(granted).rows(csv.text(("number", "name", "subjects"), ("00121", "Anne", "a,b")))
    assert row["subjects"] == ""


# -- malformed and broken ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "said"),
    [("year", "three"), ("size", "1,5"), ("new", "maybe"), ("sort", "c"), ("born", "01-03-2015"), ("name", "")],
)
def test_a_cell_of_another_kind_makes_its_row_malformed_and_only_that(column: str, said: str) -> None:
    values = {"number": "00121", "name": "Anne", column: said}
    good = {"number": "00122", "name": "Ben"}
    body = csv.text(values, values.values(), (good.get(name, "") for name in values))
    out, emission = csv.bench(csv.grants(*{column} - {"name"})).run(body)
    assert (out.records, out.malformed) == (1, 1)
    assert emission.withheld == ((csv.ANNE, (Reason.RECORD_MALFORMED,)),)


def test_a_ragged_row_is_malformed_alone_and_accuses_nobody() -> None:
    body = csv.text(NAMES, ANNE[1:], (*ANNE, "more"), BEN)
    out, emission = csv.bench(csv.grants()).run(body)
    assert (out.records, out.malformed, emission.withheld) == (1, 2, ())


def test_too_many_malformed_rows_make_the_file_unusable() -> None:
    with pytest.raises(EnvelopeBroken):
        csv.bench(csv.grants()).run(csv.text(NAMES, *[ANNE[1:]] * 6))


def test_a_row_of_nothing_is_no_row() -> None:
    out, _ = csv.bench(csv.grants()).run(csv.text(NAMES, ANNE, [""] * 5) + "\r\n   \r\n")
    assert (out.records, out.malformed) == (1, 0)


def test_true_may_be_written_as_a_spreadsheet_does() -> None:
    body = csv.text(("number", "name", "new"), ("00121", "Anne", "TRUE"))
    assert csv.bench(csv.grants("new")).rows(body)[0]["new"] == "true"


def test_a_file_without_a_column_it_needs_is_no_file_of_this_kind() -> None:
    for names in (("number", "code"), ("name", "code")):
        with pytest.raises(EnvelopeBroken):
            csv.bench(csv.grants()).run(csv.text(names, ANNE[:2]))


def test_a_file_of_one_row_has_one() -> None:
    bench = csv.bench(csv.grants())
    assert bench.run(csv.text(NAMES, ANNE), many=False)[0].records == 1
    assert bench.run(csv.text(NAMES, ("00999", "x", "", "", "")), many=False)[0].body == b""
    with pytest.raises(EnvelopeBroken):
        bench.run(csv.text(NAMES, ANNE, BEN), many=False)


# -- what is in a value --------------------------------------------------------------------------------------


def test_the_pupils_own_number_in_another_cell_stays_behind() -> None:
    body = csv.text(("number", "bsn", "name", "code"), ("00121", "123456782", "Anne", "1234.56.782"))
    out, emission = csv.bench(csv.grants("code")).run(body)
    assert csv.read(out.body) == [{"name": "Anne", "code": ""}]
    assert emission.partial == ((csv.ANNE, (("code", Reason.BSN_NOT_ALLOWED),)),)


def test_a_text_is_masked_by_the_names_in_the_whole_file() -> None:
    granted = {**csv.grants(), "note": Grant("note", "needed", Transform.MASK)}
    body = csv.text(("number", "name", "note"), ("00121", "Anne", "werkt met daan samen"), ("00122", "Daan", ""))
    notes = [row["note"] for row in csv.bench(granted).rows(body)]
    assert "werkt met [naam] samen" in notes


# -- how it is written ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["=1+1", "+31", "-1", "@SUM", "\t=1", "\r=1", "  =1+1", "\uff1d1"])
def test_no_cell_begins_a_formula_where_people_open_the_file(said: str) -> None:
    body = csv.text(("number", "name", "code"), ("00121", "Anne", said))
    (opened,) = csv.bench(csv.grants("code"), dialect=Csv(opened=True)).rows(body)
    assert opened["code"] == f"'{said}"
    (machine,) = csv.bench(csv.grants("code")).rows(body)
    assert machine["code"] == said


def test_a_number_below_zero_is_no_formula() -> None:
    body = csv.text(("number", "name", "size"), ("00121", "Anne", "-1.5"))
    assert csv.bench(csv.grants("size"), dialect=Csv(opened=True)).rows(body)[0]["size"] == "-1.5"


DIALECTS = [Csv(encoding="utf-8"), Csv(encoding="utf-8-sig"), Csv(encoding="cp1252")]


@pytest.mark.parametrize("source", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("dialect", DIALECTS, ids=[one.encoding for one in DIALECTS])
def test_any_encoding_comes_in_and_the_declared_one_leaves(source: str, dialect: Csv) -> None:
    body = csv.text(("number", "name"), ("00121", "Zoë € Müller")).encode(source)
    out, _ = csv.bench(csv.grants(), dialect=dialect).run(body)
    assert out.body == "name\r\nZoë € Müller\r\n".encode(dialect.encoding)


def test_a_sign_that_the_declared_encoding_does_not_have_makes_the_row_malformed() -> None:
    out, _ = csv.bench(csv.grants(), dialect=Csv(encoding="cp1252")).run(
        csv.text(NAMES, ("00121", "Łukasz", "", "", ""))
    )
    assert (out.records, out.malformed) == (0, 1)


def test_the_declared_delimiter_holds_in_and_out() -> None:
    dialect = Csv(delimiter=";")
    body = csv.text(("number", "name", "code"), ("00121", "Boer; de", "a,b"), delimiter=";")
    assert csv.bench(csv.grants("code"), dialect=dialect).rows(body) == [{"name": "Boer; de", "code": "a,b"}]
    with pytest.raises(EnvelopeBroken):
        csv.bench(csv.grants(), dialect=dialect).run(csv.text(NAMES, ANNE))


# -- large files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_a_file_cut_anywhere_gives_the_same_rows(size: int) -> None:
    body = csv.text(("number", "name"), ("00121", 'Zoë "de\nBoer"'), ("00122", "Łukasz, Ben")).encode()[:-2]
    file = CsvFile(Csv())
    rows = [row for at in range(0, len(body), size) for row in file.feed(body[at : at + size])] + file.close()
    assert len(rows) == 2
    assert csv.read(file.piece(rows)) == csv.read(body)


def test_a_piece_of_a_file_gives_its_rows_apart() -> None:
    bench = csv.bench({**csv.grants("code"), **own_slot("number")}, method=HMAC)
    file = CsvFile(Csv())
    rows = file.feed(csv.text(NAMES, ANNE, BEN).encode()) + file.close()
    found: list[tuple[str, bytes]] = []
    for row in rows:
        emission = Emission(bench.sight)
        part = bench.minimiser.minimise(file.piece([row]), emission, many=True, share=Share(0, apart=True))
        found += part.rows
    whole = bench.run(csv.text(NAMES, ANNE, BEN))[0].body
    assert bench.minimiser.head(file.names) + b"".join(line for _, line in sorted(found)) == whole


def test_a_row_longer_than_allowed_breaks_the_file() -> None:
    long = csv.text(NAMES, ANNE, ("00122", "x" * 400, "", "", ""))
    for body in (long, long.replace("x" * 400, '"' + "x\n" * 200 + '"')):
        with pytest.raises(EnvelopeBroken):
            csv.bench(csv.grants(), limits=Limits(row=300)).run(body)


def test_columns_that_nobody_knows_are_reported_by_name_only() -> None:
    body = csv.text((*NAMES, "ext_vendor", "Anne de Vries", "2015-03-01"), (*ANNE, "a", "b", "c"), (*BEN, "", "", ""))
    found = unknown_columns(body.encode(), csv.pupils(), Csv())
    assert found == {"ext_vendor": 2, "unnamed": 2}
    assert unknown_columns(b"\0", csv.pupils(), Csv()) == {}


# -- deliveries that cannot run ------------------------------------------------------------------------------


def test_a_required_column_that_is_not_granted_refuses_the_delivery() -> None:
    with pytest.raises(DeliveryRefused, match="name is required"):
        csv.bench(build.keep("code"))


def test_rows_cannot_be_counted() -> None:
    projection = compile_projection(csv.pupils(), csv.grants(), PseudonymMethod.NONE)
    with pytest.raises(DeliveryRefused, match="counted"):
        CsvMinimiser(projection, None, Aggregate(("code",), 10))


def test_what_is_no_cell_refuses_the_delivery() -> None:
    record = csv.pupils()
    inner = Branch({"a": csv.leaf(), "b": csv.leaf()})
    for node in (inner, Many(inner)):
        odd = replace(record, fields=Branch({**record.fields.fields, "odd": node}))
        with pytest.raises(DeliveryRefused, match="no cell"):
            csv.bench(csv.grants("odd.a"), record=odd)


def test_nothing_personal_shows_in_a_repr() -> None:
    out, _ = csv.bench(csv.grants()).run(csv.text(NAMES, ANNE))
    assert "Anne" not in repr(out) + repr(csv.bench(csv.grants()).minimiser)

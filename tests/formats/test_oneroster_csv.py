"""A zip of OneRoster files: what leaves holds together, and nothing in it names what stayed behind."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.reasons import Reason
from gateway.core.release.minimised import EnvelopeBroken
from gateway.formats.csv import SetLimits
from tests import builders_csv as csv
from tests import builders_formats as build
from tests import builders_oneroster as one


def told(left: dict[str, one.Rows]) -> dict[str, str]:
    return {row["propertyName"]: row["value"] for row in left["manifest"]}


# -- what leaves ---------------------------------------------------------------------------------------------


def test_a_set_leaves_with_its_files_and_pseudonyms_that_agree() -> None:
    left = one.bench().left(one.zipped(one.files()))
    assert list(left) == ["manifest", "orgs", "classes", "users", "enrollments"]
    users, classes = ({row["sourcedId"] for row in left[name]} for name in ("users", "classes"))
    assert {row["userSourcedId"] for row in left["enrollments"]} == users
    assert {row["classSourcedId"] for row in left["enrollments"]} == classes
    assert left["orgs"][0]["sourcedId"] == "o1"


def test_columns_of_the_standard_stay_and_those_of_a_vendor_do_not() -> None:
    rows = [one.user(1, ext_vendor="canary", **{"metadata.geheim": "canary"})]
    body = one.bench().run(one.zipped(one.files(users=rows))).body
    (user,) = one.unzipped(body)["users"]
    assert list(user) == ["sourcedId", "enabledUser", "givenName", "familyName", "password"]
    assert (user["givenName"], user["password"], user["enabledUser"]) == ("-", "", "true")


def test_the_same_set_leaves_as_the_same_bytes_whenever_it_was_made() -> None:
    bench = one.bench()
    assert bench.run(one.zipped(one.files())).body == bench.run(one.zipped(one.files())).body
    turned = {name: rows[::-1] for name, rows in reversed(one.files().items())}
    assert one.unzipped(bench.run(one.zipped(turned)).body)["users"] == bench.left(one.zipped(one.files()))["users"]


def test_a_teacher_leaves_as_a_pseudonym_beside_pupils() -> None:
    rows = one.files(users=[one.user(1), one.user(7)], enrollments=[one.enrolment(1, 1), one.enrolment(2, 7)])
    bench = one.bench()
    assert {name: len(found) for name, found in bench.left(one.zipped(rows)).items()}["enrollments"] == 2
    assert set(bench.emission.released) == {one.PUPILS[0], one.TEACHER}


# -- consistent ----------------------------------------------------------------------------------------------


def test_rows_of_a_withheld_user_go_from_every_file() -> None:
    bench = one.bench(people=one.PUPILS[:1])
    left = bench.left(one.zipped(one.files()))
    assert (len(left["users"]), len(left["enrollments"])) == (1, 2)
    assert bench.emission.released == (one.PUPILS[0],)


def test_what_refers_to_a_malformed_user_goes_too() -> None:
    rows = [one.user(1), {**one.user(2), "sourcedId": "00122", "enabledUser": "", "givenName": ""}]
    granted = {**one.grants(), "users": {**one.grants()["users"], **build.keep("enabledUser")}}
    bench = one.bench(granted)
    left = bench.left(one.zipped(one.files(users=rows)))
    assert (len(left["users"]), len(left["enrollments"])) == (1, 2)
    assert dict(bench.emission.withheld)[one.PUPILS[1]] == (Reason.RECORD_MALFORMED, Reason.NOT_AVAILABLE)


def test_what_refers_to_a_row_that_is_not_there_goes_too() -> None:
    left = one.bench().left(one.zipped(one.files(classes=one.files()["classes"][:1])))
    assert len(left["enrollments"]) == 2


def test_a_file_that_refers_to_rows_that_went_goes_with_them_link_by_link() -> None:
    left = one.bench().left(one.zipped(one.files(orgs=[{"sourcedId": "o2", "name": "Zuid", "type": "school"}])))
    assert "classes" not in left
    assert "enrollments" not in left
    assert told(left)["file.enrollments"] == "absent"


def test_a_row_goes_with_the_row_it_needs_also_when_the_reference_says_the_same_for_everybody() -> None:
    granted = {**one.grants(), "enrollments": {**one.grants()["enrollments"], **build.fixed(classSourcedId="klas")}}
    bench = one.bench(granted)
    assert len(bench.left(one.zipped(one.files(classes=one.files()["classes"][:1])))["enrollments"]) == 2


def test_a_reference_that_is_not_needed_becomes_empty() -> None:
    granted = {**one.grants(), "academicSessions": build.keep("sourcedId", "title", "type", "startDate", "endDate")}
    granted["classes"] = {**granted["classes"], **build.keep("termSourcedIds")}
    days = {"startDate": "2026-08-01", "endDate": "2027-07-31"}
    sessions = [{"sourcedId": "t1", "title": "2026", "type": "schoolYear", **days}]
    classes = [{**row, "termSourcedIds": "t1,t2"} for row in one.files()["classes"]]
    left = one.bench(granted).left(one.zipped(one.files(academicSessions=sessions, classes=classes)))
    assert {row["termSourcedIds"] for row in left["classes"]} == {"t1"}


def test_nothing_follows_from_what_a_delta_does_not_hold() -> None:
    body = one.zipped(one.files(users=[one.user(1)]), {"users": "delta", "enrollments": "delta"})
    left = one.bench().left(body)
    assert (len(left["users"]), len(left["enrollments"])) == (1, 3)
    assert told(left)["file.users"] == "delta"


def test_what_refers_to_a_malformed_user_of_a_delta_goes_too() -> None:
    rows = [one.user(1), {**one.user(2), "enabledUser": "perhaps"}]
    granted = {**one.grants(), "users": {**one.grants()["users"], **build.keep("enabledUser")}}
    left = one.bench(granted).left(one.zipped(one.files(users=rows), {"users": "delta", "enrollments": "delta"}))
    assert (len(left["users"]), len(left["enrollments"])) == (1, 2)


def test_where_a_row_is_malformed_is_told_with_its_file() -> None:
    rows = [one.user(1), {**one.user(2), "enabledUser": "perhaps"}]
    bench = one.bench({**one.grants(), "users": {**one.grants()["users"], **build.keep("enabledUser")}})
    bench.left(one.zipped(one.files(users=rows)))
    assert list(bench.emission.faults) == [("users.enabledUser", "type: boolean")]


def test_what_refers_to_a_malformed_row_of_a_delta_goes_link_by_link() -> None:
    orgs = [*one.files()["orgs"], {"sourcedId": "o9", "name": "", "type": "school"}]
    classes = [{**row, "schoolSourcedId": "o9"} for row in one.files()["classes"]]
    modes = dict.fromkeys(("orgs", "classes", "users", "enrollments"), "delta")
    left = one.bench().left(one.zipped(one.files(orgs=orgs, classes=classes), modes))
    assert "classes" not in left
    assert "enrollments" not in left


def test_a_withheld_user_is_in_no_delta_either() -> None:
    body = one.zipped(one.files(users=[one.user(1)]), {"users": "delta", "enrollments": "delta"})
    assert len(one.bench(people=one.PUPILS[:1]).left(body)["enrollments"]) == 2


# -- manifest ------------------------------------------------------------------------------------------------


def test_the_manifest_names_what_leaves_and_not_the_source() -> None:
    left = one.bench().left(one.zipped(one.files(demographics=[{"sourcedId": "00121", "sex": "female"}])))
    files = dict.fromkeys(("file.orgs", "file.classes", "file.users", "file.enrollments"), "bulk")
    absent = {"file.demographics": "absent", "file.results": "absent"}
    assert told(left) == {"manifest.version": "1.0", "oneroster.version": "1.2", **files, **absent}


def test_a_file_of_which_no_row_leaves_is_absent() -> None:
    left = one.bench(people=[]).left(one.zipped(one.files()))
    assert list(left) == ["manifest"]
    assert {told(left)[f"file.{name}"] for name in ("orgs", "classes", "users", "enrollments")} == {"absent"}


def test_a_file_that_the_manifest_calls_absent_is_not_read() -> None:
    left = one.bench().left(one.zipped(one.files(), {"enrollments": "absent"}))
    assert "enrollments" not in left


def test_other_files_in_the_archive_do_not_leave() -> None:
    left = one.bench().left(one.zipped(one.files(), leesmij_txt=b"canary", vendor_csv=b"canary\r\ncanary"))
    assert set(left) == {"manifest", "orgs", "classes", "users", "enrollments"}


USERS = {"manifest.csv": one.manifest({"users": "bulk"}), "users.csv": one.table([one.user(1)])}
BAD_MANIFESTS: dict[str, bytes] = {
    "another way": one.manifest({"users": "some"}),
    "another version": one.manifest({"users": "bulk"}, {**one.MANIFEST, "oneroster.version": "2.0"}),
    "no version": one.manifest({"users": "bulk"}, {}),
    "a file that is missing": one.manifest({"users": "bulk", "classes": "bulk"}),
    "twice": one.manifest({"users": "bulk"}) + b"file.users,delta\r\n",
    "ragged": one.manifest({"users": "bulk"}) + b"file.users,delta,x\r\n",
    "other columns": b"name,value\r\nfile.users,bulk\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("manifest", BAD_MANIFESTS.values(), ids=BAD_MANIFESTS)
def test_a_manifest_that_does_not_fit_refuses_the_set(manifest: bytes) -> None:
    with pytest.raises(EnvelopeBroken):
        one.bench().run(one.archive({**USERS, "manifest.csv": manifest}))


# -- hostile archives ----------------------------------------------------------------------------------------


def flagged(body: bytes, flag: int) -> bytes:
    """Every entry in the directory with this flag."""
    out, at = bytearray(body), body.find(b"PK\x01\x02")
    while at >= 0:
        struct.pack_into("<H", out, at + 8, flag)
        at = body.find(b"PK\x01\x02", at + 4)
    return bytes(out)


def twice() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, text in USERS.items():
            made.writestr(name, text)
        with pytest.warns(UserWarning, match="Duplicate"):
            made.writestr("users.csv", b"sourcedId\r\n")
    return out.getvalue()


def linked() -> bytes:
    out = io.BytesIO()
    entry = zipfile.ZipInfo("orgs.csv")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(out, "w") as made:
        for name, text in USERS.items():
            made.writestr(name, text)
        made.writestr(entry, "/etc/hostname")
    return out.getvalue()


GOOD = one.archive(USERS)
HOSTILE: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "a csv": lambda: USERS["users.csv"],
    "truncated": lambda: GOOD[:-30],
    "no manifest": lambda: one.archive({"users.csv": USERS["users.csv"]}),
    "a folder": lambda: one.archive({f"set/{name}": text for name, text in USERS.items()}),
    "traversal": lambda: one.archive({**USERS, "../users.csv": b"x"}),
    "traversal of windows": lambda: one.archive({**USERS, "..\\users.csv": b"x"}),
    "absolute": lambda: one.archive({**USERS, "/etc/passwd": b"x"}),
    "a drive": lambda: one.archive({**USERS, "C:users.csv": b"x"}),
    "twice": twice,
    "twice but for capitals": lambda: one.archive({**USERS, "Users.csv": USERS["users.csv"]}),
    "encrypted": lambda: flagged(GOOD, 0x1),
    "a link": linked,
    "too many entries": lambda: one.archive({**USERS, **{f"f{n}.txt": b"" for n in range(100)}}),
    "damaged": lambda: GOOD.replace(USERS["manifest.csv"][:1], b"\0", 1)[:60] + b"\xff" * 20 + GOOD[80:],
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_archive_is_refused_whole(make: Callable[[], bytes]) -> None:
    with pytest.raises(EnvelopeBroken) as caught:
        one.bench().run(make())
    assert caught.value.__context__ is None


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = one.archive({**USERS, "orgs.csv": b"0" * 20_000_000})
    assert len(bomb) < 50_000
    bench = one.bench(limits=SetLimits(file=1_000_000, total=2_000_000))
    tracemalloc.start()
    with pytest.raises(EnvelopeBroken):
        bench.run(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_a_bomb_within_the_sizes_is_refused_by_how_small_it_is_packed() -> None:
    bomb = one.archive({**USERS, "orgs.csv": b"sourcedId\r\n" + b"0\r\n" * 10_000_000})
    tracemalloc.start()
    with pytest.raises(EnvelopeBroken):
        one.bench().run(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_an_archive_within_an_archive_is_not_opened() -> None:
    bomb = one.archive({"users.csv": b"0" * 20_000_000})
    assert b"0000" not in one.bench().run(one.archive({**USERS, "more.zip": bomb})).body
    with pytest.raises(EnvelopeBroken):
        one.bench().run(one.archive({**USERS, "users.csv": bomb}))


def test_an_archive_of_very_many_entries_is_refused_before_they_are_listed() -> None:
    body = one.archive({f"f{number}": b"" for number in range(5_000)})
    bench = one.bench()
    tracemalloc.start()
    with pytest.raises(EnvelopeBroken):
        bench.run(body)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_an_entry_gives_no_more_than_it_says_it_has() -> None:
    body = bytearray(one.archive({**USERS, "users.csv": b"sourcedId\r\n" + b"0" * 3_000_000}))
    at = body.rfind(b"PK\x01\x02")
    struct.pack_into("<I", body, at + 24, 100)
    with pytest.raises(EnvelopeBroken):
        one.bench(limits=SetLimits(file=1_000_000, total=2_000_000)).run(bytes(body))


def test_an_archive_larger_than_allowed_is_not_opened() -> None:
    with pytest.raises(EnvelopeBroken):
        one.bench(limits=SetLimits(archive=100)).run(GOOD)


# -- nothing that was withheld is in what leaves ------------------------------------------------------------


SOURCE = {"sourcedId", "userSourcedId", "classSourcedId", "givenName", "familyName", "password"}


@given(
    known=st.lists(st.sampled_from([1, 2, 3]), unique=True),
    enrolled=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3)), max_size=6),
    broken=st.sets(st.sampled_from([1, 2, 3])),
    size=st.integers(1, 4),
)
@settings(deadline=None)  # four zips each
def test_no_id_or_name_of_the_source_is_in_a_set_and_every_reference_leads_somewhere(
    known: list[int], enrolled: list[tuple[int, int]], broken: set[int], size: int
) -> None:
    rows = [one.enrolment(number, who, group) for number, (who, group) in enumerate(enrolled)]
    tables = one.files(users=[one.user(n) for n in (1, 2, 3)], enrollments=rows or [one.enrolment(0, 1)])
    for number in broken:
        tables["users"][number - 1]["enabledUser"] = "misschien"
    granted = {**one.grants(), "users": {**one.grants()["users"], **build.keep("enabledUser")}}
    bench, body = one.bench(granted, [csv.subject(n) for n in known]), one.zipped(tables)
    left = bench.left(body)
    assert bench.left_in_pieces(body, size) == left
    cells = {cell for rows in left.values() for row in rows for cell in row.values()}
    hidden = {row[name] for rows in tables.values() for row in rows for name in SOURCE & row.keys()}
    assert not cells & (hidden - {"o1"})
    users, classes = ({row["sourcedId"] for row in left.get(name, [])} for name in ("users", "classes"))
    assert len(users) == len(set(known) - broken)
    assert all(row["userSourcedId"] in users for row in left.get("enrollments", []))
    assert {row["classSourcedId"] for row in left.get("enrollments", [])} == classes
    assert ("orgs" in left) == bool(classes)


# -- a set that others made ----------------------------------------------------------------------------------

needs_standards = pytest.mark.skipif(
    "STANDARDS_DIR" not in os.environ, reason="STANDARDS_DIR does not name the folder of the official files"
)


def sample() -> bytes:
    folder = Path(os.environ["STANDARDS_DIR"]) / "oneroster-1.1-csv"
    return one.archive({path.name: path.read_bytes() for path in folder.glob("*.csv")})


@needs_standards
def test_a_set_in_the_wild_loses_the_columns_of_its_vendors() -> None:
    people = [replace(build.pupil(number), ids={"las-key": f"user{number}"}) for number in (1, 2)]
    bench = one.bench(people=people)
    left = bench.left(sample())
    assert [len(left[name]) for name in ("orgs", "classes", "users", "enrollments")] == [3 - 1, 3, 2, 3]
    known = one.schema().records
    for name in ("orgs", "classes", "users", "enrollments"):
        assert set(left[name][0]) <= set(known[name].fields.fields)
    text = repr(left)
    assert not any(said in text for said in ("ext_", "metadata", "padurariu", "ionut", "user1", "my identifier"))
    assert set(bench.emission.released) == set(people)

"""transfer.filter: a file goes the way of a live answer; decided before it is read and again at every part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.facts import Restriction, RestrictionGround
from gateway.core.file_forms import Form, in_form
from gateway.core.reasons import Reason
from gateway.core.release.faults import AN_ID, Fault
from gateway.transfer.filing import Wanted
from gateway.transfer.filter import Filed, Filter
from gateway.transfer.request import Stop
from gateway.transfer.steps import Sizes
from tests.builders_formats import student_json
from tests.policy.shipped import answered, changed
from tests.simulators.world import School, a_school, policy
from tests.transfer.test_review import NAME as CARER
from tests.transfer.test_review import PURPOSE as CARE_PURPOSE
from tests.transfer.test_review import TEXT as CARE

pytestmark = pytest.mark.anyio

NAME, PURPOSE = "toetsbureau", "papieren-toets"
WANTED = Wanted("lvs", "edu-v-students", NAME, PURPOSE)
RESTRICTION = Restriction(ground=RestrictionGround.ACCURACY)
SMALL = Sizes(4_000, 500, 32)


@pytest.fixture
def school() -> School:
    return bureau()


def bureau(*edits: tuple[str, str]) -> School:
    return a_school(compiled=policy(texts=((NAME, changed(answered(NAME), *edits)),)))


def students(school: School, *numbers: int) -> list[dict[str, Any]]:
    return [student_json(school.pupils[number]) for number in numbers or school.pupils]


async def run(
    school: School, text: bytes | Iterable[bytes], *, sizes: Sizes = SMALL, **wanted: Any
) -> tuple[Filed, list[bytes]]:
    """What came of it, and the rows that were given on, sorted as they are written down."""
    rows: list[tuple[str, bytes]] = []
    chunks = [text] if isinstance(text, bytes) else text
    flow = Filter(school.outside, sizes, "j.jansen", ("reason: toets",))
    filed = await flow.file(replace(WANTED, **wanted), chunks, rows.extend)
    if filed.stop is None:
        await flow.finish(filed)
    return filed, [row for _, row in sorted(rows)]


def ids(rows: Iterable[bytes]) -> list[str]:
    return [orjson.loads(row)["userIds"][0]["userId"] for row in rows]


async def test_small_file_is_one_transfer_with_the_digest_of_what_leaves(school: School) -> None:
    filed, rows = await run(school, orjson.dumps(students(school)), sizes=Sizes(16_000_000, 4_000_000, 32))

    (draft,) = school.register.drafts
    assert (draft.kind, draft.outcome, draft.records, draft.route) == ("transfer", "released", 6, "FILE /Student")
    assert (draft.actor, draft.credential, draft.recipient) == ("j.jansen", "j.jansen", NAME)
    assert "reason: toets" in draft.detail
    assert draft.digest == school.world.digest(b"".join(in_form(Form.ARRAY, rows)))
    assert (filed.tally.handed_in, filed.tally.released, filed.parts) == (6, 6, 1)


async def test_nothing_leaves_but_the_allow_list_in_pseudonym_order(school: School) -> None:
    held = [{**one, "bsn": "999990019", "toestemming": True} for one in students(school)]
    _, rows = await run(school, orjson.dumps(held))

    assert ids(rows) == sorted(ids(rows))
    assert len(rows) == 6
    for word in (b"999990019", b"toestemming", b"las-", b"Fatima", b"dateOfBirth"):
        assert word not in b"".join(rows)


async def test_large_file_has_an_entry_before_the_rows_of_each_part_and_a_closing(school: School) -> None:
    given_on: list[int] = []
    flow = Filter(school.outside, SMALL, "j.jansen")
    filed = await flow.file(
        WANTED, [orjson.dumps(students(school))], lambda _: given_on.append(len(school.register.drafts))
    )
    await flow.finish(filed)

    kinds = [draft.kind for draft in school.register.drafts]
    assert kinds == ["part"] * filed.parts + ["closing"]
    assert filed.parts > 1
    assert given_on == list(range(1, filed.parts + 1))
    assert {draft.part_of for draft in school.register.drafts} == {filed.trail.id}


async def test_restriction_set_while_the_file_runs_keeps_who_was_not_yet_emitted(school: School) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"[" + b",".join(map(orjson.dumps, students(school, 1, 2, 3)))
        school.record(6, RESTRICTION)
        yield b"," + b",".join(map(orjson.dumps, students(school, 4, 5, 6))) + b"]"

    filed, rows = await run(school, chunks())

    assert len(rows) == 5
    assert filed.tally.withheld == {Reason.PUPIL_RESTRICTED: 1}


async def test_key_that_rotates_while_the_file_runs_breaks_it_off_as_it_would_hold_two_kinds_of_pseudonym(
    school: School,
) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"[" + b",".join(map(orjson.dumps, students(school, 1, 2, 3)))
        school.rotate(overlap=True)
        yield b"," + b",".join(map(orjson.dumps, students(school, 4, 5, 6))) + b"]"

    filed, _ = await run(school, chunks())

    assert filed.stop is not None
    assert filed.stop.reason is Reason.FACTS_CHANGED
    assert school.register.drafts[-1].outcome == "refused"


async def test_verdict_that_moved_before_the_commit_is_made_again(school: School) -> None:
    school.register.before = lambda _: school.record(2, RESTRICTION)

    _, rows = await run(school, orjson.dumps(students(school)), sizes=Sizes(16_000_000, 4_000_000, 32))

    assert len(rows) == 5


def _unread(_chunk: bytes) -> bytes:
    raise AssertionError


async def test_refused_delivery_is_registered_and_no_byte_is_read(school: School) -> None:
    filed, rows = await run(school, map(_unread, [b"["]), purpose="werving")

    assert filed.stop is not None
    assert filed.stop.reason is Reason.PURPOSE_UNKNOWN
    assert rows == []
    assert [(draft.kind, draft.actor) for draft in school.register.drafts] == [("refusal", "j.jansen")]


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"recipient": "uitgever-noord", "purpose": "toegang-leermiddel"}, Reason.CHANNEL_NOT_ALLOWED),
        ({"recipient": "onbekend"}, Reason.RECIPIENT_UNKNOWN),
        ({"schema": "edu-v-onbekend"}, Reason.ROUTE_UNKNOWN),
        ({"schema": "edu-v-results"}, Reason.ROUTE_UNKNOWN),
        (
            {"recipient": "toetsaanbieder", "purpose": "toetsafname", "schema": "edu-v-association"},
            Reason.PARAMETER_MISSING,
        ),
        ({"source": "elders"}, Reason.ROUTE_UNKNOWN),
        ({"record": "Group"}, Reason.ROUTE_UNKNOWN),
        ({"schema": "edu-v-association", "record": "Group"}, Reason.ROUTE_UNKNOWN),
    ],
)
async def test_what_is_not_this_delivery_is_refused(school: School, wanted: dict[str, Any], reason: Reason) -> None:
    filed, rows = await run(school, orjson.dumps(students(school)), **wanted)

    assert filed.stop is not None
    assert (filed.stop.reason, rows) == (reason, [])


async def test_roster_that_is_stale_stops_a_file(school: School) -> None:
    school.roster.stale = True

    filed, _ = await run(school, orjson.dumps(students(school)))

    assert filed.stop is not None
    assert filed.stop.reason is Reason.FACTS_STALE


async def test_pupil_at_another_location_is_withheld_by_the_enrolment() -> None:
    school = bureau()
    enrolled = school.pupils[1].enrolments
    school.enrol(replace(school.pupils[1], enrolments=tuple(replace(one, location="zuid") for one in enrolled)))

    filed, rows = await run(school, orjson.dumps(students(school)))

    assert len(rows) == 5
    assert filed.tally.withheld == {Reason.PUPIL_NOT_IN_SCOPE: 1}
    assert list(filed.tally.references) == [school.pupils[1].reference]


async def test_unknown_pupil_is_withheld_and_gets_no_pseudonym(school: School) -> None:
    stranger = {**students(school, 1)[0], "userIds": [{"userId": "las-999", "userIdType": "ASI"}]}
    stranger.pop("userMasterIdentifier", None)

    filed, rows = await run(school, orjson.dumps([stranger, *students(school, 2)]))

    assert (len(rows), filed.tally.unresolved) == (1, 1)
    assert {issue.owner for draft in school.register.drafts for issue in draft.issued} == {school.pupils[2].id}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"<OSO/>", Reason.MEDIA_TYPE_UNKNOWN),
        (b"[{}", Reason.BODY_INVALID),
        (b"[" + b"[" * 50_000, Reason.BODY_INVALID),
        (b'[{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}]", Reason.BODY_INVALID),
        (b'[{"givenName": "\xff"}]', Reason.BODY_INVALID),
        (b'[{"givenName": "' + b"x" * 10_000_000, Reason.BODY_INVALID),
        (b"[{]}]", Reason.BODY_INVALID),
        (b"[" + b",".join([b'{"userIds": 1}'] * 6) + b"]", Reason.BODY_INVALID),
    ],
    ids=["xml", "ends early", "brackets", "nesting", "no UTF-8", "large text", "mismatched", "too many malformed"],
)
async def test_hostile_file_is_refused_whole(school: School, text: bytes, reason: Reason) -> None:
    filed, rows = await run(school, text)

    assert filed.stop is not None
    assert (filed.stop.reason, rows) == (reason, [])


async def test_file_that_ends_early_after_parts_says_so_in_the_register(school: School) -> None:
    filed, _ = await run(school, orjson.dumps(students(school))[:-1])

    assert filed.stop is not None
    last = school.register.drafts[-1]
    assert (last.kind, last.outcome, last.part_of) == ("refusal", "refused", filed.trail.id)
    assert "closing" not in {draft.kind for draft in school.register.drafts}


async def test_malformed_record_is_withheld_alone_and_counted(school: School) -> None:
    held = students(school)
    held[0]["userIds"].append({"userId": {"of": "something"}, "userIdType": "NEPRI"})

    filed, rows = await run(school, orjson.dumps(held))

    assert (len(rows), filed.tally.malformed) == (5, 1)
    assert filed.tally.faults == {Fault("userIds.userId", AN_ID): 1}


async def test_malformed_records_are_counted_over_the_whole_file(school: School) -> None:
    broken = [{**one, "userIds": 1} for one in students(school)]

    filed, _ = await run(school, orjson.dumps([*students(school), *broken]))

    assert filed.stop is not None
    assert filed.stop.reason is Reason.BODY_INVALID
    assert filed.stop.about == "userIds: expected items: a list (2 records)"  # of the part that was one too many


async def test_register_that_cannot_be_written_lets_nothing_leave(school: School) -> None:
    school.register.unwritable = True

    filed, rows = await run(school, orjson.dumps(students(school)))

    assert filed.stop is not None
    assert (filed.stop.reason, rows) == (Reason.REGISTER_UNAVAILABLE, [])


async def test_input_that_cannot_be_read_is_a_refusal_like_another(school: School) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"["
        raise Stop(Reason.BODY_INVALID, "the file cannot be read")

    filed, _ = await run(school, chunks())

    assert filed.stop is not None
    assert filed.stop.about == "the file cannot be read"


async def test_single_record_is_a_file_and_leaves_as_one(school: School) -> None:
    filed, rows = await run(school, orjson.dumps(students(school, 3)[0]))

    assert (filed.form, len(rows)) == (Form.SINGLE, 1)
    assert school.register.drafts[0].digest == school.world.digest(rows[0])


COUNTED = """\
    channel: portaal-toetsbureau
    aggregate: {by: [gender]}
    absence: Het bureau ziet alleen aantallen.
    schemas:
      edu-v-students:
        Student:
          gender: {reason: Er komen boekjes voor jongens en voor meisjes.}
"""


async def test_counts_are_not_made_of_a_file() -> None:
    text = answered(NAME).replace("[pupil-number, organisation]", "[pupil-number, organisation, sex]")
    text = text[: text.index("    # Een bestand dat de school")].replace("kind: test-provider", "kind: research")
    school = a_school(compiled=policy(texts=((NAME, text + COUNTED),)))

    filed, rows = await run(school, orjson.dumps(students(school)))

    assert filed.stop is not None
    assert (filed.stop.reason, rows) == (Reason.ROUTE_UNKNOWN, [])
    assert "counts" in filed.stop.about


async def test_text_is_masked_by_the_names_of_the_whole_file_or_not_at_all() -> None:
    text = CARE.replace("channel: api", "channel: portaal")
    school = a_school(compiled=policy(texts=((CARER, text),)))
    held = orjson.dumps([{**one, "note": "Ruzie met Daan."} for one in students(school)])
    wanted = {"recipient": CARER, "purpose": CARE_PURPOSE}

    whole, rows = await run(school, held, sizes=Sizes(16_000_000, 500, 32), **wanted)
    larger, none = await run(school, held, sizes=Sizes(1_500, 500, 32), **wanted)

    assert (whole.stop, whole.parts) == (None, 1)
    assert b"Daan" not in b"".join(rows)
    assert larger.stop is not None
    assert (larger.stop.reason, none) == (Reason.BODY_TOO_LARGE, [])
    assert school.register.drafts[-1].kind == "refusal"


async def test_unclassified_field_is_named_once_five_records_have_it(school: School) -> None:
    held = [{**one, "schoenmaat": 38} for one in students(school)]
    held[0]["Fatima Yilmaz 2012"] = 1
    held[1]["address"] = {**held[1].get("address", {}), "Jan.Bos": 1}

    filed, _ = await run(school, orjson.dumps(held), sizes=Sizes(16_000_000, 4_000_000, 32))

    assert filed.tally.unclassified() == {"schoenmaat": 6, "unnamed": 1, "address.unnamed": 1}


CANARY = "kanarie"


@given(
    records=st.lists(
        st.dictionaries(
            st.sampled_from(["givenName", "familyName", "email", "address", "bsn", "note", "status", "consent", "x"]),
            st.recursive(
                st.sampled_from([CANARY, f"{CANARY} 999990019", None, True, 7]),
                lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just(CANARY), inner, max_size=1),
                max_leaves=4,
            ),
        ),
        max_size=8,
    ),
    lines=st.booleans(),
)
@settings(max_examples=60, deadline=None)
async def test_no_value_of_a_file_ever_leaves(records: list[dict[str, Any]], *, lines: bool) -> None:
    school = bureau()
    held = [{**student_json(school.pupils[at % 6 + 1]), **one} for at, one in enumerate(records)]
    text = b"\n".join(map(orjson.dumps, held)) if lines and held else orjson.dumps(held)

    filed, rows = await run(school, text)

    told = b"".join(rows) + repr(filed).encode() + repr(school.register.drafts).encode()
    assert CANARY.encode() not in told
    assert b"999990019" not in told

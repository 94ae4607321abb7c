"""What is recorded about persons: entered, ended, never overwritten; known now, and at any moment before."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
import sqlalchemy as sa
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec import structs

from gateway.adapters.database import tables
from gateway.adapters.facts.codec import body_of, fact_of, facts_of, joined, row_of
from gateway.adapters.facts.declarations import declarations, declare, undeclare
from gateway.adapters.facts.memory import MemoryFacts, PastFacts
from gateway.adapters.facts.store import (
    Entered,
    NotKnown,
    UnknownSubject,
    campaigns,
    current,
    enter,
    new_campaign,
    numbers,
)
from gateway.adapters.pupils.linking import destroy_reference_key
from gateway.core.facts import (
    NOTHING_KNOWN,
    Answer,
    AnyFact,
    Birth,
    Capacity,
    Consent,
    ConsentTerms,
    Facts,
    Form,
    Kind,
    Mark,
    Marker,
    Occasion,
    Permit,
    Restriction,
    RestrictionGround,
    Statement,
    gathered,
)
from gateway.core.model import Category
from gateway.core.persons import SECRET_DETAIL
from tests.simulators.drafts import NOW, an_act
from tests.simulators.recording import KEYS, Recording, WatchedDatabase, a_recording
from tests.simulators.stored import bodies_about, last_bodies

BIRTH = Birth(day=date(2010, 2, 28))
RESTRICTION = Restriction(ground=RestrictionGround.ACCURACY)
TERMS = ConsentTerms(
    recipients=frozenset({"fotograaf"}), purpose="schoolfoto", categories=frozenset({Category.IMAGE}), text="2026-1",
    form=Form.WRITTEN,
)  # fmt: skip
LATER = NOW + timedelta(days=1)


def permit(*, secret: bool = False) -> Permit:
    return Permit(
        occasion=Occasion.SAFETY, recipient="veilig-thuis", purpose="melding", categories=frozenset({Category.NAME}),
        channel="export", until=LATER, secret=secret,
    )  # fmt: skip


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    made = a_recording(tmp_path)
    yield made
    made.database.close()


# -- as it stands in a row -------------------------------------------------------------------------------


def storable(fact: AnyFact) -> AnyFact:
    """With moments that have a zone, numbers that a database gives, and either terms or a campaign."""
    given = structs.asdict(fact)
    changed: dict[str, Any] = {"terms": None} if given.get("campaign") is not None else {}
    for name, value in given.items():
        if isinstance(value, datetime):
            changed[name] = value.replace(tzinfo=UTC)
        elif type(value) is int:
            changed[name] = value % 2**40
    return structs.replace(fact, **changed)


FACTS = st.one_of([st.from_type(kind) for kind in get_args(AnyFact)]).map(storable)


def read_back(subject: bytes, fact: AnyFact) -> bytes:
    row = row_of(KEYS, subject, fact)
    return body_of(KEYS, subject, row.kind, row.body, row.sealed)


@given(FACTS, st.binary(min_size=16, max_size=16))
def test_fact_of_every_kind_is_read_as_it_was_written(fact: AnyFact, subject: bytes) -> None:
    assert fact_of(read_back(subject, fact), {}) == fact


@given(st.lists(FACTS, max_size=20))
def test_facts_of_one_person_are_read_together_as_they_were_written(facts: list[AnyFact]) -> None:
    assert facts_of(joined([read_back(bytes(16), fact) for fact in facts]), {}) == gathered(facts)


@given(FACTS)
def test_fact_that_is_sealed_opens_for_nobody_else(fact: AnyFact) -> None:
    row = row_of(KEYS, bytes(16), fact)
    assume(row.sealed)

    with pytest.raises(ValueError, match="does not open"):
        body_of(KEYS, b"1" * 16, row.kind, row.body, row.sealed)


def test_text_and_birth_dates_are_not_readable_in_the_file(recording: Recording) -> None:
    recording.enter(0, BIRTH, Statement(categories=frozenset({Category.RESULTS}), text="een geheim verhaal"))
    own = structs.replace(TERMS, text="verhaal van Fatima", evidence="scan-fatima.pdf")
    recording.enter(0, Consent(capacity=Capacity.PUPIL, answer=Answer.YES, given=NOW, terms=own))
    stored = b"".join(path.read_bytes() for path in recording.database.path.parent.glob("gateway.db*"))

    assert b"verhaal" not in stored
    assert b"2010-02-28" not in stored
    assert b"fatima" not in stored.lower()


# -- acts ------------------------------------------------------------------------------------------------


def test_facts_entered_are_known_with_their_numbers(recording: Recording) -> None:
    first, second = recording.enter(0, BIRTH, RESTRICTION)

    assert recording.known(0).birth == BIRTH.day
    assert recording.known(0).restrictions == (structs.replace(RESTRICTION, number=second),)
    assert first != second
    assert recording.known(1) == NOTHING_KNOWN


def test_fact_that_ended_is_known_no_more_but_was_then(recording: Recording) -> None:
    (number,) = recording.enter(0, RESTRICTION)
    recording.enter(0, ends=(number,), at=LATER)

    assert recording.known(0) == NOTHING_KNOWN
    assert recording.known(0, LATER - timedelta(seconds=1)).restrictions != ()
    assert recording.known(0, LATER) == NOTHING_KNOWN


def test_fact_entered_later_was_not_known_before(recording: Recording) -> None:
    """It holds since long, but nobody could decide with it then."""
    recording.enter(0, Restriction(ground=RestrictionGround.ACCURACY, since=date(2020, 1, 1)), at=LATER)

    assert recording.known(0, NOW) == NOTHING_KNOWN
    assert recording.known(0, LATER) == recording.known(0)


def test_fact_that_is_replaced_was_known_as_it_was(recording: Recording) -> None:
    (number,) = recording.enter(0, BIRTH)
    recording.enter(0, Birth(day=date(2011, 3, 1)), ends=(number,), at=LATER)

    assert recording.known(0).birth == date(2011, 3, 1)
    assert recording.known(0, NOW).birth == BIRTH.day


@pytest.mark.parametrize("number", [99, 1], ids=["never was", "ended before"])
def test_ending_what_is_not_known_changes_nothing(recording: Recording, number: int) -> None:
    recording.enter(0, RESTRICTION)
    recording.enter(0, ends=(1,))
    before = recording.version

    with pytest.raises(NotKnown):
        recording.enter(0, BIRTH, ends=(number,))
    assert (recording.version, recording.known(0)) == (before, NOTHING_KNOWN)


def test_fact_about_nobody_known_changes_nothing(recording: Recording) -> None:
    before = recording.version

    with pytest.raises(UnknownSubject):
        enter(recording.database, KEYS, an_act(), [Entered(recording.pupils[0], BIRTH), Entered(bytes(16), BIRTH)])
    assert (recording.version, recording.known(0)) == (before, NOTHING_KNOWN)


def test_act_moves_the_facts_version_once(recording: Recording) -> None:
    before = recording.version
    recording.enter(0, BIRTH, RESTRICTION)

    assert recording.version == before + 1


def test_act_is_in_the_register_of_whom_it_concerns(recording: Recording) -> None:
    (number,) = recording.enter(0, RESTRICTION)
    recording.enter(0, BIRTH, ends=(number,))
    entered, changed = (json.loads(body) for body in bodies_about(recording.database, recording.reference(0)))

    assert (entered["kind"], entered["outcome"], entered["actor"]) == ("change", "facts entered", "p.officer")
    assert entered["detail"] == ["reason: agreed with the board", "entered: restriction 1"]
    assert entered["released"] == 1
    assert changed["outcome"] == "facts changed"
    assert changed["detail"][1:] == ["entered: birth 1", "ended: restriction 1"]
    assert bodies_about(recording.database, recording.reference(1)) == []
    assert recording.verified().ok


@pytest.mark.parametrize(
    ("fact", "secret"),
    [(Marker(mark=Mark.CHILD_SAFETY), True), (RESTRICTION, False), (permit(secret=True), True), (permit(), False)],
    ids=["marker", "restriction", "secret permit", "permit"],
)
def test_act_that_tells_a_secret_is_marked_so(recording: Recording, fact: AnyFact, *, secret: bool) -> None:
    """Its entry exists for releaser and FG only; entered or ended (D4, R100)."""
    recording.enter(0, ends=tuple(recording.enter(0, fact)))

    for body in last_bodies(recording.database, 2):
        assert (SECRET_DETAIL in json.loads(body)["detail"]) == secret


def test_current_gives_each_fact_of_a_kind_that_is_known(recording: Recording) -> None:
    gone, kept = recording.enter(0, RESTRICTION, RESTRICTION)
    recording.enter(1, BIRTH)
    recording.enter(0, ends=(gone,))

    found = list(current(recording.database, KEYS, Kind.RESTRICTION))
    assert found == [(kept, recording.pupils[0], structs.replace(RESTRICTION, number=kept))]
    assert numbers(recording.database)[Kind.RESTRICTION] == 1
    assert numbers(recording.database)[Kind.PERMIT] == 0


def test_forgotten_pupil_leaves_no_fact(recording: Recording) -> None:
    recording.enter(0, ends=tuple(recording.enter(0, BIRTH)))
    recording.enter(0, RESTRICTION)
    assert recording.about(0) != NOTHING_KNOWN
    destroy_reference_key(recording.database, recording.pupils[0], an_act(2))

    assert recording.about(0) == NOTHING_KNOWN
    with recording.database.read() as connection:
        assert (
            connection.execute(sa.select(tables.fact).where(tables.fact.c.subject == recording.pupils[0])).all() == []
        )
    assert recording.verified().ok
    with pytest.raises(UnknownSubject):
        recording.enter(0, BIRTH)


# -- campaigns and declarations --------------------------------------------------------------------------


def answer(campaign: int) -> Consent:
    return Consent(capacity=Capacity.PARENT, answer=Answer.YES, given=NOW, giver=b"g" * 16, campaign=campaign)


def test_consent_of_a_campaign_has_its_terms(recording: Recording) -> None:
    number = new_campaign(recording.database, an_act(), TERMS)
    recording.enter(0, answer(number))

    assert campaigns(recording.database) == {number: TERMS}
    assert [one.terms for one in recording.known(0).consents] == [TERMS]
    assert [one.terms for one in recording.about(0).consents] == [TERMS]
    assert b"campaign opened" in last_bodies(recording.database, 2)[1]


def test_consent_of_an_unknown_campaign_has_no_terms(recording: Recording) -> None:
    recording.enter(0, answer(7))

    assert [one.terms for one in recording.about(0).consents] == [None]


def test_declaration_holds_until_it_ends(recording: Recording) -> None:
    declare(recording.database, an_act(moment=NOW), Kind.RESTRICTION, "noord")
    assert undeclare(recording.database, an_act(2, LATER), Kind.RESTRICTION, "noord")

    assert declarations(recording.database) == []
    (then,) = declarations(recording.database, NOW)
    assert (then.kind, then.location, then.by, then.moment) == (Kind.RESTRICTION, "noord", "p.officer", NOW)
    assert declarations(recording.database, NOW - timedelta(seconds=1)) == []
    assert not undeclare(recording.database, an_act(3), Kind.RESTRICTION, "noord")


def test_declaration_made_again_is_by_who_made_it_last(recording: Recording) -> None:
    declare(recording.database, an_act(moment=NOW), Kind.MARKER, "noord")
    declare(recording.database, an_act(2, LATER), Kind.MARKER, "noord")

    (one,) = declarations(recording.database)
    assert one.moment == LATER
    assert b'"facts declared"' in last_bodies(recording.database, 1)[0]


# -- in memory -------------------------------------------------------------------------------------------


def test_process_that_follows_knows_what_another_entered(recording: Recording) -> None:
    assert recording.about(0) == NOTHING_KNOWN
    (number,) = recording.enter(0, RESTRICTION)
    assert recording.about(0).restrictions != ()
    recording.enter(0, ends=(number,))

    assert recording.about(0) == NOTHING_KNOWN


def test_process_that_follows_reads_only_whom_a_change_concerns(recording: Recording) -> None:
    watched = WatchedDatabase(recording.database.path)
    book, (same, changes, _) = MemoryFacts(watched, KEYS), recording.pupils
    book.follow()
    before = [book.about(same), book.about(changes)]
    recording.enter(1, RESTRICTION)
    book.follow()

    assert [book.about(same), book.about(changes)] == [before[0], recording.known(1)]
    assert watched.asked == [same, changes, changes]
    watched.close()


def test_process_that_starts_knows_what_the_others_know(recording: Recording) -> None:
    recording.enter(0, BIRTH, RESTRICTION)
    new = MemoryFacts(recording.database, KEYS)
    new.follow()

    assert new.about(recording.pupils[0]) == recording.about(0) == recording.known(0)


def test_declaration_is_followed(recording: Recording) -> None:
    declare(recording.database, an_act(), Kind.MARKER, "noord")
    recording.book.follow()

    assert recording.book.declared(Kind.MARKER, "noord")
    assert not recording.book.declared(Kind.MARKER, "zuid")
    assert not recording.book.declared(Kind.RESTRICTION, "noord")


def test_past_facts_are_as_they_were_known(recording: Recording) -> None:
    declare(recording.database, an_act(), Kind.MARKER, "noord")
    (number,) = recording.enter(0, RESTRICTION)
    undeclare(recording.database, an_act(2, LATER), Kind.MARKER, "noord")
    recording.enter(0, ends=(number,), at=LATER)
    then, now = PastFacts(recording.database, KEYS, NOW), PastFacts(recording.database, KEYS, LATER)

    assert then.declared(Kind.MARKER, "noord")
    assert then.about(recording.pupils[0]).restrictions != ()
    assert not now.declared(Kind.MARKER, "noord")
    assert now.about(recording.pupils[0]) == NOTHING_KNOWN


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2)), max_size=12))
def test_known_at_the_last_moment_is_known_now(steps: list[tuple[bool, int]]) -> None:
    """Whatever was entered and ended: the past read at its end is the present, and each state stays as it was."""
    with tempfile.TemporaryDirectory() as directory:
        recording = a_recording(Path(directory))
        states: list[tuple[datetime, list[Facts]]] = []
        for minute, (ends, pupil) in enumerate(steps):
            moment, open_now = NOW + timedelta(minutes=minute), recording.known(pupil).restrictions
            if ends and open_now:
                recording.enter(pupil, ends=(open_now[0].number,), at=moment)
            else:
                recording.enter(pupil, RESTRICTION, at=moment)
            states.append((moment, [recording.known(each) for each in range(3)]))
            assert [recording.about(each) for each in range(3)] == states[-1][1]
        for moment, state in states:
            assert [recording.known(each, moment) for each in range(3)] == state
        recording.database.close()

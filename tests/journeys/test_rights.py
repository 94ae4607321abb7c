"""A pupil's rights from outside: they bind under every id and for everybody, and explain who may know why (R80, R93).

On the demo whose facts change. Leaves out: consent (`test_consent`), permits (`test_permits`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.bootstrap.school import clock
from tests.journeys.driving import ENROLMENTS, GROUPS, STUDENTS, UNKNOWN, Demo, run, same_but_for_the_transfer, truth
from tests.journeys.office import Colleague, bring_in, number_of

pytestmark = pytest.mark.journey

RECIPIENTS = ("uitgever-zuid", "uitgever-noord", "toetsaanbieder", "onderwijsassistent")
CHAIN = "distributeur-keten"  # it gets the ECK iD
ID_KINDS = ("las-key", "eck-id", "bsn")


EXPLAIN = ("explain", "--pupil", "--reason", "vraag van een ouder")
INVESTIGATION = ("dyslexiebureau", "dyslexieonderzoek")
WITH_ADDRESS = ("op-verzoek", "overdracht-op-verzoek")


def named_by(student: dict[str, Any], kind: str) -> str:
    return (
        number_of(student) if kind == "las-key" else str(student["userMasterIdentifier" if kind == "eck-id" else "bsn"])
    )


@dataclass(frozen=True, slots=True)
class Restricted:
    """By the kind of id under which the restriction was entered: the pupil's ECK iD, and how each recipient called them
    before."""

    chain: dict[str, str] = field(repr=False)
    before: dict[str, dict[str, str]] = field(repr=False)


@pytest.fixture(scope="module")
def restricted(changing: Demo) -> Restricted:
    called = {name: {number: one for one, number in shown(changing, name).items()} for name in RECIPIENTS}
    everywhere = set.intersection(*(set(numbers) for numbers in called.values()))
    students = [one for one in changing.lvs.everything("/students/school") if number_of(one) in everywhere]
    chosen = [one for one in students if one.get("userMasterIdentifier")][: len(ID_KINDS)]
    rows = [
        {"pupil": named_by(one, kind), "pupil_id_kind": kind, "ground": "accuracy"}
        for kind, one in zip(ID_KINDS, chosen, strict=True)
    ]
    assert changing.vendor(CHAIN).get(STUDENTS).text.count(chosen[0]["userMasterIdentifier"]) == 1
    bring_in(changing, "restriction", rows)
    numbers = {kind: number_of(one) for kind, one in zip(ID_KINDS, chosen, strict=True)}
    before = {name: {kind: called[name][number] for kind, number in numbers.items()} for name in RECIPIENTS}
    return Restricted({kind: named_by(one, "eck-id") for kind, one in zip(ID_KINDS, chosen, strict=True)}, before)


def shown(demo: Demo, recipient: str) -> dict[str, str]:
    """Pseudonym → the pupil's number, of all pupils this recipient gets in the north."""
    inside = truth(demo.directory, recipient).number
    return {one: inside[one] for one in demo.vendor(recipient).pseudonyms()}


# -- under every id, for everybody ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ID_KINDS)
def test_restriction_entered_under_one_kind_of_id_binds_under_every_other_and_for_everybody(
    changing: Demo, restricted: Restricted, kind: str
) -> None:
    for recipient in RECIPIENTS:
        vendor = changing.vendor(recipient)
        called = restricted.before[recipient][kind]

        assert called not in vendor.pseudonyms()
        assert same_but_for_the_transfer(vendor.student(called), vendor.student(UNKNOWN))
    assert restricted.chain[kind] not in changing.vendor(CHAIN).get(STUDENTS).text


def test_answer_with_a_withheld_pupil_has_no_hole_and_counts_nobody(changing: Demo, restricted: Restricted) -> None:
    vendor = changing.vendor("uitgever-zuid")
    students, enrolments, groups = (vendor.get(path) for path in (STUDENTS, ENROLMENTS, GROUPS))
    listed = {one["userIds"][0]["userId"] for one in students.json()}
    enrolled = {one["student"]["userIds"][0]["userId"] for one in enrolments.json()}
    grouped = {one["userIds"][0]["userId"] for group in groups.json() for one in group["students"]}

    for called in restricted.before["uitgever-zuid"].values():
        assert not {called} & (listed | enrolled | grouped)
    assert grouped <= listed
    assert all(set(one) == {"userIds"} for group in groups.json() for one in group["students"])
    assert students.headers.keys() == changing.vendor("uitgever-noord").get(STUDENTS).headers.keys()


# -- why -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Explained:
    """A pupil in the north about whom much is known, and the moment before anybody knew it."""

    demo: Demo
    number: str
    before: str

    def to(self, colleague: Colleague | None, *arguments: str, delivery: tuple[str, str] = INVESTIGATION) -> str:
        command = (*EXPLAIN, "--recipient", delivery[0], "--purpose", delivery[1], *arguments)
        if colleague is not None:
            return colleague(*command, answers=[self.number])
        done = run(*command, "-C", str(self.demo.directory), typed=self.number + "\n")
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def explained(changing: Demo) -> Explained:
    number = max(shown(changing, "onderwijsassistent").values())
    before = clock().isoformat()
    bring_in(changing, "restriction", [{"pupil": number, "ground": "legal-claim"}])
    bring_in(changing, "court-order", [{"pupil": number, "recipient": "dyslexiebureau"}])
    bring_in(changing, "marker", [{"pupil": number, "mark": "secret-address"}])
    return Explained(changing, number, before)


@pytest.fixture(scope="module")
def officer(changing: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Colleague]:
    colleague = Colleague(changing, "toestemming", tmp_path_factory.mktemp("officer") / "officer.session")
    yield colleague
    colleague("logout")


def test_explain_names_every_rule_that_spoke_in_dutch_with_its_article(explained: Explained) -> None:
    said = explained.to(None)

    assert "Deze leerling gaat niet mee" in said or "wacht op een besluit" in said
    for reason, article in (
        ("COURT_ORDER", "art. 1:253a, 1:377a BW"),
        ("PUPIL_RESTRICTED", "art. 18 AVG"),
        ("CONSENT_MISSING", "art. 6(1)(a), 7 AVG"),
    ):
        (line,) = (one for one in said.splitlines() if f" {reason} (" in one)
        assert article in line


def test_explain_hides_a_secret_reason_from_who_may_not_know_it(explained: Explained, officer: Colleague) -> None:
    releaser, other = explained.to(None, delivery=WITH_ADDRESS), explained.to(officer, delivery=WITH_ADDRESS)

    assert "SECRET_ADDRESS" in _spoken(releaser)
    assert "achtergehouden" not in releaser
    assert "achtergehouden" in other
    assert "SECRET_ADDRESS" not in other
    assert "geheim" not in other


def test_explain_does_not_say_that_a_secret_has_no_effect(explained: Explained, officer: Colleague) -> None:
    assert "SECRET_ADDRESS" in explained.to(None)
    assert "SECRET_ADDRESS" not in explained.to(officer)


def test_explain_is_in_the_view_log_with_its_reason(changing: Demo, explained: Explained, officer: Colleague) -> None:
    explained.to(officer)

    view = changing.entries()[-1]
    assert (view["kind"], view["actor"]) == ("view", "toestemming")
    assert "reason: vraag van een ouder" in view["detail"]
    assert explained.number not in str(view)


def test_explain_at_a_past_moment_decides_with_what_was_known_then(explained: Explained) -> None:
    said = explained.to(None, "--at", explained.before)

    assert not {"PUPIL_RESTRICTED", "COURT_ORDER", "SECRET_ADDRESS"} & _spoken(said)
    assert "CONSENT_MISSING" in _spoken(said)


def _spoken(said: str) -> set[str]:
    lines = [one for one in said.splitlines() if one.lstrip().startswith(("[achterwege]", "[wacht]", "[velden]"))]
    return {word for line in lines for word in line.replace("(", " ").split() if word.isupper() and "_" in word}


def test_explain_to_a_location_admin_is_about_pupils_of_the_own_location(
    explained: Explained, changing: Demo, tmp_path_factory: pytest.TempPathFactory
) -> None:
    colleague = Colleague(changing, "locatie-noord", tmp_path_factory.mktemp("noord") / "noord.session")
    here = frozenset(shown(changing, "onderwijsassistent").values())
    numbers = map(number_of, changing.lvs.everything("/students/school"))
    elsewhere = next(number for number in numbers if number not in here)
    delivery = ("--recipient", INVESTIGATION[0], "--purpose", INVESTIGATION[1])

    assert "SECRET_ADDRESS" not in explained.to(colleague)
    colleague(*EXPLAIN, *delivery, answers=[elsewhere], code=3)
    colleague("logout")

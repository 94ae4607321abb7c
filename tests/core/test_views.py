"""release.views: what follows from what a recipient last got, and of what answer an end may follow."""

from __future__ import annotations

import pytest

from gateway.core.reasons import Reason
from gateway.core.release.emission import Emission
from gateway.core.release.sight import Seen
from gateway.core.release.views import ENDS, Owner, Remembered, Shelf, View, Viewed, Views, has_ended
from tests import builders_formats as build
from tests.simulators.register import SimulatedRegister
from tests.simulators.views import SimulatedShelves

SHELF = Shelf("lvs", "noord", "p", "edu-v-association", "Group")
T1, T2 = "2026-11-01T00:00:00.000Z", "2026-11-02T00:00:00.000Z"
HERE = frozenset({"noord"})


@pytest.mark.parametrize(
    ("reasons", "version", "unlisted", "ended"),
    [
        ((), 1, False, False),
        ((), 1, True, True),
        ((), 2, False, True),
        (None, 1, False, True),
        ((Reason.PUPIL_NOT_IN_SCOPE,), 1, False, True),
        ((Reason.CONSENT_WITHDRAWN, Reason.RETENTION_PASSED), 1, False, True),
        ((Reason.PUPIL_RESTRICTED,), 1, True, False),
        ((Reason.PUPIL_NOT_IN_SCOPE, Reason.PUPIL_RESTRICTED), 1, True, False),
        ((Reason.PUPIL_RESTRICTED,), 2, True, False),
        ((Reason.PUPIL_UNRESOLVED,), 2, True, False),  # might be two
    ],
)
def test_record_that_did_not_leave_has_ended_only_for_reasons_that_stay(
    reasons: tuple[Reason, ...] | None,
    version: int,
    unlisted: bool,  # noqa: FBT001 - a column of the table
    ended: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert has_ended(Owner(reasons), version=1, current=version, unlisted=unlisted) is ended


def test_what_may_pass_is_no_end() -> None:
    passing = {Reason.PUPIL_RESTRICTED, Reason.PUPIL_OBJECTED, Reason.FACTS_CONTRADICTED, Reason.RECORD_MALFORMED,
               Reason.COURT_ORDER, Reason.CHILD_SAFETY, Reason.SECRET_ADDRESS, Reason.BIRTH_DATE_UNKNOWN,
               Reason.INZAGE_NOT_RECORDED, Reason.PUPIL_UNRESOLVED, Reason.NOT_AVAILABLE}  # fmt: skip

    assert ENDS.isdisjoint(passing)


def group_gone() -> tuple[Emission, Views]:
    """A group was released, and is not in this answer about somebody."""
    register = SimulatedRegister()
    view = View(b"k" * 16, b"d", "noord", T1, T1)
    register.views[view.lookup] = Viewed(SHELF, view, Remembered("g1", None, 1, b"{}"))
    views = Views(SimulatedShelves(register), SHELF, T2, 1, HERE, whole=True)
    pupil = build.pupil(1)
    emission = Emission(build.sight(build.delivery({"Student": {}}), [pupil]), views)
    emission.release([Seen(pupil, ())])
    return emission, views


def test_thing_that_the_source_does_not_tell_any_more_has_ended() -> None:
    emission, views = group_gone()

    assert [(one.key, one.stamp) for one in emission.ended(build.student(), {})] == [("g1", (T1, T2, "tobedeleted"))]
    assert [one.view.ended for one in views.written] == [T2]


@pytest.mark.parametrize("part", ["whole", "single", "places"])
def test_thing_has_not_ended_by_an_answer_that_is_of_a_part(part: str) -> None:
    emission, views = group_gone()
    setattr(views, part, frozenset({"zuid"}) if part == "places" else False)

    assert emission.ended(build.student(), {}) == []
    assert views.written == []


def test_thing_has_not_ended_by_an_answer_that_could_not_be_read_whole() -> None:
    emission, _ = group_gone()
    emission.malformed = 1

    assert emission.ended(build.student(), {}) == []


def test_thing_has_not_ended_by_an_answer_with_nobody_in_it() -> None:
    full, views = group_gone()

    assert Emission(full.sight, views).ended(build.student(), {}) == []


@pytest.mark.parametrize(
    ("reasons", "ended"),
    [((Reason.PUPIL_RESTRICTED,), 0), ((Reason.CONSENT_WITHDRAWN,), 1), ((Reason.NOT_AVAILABLE,), 0)],
)
def test_group_of_which_nobody_is_shown_ended_when_everybody_in_it_did(reasons: tuple[Reason, ...], ended: int) -> None:
    emission, _ = group_gone()

    assert len(emission.ended(build.student(), {"g1": [(Reason.PUPIL_NOT_IN_SCOPE,), reasons]})) == ended


def test_nothing_of_a_view_shows_in_its_repr() -> None:
    shown = repr(Viewed(SHELF, View(b"k", b"d", "", T1, T1), Remembered("canary", b"canary", 1, b"canary")))

    assert "canary" not in shown

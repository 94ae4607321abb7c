"""Rosters of a whole school: of an LVS that speaks one format alone, and of one pupil in two formats."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from gateway.adapters.pupils.subjects import Subjects
from gateway.bootstrap import acts
from gateway.bootstrap.office import synchronise
from gateway.bootstrap.school import Refused, School, clock, create_key, legal_today, open_school, random
from gateway.bootstrap.templates import SHARE, answered
from gateway.core.model import Enrolment, Person, Subject
from gateway.demo.directory import Ports, make_directory
from gateway.demo.lvs import DemoLvs, make_lvs
from gateway.demo.school import Pupil
from gateway.demo.server import running
from gateway.demo.somtoday import leerling_id
from gateway.transfer.ports import Observation
from tests.servers import counting_bytes
from tests.simulators.persons import somebody


@pytest.fixture(scope="module")
def lvs() -> Iterator[tuple[DemoLvs, int]]:
    made = make_lvs(1, legal_today(), "gateway", "secret", counting_bytes())
    with running(made.app) as url:
        yield made, int(url.rpartition(":")[2])


@pytest.fixture
def directory(tmp_path: Path, lvs: tuple[DemoLvs, int]) -> Path:
    made, port = tmp_path / "school", lvs[1]
    make_directory(made, SHARE, Ports(port + 1, port + 2, port), "secret", legal_today(), answered)
    create_key(made)
    return made


def a_pupil(lvs: DemoLvs) -> Pupil:
    return next(one for one in lvs.school.pupils if not one.left and len(one.stays) == 1)


def found(school: School, source: str, number: str) -> Subject:
    one = school.world().now().rosters[source].find("las-key", number)
    assert one is not None
    return one


def test_location_without_most_of_its_pupils_waits_for_a_person(directory: Path, lvs: tuple[DemoLvs, int]) -> None:
    assert asyncio.run(synchronise(directory, "lvs"))
    with open_school(directory) as school:
        more = [
            Observation(Person.PUPIL, {"las-key": f"x{number}"}, (Enrolment("noord", 1, date(2020, 8, 1), None),))
            for number in range(2 * len(lvs[0].school.pupils))
        ]
        book = Subjects(school.database, school.store_keys)
        book.learn("lvs", {"noord": more}, clock(), random, believed=["noord"])
        with pytest.raises(Refused):
            acts.believe_roster(school, "lvs", "noord", somebody(), "not yet in doubt")

    assert not asyncio.run(synchronise(directory, "lvs"))
    with open_school(directory) as school:
        assert ("lvs", "noord", "in doubt") in acts.roster_status(school)
        acts.believe_roster(school, "lvs", "noord", somebody(), "they never were here")
        assert acts.entries(school, 1, None)[0]["detail"] == [
            "reason: they never were here", "source: lvs", "location: noord",
        ]  # fmt: skip

    assert asyncio.run(synchronise(directory, "lvs", believed=["noord"]))
    with open_school(directory) as school:
        assert "in doubt" not in {moment for *_, moment in acts.roster_status(school)}


def test_pupil_of_two_formats_is_one_pupil(directory: Path, lvs: tuple[DemoLvs, int]) -> None:
    """What is known of a pupil under the number of the administration holds in Somtoday too."""
    assert asyncio.run(synchronise(directory, "lvs", "somtoday"))
    pupil = a_pupil(lvs[0])

    with open_school(directory) as school:
        assert found(school, "somtoday", leerling_id(pupil)).id == found(school, "lvs", str(pupil.number)).id


@pytest.mark.parametrize(("speaks", "own"), [("somtoday", True), ("uwlr-2-2", False)])
def test_lvs_that_speaks_one_format_alone_tells_who_is_where_and_when_they_were_born(
    directory: Path, lvs: tuple[DemoLvs, int], speaks: str, *, own: bool
) -> None:
    settings = directory / "gateway.yaml"
    text = settings.read_text("utf-8")
    before, after = text.index("      - edu-v-students\n"), text.index("    token:\n")
    others, endpoints = text.index("  # the same LVS for"), text.index("# where pushes go")
    settings.write_text(text[:before] + f"      - {speaks}\n" + text[after:others] + text[endpoints:], encoding="utf-8")
    pupil = a_pupil(lvs[0])

    assert asyncio.run(synchronise(directory, "lvs"))

    with open_school(directory) as school:
        snapshot = school.world().now()
        known = found(school, "lvs", leerling_id(pupil) if own else str(pupil.number))
        assert (known.person, [one.year for one in known.enrolments]) == (Person.PUPIL, [pupil.year])
        assert {one.location for one in known.enrolments} == {pupil.stays[-1].site.name}
        assert snapshot.facts.about(known.id).birth == pupil.birth
        assert snapshot.rosters["lvs"].fresh(clock(), births=True)

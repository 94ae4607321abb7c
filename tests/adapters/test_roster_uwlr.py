"""The roster of a source that speaks UWLR: who is where, in which groups, what is not learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest
from lxml import etree

from gateway.adapters.lvs.upstream import HttpUpstream, Source, system_trust
from gateway.adapters.lvs.wire import Limits
from gateway.adapters.pupils.roster import Detail, Outcome, RosterSource, RosterSync
from gateway.adapters.pupils.uwlr import Uwlr
from gateway.core.model import Enrolment, Person
from gateway.core.policy.terms import Location
from gateway.demo.school import SITES
from gateway.formats.xml.soap import authorised, enveloped
from gateway.transfer.ports import NotSent, Observation, UpstreamAnswer
from tests.servers import CLIENT_SECRET, RunningLvs

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
NORTH = Location("noord", "Noord", frozenset({("V_ID", "01AB00"), ("vestiging", "v")}))
SOUTH = Location("zuid", "Zuid", frozenset({("SCHOOLKEY", "zuid-1")}))
SPACE = "http://www.edustandaard.nl/leerresultaten/2/leerlinggegevens"
SCHOOL = "<school><brincode>01AB</brincode><dependancecode>00</dependancecode></school>"
PUPIL = """<leerling key="{key}"><jaargroep>{year}</jaargroep><groep key="g1"/><samengestelde_groepen>
<samengestelde_groep key="s1"/></samengestelde_groepen>{more}</leerling>"""
TEACHER = '<leerkracht key="t1"><groepen><groep key="g1"/><samengestelde_groep key="s2"/></groepen></leerkracht>'


def pupil(key: str = "1001", year: str = "13", more: str = "<instroomdatum>2025-08-01</instroomdatum>") -> str:
    return PUPIL.format(key=key, year=year, more=more)


def document(*pupils: str, school: str = SCHOOL, teachers: str = "") -> str:
    within = f"<leerlingen>{''.join(pupils)}</leerlingen>" if pupils else ""
    staff = f"<leerkrachten>{teachers}</leerkrachten>" if teachers else ""
    return f"<leerlinggegevens>{school}{within}{staff}</leerlinggegevens>"


@dataclass
class Lvs:
    """Answers each location with its document. `asked`: what came."""

    documents: dict[str, str]
    down: bool = False
    asked: list[etree._Element] = field(default_factory=list)
    learned: dict[str, Sequence[Observation]] = field(default_factory=dict)

    async def message(self, _source: str, path: str, action: str, content: bytes, _limits: Limits) -> UpstreamAnswer:
        assert (path, action) == ("/uwlr/leerlinggegevens", "HaalLeerlinggegevens")
        if self.down:
            raise NotSent
        self.asked.append(etree.fromstring(content))
        key = self.asked[-1].findtext(f"{{{SPACE}}}schoolkey") or "01AB00"
        told = f'<leerlinggegevens_antwoord xmlns="{SPACE}">{self.documents[key]}</leerlinggegevens_antwoord>'
        return UpstreamAnswer(200, "text/xml", enveloped(told.encode()))

    def learn(
        self, _source: str, told: Mapping[str, Sequence[Observation]], *_: object, believed: object = ()
    ) -> Mapping[str, int]:
        self.learned.update(told)
        return {}

    async def sync(self, *locations: Location) -> tuple[Outcome, ...]:
        sync = RosterSync(Uwlr(self.message, Limits()), self, [RosterSource("lvs", locations or (NORTH,))], bytes)
        return await sync.run_source("lvs", NOW)


async def test_pupils_and_teachers_are_learned_with_their_groups() -> None:
    eck = (
        '<leerling key="1002" eckid="https://ketenid.example/1"><uitstroomdatum>2027-07-31</uitstroomdatum></leerling>'
    )
    lvs = Lvs({"01AB00": document(pupil(), eck, teachers=TEACHER)})

    await lvs.sync()

    one, other, teacher = lvs.learned["noord"]
    assert one.ids == {"las-key": "1001"}
    assert one.groups == {"g1", "s1"}
    assert one.enrolments == (Enrolment("noord", 3, date(2025, 8, 1), None),)
    assert other.ids == {"las-key": "1002", "eck-id": "https://ketenid.example/1"}
    assert other.enrolments == (Enrolment("noord", None, date.min, date(2027, 7, 31)),)
    assert (teacher.person, teacher.groups) == (Person.STAFF, frozenset({"g1", "s2"}))
    assert teacher.ids == {"neppi": "t1"}


async def test_blanks_around_an_id_are_no_part_of_it() -> None:
    """Records and facts are looked up without them: kept here, one pupil's would be the other's."""
    lvs = Lvs(
        {"01AB00": document(pupil(" 1001 ").replace("<leerling ", '<leerling eckid=" https://ketenid.example/1 " '))}
    )

    await lvs.sync()

    assert lvs.learned["noord"][0].ids == {"las-key": "1001", "eck-id": "https://ketenid.example/1"}


@pytest.mark.parametrize(("group", "year"), [("11", 1), ("16", 6), ("8", 8), ("0", None), ("S", None), ("17", None)])
async def test_jaargroep_is_a_year_of_its_kind_of_school(group: str, year: int | None) -> None:
    lvs = Lvs({"01AB00": document(pupil(year=group))})

    await lvs.sync()

    assert lvs.learned["noord"][0].enrolments[0].year == year


async def test_location_is_asked_as_the_standard_has_it() -> None:
    lvs = Lvs({"01AB00": document(pupil()), "zuid-1": document(pupil("2001"), school="<school/>")})

    await lvs.sync(NORTH, SOUTH)

    asked = [[(etree.QName(one).localname, one.text) for one in message] for message in lvs.asked]
    assert asked == [
        [("schooljaar", "2026-2027"), ("brincode", "01AB"), ("dependancecode", "00"), ("xsdversie", "2.2")],
        [("schooljaar", "2026-2027"), ("schoolkey", "zuid-1"), ("xsdversie", "2.2")],
    ]
    assert set(lvs.learned) == {"noord", "zuid"}


@pytest.mark.parametrize(
    ("told", "failure"),
    [
        ("<geengegevens/>", "unusable"),
        ("<geenwijzigingen/>", "unusable"),
        (document(pupil(), school="<school><brincode>99ZZ</brincode></school>"), "unusable"),
        (document(pupil(), school="<school><schoolkey>another</schoolkey></school>"), "unusable"),
        (document(pupil(), pupil("")), "malformed"),
        (document(pupil(), pupil()), "malformed"),
        (document(pupil(), pupil(" 1001 ")), "malformed"),
        (document(pupil(more="<instroomdatum>1 augustus</instroomdatum>")), "malformed"),
    ],
)
async def test_answer_that_is_not_whole_is_not_learned(told: str, failure: str) -> None:
    """Learned, whoever is missing would count as gone."""
    lvs = Lvs({"01AB00": told})

    assert [one.failure for one in await lvs.sync()] == [failure]
    assert lvs.learned == {}


async def test_source_that_gives_the_same_pupils_for_every_location_is_noticed() -> None:
    lvs = Lvs({"01AB00": document(pupil()), "zuid-1": document(pupil(), school="<school/>")})

    assert [one.failure for one in await lvs.sync(NORTH, SOUTH)] == ["filter-ignored", "filter-ignored"]
    assert lvs.learned == {}


async def test_location_that_cannot_be_named_and_source_that_does_not_answer_are_not_learned() -> None:
    lvs = Lvs({}, down=True)
    nowhere = Location("nergens", "Nergens", frozenset({("DD_ID", "DD1")}))

    assert [one.failure for one in await lvs.sync(NORTH, nowhere)] == ["not-reached", "unusable"]


async def test_birth_date_and_number_of_each_pupil_are_told() -> None:
    more = "<geboortedatum>2012-03-01+01:00</geboortedatum><bsn>999997701</bsn>"
    lvs = Lvs({"01AB00": document(pupil(more=more), pupil("1002", more=""))})

    told = await Uwlr(lvs.message, Limits()).details(RosterSource("lvs", (NORTH,)), NORTH, date(2026, 11, 22))

    assert told == [
        Detail(frozenset({("las-key", "1001")}), "2012-03-01", "999997701"),
        Detail(frozenset({("las-key", "1002")}), None, None),
    ]
    assert "1001" not in repr(told)


async def test_demo_school_is_learned_whole(lvs: RunningLvs) -> None:
    """With the header by which the demo's LVS knows the gateway."""
    known = Source(lvs.url, None, authorised(CLIENT_SECRET, "gateway", "Demoschool"))
    upstream = HttpUpstream({"lvs": known}, system_trust, Limits())
    places = tuple(Location(site.name, site.title, site.ids) for site in SITES)
    book = Lvs({})
    sync = RosterSync(Uwlr(upstream.message, Limits()), book, [RosterSource("lvs", places)], bytes)

    outcomes = await sync.run_source("lvs", NOW)

    await upstream.close()
    assert [one.failure for one in outcomes] == [None, None]
    for site in SITES:
        here = {str(one.number) for one in lvs.lvs.school.pupils if not one.left and one.stays[-1].site is site}
        told = [one for one in book.learned[site.name] if one.person is Person.PUPIL]
        assert {one.ids["las-key"] for one in told} == here
        assert all(one.groups and one.enrolments[0].year for one in told)

"""What comes in through the door, in a school in memory: messages, results, pushes and their answers, questions.

With the shipped schemas and templates: text that a delivery lets through is set aside before the canary is looked for
(`texts`), and of what goes to the school's own system only the names are looked at. An exception is a crash, whatever
it is: the data plane would make it an INTERNAL. Leaves out: the minimisers by themselves (`targets`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import orjson

from fuzz.target import CANARY, Leaked, Target
from fuzz.texts import bare, free, names_in
from gateway.core.model import Caller
from gateway.core.register import encode
from gateway.core.release.statements import contains
from gateway.transfer.ports import UpstreamAnswer
from gateway.transfer.request import Request
from tests import builders_push as push
from tests import builders_uwlr as uwlr
from tests.builders_formats import pupil
from tests.policy.shipped import answered
from tests.simulators.left import left
from tests.simulators.oneroster import PURPOSE, RECIPIENT, an_online_school
from tests.simulators.world import SCHOOL, School, a_request, a_school, caller, policy

_SYSTEM = Caller("school-1", "school", None, None)
_UWLR = Caller("client of smalle set", "recipient", "uwlr-smalle-set", "methodetoetsen")
_RESULT = Caller("doorstroomtoets-1", "recipient", "doorstroomtoets", "doorstroomtoets-resultaat")
_BACK = f"edu-to={push.ADMINISTRATION}&edu-from={push.OIN}"
_DUO = "/lvs/push/duo/inschrijving/inschrijving-vo"
_LIST = f"/lvs/push/doorstroomtoets/doorstroomtoets/registreren?edu-to={push.OIN}&edu-from={push.ADMINISTRATION}"
_GIVES, _TAKES = "/uwlr/leerlinggegevens", "/uwlr/leerresultaten"
_ONEROSTER = "/lvs/ims/oneroster/rostering/v1p2"
_MOMENT = "2026-11-20T09:30:00Z"
# A list of a dozen with its links, or the message of a class, whatever was asked.
_A_LIST = 100_000


@dataclass(slots=True)
class _Door:
    """One kind of call in one school. `free`: names of fields in which any text may leave; `inward`: what goes on goes
    to the school's own system."""

    school: School
    who: Caller
    asked: Callable[[bytes], Request]
    free: frozenset[str] = frozenset()
    inward: bool = False

    def run(self, body: bytes) -> bytes:
        """All that can be seen of it: answer, what went on, entries."""
        answer = asyncio.run(self._answer(body))
        school, register = self.school, self.school.register
        on = [one.body for one in school.endpoints.sent] + [one.body or b"" for one in school.upstream.calls]
        seen = [answer, *(self._seen(one) for one in on), *(encode(one, None) for one in register.drafts)]
        for kept in (register.drafts, register.entries, register.rolls, school.upstream.calls, school.endpoints.sent):
            kept.clear()
        school.ledger.rows.clear()
        school.journal.clear()
        return b"\n".join(seen)

    async def _answer(self, body: bytes) -> bytes:
        told = await left(await self.school.transfers.answer(self.who, self.asked(body)))
        headers = [value for name, value in told.headers if name != b"link"]  # a link holds the caller's own question
        return b"\n".join([b"%d" % told.status, *headers, bare(told.body, self.free)])

    def _seen(self, gone: bytes) -> bytes:
        if not self.inward:
            return bare(gone, self.free)
        if contains(gone.decode(), number=True):
            raise Leaked("a pseudonym or ECK iD went on")
        return names_in(gone)


def doors() -> Iterator[Target]:
    """By school: its own ways in and out."""
    yield from (_results(), _test_result(), _test_list(), _duo(), _duo_answer())
    yield from (_uwlr_request(), _uwlr_answer(), _uwlr_results(), _question())


def _posting(path: str, media: str = "application/json", action: str = "") -> Callable[[bytes], Request]:
    return lambda body: a_request(path, body=body, content_type=media, soapaction=f'"{action}"')


# -- results in JSON, and the list of those who take a test ----------------------------------------------------


def _results() -> Target:
    school = a_school()
    (pseudonym, *_) = asyncio.run(school.shown("toetsaanbieder")).values()
    statement = {
        "id": "s-1",
        "student": {"userIds": [{"userId": pseudonym, "userIdType": "ASI"}], "alias": CANARY},
        "results": [{"resultValue": "7.5", "resultType": "Grade0.0-10.0", "assessmentId": "a-1", CANARY: 1}],
        "additionalInfo": CANARY,
        "status": "Final",
        "dateCreated": _MOMENT,
        "dateLastModified": _MOMENT,
    }
    message = {
        "id": "m-1",
        "assessmentDateTime": _MOMENT,
        "assessmentDefinition": {"id": "a-1", "name": "Toets"},
        "school": SCHOOL,
        "schoolPeriod": "2026-2027",
        "timestamp": _MOMENT,
        "studentScoresAndResults": [statement, {**statement, "id": "s-2", "student": {}}],
    }
    whole, one = orjson.dumps(message), orjson.dumps({**message, "studentScoresAndResults": [statement]})
    # of a message that cannot be taken the answer says so by the ids that its sender gave
    door = _Door(school, caller("toetsaanbieder"), _posting("/lvs/results"), frozenset({"id"}), inward=True)
    return Target("results", door.run, (one, whole), _A_LIST)


@cache
def _pushing() -> School:
    """Whose list of participants left, so that their results can come back."""
    school = a_school(
        compiled=policy(texts=tuple((name, answered(name)) for name in ("duo", "doorstroomtoets"))),
        pupils=[push.known(), *(pupil(number) for number in range(2, 7))],
    )
    asyncio.run(school.transfers.answer(_SYSTEM, _posting(_LIST)(push.participants(2, 3))))
    school.endpoints.sent.clear()
    return school


def _test_result() -> Target:
    seed = {**push.result(2, opmerking=CANARY), CANARY: CANARY}
    door = _Door(_pushing(), _RESULT, _posting(f"/lvs/leerlingresultaat?{_BACK}"), inward=True)
    return Target("eindtoets result", door.run, (orjson.dumps(seed),), _A_LIST)


def _test_list() -> Target:
    door = _Door(_pushing(), _SYSTEM, _posting(_LIST), free("doorstroomtoets", "eindtoets"))
    seeds = (push.participants(2, 3, bsn=CANARY), push.participants(2, auteur=CANARY))
    return Target("eindtoets list", door.run, seeds, _A_LIST)


# -- DUO -------------------------------------------------------------------------------------------------------

# Of the header too, where something that looks as an address may stand.
_ADDRESSES = frozenset({"To", "Action", "MessageID", "RelatesTo", "Address"})


def _duo() -> Target:
    door = _Door(_pushing(), _SYSTEM, _posting(_DUO, "text/xml"), free("duo", "duo-inschrijving-vo") | _ADDRESSES)
    header = f"<a:MessageID>{push.MESSAGE}</a:MessageID><x>{CANARY}</x>"
    seeds = (
        push.enrolment(more=f"<naam>{CANARY}</naam>"),
        push.enveloped(push.enrolment(), header),
        push.enveloped(push.removal(), header),
    )
    return Target("duo", door.run, seeds, _A_LIST)


def _duo_answer() -> Target:
    school = a_school(compiled=policy(texts=(("duo", answered("duo")),)), pupils=[push.known()])

    def asked(body: bytes) -> Request:
        school.endpoints.answers = lambda _: UpstreamAnswer(200, "text/xml", body)
        return _posting(_DUO, "text/xml")(push.enveloped(push.enrolment()))

    door = _Door(school, _SYSTEM, asked, free("duo", "duo-inschrijving-vo") | _ADDRESSES)
    seeds = (push.enveloped(push.receipt(more=f"<naam>{CANARY}</naam>")), push.fault().replace(b"Jan", CANARY.encode()))
    return Target("duo answer", door.run, seeds, _A_LIST)


# -- UWLR ------------------------------------------------------------------------------------------------------


@cache
def _messaging() -> tuple[School, str]:
    """And the pseudonym of one who was in its list."""
    compiled = policy(texts=(("uwlr-smalle-set", answered("uwlr-smalle-set")),))
    school = a_school(compiled=compiled, pupils=uwlr.people())
    school.upstream.raw[_GIVES] = uwlr.answering(uwlr.class_of(CANARY))
    school.upstream.writes = lambda _: UpstreamAnswer(
        200, "text/xml", uwlr.message(f'<leerresultaten_bevestiging xmlns="{uwlr.LR}"/>')
    )
    told = asyncio.run(_listed(school))
    school.upstream.calls.clear()
    return school, uwlr.keys_in(uwlr.answered_with(told), "leerlingen/leerling")[0]


async def _listed(school: School) -> bytes:
    asked = _posting(f"/lvs{_GIVES}", "text/xml", uwlr.HAAL)(uwlr.asking())
    return (await left(await school.transfers.answer(_UWLR, asked))).body


def _uwlr_request() -> Target:
    school, _ = _messaging()
    door = _Door(school, _UWLR, _posting(f"/lvs{_GIVES}", "text/xml", uwlr.HAAL), free("uwlr-smalle-set", "uwlr-2-2"))
    header = uwlr.authorisation(CANARY, CANARY)
    seeds = (uwlr.asking(header=header), uwlr.asking(header=f"<x>{CANARY}</x>"))
    return Target("uwlr request", door.run, seeds, _A_LIST)


def _uwlr_answer() -> Target:
    school = a_school(compiled=policy(texts=(("uwlr-smalle-set", answered("uwlr-smalle-set")),)), pupils=uwlr.people())

    def asked(body: bytes) -> Request:
        school.upstream.raw[_GIVES] = body
        return _posting(f"/lvs{_GIVES}", "text/xml", uwlr.HAAL)(uwlr.asking())

    door = _Door(school, _UWLR, asked, free("uwlr-smalle-set", "uwlr-2-2"))
    return Target("uwlr answer", door.run, (uwlr.answering(uwlr.class_of(CANARY)),), _A_LIST)


def _uwlr_results() -> Target:
    school, pseudonym = _messaging()
    door = _Door(
        school, _UWLR, _posting(f"/lvs{_TAKES}", "text/xml", uwlr.BRENG), frozenset({"uitspraak", "key"}), inward=True
    )
    linked = uwlr.result("r1", more=f"<infourl>{CANARY}</infourl>")
    whole = uwlr.bringing(uwlr.taken(pseudonym, linked), more=f"<auteur>{CANARY}</auteur>")
    return Target("uwlr results", door.run, (whole,), _A_LIST)


# -- questions of OneRoster --------------------------------------------------------------------------------------


def _question() -> Target:
    """`filter`, `sort`, `fields` and the rest, as they stand in a URL."""
    school = an_online_school()
    who = Caller("client of online", "recipient", RECIPIENT, PURPOSE)

    def asked(query: bytes) -> Request:
        path = f"{_ONEROSTER}/users".encode()

        async def read() -> bytes:
            return b""

        return Request("GET", path, query, {}, "127.0.0.1", read)

    door = _Door(school, who, asked)
    seeds = (
        f"limit=5&filter=roles.role%3D%27student%27%20AND%20sourcedId!%3D%27{CANARY}%27&sort=sourcedId&orderBy=desc",
        f"fields=sourcedId,status&offset=2&filter=sourcedId!%3D%27{CANARY}%27",
        f"filter=roles.role%3D%27student%27%20OR%20roles.role~%27{CANARY}%27&limit=3",
    )
    return Target("oneroster question", door.run, tuple(one.encode() for one in seeds), _A_LIST)

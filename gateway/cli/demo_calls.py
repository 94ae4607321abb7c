"""Calls that work, found by making them: what a vendor's engineer can paste, per client of the demo.

The client first asks for enrolments, as a vendor would, and takes from them the mapped id of a subject offering and a
pupil's pseudonym. Leaves out: how they are shown (`demo`).
"""

from __future__ import annotations

import re
import ssl
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx2
import orjson

from gateway.demo.oneroster import BASE as ONEROSTER
from gateway.demo.pushes import oins, result
from gateway.demo.school import NOORD, School
from gateway.demo.somtoday import BASE as SOMTODAY
from gateway.demo.somtoday import vestiging_id

_ORGANISATION = {"orgId": "01AB00", "orgIdType": "V_ID"}
_SCHOOL = {"organisationIds": [{"organisationId": "DD100401", "organisationIdType": "DD_ID"}]}
_OTHERS = (
    *(f"/oneroster{ONEROSTER}/{one}" for one in ("users?limit=20", "orgs", "classes?limit=20", "enrollments?limit=20")),
    f"/somtoday{SOMTODAY}/vestiging",
    *(f"/somtoday{SOMTODAY}/vestiging/{vestiging_id(NOORD)}/{one}?amount=20" for one in ("leerling", "lesgroep/")),
)
"""What a client asks to which none of Edu-V is given."""
_SECONDS = 20.0
TEST_PROVIDER = "doorstroomtoets"


@dataclass(frozen=True, slots=True)
class Client:
    """One credential of the demo."""

    recipient: str
    purpose: str
    id: str
    secret: str = field(repr=False)
    api_key: str = field(repr=False)


def _http(*, base_url: httpx2.URL | str = "", headers: Mapping[str, str] | None = None) -> httpx2.AsyncClient:
    """Loopback without TLS: trusts nobody there, as reading whom the system trusts takes 20 ms a client."""
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx2.AsyncClient(base_url=base_url, headers=headers, timeout=_SECONDS, trust_env=False, verify=nobody)


async def calls_of(client: Client, gateway: str, school: School) -> list[dict[str, Any]]:
    """The students of one subject offering first, then what else this client's deliveries hold."""
    headers = {"Gateway-Key": client.api_key}
    async with _http(base_url=gateway, headers=headers) as http:
        enrolments = await _list(http, "/lvs/enrollments/school", {"enrollmentType": "subject"})
        calls = (
            *_students(enrolments),
            ("GET", f"/lvs/enrollments/school?{urlencode(_ORGANISATION)}", None),
            ("GET", f"/lvs/groups/school?{urlencode(_ORGANISATION)}", None),
            *_results(enrolments),
        )
        found = [made for call in calls if (made := await _made(http, headers, *call))]
        rest = () if found else _OTHERS
        found += [made for path in rest if (made := await _made(http, headers, "GET", path, None))]
        found = found or await _test_result(http, headers, client, school)
        return found or await _messages(http, client, school.year.title)


async def _list(http: httpx2.AsyncClient, path: str, asked: Mapping[str, str]) -> list[Any]:
    response = await http.get(path, params={**_ORGANISATION, **asked})
    if response.status_code != 200:
        response = await http.get(path, params=_ORGANISATION)
    return orjson.loads(response.content) if response.status_code == 200 else []


_Asked = tuple[str, str, Any]


def _students(enrolments: list[Any]) -> list[_Asked]:
    """The students of the offering that most enrolments name, and one of them by pseudonym; all students where no
    enrolment is shown."""
    offerings = Counter(one["subject"] for one in enrolments if "subject" in one)
    if not offerings:
        return [("GET", f"/lvs/students/school?{urlencode(_ORGANISATION)}", None)]
    offering = offerings.most_common(1)[0][0]
    student = next(one["student"] for one in enrolments if one.get("subject") == offering)
    query = urlencode({**_ORGANISATION, "subjectOfferingId": offering})
    return [
        ("GET", f"/lvs/students/school?{query}", None),
        ("POST", "/lvs/students", {"school": _SCHOOL, "student": student}),
    ]


def _results(enrolments: list[Any]) -> list[_Asked]:
    """A result for one pupil, as a test provider posts it (Edu-V Results)."""
    if not enrolments:
        return []
    moment = "2026-01-15T09:30:00Z"
    statement = {
        "id": "demo-statement-1",
        "student": enrolments[0]["student"],
        "results": [{"resultValue": "7.5", "resultType": "Grade0.0-10.0", "assessmentId": "demo-assessment"}],
        "status": "Final",
        "dateCreated": moment,
        "dateLastModified": moment,
    }
    message = {
        "id": "demo-message-1",
        "assessmentDateTime": moment,
        "assessmentDefinition": {"id": "demo-assessment", "name": "Demotoets"},
        "school": _SCHOOL,
        "schoolPeriod": enrolments[0].get("schoolPeriod", "2026-2027"),
        "timestamp": moment,
        "studentScoresAndResults": [statement],
    }
    return [("POST", "/lvs/results", message)]


async def hand_in(own: Client, push: Mapping[str, str], body: bytes) -> None:
    """What a system of the school pushes first, so that a result of it can come back."""
    headers = {"Gateway-Key": own.api_key, "Content-Type": push["content_type"]}
    async with _http(headers=headers) as http:
        await http.post(push["url"], content=body)


async def _test_result(
    http: httpx2.AsyncClient, headers: Mapping[str, str], client: Client, school: School
) -> list[dict[str, Any]]:
    """The result of one who was in the list that was pushed (Eindtoetsketen)."""
    of_school, of_system = oins(NOORD)
    path = f"/lvs/leerlingresultaat?edu-to={of_system}&edu-from={of_school}"
    if client.recipient != TEST_PROVIDER:
        return []
    made = await _made(http, headers, "POST", path, result(school))
    return [made] if made else []


async def _messages(http: httpx2.AsyncClient, client: Client, year: str) -> list[dict[str, Any]]:
    """What a client of UWLR sends: it asks for everybody, and brings a result of the first."""
    asked = await _sent(http, client, "leerlinggegevens", "HaalLeerlinggegevens", _ASKING.format(year=year))
    pupil = re.search(r'<leerling key="([^"]+)"', asked[1]) if asked else None
    if asked is None or pupil is None:
        return []
    brought = await _sent(
        http,
        client,
        "leerresultaten",
        "BrengLeerresultaten",
        _BRINGING.format(pupil=pupil.group(1), by=client.recipient, year=year),
    )
    return [asked[0], *([brought[0]] if brought else [])]


async def _sent(
    http: httpx2.AsyncClient, client: Client, service: str, action: str, content: str
) -> tuple[dict[str, Any], str] | None:
    """The call with its status, and the answer. The key stands in the message, not in a header."""
    body = _MESSAGE.format(key=client.api_key, code=client.id, name=client.recipient, content=content)
    path, headers = f"/lvs/uwlr/{service}", {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}
    async with _http(base_url=http.base_url) as bare:
        response = await bare.post(path, content=body.encode(), headers=headers)
    if response.status_code != 200:
        return None
    told = {"method": "POST", "path": path, "headers": headers, "body": body, "status": response.status_code}
    return told, response.text


_MESSAGE = (
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Header>'
    '<autorisatie xmlns="http://www.edustandaard.nl/leerresultaten/2/autorisatie">'
    "<autorisatiesleutel>{key}</autorisatiesleutel><klantcode>{code}</klantcode><klantnaam>{name}</klantnaam>"
    "</autorisatie></soap:Header><soap:Body>{content}</soap:Body></soap:Envelope>"
)
_ASKING = (
    '<leerlinggegevens_verzoek xmlns="http://www.edustandaard.nl/leerresultaten/2/leerlinggegevens">'
    "<schooljaar>{year}</schooljaar><brincode>01AB</brincode><dependancecode>00</dependancecode>"
    "<xsdversie>2.2</xsdversie></leerlinggegevens_verzoek>"
)
_BRINGING = (
    '<leerresultaten_verzoek xmlns="http://www.edustandaard.nl/leerresultaten/2/leerresultaten"><school>'
    "<schooljaar>{year}</schooljaar><brincode>01AB</brincode><dependancecode>00</dependancecode>"
    "<aanmaakdatum>2026-01-15T09:30:00</aanmaakdatum><xsdversie>2.2</xsdversie></school><toetsafnames><toetsafname>"
    '<leerlingid>{pupil}</leerlingid><resultaten><resultaat key="demo-{by}"><afnamedatum>2026-01-15</afnamedatum>'
    "<toetscode>demo-toets</toetscode><score>7</score></resultaat></resultaten></toetsafname></toetsafnames><toetsen>"
    "<toets><toetscode>demo-toets</toetscode><toetsnaam>Demotoets</toetsnaam></toets></toetsen>"
    "</leerresultaten_verzoek>"
)


async def _made(
    http: httpx2.AsyncClient, headers: Mapping[str, str], method: str, path: str, body: Any
) -> dict[str, Any] | None:
    """The call with its status; None for what is not part of this client's deliveries."""
    response = await http.request(method, path, json=body) if body else await http.request(method, path)
    if response.status_code not in (200, 201, 202):
        return None
    told = {**headers, "Content-Type": "application/json"} if body else dict(headers)
    return {"method": method, "path": path, "headers": told, "body": body, "status": response.status_code}

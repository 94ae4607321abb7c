"""Calls that work, found by making them: what a vendor's engineer can paste, per client of the demo.

The client first asks for enrolments, as a vendor would, and takes from them the mapped id of a subject offering and a
pupil's pseudonym. Leaves out: how they are shown (`demo`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx2
import orjson

from gateway.demo.oneroster import BASE

_ORGANISATION = {"orgId": "01AB00", "orgIdType": "V_ID"}
_SCHOOL = {"organisationIds": [{"organisationId": "DD100401", "organisationIdType": "DD_ID"}]}
_ONEROSTER = ("users?limit=20", "orgs", "classes?limit=20", "enrollments?limit=20")
_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Client:
    """One credential of the demo."""

    recipient: str
    purpose: str
    id: str
    secret: str = field(repr=False)
    api_key: str = field(repr=False)


async def calls_of(client: Client, gateway: str) -> list[dict[str, Any]]:
    """The students of one subject offering first, then what else this client's deliveries hold."""
    headers = {"Gateway-Key": client.api_key}
    async with httpx2.AsyncClient(base_url=gateway, headers=headers, timeout=_SECONDS, trust_env=False) as http:
        enrolments = await _list(http, "/lvs/enrollments/school", {"enrollmentType": "subject"})
        calls = (
            *_students(enrolments),
            ("GET", f"/lvs/enrollments/school?{urlencode(_ORGANISATION)}", None),
            ("GET", f"/lvs/groups/school?{urlencode(_ORGANISATION)}", None),
            *_results(enrolments),
        )
        found = [made for call in calls if (made := await _made(http, headers, *call))]
        rest = [] if found else [("GET", f"/oneroster{BASE}/{path}", None) for path in _ONEROSTER]
        return found + [made for call in rest if (made := await _made(http, headers, *call))]


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


async def _made(
    http: httpx2.AsyncClient, headers: Mapping[str, str], method: str, path: str, body: Any
) -> dict[str, Any] | None:
    """The call with its status; None for what is not part of this client's deliveries."""
    response = await http.request(method, path, json=body) if body else await http.request(method, path)
    if response.status_code not in (200, 201):
        return None
    told = {**headers, "Content-Type": "application/json"} if body else dict(headers)
    return {"method": method, "path": path, "headers": told, "body": body, "status": response.status_code}

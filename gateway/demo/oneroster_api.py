"""The 41 read endpoints of OneRoster 1.2 rostering over the demo school: pages, order, filter, imsx_StatusInfo.

What is filtered and sorted here is what the gateway asks: an order by `sourcedId`. Leaves out the records (`oneroster`)
and credentials (`lvs`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.demo.oneroster import BASE, Roster
from gateway.demo.records import Json

JSON = "application/json"
_SINGLE = {
    "academicSessions": "academicSession", "classes": "class", "courses": "course", "demographics": "demographics",
    "enrollments": "enrollment", "orgs": "org", "users": "user",
}  # fmt: skip
# Collections that are a part of another: of which, and what makes a record one of them.
_PARTS: dict[str, tuple[str, Callable[[Json], bool]]] = {
    "gradingPeriods": ("academicSessions", lambda one: one["type"] == "gradingPeriod"),
    "terms": ("academicSessions", lambda one: one["type"] == "term"),
    "schools": ("orgs", lambda one: one["type"] == "school"),
    "students": ("users", lambda one: _has_role(one, "student")),
    "teachers": ("users", lambda one: _has_role(one, "teacher")),
}  # fmt: skip
_NESTED = (
    "classes/{class}/students", "classes/{class}/teachers", "courses/{course}/classes",
    *(f"schools/{{school}}/{one}" for one in ("classes", "courses", "enrollments", "students", "teachers", "terms")),
    *(f"schools/{{school}}/classes/{{class}}/{one}" for one in ("enrollments", "students", "teachers")),
    "students/{user}/classes", "teachers/{user}/classes", "terms/{term}/classes", "terms/{term}/gradingPeriods",
    "users/{user}/classes",
)  # fmt: skip
_MOST = 5_000  # records of one page


class Unknown(Exception):
    """No such record."""


@dataclass(slots=True)
class OneRoster:
    """Looks up records, made when they are first asked for; every answer of a list is a page of it."""

    make: Callable[[], Roster]
    most: int = _MOST
    _moved: int = field(default=0, init=False)
    _roster: Roster | None = field(default=None, init=False)
    _by_id: dict[tuple[str, str], Json] = field(default_factory=dict, init=False)

    @property
    def roster(self) -> Roster:
        if self._roster is None:
            self._roster = self.make()
            for name in _SINGLE:
                self._by_id |= {(name, record["sourcedId"]): record for record in self._all(name)}
        return self._roster

    def move(self) -> None:
        """Somebody leaves and another comes: there are as many as there were, and all stand a place further up."""
        for records in (self.roster.users, self.roster.enrollments):
            self._moved += 1
            records.append({**records.pop(0), "sourcedId": f"ffffffff-0000-4000-8000-{self._moved:012}"})

    def routes(self, guarded: Callable[[Callable[[Request], Response]], Any]) -> list[Route]:
        """`guarded` demands the token."""
        collections = (*_SINGLE, *_PARTS)
        paths = [*(f"{one}/{{id}}" for one in collections), *collections, *_NESTED]
        return [Route(f"{BASE}/{path}", guarded(self._answering(path)), methods=["GET"]) for path in paths]

    def _answering(self, path: str) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            try:
                return self.answer(path, request.path_params, request.query_params)
            except Unknown:
                return status_info(404, "unknownobject")
            except ValueError:
                return status_info(400, "invaliddata")

        return answer

    def answer(self, path: str, named: Mapping[str, str], query: Mapping[str, str]) -> Response:
        """Raises Unknown, and ValueError for a page that cannot be."""
        if path.endswith("{id}"):
            return self._one(path.partition("/")[0], named["id"])
        last = path.rpartition("/")[2]
        whole = _PARTS[last][0] if last in _PARTS else last
        records = self._listed(last, whole, named)
        limit, offset = min(int(query.get("limit", "100")), self.most), int(query.get("offset", "0"))
        if limit < 1 or offset < 0:
            raise ValueError("no such page")
        if query.get("sort", "sourcedId") != "sourcedId":
            raise ValueError("no such order")
        body = msgspec.json.encode({whole: records[offset : offset + limit]})
        return Response(body, media_type=JSON, headers={"X-Total-Count": str(len(records))})

    def _one(self, collection: str, id_: str) -> Response:
        whole, belongs = _PARTS.get(collection, (collection, _any))
        record = next((one for one in self._all(whole) if one["sourcedId"] == id_), None)
        if record is None or not belongs(record):
            raise Unknown
        return Response(msgspec.json.encode({_SINGLE[whole]: record}), media_type=JSON)

    def _listed(self, last: str, whole: str, named: Mapping[str, str]) -> list[Json]:
        records = self._all(whole)
        for kind, id_ in named.items():
            if (_COLLECTION[kind], id_) not in self._by_id:
                raise Unknown
        belongs = _PARTS[last][1] if last in _PARTS else _any
        tests = [_NARROWED[whole, kind](self, id_) for kind, id_ in named.items()]
        return [one for one in records if belongs(one) and all(test(one) for test in tests)]

    def _all(self, collection: str) -> list[Json]:
        name = "sessions" if collection == "academicSessions" else collection
        found: list[Json] = getattr(self._roster or self.roster, name)
        return found

    # -- what belongs to what --------------------------------------------------------------------------------

    def of_class(self, id_: str) -> frozenset[str]:
        return frozenset(
            one["user"]["sourcedId"] for one in self.roster.enrollments if one["class"]["sourcedId"] == id_
        )

    def of_user(self, id_: str) -> frozenset[str]:
        return frozenset(
            one["class"]["sourcedId"] for one in self.roster.enrollments if one["user"]["sourcedId"] == id_
        )


def _any(_record: Json) -> bool:
    return True


def _has_role(user: Json, role: str) -> bool:
    return any(one["role"] == role for one in user["roles"])


def _among(ids: frozenset[str]) -> Callable[[Json], bool]:
    return lambda one: one["sourcedId"] in ids


Test = Callable[[Json], bool]
_COLLECTION = {"class": "classes", "course": "courses", "school": "orgs", "term": "academicSessions", "user": "users"}
# (records, what is named in the path) → which of them belong to it
_NARROWED: dict[tuple[str, str], Callable[[OneRoster, str], Test]] = {
    ("users", "class"): lambda api, id_: _among(api.of_class(id_)),
    ("users", "school"): lambda _, id_: lambda one: any(role["org"]["sourcedId"] == id_ for role in one["roles"]),
    ("classes", "course"): lambda _, id_: lambda one: one["course"]["sourcedId"] == id_,
    ("classes", "school"): lambda _, id_: lambda one: one["school"]["sourcedId"] == id_,
    ("classes", "user"): lambda api, id_: _among(api.of_user(id_)),
    ("classes", "term"): lambda _, id_: lambda one: any(term["sourcedId"] == id_ for term in one["terms"]),
    ("courses", "school"): lambda _api, _id: _any,
    ("enrollments", "school"): lambda _, id_: lambda one: one["school"]["sourcedId"] == id_,
    ("enrollments", "class"): lambda _, id_: lambda one: one["class"]["sourcedId"] == id_,
    ("academicSessions", "school"): lambda _api, _id: _any,
    ("academicSessions", "term"): lambda _, id_: lambda one: one.get("parent", {}).get("sourcedId") == id_,
}


def status_info(status: int, minor: str) -> Response:
    told = {"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": minor}
    body = {
        "imsx_codeMajor": "failure", "imsx_severity": "error", "imsx_CodeMinor": {"imsx_codeMinorField": [told]}
    }  # fmt: skip
    return Response(msgspec.json.encode(body), status_code=status, media_type=JSON)

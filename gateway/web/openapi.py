"""The admin API described: OpenAPI 3.1, made from the forms that judge the rows and the structs that read the bodies.

Leaves out: what is served (`admin_facts`); a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from gateway.web.admin_facts import BODIES, CSV, JSON, NDJSON
from gateway.web.desk import Desk, Json

_VERSION = "1.0.0"  # of the API: what is added moves the second number, what changes the first
_TEMPLATE = "#/components/schemas/{name}"
_PROBLEMS = {
    400: "A parameter, header or body is not as described here.",
    401: "Nobody is signed in.",
    403: "No role of this person allows it.",
    404: "No such fact is known.",
    405: "This method is not allowed here.",
    408: "The body did not arrive in time.",
    409: "It cannot be done now: another import runs, or something must be recorded first (R95).",
    413: "The body is too large.",
    415: "Not a media type that is read here.",
    422: "The rows break rules: each problem with its line and rule, never with a value.",
    429: "Too many sign-ins.",
    500: "An error of the gateway.",
    503: "The database cannot be read or written now.",
}
_COMMON = (401, 403, 500, 503)
_READS = (400, 408, 413, 415)
_NUMBER = {
    "name": "number", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1, "maximum": 2**63 - 1},
}  # fmt: skip
_REASON = {
    "name": "Reason", "in": "header", "required": True, "description": "Why, in words; it stands in the register.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 500, "pattern": r"^[!-~]([ -~]*[!-~])?$"},
}  # fmt: skip
_LAST = {
    "name": "last", "in": "query", "description": "How many, the newest last.",
    "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
}  # fmt: skip


def document(desk: Desk) -> bytes:
    """The whole document."""
    schemas: dict[str, Any] = {**desk.schemas, **_bodies(), **_answers()}
    described = {
        "openapi": "3.1.0",
        "info": {"title": "Gateway admin API", "version": _VERSION, "description": _ABOUT},
        "paths": {**_fixed(), **_of_kinds(desk.kinds)},
        "components": {
            "schemas": schemas,
            "securitySchemes": {"session": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"session": []}],
    }
    return orjson.dumps(described)


_ABOUT = (
    "For the school's own systems, on the admin listener. Sign in as a person; every change is registered with who, "
    "when, why, what kind and for whom. No answer names a pupil."
)


def _bodies() -> dict[str, Json]:
    _, components = msgspec.json.schema_components(BODIES, ref_template=_TEMPLATE)
    return components


def _answers() -> dict[str, Json]:
    number, text = {"type": "integer"}, {"type": "string"}
    at = _object({"row": number, "line": number, "message": text, "rule": text}, optional=("row",))
    return {
        "Problem": _object(
            {"status": number, "title": text, "problems": {"type": "array", "items": at}, "count": number},
            optional=("problems", "count"),
        ),
        "Token": _object({"access_token": text, "token_type": {"const": "Bearer"}}),
        "Taken": _object(dict.fromkeys(("rows", "entered", "ended", "known"), number)),
        "Listed": _object({
            "count": number,
            "facts": {
                "type": "array",
                "items": _object({"number": number, "kind": text, "pupil": text, "says": {"type": "object"}}),
            },
        }),
        "Opened": _object({"campaign": number}),
        "Status": _object({
            "facts": {"type": "object", "additionalProperties": {"type": ["integer", "string"]}},
            "declared": {
                "type": "array", "items": _object({"kind": text, "location": text, "by": text, "moment": text}),
            },
        }),
    }  # fmt: skip


def _object(properties: Mapping[str, Any], optional: tuple[str, ...] = ()) -> Json:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _fixed() -> dict[str, Json]:
    open_api = _operation("This document.", answer={"type": "object"}, problems=(500,))
    signing_in = _operation("Sign in; the token is shown once.", body="SignIn", answer="Token", problems=(429,))
    return {
        "/openapi.json": {"get": {**open_api, "security": []}},
        "/session": {
            "post": {**signing_in, "security": []},
            "delete": _operation("Sign out."),
        },
        "/facts/status": {"get": _operation("How much is known, and what was declared.", answer="Status")},
        "/declarations": {
            "post": _operation("Declare that everything of a kind is entered for a location.", body="Declaration",
                               problems=(404,)),
        },
        "/campaigns": {
            "post": _operation("Open a campaign: what everybody in it is asked (D6).", body="campaign",
                               answer="Opened", parameters=[_REASON], problems=(422,)),
        },
        "/facts/objection/{number}/decision": {
            "post": _operation("The board's decision about an objection (R96).", body="Decision",
                               parameters=[_NUMBER], problems=(404,)),
        },
    }  # fmt: skip


def _of_kinds(kinds: tuple[str, ...]) -> dict[str, Json]:
    paths: dict[str, Json] = {}
    for kind in kinds:
        row = {"$ref": _TEMPLATE.format(name=kind)}
        rows = {
            JSON: {"schema": {"type": "array", "items": row}},
            CSV: {"schema": {"type": "string"}},
            NDJSON: {"schema": {"type": "string"}},
        }
        bringing = _operation(
            "Bring in rows: all of them, or none.", answer="Taken", parameters=[_REASON], problems=(*_READS, 409, 422)
        )
        paths[f"/facts/{kind}"] = {
            "get": _operation("The newest that are known.", answer="Listed", parameters=[_LAST], problems=(400,)),
            "post": {**bringing, "requestBody": {"required": True, "content": rows}},
        }
        paths[f"/facts/{kind}/{{number}}/end"] = {
            "post": _operation("End a fact; a restriction only after informing (R95).", body="End",
                               parameters=[_NUMBER], problems=(404, 409)),
        }  # fmt: skip
    return paths


def _operation(
    summary: str,
    *,
    body: str | None = None,
    answer: str | Json | None = None,
    parameters: list[Json] | None = None,
    problems: tuple[int, ...] = (),
) -> Json:
    """`answer` None: 204, without a body."""
    made: Json = {"summary": summary, "responses": _responses(answer, problems, reads=body is not None)}
    if parameters:
        made["parameters"] = parameters
    if body is not None:
        made["requestBody"] = {
            "required": True, "content": {JSON: {"schema": {"$ref": _TEMPLATE.format(name=body)}}},
        }  # fmt: skip
    return made


def _responses(answer: str | Json | None, problems: tuple[int, ...], *, reads: bool) -> Json:
    schema = {"$ref": _TEMPLATE.format(name=answer)} if isinstance(answer, str) else answer
    good = {"200": {"description": "Done.", "content": {JSON: {"schema": schema}}}}
    statuses = sorted({*_COMMON, *problems, *(_READS if reads else ())})
    problem = {"application/problem+json": {"schema": {"$ref": _TEMPLATE.format(name="Problem")}}}
    bad = {str(status): {"description": _PROBLEMS[status], "content": problem} for status in statuses}
    return {**(good if answer is not None else {"204": {"description": "Done."}}), **bad}

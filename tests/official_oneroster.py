"""The official OneRoster 1.2 rostering OpenAPI as validators of whole answers; not shipped, see `official`."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from openapi_schema_validator import OAS30Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

_API = "urn:oneroster"
_FILE = "oneroster-1.2/onerosterv1p2rostersservice_openapi3_v1p0.json"


@cache
def _description() -> Any:
    return json.loads((Path(os.environ["STANDARDS_DIR"]) / _FILE).read_text("utf-8"))


def endpoints() -> list[str]:
    """All paths, as templates."""
    return list(_description()["paths"]) if "STANDARDS_DIR" in os.environ else []


def properties(kind: str) -> dict[str, Any]:
    """Of a data type (`UserDType`)."""
    found: dict[str, Any] = _description()["components"]["schemas"][kind]["properties"]
    return found


@cache
def _registry() -> Registry[Any]:
    registry: Registry[Any] = Registry().with_resource(_API, DRAFT4.create_resource(_description()))
    return registry


@cache
def validator(reference: str) -> OAS30Validator:
    return OAS30Validator(
        {"$ref": f"{_API}{reference}"}, registry=_registry(), format_checker=OAS30Validator.FORMAT_CHECKER
    )


def problems(path: str, status: int, body: object) -> list[str]:
    """What is wrong with an answer of this endpoint, by place and rule; the values themselves are not told."""
    answers = _description()["paths"][path]["get"]["responses"]
    said = answers.get(str(status), answers["default"])["content"]["application/json"]["schema"]["$ref"]
    errors = validator(said).iter_errors(body)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.validator}" for error in errors]

"""The official files, as validators; they are not shipped, so their place is given by STANDARDS_DIR."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from lxml import etree
from openapi_schema_validator import OAS30Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

needs_standards = pytest.mark.skipif(
    "STANDARDS_DIR" not in os.environ, reason="STANDARDS_DIR does not name the folder of the official files"
)
_API = "urn:edu-v:"


@cache
def _registry(file: str) -> Registry[Any]:
    text = (Path(os.environ["STANDARDS_DIR"]) / (file if "/" in file else f"edu-v/{file}")).read_text("utf-8")
    api = yaml.CSafeLoader(text).get_single_data()
    registry: Registry[Any] = Registry().with_resource(_API + file, DRAFT4.create_resource(api))
    return registry


@cache
def official(file: str, record: str) -> OAS30Validator:
    """A validator of one record of one API: `official("students-api.yaml", "Student")`."""
    reference = {"$ref": f"{_API}{file}#/components/schemas/{record}"}
    return OAS30Validator(reference, registry=_registry(file), format_checker=OAS30Validator.FORMAT_CHECKER)


def problems(file: str, record: str, value: object) -> list[str]:
    """What is wrong with a value, by path and rule; the values themselves are not told."""
    errors = official(file, record).iter_errors(value)
    return [f"{record}/{'/'.join(map(str, error.absolute_path))}: {error.validator}" for error in errors]


@cache
def oso_schema() -> etree.XMLSchema:
    """The official description of an OSO dossier."""
    return etree.XMLSchema(etree.parse(Path(os.environ["STANDARDS_DIR"]) / "oso" / "OSO_gegevensset.xsd"))

"""Every choice of categories of an OSO dossier: `check` refuses the file, or a valid dossier leaves, never silence."""

from __future__ import annotations

import json
from collections import Counter
from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.adapters.policy.files import load_recipient
from gateway.adapters.policy.yaml_text import read
from gateway.core.facts import Facts, Inzage
from gateway.core.model import Category, FieldClass
from gateway.core.policy.rules import problems
from gateway.core.policy.terms import Conditions, Recipient
from gateway.core.release.compiler import compile_projection
from gateway.core.release.emission import Emission
from gateway.formats.xml import XmlMinimiser
from tests import builders_formats as build
from tests.formats.test_oso import FLAGS, POPO, POSWV, PUPIL, fields, official, parts, record
from tests.official import needs_standards, oso_schema
from tests.policy.shipped import TODAY, answered, schemas
from tests.simulators.facts import SimulatedFacts

pytestmark = needs_standards

ALL = [
    "cat_metadata", "cat_ouderinzage", "cat_school", "cat_leerling", "cat_oudersverzorgers", "cat_vve",
    "cat_schoolloopbaan", "cat_overstapadvies", "cat_onderwijsondersteuning", "cat_verzuim", "cat_eindtoetsbo",
    "cat_toetsresultaten", "cat_handelingsplannen", "cat_cijferlijsten", "cat_vombo", "cat_bijlagedocs",
]  # fmt: skip
# What `check` refuses by its class or category whatever else is granted: other tests' business.
NEVER = {FieldClass.SPECIAL, FieldClass.MEDICAL, FieldClass.FINANCIAL, FieldClass.NATIONAL_NUMBER, FieldClass.DOCUMENT}
NOBODY = {Category.MEDICAL, Category.STAFF, Category.BIRTH_PLACE, Category.NATIONALITY}


def grant(path: str) -> dict[str, str]:
    masked = {"transform": "mask"} if fields()[path].field_class is FieldClass.FREE_TEXT else {}
    return {"reason": "De ontvanger kan zonder dit gegeven zijn taak niet doen.", **masked}


def chosen(categories: frozenset[str]) -> list[str]:
    paths = [path for one in categories for path in parts()[one]]
    left = [path for path in paths if fields()[path].field_class not in NEVER and fields()[path].category not in NOBODY]
    flags = [path for path in fields() if path.startswith(FLAGS)]
    return [*dict.fromkeys([*flags, "overdrachtsoort", *(path for path in left if "document" not in path)])]


@cache
def shipped(name: str) -> Any:
    return read(answered(name), "").value


def file_of(name: str, purpose: str, categories: frozenset[str]) -> str:
    """The template, with one delivery of exactly these categories."""
    found = deepcopy(shipped(name))
    found["agreement"]["categories"] = sorted(set(Category) - {"criminal", "confidential", "credentials"})
    (delivery,) = [one for one in found["deliveries"] if one["purpose"] == purpose]
    delivery["schemas"] = {"oso-2019": {"dossier": {path: grant(path) for path in chosen(categories)}}}
    found["deliveries"] = [delivery]
    return json.dumps(found)


OUTCOMES: Counter[tuple[str, bool]] = Counter()


@pytest.mark.parametrize(
    ("name", "purpose", "dossier"),
    [("samenwerkingsverband", "toelaatbaarheid", POSWV), ("school-povo", "overstap", POPO)],
)
def test_every_choice_of_categories_is_refused_or_gives_a_valid_dossier(name: str, purpose: str, dossier: str) -> None:
    @settings(max_examples=60, deadline=None)
    @given(st.frozensets(st.sampled_from(ALL)), st.booleans())
    def holds(some: frozenset[str], demanded: bool) -> None:  # noqa: FBT001 - as hypothesis calls it
        always = {"cat_metadata", "cat_school", "cat_leerling", "cat_schoolloopbaan", "cat_oudersverzorgers"}
        always |= {"cat_ouderinzage", "cat_overstapadvies", "cat_onderwijsondersteuning"}
        found = body_of(name, purpose, dossier, some | always if demanded else some)
        OUTCOMES[name, found is None] += 1
        if found is not None:
            oso_schema().assertValid(etree.fromstring(found))

    holds()

    assert OUTCOMES[name, True]
    assert OUTCOMES[name, False]


def body_of(name: str, purpose: str, dossier: str, categories: frozenset[str]) -> bytes | None:
    """What leaves of the official dossier; None where `check` refuses the file."""
    loaded = load_recipient(file_of(name, purpose, categories), f"{name}.yaml", schemas())
    assert isinstance(loaded, Recipient), loaded
    if problems(loaded, schemas(), None, TODAY):
        return None
    grants = dict(loaded.deliveries[0].grants["dossier"])
    projection = compile_projection(record(), grants, loaded.deliveries[0].pseudonym)
    facts = SimulatedFacts({PUPIL.id: Facts(inzagen=(Inzage(day=TODAY),))})
    terms = replace(loaded.deliveries[0], conditions=Conditions())  # which are about the pupil
    emission = Emission(build.sight(terms, [PUPIL], facts=facts))
    return XmlMinimiser(projection, schemas()["oso-2019"].namespaces).minimise(
        official(f"{dossier}_full"), emission, many=False
    ).body  # fmt: skip

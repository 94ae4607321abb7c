"""Free text leaves masked, a BSN never where it does not belong, and counts tell of no small group (D7, D8, R45)."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from tests.journeys.driving import NORTH, STUDENTS, Demo
from tests.journeys.office import another

pytestmark = pytest.mark.journey

BY_NAME = """\
recipient: gemeente
title: Gemeente Voorbeeldstad
kind: government
role: controller
contact: privacy@gemeente.example
agreement:
  model: Uitwisselingsafspraak 2026
  signed: {begin}
  starts: {begin}
  until: {end}
  categories: [name, organisation, observations]
  storage: [{{country: NL}}]
deliveries:
  - purpose: begeleiding
    grondslag: {{ground: e, reference: WPO artikel 8}}
    necessity:
      subsidiarity: Zonder de aantekening weet de gemeente niet wat er speelt.
      proportionality: Alleen de aantekening gaat mee, zonder anderen.
      by: directeur
      date: {begin}
    locations: [noord]
    until: {end}
    pseudonym: none
    deviation: De gemeente spreekt de leerling bij naam.
    channel: api
    absence: De gemeente sluit het dossier.
    schemas:
      edu-v-students:
        Student:
          givenName: {{reason: De gemeente spreekt de leerling aan.}}
          familyName: {{reason: De gemeente spreekt de leerling aan.}}
          alias: {{reason: De gemeente spreekt de leerling aan.}}
          note: {{transform: mask, reason: De gemeente leest wat er is gebeurd.}}
          status: {{transform: fixed, value: active, reason: Het formaat eist een status.}}
          dateCreated: {{transform: fixed, value: "2000-01-01T00:00:00Z", reason: Het formaat eist een moment.}}
          dateLastModified: {{transform: fixed, value: "2000-01-01T00:00:00Z", reason: Het formaat eist een moment.}}
"""

COUNTS = """\
recipient: onderzoeker
title: Onderzoeker
kind: research
role: controller
contact: privacy@onderzoek.example
agreement:
  model: Onderzoeksafspraak 2026
  signed: {begin}
  starts: {begin}
  until: {end}
  categories: [sex, birth-date]
  storage: [{{country: NL}}]
deliveries:
  - purpose: onderzoek-instroom
    grondslag: {{ground: e, reference: WPO artikel 8}}
    necessity:
      subsidiarity: Aantallen zijn genoeg; over een leerling hoeft niets bekend te zijn.
      proportionality: Geen leerling is in de aantallen te herkennen.
      by: directeur
      date: {begin}
    locations: [noord]
    until: {end}
    channel: api
    absence: De onderzoeker ziet alleen aantallen.
    aggregate: {{by: [gender, dateOfBirth]}}
    schemas:
      edu-v-students:
        Student:
          gender: {{reason: Het onderzoek vergelijkt jongens en meisjes.}}
          dateOfBirth: {{transform: year, reason: Het onderzoek vergelijkt jaren.}}
"""


def test_notes_leave_masked_and_a_bsn_stays_behind(demo: Demo) -> None:
    held = {one["familyName"] + one["givenName"]: one for one in demo.lvs.everything("/students/school")}
    names = {word for one in held.values() for word in (one["givenName"], one["familyName"])}
    with another(demo, "gemeente", "begeleiding", BY_NAME) as vendor:
        response = vendor.get(STUDENTS)
        entry = demo.entry(response)
    found: list[dict[str, Any]] = response.json()

    notes = [one["note"] for one in found if "note" in one]
    assert any("[naam]" in note for note in notes)
    assert not [note for note in notes if set(re.findall(r"\w+", note)) & names]
    assert not re.search(r"\d{8}", " ".join(notes))
    numbers = {one["bsn"] for one in held.values()}
    assert not [number for number in numbers if number in response.text]
    blocked = [one for one in held.values() if one.get("alias") == one["bsn"] or one["bsn"] in one.get("note", "")]
    assert blocked
    assert 0 < entry["partial"] <= len(blocked)


def test_counts_tell_of_no_small_group(demo: Demo) -> None:
    with another(demo, "onderzoeker", "onderzoek-instroom", COUNTS) as vendor:
        response = vendor.get(STUDENTS)
        named = vendor.student("00000000-0000-8000-8000-000000000000")
        filtered = vendor.get(STUDENTS, NORTH | {"schoolPeriodId": "x"})
    cells: list[dict[str, Any]] = response.json()

    assert cells
    assert all(set(one) == {"gender", "dateOfBirth", "count"} and one["count"] >= 5 for one in cells)
    true = Counter(
        (one["gender"], one["dateOfBirth"][:4] + "-01-01") for one in demo.lvs.everything("/students/school")
    )
    assert all(one["count"] <= true[one["gender"], one["dateOfBirth"]] for one in cells)
    assert demo.entry(response)["released"] == sum(one["count"] for one in cells)
    assert (named.status_code, filtered.status_code) == (404, 400)

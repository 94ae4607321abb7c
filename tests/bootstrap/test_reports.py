"""bootstrap.reports: what a person reads of files that were filtered, in Dutch, beside what programs read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest

from gateway.bootstrap import reports
from gateway.bootstrap.school import open_school
from gateway.core.model import Caller
from gateway.core.persons import PersonRole
from gateway.core.policy.schema import Route
from gateway.core.reasons import Reason
from gateway.core.release.faults import TEXT, Fault
from gateway.transfer.filter import Filed
from gateway.transfer.request import Match, Stop
from gateway.transfer.trail import Trail
from tests.builders_policy import SCHEMA

Format = Literal["json", "xml", "csv"]


def filed(form: Format, stop: Stop) -> Filed:
    schema = replace(SCHEMA, format=form)
    match = Match("lvs", schema, Route("FILE", "/Pupil", "Pupil", many=True), {})
    caller = Caller("somebody", "school", "uitgever", "oefenen")
    made = Filed(Trail("1", datetime(2026, 11, 22, tzinfo=UTC), caller, match))
    made.stop = stop
    return made


@pytest.mark.parametrize(
    ("form", "said", "no"),
    [("xml", "eerste element", "kolommen"), ("json", "hele JSON", "element"), ("csv", "kolommen", "element")],
)
def test_what_to_look_at_in_a_broken_file_fits_its_format(directory: Path, form: Format, said: str, no: str) -> None:
    broken = [filed(form, Stop(Reason.BODY_INVALID, "the file ends early"))]
    with open_school(directory) as school:
        made = reports.report(school, broken, frozenset({PersonRole.RELEASER}))

    lines = "\n".join(reports.told(made, broken))

    assert said in lines
    assert no not in lines


def test_programs_read_the_words_that_a_person_reads_in_dutch(directory: Path) -> None:
    broken = filed("json", Stop(Reason.BODY_INVALID, "the file ends early"))
    broken.tally.faults[Fault("basis:brin", TEXT)] = 3
    with open_school(directory) as school:
        made = reports.report(school, [broken], frozenset({PersonRole.RELEASER}))

    lines = reports.told(made, [broken])

    assert made["refused"][0]["reasons"][0]["about"] == "the file ends early"
    assert made["malformed_fields"] == [{"field": "basis:brin", "expected": TEXT, "records": 3}]
    assert "    basis:brin: 3 records, verwacht tekst" in lines
    assert any(line.endswith("(het bestand is niet af)") for line in lines)

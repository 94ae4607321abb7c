"""A school whose LVS holds every pupil and enrolment of it; a module that wants another has its own."""

from __future__ import annotations

import pytest

from tests.builders_formats import enrollment_json, student_json
from tests.simulators.world import School, a_school


@pytest.fixture
def school() -> School:
    school = a_school()
    school.upstream.holds["/students/school"] = [student_json(one) for one in school.pupils.values()]
    school.upstream.holds["/enrollments/school"] = [enrollment_json(n, one) for n, one in school.pupils.items()]
    return school

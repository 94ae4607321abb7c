"""One `gateway demo` for all journeys, and one whose facts may change; those that stop it start their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.bootstrap.school import clock
from tests.journeys.canaries import Canaries, canaries_of
from tests.journeys.driving import Demo, free_ports, start

# Short, so that a slow LVS is seen in seconds; long enough for a machine that runs everything at once.
SLOWEST = "3"


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    directory = tmp_path_factory.mktemp("demo") / "school"
    running = start(directory, free_ports(), GATEWAY_LIMITS_FIRST_BYTE_SECONDS=SLOWEST)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.stop()


@pytest.fixture(scope="session")
def changing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A school about whose pupils journeys record what they like, each about pupils of its own. Where its host stands
    it is another day than in Amsterdam; its answers leave in small parts; its roster is not read again meanwhile."""
    elsewhere = "Pacific/Kiritimati" if clock().hour >= 11 else "Pacific/Pago_Pago"
    settings = {"ANSWER_BYTES": "1000", "PART_BYTES": "20000", "FIRST_BYTE_SECONDS": "20"}
    limits = {f"GATEWAY_LIMITS_{name}": value for name, value in settings.items()}
    directory = tmp_path_factory.mktemp("changing") / "school"
    running = start(directory, free_ports(), TZ=elsewhere, GATEWAY_SOURCES_LVS_ROSTER_EVERY="4h", **limits)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def canaries(demo: Demo) -> Canaries:
    return canaries_of(demo.lvs)


@pytest.fixture(autouse=True)
def _whole_lvs(request: pytest.FixtureRequest) -> Iterator[None]:
    """A fault that a test did not use up is no other test's."""
    yield
    if "demo" in request.fixturenames:
        request.getfixturevalue("demo").lvs.works()

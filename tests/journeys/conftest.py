"""One `gateway demo` for all journeys; those that stop it start their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

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
def canaries(demo: Demo) -> Canaries:
    return canaries_of(demo.lvs)


@pytest.fixture(autouse=True)
def _whole_lvs(request: pytest.FixtureRequest) -> Iterator[None]:
    """A fault that a test did not use up is no other test's."""
    yield
    if "demo" in request.fixturenames:
        request.getfixturevalue("demo").lvs.works()

"""The demo's persons, from outside: who signs in sees and does what the role allows, and the register tells it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.journeys.driving import Demo, run
from tests.journeys.office import Colleague

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def fg(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Colleague]:
    """Signs in once: a code works once."""
    colleague = Colleague(demo, "fg", tmp_path_factory.mktemp("fg") / "fg.session")
    yield colleague
    colleague("logout")


def test_demo_prints_persons_with_roles_and_what_they_sign_in_with(demo: Demo) -> None:
    roles = [set(one["roles"]) for one in demo.told["persons"]]

    assert {"administrator", "schema-editor", "consent-officer", "releaser"} in roles
    assert all({"name", "roles", "password", "totp_secret"} <= set(one) for one in demo.told["persons"])
    assert len(set.union(*roles)) == 7


def test_demo_leaves_somebody_signed_in(demo: Demo) -> None:
    demo.gateway("recipient", "activate", "uitgever-zuid", "--by", "Y", "--reason", "Z")

    assert demo.directory.with_name(demo.directory.name + ".session").stat().st_mode & 0o777 == 0o600


def test_without_session_nothing_is_done(demo: Demo, tmp_path: Path) -> None:
    arguments = ("recipient", "suspend", "uitgever-zuid", "--by", "directeur", "--reason", "x")
    done = run(*arguments, "-C", str(demo.directory), GATEWAY_SESSION=str(tmp_path / "nobody"))

    assert done.returncode == 3
    assert demo.state("uitgever-zuid") == "active"


def test_fg_reads_the_register_and_that_is_in_it(demo: Demo, fg: Colleague) -> None:
    transfer = demo.vendor("uitgever-noord").get("/lvs/students/school").headers["gateway-transfer"]
    shown = orjson.loads(fg("register", "show", "--id", transfer, "--reason", "klacht van een ouder"))

    view = demo.entries()[-1]
    assert shown["id"] == transfer
    assert (view["kind"], view["actor"]) == ("view", "fg")
    assert view["detail"] == ["reason: klacht van een ouder", f"transfer: {transfer}"]


def test_fg_changes_nothing_and_the_attempt_is_in_the_register(demo: Demo, fg: Colleague) -> None:
    fg("recipient", "suspend", "uitgever-zuid", "--reason", "x", code=3)

    entry = demo.entries()[-1]
    assert (entry["actor"], entry["outcome"]) == ("fg", "refused")
    assert demo.state("uitgever-zuid") == "active"


def test_statutory_recipient_is_activated_by_two(demo: Demo, tmp_path: Path) -> None:
    second = Colleague(demo, "tweede", tmp_path / "tweede.session")
    said = demo.gateway("recipient", "activate", "politie", "--reason", "afspraak")
    number = said.rpartition(" ")[2].strip()

    demo.gateway("proposal", "confirm", number, code=3)
    second("proposal", "confirm", number)
    entry = demo.entries()[-1]
    assert (entry["actor"], entry["outcome"], entry["recipient"]) == ("demo", "recipient activated", "politie")
    assert "second person: tweede" in entry["detail"]

"""`gateway person`, `login`, `logout` and `proposal`, and that nothing else acts without somebody signed in."""

from __future__ import annotations

import base64
import hmac
import json
import struct
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import get_args

import pytest
import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from gateway.bootstrap.school import clock
from gateway.cli.app import app
from tests.cli.conftest import CommandLine, command_line

# What anybody at the machine may ask: what is wrong, what stands in the files, whether the chain holds. No pupil.
OPEN = {
    "init",
    "answer",
    "check",
    "client list",
    "demo",
    "explain",
    "facts status",
    "key list",
    "key new",
    "login",
    "recipient list",
    "register verify",
    "report fields",
    "roster status",
    "serve",
}


def leaves(command: object, *path: str) -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(command, TyperGroup):
        for name, below in command.commands.items():
            yield from leaves(below, *path, name)
    elif isinstance(command, TyperCommand):
        yield " ".join(path), command


COMMANDS = dict(leaves(typer.main.get_command(app)))


# What a command wants besides what it always wants.
MORE = {"client new": ["--school"], "export": ["-o", "nobody.json"]}


def filled(command: TyperCommand, file: Path) -> list[str]:
    """Some value for whatever must be given."""
    given = []
    for parameter in command.params:
        if isinstance(parameter, TyperArgument | TyperOption) and parameter.required:
            kind = parameter.type_descriptor.annotation
            given += [parameter.opts[0]] if isinstance(parameter, TyperOption) else []
            given += [_some(kind, file)] if kind is not bool else []
    return given


def _some(kind: object, file: Path) -> str:
    (kind,) = get_args(kind) or (kind,)  # what a list holds
    if isinstance(kind, type) and issubclass(kind, Enum):
        return str(list(kind)[-1].value)
    return "1" if kind is int else str(file) if kind is Path else "2026-11-22"


def code_of(secret: str) -> str:
    """RFC 6238, written out: what an authenticator app shows now."""
    step = struct.pack(">Q", int(clock().timestamp()) // 30)
    digest = hmac.digest(base64.b32decode(secret), step, "sha1")
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFF_FFFF) % 1_000_000:06}"


def added(gateway: CommandLine, name: str, *roles: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(gateway("person", "add", name, *(f"--role={role}" for role in roles)))
    return found


def sign_in(gateway: CommandLine, shown: dict[str, str], *more: str, code: int = 0) -> str:
    return gateway("login", answers=[shown["name"], shown["password"], code_of(shown["totp_secret"]), *more], code=code)


@pytest.fixture
def signed_in(gateway: CommandLine) -> CommandLine:
    """The first person, with every role that acts."""
    sign_in(gateway, added(gateway, "a", "schema-editor", "consent-officer", "releaser"), "ja")
    return gateway


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """Somebody could sign in, and nobody did; one for all tests, as nothing may happen to it."""
    gateway = command_line(tmp_path_factory.mktemp("closed"))
    added(gateway, "a")
    return gateway


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - OPEN))
def test_nothing_acts_or_shows_a_pupil_without_somebody_signed_in(closed: CommandLine, name: str) -> None:
    arguments = [*name.split(), *filled(COMMANDS[name], closed.directory / "gateway.yaml"), *MORE.get(name, [])]

    assert "gateway login" in closed(*arguments, answers=["1"] * 9, code=3)


def test_first_person_is_shown_everything_once(gateway: CommandLine) -> None:
    shown = added(gateway, "a")

    assert set(shown) == {"name", "password", "totp_secret", "otpauth"}
    assert shown["otpauth"].startswith("otpauth://totp/gateway%20Demoschool:a?secret=" + shown["totp_secret"])


def test_password_that_is_asked_for_is_not_shown(gateway: CommandLine) -> None:
    shown = json.loads(gateway("person", "add", "a", "--ask-password", answers=["a password of mine"]))

    assert "password" not in shown
    sign_in(gateway, {**shown, "password": "a password of mine"}, "nee")


def test_person_signs_in_and_out(gateway: CommandLine) -> None:
    said = sign_in(gateway, added(gateway, "a"), "nee")

    assert "a is signed in: administrator" in said
    assert "a" in gateway("person", "list")
    gateway("logout")
    gateway("person", "list", code=3)


def test_failed_sign_in_does_not_say_what_was_wrong(gateway: CommandLine) -> None:
    shown = added(gateway, "a")
    said = {
        sign_in(gateway, {**shown, "name": "b"}, code=3),
        sign_in(gateway, {**shown, "password": "something else"}, code=3),
        gateway("login", answers=["a", shown["password"], "000000"], code=3),
        gateway("login", code=3),
    }

    assert len(said) == 1


def test_without_confidentiality_statement_no_pupil_is_shown(gateway: CommandLine) -> None:
    shown = added(gateway, "a", "consent-officer")
    sign_in(gateway, shown, "nee")

    assert "confidentiality" in gateway("pupil", "waiting", code=3)
    gateway("person", "list")


def test_confidentiality_statement_is_asked_once(gateway: CommandLine) -> None:
    first = sign_in(gateway, added(gateway, "a"), "ja")
    shown = json.loads(gateway("person", "renew", "a", "--reason", "lost"))
    again = sign_in(gateway, shown)

    assert "Ik houd geheim" in first
    assert "Ik houd geheim" not in again


def test_act_tells_who_did_it_and_on_whose_behalf(signed_in: CommandLine) -> None:
    signed_in("recipient", "activate", "uitgever-zuid", "--by", "directeur", "--reason", "gelezen")
    (entry,) = map(json.loads, signed_in("register", "show", "--last", "1").splitlines())

    assert (entry["actor"], entry["outcome"]) == ("a", "recipient activated")
    assert entry["detail"][:2] == ["reason: gelezen", "on behalf of: directeur"]


def test_person_does_what_the_role_allows_and_no_more(signed_in: CommandLine) -> None:
    fg = signed_in.beside("fg")
    sign_in(fg, added(signed_in, "fg", "fg"), "ja")

    assert "recipient.activate" not in fg("register", "show", "--reason", "toezicht")
    assert "needs the role" in fg("recipient", "suspend", "uitgever-zuid", "--reason", "x", code=3)
    assert "recipient.suspend" in fg("register", "show", "--last", "1")


def test_revoked_person_is_out_at_once(signed_in: CommandLine) -> None:
    fg = signed_in.beside("fg")
    sign_in(fg, added(signed_in, "fg", "fg"), "ja")
    signed_in("person", "revoke", "fg", "--reason", "weg")

    assert "nobody is signed in here" in fg("register", "show", code=3)


def test_role_is_given_for_a_location(signed_in: CommandLine) -> None:
    added(signed_in, "n")
    signed_in("person", "role", "n", "--add", "location-admin", "--location", "noord", "--reason", "x")

    assert "location-admin at noord" in signed_in("person", "list")
    signed_in("person", "role", "n", "--add", "fg", "--location", "noord", "--reason", "x", code=2)


def proposed(gateway: CommandLine) -> str:
    """The number of the proposal."""
    said = gateway("recipient", "activate", "politie", "--reason", "afspraak met de politie")
    assert "waits for a second person" in said
    return said.split()[-1]


def test_weighty_activation_is_done_when_somebody_else_confirms(signed_in: CommandLine) -> None:
    second = signed_in.beside("b")
    sign_in(second, added(signed_in, "b", "schema-editor"), "ja")

    number = proposed(signed_in)

    assert "politie\tnot activated" in signed_in("recipient", "list")
    assert "politie\ta" in second("proposal", "list")
    signed_in("proposal", "confirm", number, code=3)
    second("proposal", "confirm", number)
    assert "politie\tactive" in signed_in("recipient", "list")


def test_withdrawn_proposal_waits_no_longer(signed_in: CommandLine) -> None:
    signed_in("proposal", "withdraw", proposed(signed_in), "--reason", "toch niet")

    assert signed_in("proposal", "list") == ""


def test_session_file_inside_the_directory_is_refused(gateway: CommandLine) -> None:
    inside = CommandLine(gateway.directory, gateway.directory / "somebody.session")

    assert "outside the directory" in sign_in(inside, added(inside, "a"), code=3)
    assert not inside.session.exists()

"""`gateway demo`: a made-up school's LVS, the gateway and its admin listener on loopback, ready to be called.

Everything it starts stops with it. The directory is made once and reused afterwards, never overwritten. Leaves out:
what is in the directory (`demo.directory`) and what the school is like (`demo.school`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from gateway.bootstrap.school import Unusable, create_key, legal_today, random, read_settings
from gateway.bootstrap.templates import SHARE, answered
from gateway.cli.demo_calls import TEST_PROVIDER, Client, calls_of, hand_in
from gateway.cli.demo_school import SEED, SOURCES, credentials_of, furnish, secret_of
from gateway.cli.output import USAGE, fail
from gateway.demo.directory import Ports, make_directory
from gateway.demo.examples import EXAMPLES, Example, make_examples, push_target
from gateway.demo.fact_files import write_examples
from gateway.demo.persons import PERSONS, SIGNED_IN, DemoPerson
from gateway.demo.pushes import participants
from gateway.demo.receivers import DUO_PATH, TEST_PATH
from gateway.demo.school import make_school
from gateway.supervisor import Addresses, Supervisor

_FIRST_PORT = 8080


def demo(
    directory: Annotated[Path, typer.Option(help="Made when it is not there, reused when it is.")] = Path("demo"),
    port: Annotated[
        int,
        typer.Option(
            min=0, max=65_533, help="Of the gateway; admin and LVS take the next two. 0: as the directory says."
        ),
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON once ready, for programs.")] = False,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Worker processes.")] = 2,
) -> None:
    """Start the demo school: LVS, gateway and admin on loopback; prints addresses, credentials and calls that work."""
    try:
        asyncio.run(_demo(directory.resolve(), port, workers, as_json=as_json))
    except Unusable as unusable:
        fail(unusable.problems, USAGE)


async def _demo(directory: Path, port: int, workers: int, *, as_json: bool) -> None:
    _prepare(directory, port)
    settings = read_settings(directory)
    url = settings.sources["lvs"].url
    assert url is not None, "the demo has an LVS"
    async with _lvs(directory, url):
        clients, own = await furnish(directory)
        supervisor = Supervisor(directory, workers)
        tasks: list[asyncio.Task[None]] = []

        def ready(addresses: Addresses) -> None:
            tasks.append(asyncio.create_task(_tell(addresses, directory, url, clients, own, as_json=as_json)))

        await supervisor.run(ready)
        for task in tasks:
            task.cancel()


def _prepare(directory: Path, port: int) -> None:
    """Make the directory and its key, unless they are there."""
    if (directory / "gateway.yaml").exists():
        if port:
            os.environ.setdefault("GATEWAY_LISTEN", f"127.0.0.1:{port}")
            os.environ.setdefault("GATEWAY_ADMIN", f"127.0.0.1:{port + 1}")
            for source in SOURCES:
                lvs, prefix = f"http://127.0.0.1:{port + 2}", f"GATEWAY_SOURCES_{source.upper()}"
                os.environ.setdefault(f"{prefix}_URL", lvs)
                os.environ.setdefault(f"{prefix}_TOKEN_URL", f"{lvs}/oauth/token")
            os.environ.setdefault("GATEWAY_ENDPOINTS_DUO_URL", f"http://127.0.0.1:{port + 2}{DUO_PATH}")
            os.environ.setdefault("GATEWAY_ENDPOINTS_DOORSTROOMTOETS_URL", f"http://127.0.0.1:{port + 2}{TEST_PATH}")
        return
    if directory.exists() and any(directory.iterdir()):
        raise Unusable([f"{directory} is not empty and holds no gateway.yaml"])
    first = port or _FIRST_PORT
    make_directory(directory, SHARE, Ports(first, first + 1, first + 2), random(24).hex(), legal_today(), answered)
    write_examples(directory, make_school(SEED, legal_today()))
    create_key(directory)


@contextlib.asynccontextmanager
async def _lvs(directory: Path, url: str) -> AsyncIterator[None]:
    """The demo LVS as a process of its own; it ends with us, however we end."""
    environment = {**os.environ, "DEMO_LVS_SECRET": secret_of(directory)}
    command = [sys.executable, "-m", "gateway.demo.lvs", "--port", url.rpartition(":")[2], "--seed", str(SEED)]
    lifeline, lifeline_end = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *command, "--lifeline", str(lifeline), pass_fds=[lifeline], env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        if not await process.stdout.readline():
            raise Unusable([f"the demo LVS could not start at {url}: is its port in use? Try another: --port 9080"])
        yield
    finally:
        os.close(lifeline_end)
        os.close(lifeline)
        await process.wait()


async def _tell(
    addresses: Addresses, directory: Path, lvs: str, clients: list[Client], own: Client, *, as_json: bool
) -> None:
    make_examples(directory, SEED, legal_today())  # meanwhile the workers get ready
    token_url = f"{addresses.gateway}/oauth/token"
    pushes = [_push(directory, one, f"{addresses.gateway}{path}") for one in EXAMPLES if (path := push_target(one))]
    school = make_school(SEED, legal_today())
    for one in pushes:
        if one["recipient"] == TEST_PROVIDER:
            await hand_in(own, one, participants(school))
    told = {
        "gateway": addresses.gateway,
        "admin": addresses.admin,
        "lvs": lvs,
        "lvs_credentials": {
            "client_id": "gateway",
            "client_secret": secret_of(directory),
            "token_url": f"{lvs}/oauth/token",
        },
        "directory": str(directory),
        "persons": [_person(directory, one) for one in PERSONS],
        "school_system": {
            "client_id": own.id,
            "client_secret": own.secret,
            "token_url": token_url,
            "api_key": own.api_key,
            "upload": f"{addresses.gateway}/lvs/filter",
            "pushes": pushes,
        },
        "files": [_file(directory, one) for one in EXAMPLES],
        "clients": [
            {
                "recipient": client.recipient,
                "purpose": client.purpose,
                "client_id": client.id,
                "client_secret": client.secret,
                "token_url": token_url,
                "api_key": client.api_key,
                "calls": await calls_of(client, addresses.gateway, school),
            }
            for client in clients
        ],
    }
    sys.stdout.write(orjson.dumps(told).decode() + "\n" if as_json else _for_people(told))
    sys.stdout.flush()


def _file(directory: Path, one: Example) -> dict[str, str]:
    path = str(directory / "examples" / one.name)
    asked = {"recipient": one.recipient, "purpose": one.purpose, "schema": one.schema}
    return {"format": one.format, "path": path, **asked, **({"record": one.record} if one.record else {})}


def _push(directory: Path, one: Example, url: str) -> dict[str, str]:
    media = "text/xml" if one.format == "xml" else "application/json"
    path = str(directory / "examples" / one.name)
    return {"recipient": one.recipient, "purpose": one.purpose, "url": url, "content_type": media, "path": path}


def _person(directory: Path, one: DemoPerson) -> dict[str, Any]:
    known = credentials_of(directory, one)
    told: dict[str, Any] = {"name": one.name, "roles": [str(held.role) for held in one.held]}
    places = sorted({held.location for held in one.held if held.location})
    if places:
        told["locations"] = places
    return {**told, "password": known.password, "totp_secret": known.totp_secret}


_EXPORT = "gateway export --recipient toetsbureau --purpose papieren-toets --schema edu-v-students -o iedereen.json"


def _for_people(told: Mapping[str, Any]) -> str:
    """The same, to read and to paste."""
    lines = [
        f"gateway  {told['gateway']}",
        f"admin    {told['admin']}/healthz  /readyz  /metrics",
        f"LVS      {told['lvs']}",
        f"files    {told['directory']}  (cd there for: gateway check, gateway explain, gateway register verify)",
    ]
    lines += ["", f"signed in at this command line: {SIGNED_IN.name}; others sign in with gateway login:"]
    for one in told["persons"]:
        lines += [f"  {one['name']:<14} password {one['password']}  totp_secret {one['totp_secret']}"]
        lines += [f"  {'':<14} {', '.join(one['roles'])}"]
    lines += ["", "files that an employee took out of the LVS; try in the directory above:"]
    lines += [f"  {_command(one)}" for one in told["files"]]
    system = told["school_system"]
    lines += [f"  everybody at once, from the LVS: {_EXPORT}"]
    lines += [f"  a system of the school pushes them to {system['upload']} with Gateway-Key {system['api_key']}"]
    lines += ["", "messages that a system of the school hands in, and the gateway sends on:"]
    lines += [f"  {_handed_in(one, system['api_key'])}" for one in system["pushes"]]
    for client in told["clients"]:
        lines += ["", f"{client['recipient']} for {client['purpose']}:"]
        lines += [f"  client_id {client['client_id']}  client_secret {client['client_secret']}"]
        lines += [f"  {_curl(told['gateway'], call)}" for call in client["calls"]]
    return "\n".join([*lines, "", "Ctrl+C stops everything.", ""])


def _command(one: Mapping[str, str]) -> str:
    asked = " ".join(f"--{name} {one[name]}" for name in ("recipient", "purpose", "schema"))
    return f"gateway filter {asked} {one['path']} -o gefilterd-{Path(one['path']).name}"


def _handed_in(one: Mapping[str, str], key: str) -> str:
    headers = f"-H 'Gateway-Key: {key}' -H 'Content-Type: {one['content_type']}'"
    return f"curl -s {headers} --data-binary @{one['path']} '{one['url']}'"


def _curl(gateway: str, call: Mapping[str, Any]) -> str:
    headers = " ".join(f"-H '{name}: {value}'" for name, value in call["headers"].items())
    body = call["body"] if isinstance(call["body"], str) else orjson.dumps(call["body"]).decode()
    body = f" --data-binary '{body}'" if call["body"] else ""
    return f"curl -s {headers}{body} '{gateway}{call['path']}'"

"""What a call costs inside the gateway's own code: the data plane called in process, the LVS's answer at hand.

`python -m bench.inside` prints CPU per request, all threads, with 32 calls at a time: credentials, decision, screening,
minimiser and durable register, but no socket, no server and no client. Beside "what the goal leaves" in `RESULTS.md` it
tells whether a goal can be met. With `--views` the delivery tells status and moments from what the recipient last got
(`core.release.views`), of records that do not change. Leaves out the comparison (`run`) and the server (`floor`).
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop

from bench import gateway_side, servers
from bench.load import Call
from bench.payloads import prepare
from gateway.adapters.lvs.wire import Reply, Wire
from gateway.bootstrap.plane import data_plane
from gateway.web.metrics import VARIABLE
from tests.simulators.synchronised import telling

AT_ONCE, WARM, CALLS, ROUNDS = 32, 320, 3_200, 5
JSON = ((b"content-type", b"application/json"),)


def main(arguments: Sequence[str]) -> None:
    change = telling if "--views" in arguments else str
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        answers = directory / "answers"
        os.environ[VARIABLE] = made
        prepared = prepare(answers, datetime.now(UTC).date())
        with servers.upstream(directory / "upstream", answers) as lvs:
            admin, headers = gateway_side.school(directory / "school", lvs, change)
            with gateway_side.serving(directory / "school", admin) as server:
                of_class, page, one = gateway_side.calls_of(server, prepared, headers)
            calls = {"class": of_class, "one": one, "page": page}
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_measured(directory / "school", answers, calls))


async def _measured(school: Path, answers: Path, calls: Mapping[str, Call]) -> None:
    bodies = {name: (answers / f"{name}.json").read_bytes() for name in calls}
    async with data_plane(school, 0) as app:
        for name, call in calls.items():
            number = CALLS // 10 if name == "page" else CALLS
            _at_hand(bodies[name])
            await _many(app, call, WARM)
            spent = sorted([await _many(app, call, number) for _ in range(ROUNDS)])
            print(f"{name}: {spent[ROUNDS // 2] / number * 1000:.3f} ms of CPU per request")


def _at_hand(body: bytes) -> None:
    """The LVS answers at the next turn of the loop, over no connection."""

    async def ask(*_: object) -> Reply:
        await asyncio.sleep(0)
        return Reply(200, JSON, body)

    Wire.ask = ask  # type: ignore[assignment,method-assign]  # a measurement of what is left without it


async def _many(app: Any, call: Call, calls: int) -> float:
    """CPU seconds of this process."""
    path, _, query = call.path.partition("?")
    headers = [(name.lower().encode(), value.encode()) for name, value in call.headers.items()]
    body = (call.body or "").encode()
    scope = {
        "type": "http", "method": call.method, "scheme": "http", "client": ("127.0.0.1", 1), "path": path,
        "raw_path": path.encode(), "query_string": query.encode(),
        "headers": [*headers, (b"content-length", str(len(body)).encode())],
    }  # fmt: skip

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Mapping[str, object]) -> None:
        if message.get("status", 200) != 200:
            raise servers.CannotMeasure("the gateway refused")

    async def client() -> None:
        for _ in range(calls // AT_ONCE):
            await app(scope, receive, send)

    begun = time.process_time()
    await asyncio.gather(*(client() for _ in range(AT_ONCE)))
    return time.process_time() - begun


if __name__ == "__main__":
    main(sys.argv[1:])

"""Starting the servers of a round, each pinned to one core, and what CPU they used.

The upstream is nginx with prepared answers; the peer is nginx with Lua. Leaves out the gateway (`gateway_side`) and
the load (`load`).
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import string
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parent / "peer"
# The server under test has a core to itself; upstream and load share the other.
TESTED_CORE, OTHER_CORE = 0, 1
TICK = os.sysconf("SC_CLK_TCK")
PACKAGES = {
    "nginx": "nginx-light libnginx-mod-http-lua lua-cjson lua-resty-core",
    "wrk": "wrk",
    "taskset": "util-linux",
}
LUA_MODULE = Path("/usr/lib/nginx/modules/ngx_http_lua_module.so")


class CannotMeasure(Exception):
    """Something that the measurement needs is not there; the text says what."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where it listens, and the process that leads its group."""

    name: str
    url: str
    process: subprocess.Popen[bytes]

    def cpu_seconds(self) -> float:
        """User and system time of the whole group, so that worker processes count."""
        return sum(_cpu_of(pid) for pid in _group(self.process.pid))


def provide() -> None:
    """Install what is missing, where that is possible; say what to install where it is not."""
    missing = [packages for command, packages in PACKAGES.items() if shutil.which(command) is None]
    if not missing and LUA_MODULE.exists():
        return
    wanted = " ".join(dict.fromkeys(missing or PACKAGES.values()))
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise CannotMeasure(f"install first: {wanted}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *wanted.split()]
    for step in (["apt-get", "update", "-qq"], command):
        if subprocess.run(step, env=environment, check=False, stdout=subprocess.DEVNULL).returncode != 0:
            raise CannotMeasure(f"apt-get could not install: {wanted}")


@contextmanager
def upstream(directory: Path, answers: Path) -> Iterator[Server]:
    """The LVS with prepared answers."""
    values = {"answers": str(answers)}
    with _nginx("upstream", directory, "upstream.conf", OTHER_CORE, values) as server:
        yield server


@contextmanager
def peer(directory: Path, lvs: Server) -> Iterator[Server]:
    """Lua in nginx before the upstream."""
    values = {"source": str(SOURCE), "upstream_port": lvs.url.rsplit(":", 1)[1]}
    with _nginx("nginx + Lua", directory, "nginx.conf", TESTED_CORE, values) as server:
        yield server


@contextmanager
def floor(which: str, *arguments: str) -> Iterator[Server]:
    """The server alone: `hello`, or `relay` with the LVS's URL."""
    port = free_port()
    command = [sys.executable, "-m", "bench.floor", which, str(port), *arguments]
    with running(which, command, TESTED_CORE, port, SOURCE.parents[1]) as server:
        yield server


@contextmanager
def _nginx(name: str, directory: Path, template: str, core: int, values: dict[str, str]) -> Iterator[Server]:
    directory.mkdir(parents=True, exist_ok=True)
    port = free_port()
    # nginx has variables of its own: only the names that are given are filled in.
    text = string.Template((SOURCE / template).read_text())
    filled = text.safe_substitute(directory=directory, port=port, **values)
    config = directory / "nginx.conf"
    config.write_text(filled.replace("load_module ", f"load_module {LUA_MODULE.parent.parent}/"))
    with running(name, ["nginx", "-e", str(directory / "error.log"), "-c", str(config)], core, port) as server:
        yield server


@contextmanager
def running(name: str, command: Sequence[str], core: int, port: int, cwd: Path | None = None) -> Iterator[Server]:
    """A server in a process group of its own on one core, until the block ends."""
    pinned = ["taskset", "-c", str(core), *command]
    process = subprocess.Popen(pinned, cwd=cwd, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        _wait(process, port)
        yield Server(name, f"http://127.0.0.1:{port}", process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise CannotMeasure(f"the server ended with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise CannotMeasure("the server did not listen within 30 seconds")


def _group(leader: int) -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _session(entry) == leader]


def _fields(directory: Path) -> list[str]:
    """The fields of /proc/PID/stat after the command's name, which may hold spaces."""
    try:
        return (directory / "stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _session(directory: Path) -> int | None:
    fields = _fields(directory)
    return int(fields[3]) if fields else None


def _cpu_of(pid: int) -> float:
    fields = _fields(Path(f"/proc/{pid}"))
    return (int(fields[11]) + int(fields[12])) / TICK if fields else 0.0

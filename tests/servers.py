"""Real servers on loopback for tests: the demo LVS, and one that says exactly the bytes it is told to say."""

from __future__ import annotations

import contextlib
import itertools
import queue
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from gateway.demo.lvs import DemoLvs, make_lvs
from gateway.demo.server import running

CLIENT_ID, CLIENT_SECRET = "gateway", "a secret & more"
TODAY = date(2026, 9, 15)
# Both event loops: uvloop's transports are not asyncio's.
LOOPS = [("asyncio", {"use_uvloop": False}), ("asyncio", {"use_uvloop": True})]


def counting_bytes() -> Callable[[int], bytes]:
    """Randomness for tests: different every time, the same in every run."""
    numbers = itertools.count(1)
    return lambda size: next(numbers).to_bytes(size, "big")


@dataclass(frozen=True, slots=True)
class RunningLvs:
    """A demo LVS that serves on loopback."""

    lvs: DemoLvs
    url: str

    def reset(self) -> None:
        """Nothing remembered, nothing stored, nothing broken."""
        self.lvs.control.calls.clear()
        self.lvs.control.fault = None
        self.lvs.results.clear()
        self.lvs.credentials.tokens.clear()


@contextmanager
def demo_lvs(seed: int = 1, today: date = TODAY) -> Iterator[RunningLvs]:
    lvs = make_lvs(seed, today, CLIENT_ID, CLIENT_SECRET, counting_bytes())
    with running(lvs.app) as url:
        yield RunningLvs(lvs, url)


@dataclass(frozen=True, slots=True)
class Turn:
    """One connection: what is said after each request, and how it ends. `holds`: it stays open, silent; `resets`:
    it ends with a TCP reset instead of an orderly end; `after`: bytes said unasked once `go` is set."""

    answers: Sequence[bytes] = ()
    holds: bool = False
    resets: bool = False
    after: bytes = b""


@dataclass(slots=True)
class Scripted:
    """What a scripted server has seen. `went`: set when unasked bytes have gone out; `ended`: when a
    connection has ended."""

    url: str
    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    arrived: queue.SimpleQueue[bytes] = field(default_factory=queue.SimpleQueue)
    go: threading.Event = field(default_factory=threading.Event)
    went: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)


@contextmanager
def scripted(*turns: Turn, tls: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """Plays one turn per connection, in order."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        scheme = "http" if tls is None else "https"
        seen = Scripted(f"{scheme}://localhost:{port}", port)
        thread = threading.Thread(target=_play, args=(listener, turns, seen, tls), daemon=True)
        thread.start()
        try:
            yield seen
        finally:
            seen.stop.set()
            seen.go.set()
            # Wakes the accept that may be waiting for a connection that never came.
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                pass
            thread.join(timeout=10)


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def answer(body: bytes = b"[]", *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """A whole answer with a length; JSON unless a Content-Type is given."""
    given = headers if any(h.lower().startswith(b"content-type") for h in headers) else (*headers, _JSON)
    lines = b"".join(header + b"\r\n" for header in given)
    return b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s" % (status, lines, len(body), body)


_JSON = b"Content-Type: application/json"


def _play(listener: socket.socket, turns: Sequence[Turn], seen: Scripted, tls: ssl.SSLContext | None) -> None:
    threads = []
    for turn in turns:
        connection, _ = listener.accept()
        if seen.stop.is_set():
            connection.close()
            break
        seen.connections += 1
        threads.append(threading.Thread(target=_turn, args=(connection, turn, seen, tls), daemon=True))
        threads[-1].start()
    for thread in threads:
        thread.join(timeout=10)


def _turn(connection: socket.socket, turn: Turn, seen: Scripted, tls: ssl.SSLContext | None) -> None:
    # A client that hangs up is part of what is tested.
    with contextlib.suppress(OSError), _secured(connection, tls) as stream:
        stream.settimeout(10)
        for said in turn.answers or (b"",):
            request = _request(stream)
            if not request:
                break
            seen.requests.append(request)
            seen.arrived.put(request)
            stream.sendall(said)
        if turn.after:
            seen.go.wait(10)
            stream.sendall(turn.after)
            seen.went.set()
        if turn.holds:
            seen.stop.wait(10)
        if turn.resets:
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    seen.ended.set()


def _secured(connection: socket.socket, tls: ssl.SSLContext | None) -> socket.socket:
    return connection if tls is None else tls.wrap_socket(connection, server_side=True)


def _request(stream: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data or len(data) < _whole(data):
        chunk = stream.recv(65_536)
        if not chunk:
            return b""
        data += chunk
    return data


def _whole(data: bytes) -> int:
    head, _, _ = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return len(head) + 4 + (int(lengths[0]) if lengths else 0)

"""uvicorn without its handling of signals: when a process stops is decided by whoever started it."""

from __future__ import annotations

import contextlib

import uvicorn


class Server(uvicorn.Server):
    """Ends when `should_exit` is set. (uvicorn's own would raise the signal again when it has served, and so cut off
    what a process still has to register.)"""

    def capture_signals(self) -> contextlib.AbstractContextManager[None]:  # type: ignore[override]  # a generator there
        return contextlib.nullcontext()

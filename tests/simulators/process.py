"""What a process that serves changes of itself: put back, where it was only a test that served."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from prometheus_client import values


@contextmanager
def as_it_was() -> Iterator[None]:
    """Its surroundings, signals, logs, and what the interpreter does beside."""
    surroundings, counted = dict(os.environ), values.ValueClass
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    interval, root = sys.getswitchinterval(), logging.getLogger()
    heard, level = list(root.handlers), root.level
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(surroundings)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        sys.setswitchinterval(interval)
        structlog.reset_defaults()
        root.handlers[:] = heard
        root.setLevel(level)
        values.ValueClass = counted
        gc.unfreeze()

"""The command line: `gateway …`. Exit 0 done, 1 problems found, 2 bad usage or input, 3 refused, 130 interrupted.

Each module holds one group of commands; `output` says how they speak. Pupil ids come from a prompt or standard
input, never from arguments, which stay behind in shell histories (house rule 8).
"""

from __future__ import annotations

import sys

INTERRUPTED = 130  # as a shell tells of Ctrl-C: 128 and the number of the signal


def main() -> None:
    """The console script."""
    try:
        from gateway.cli.app import app  # noqa: PLC0415 - it takes a second to load, in which Ctrl-C is no fault either

        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)

"""The command line: `gateway …`. Exit 0 done, 1 problems found, 2 bad usage or input, 3 refused.

Each module holds one group of commands; `output` says how they speak. Pupil ids come from a prompt or standard
input, never from arguments, which stay behind in shell histories (house rule 8).
"""

from __future__ import annotations

from gateway.cli.app import main

__all__ = ["main"]

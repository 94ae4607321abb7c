"""Inputs led by which lines they reach, with atheris: `python -m fuzz.guided [seconds]`, or of one target by name.

Each target runs in a process of its own, within 1 GB and ten seconds per input. Where atheris cannot be installed
(group `fuzz`; it has no wheel for every platform) this says so and skips.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

_SECONDS = 120
_MEMORY = 1024  # MB
_SLOW = 10  # seconds that one input may take


def guide(name: str, seconds: int, corpus: Path) -> None:
    """In this process, which ends with it."""
    atheris = import_module("atheris")
    with atheris.instrument_imports(include=["gateway"]):
        targets = import_module("fuzz.targets").targets()
    target = targets[name]
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed{number}").write_bytes(seed)
    bounds = (f"-max_total_time={seconds}", f"-rss_limit_mb={_MEMORY}", f"-timeout={_SLOW}", "-max_len=20000")
    atheris.Setup([sys.argv[0], *bounds, f"-artifact_prefix={tempfile.gettempdir()}/", str(corpus)], target.judge)
    atheris.Fuzz()


def main() -> None:
    if find_spec("atheris") is None:
        print("guided fuzzing is skipped: atheris is not installed (pip install atheris)")
        return
    seconds, failed = int(sys.argv[1]) if len(sys.argv) > 1 else _SECONDS, 0
    for name in import_module("fuzz.targets").targets():
        with tempfile.TemporaryDirectory() as corpus:
            done = subprocess.run(
                [sys.executable, "-m", "fuzz.guided", name, str(seconds), corpus], capture_output=True, check=False
            )
        said = done.stderr.decode(errors="replace")
        print(f"{name}: {'nothing wrong' if done.returncode == 0 else said} ({said.strip().splitlines()[-1:]})")
        failed |= done.returncode
    sys.exit(failed and 1)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        guide(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()

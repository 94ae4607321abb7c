"""An export of 1,000,000 pupils in a process of its own: pupils a second, the most memory it took; writes EXPORT.md.

The administration makes the pupils on the other core. Leaves out: the roster sync, which happened before.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.many_school import command, lvs, make_school, peak
from gateway.demo.many import Many

RESULTS = Path(__file__).parent / "EXPORT.md"
FORMS = ("json", "ndjson", "csv", "xml")
_LINES = tuple(f"| {one} |" for one in FORMS)
GOAL = 150  # MB


@dataclass(frozen=True)
class Measured:
    """One export."""

    form: str
    pupils: int
    seconds: float
    peak: float
    size: float


def measure(directory: Path, pupils: int, form: str) -> Measured:
    output = directory.parent / f"uit.{form}"
    begun = time.perf_counter()
    done = subprocess.run(command(directory, output), check=False, capture_output=True, text=True)
    seconds = time.perf_counter() - begun
    if done.returncode:
        sys.exit(done.stderr)
    size = output.stat().st_size / 1e6
    output.unlink()
    output.with_name(output.name + ".cover.json").unlink()
    return Measured(form, pupils, seconds, peak(done.stderr), size)


def report(found: list[Measured], before: list[str]) -> str:
    """`before`: the lines of what was measured earlier."""
    lines = [
        "# Exports",
        "",
        "Written by `python -m bench.export` (`--forms xml` for one form). Every pupil is resolved, decided,",
        f"registered and sorted; the goal is {GOAL} MB, whatever the number. In XML it is one answer of UWLR and",
        "one document; in the others there are 10,000 pupils at a location.",
        "",
    ]
    lines += ["| form | pupils | seconds | pupils a second | most memory, MB | file, MB |"]
    lines += ["| --- | ---: | ---: | ---: | ---: | ---: |"]
    lines += [one for one in before if not any(one.startswith(f"| {new.form} | {new.pupils:,} ") for new in found)]
    for one in found:
        rate = one.pupils / one.seconds
        lines += [
            f"| {one.form} | {one.pupils:,} | {one.seconds:,.0f} | {rate:,.0f} | {one.peak:,.0f} | {one.size:,.0f} |"
        ]
    return "\n".join([*lines, ""])


def measured(pupils: int, locations: int, forms: tuple[str, ...]) -> list[Measured]:
    with tempfile.TemporaryDirectory() as folder, lvs(Many(pupils, locations)) as port:
        directory = Path(folder) / "school"
        begun = time.perf_counter()
        make_school(directory, Many(pupils, locations), port)
        print(f"the roster took {time.perf_counter() - begun:,.0f} s", flush=True)
        found = []
        for form in forms:
            found.append(measure(directory, pupils, form))
            print(found[-1], flush=True)
        return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pupils", type=int, nargs="*", default=[10_000, 1_000_000])
    parser.add_argument("--forms", nargs="*", default=FORMS)
    given = parser.parse_args()
    xml, others = given.forms.count("xml"), tuple(one for one in given.forms if one != "xml")
    found = [one for size in given.pupils for one in measured(size, max(1, size // 10_000), others)] if others else []
    found += [one for size in given.pupils for one in measured(size, 1, ("xml",))] if xml else []
    before = [one for one in RESULTS.read_text(encoding="utf-8").splitlines() if one.startswith(_LINES)]
    text = report(found, before)
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()

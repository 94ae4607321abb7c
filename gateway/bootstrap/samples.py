"""A sample of a format beside the schema that somebody writes for it, in a school's directory; needs no database.

Leaves out: what is looked at (`transfer.sample`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gateway.bootstrap.school import Refused, Unusable, check
from gateway.core.policy.schema import Schema
from gateway.transfer.sample import NoSample, Sample, samples_of

_MOST_BYTES = 32_000_000
_LINES = 100  # of one kind
_LONG = 120  # signs of a name from outside


def laid(directory: Path, schema: str, record: str | None, file: Path) -> list[Sample]:
    """Raises Unusable for a schema that is not in order, Refused for a file that cannot be laid beside it."""
    known = _schema(directory, schema)
    try:
        with file.open("rb") as given:
            body = given.read(_MOST_BYTES + 1)
    except OSError:
        raise Refused(["the sample cannot be read"]) from None
    if len(body) > _MOST_BYTES:
        raise Refused([f"a sample is at most {_MOST_BYTES} bytes: take some records"])
    try:
        return samples_of(known, record, body)
    except NoSample as none:
        raise Refused([_shown(f"this is no sample of {schema}: {none}", 4 * _LONG)]) from None


def _schema(directory: Path, name: str) -> Schema:
    report = check(directory)
    if name in report.schemas:
        return report.schemas[name]
    wrong = [one for one in report.problems if one.file == f"schemas/{name}.yaml"]
    raise Unusable(
        wrong or [f"there is no schemas/{name}.yaml; there are {', '.join(sorted(report.schemas)) or 'none'}"]
    )


def lines(sample: Sample) -> Iterator[str]:
    """What is to be done comes first."""
    yield f"{sample.record}: {_many(sample.records, 'record')} in the sample"
    if sample.within:
        where = f"they stand in {_shown(sample.within, _LONG)}, as in an answer of the source (`envelope`)"
        yield f"  {where}; for gateway filter take that array out first"
    unknown = [f"{_shown(name, _LONG)} (in {_many(times, 'record')})" for name, times in sorted(sample.unknown.items())]
    yield from _listed("not in the schema, so it never leaves:", unknown)
    yield from _listed(
        "not as the schema says, so its record stays behind where it is granted:",
        [f"{fault} ({_many(times, 'time')})" for fault, times in sorted(sample.faults.items())],
    )
    yield from _listed("in the schema, and never in the sample:", sample.never)
    yield from _listed("who it is about:", [*_people(sample)])


def _people(sample: Sample) -> Iterator[str]:
    for one in sample.people:
        by = [f"{times} by {kind}" for kind, times in sorted(one.ids.items())]
        by += [f"{one.without} without an id, so nobody is found" if one.without else ""]
        yield f"{one.at or 'the record'}, {one.kind}: {', '.join(filter(None, by)) or 'none'}"


def _listed(title: str, found: list[str]) -> Iterator[str]:
    if found:
        yield f"  {title}"
        yield from (f"    {one}" for one in found[:_LINES])
    if len(found) > _LINES:
        yield f"    and {len(found) - _LINES} more"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _shown(name: str, most: int) -> str:
    """A name from outside, without what could steer a terminal."""
    clean = "".join(one if one.isprintable() else "?" for one in name)
    return clean if len(clean) <= most else f"{clean[:most]}…"

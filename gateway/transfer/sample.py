"""A sample laid beside its schema, for who writes the schema: what neither knows of the other.

Nothing leaves, nobody is looked up and nothing is registered. What the schema does not have is called as the sample
calls it, as its reader has the sample. Leaves out: finding schema and file (`bootstrap.samples`), telling (`cli`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.core.policy.grants import ECK_ID, leaves
from gateway.core.policy.schema import Csv, Record, Schema, SubjectPosition
from gateway.core.release.faults import Faults, Ruler, add
from gateway.core.release.minimised import EnvelopeBroken
from gateway.core.release.texts import TextRuler
from gateway.formats import csv, json, xml

_MOST = 1_000  # different unknown names that are counted; a name from outside could be anything


class NoSample(Exception):
    """This file cannot be laid beside this schema; says why, also in words of the file."""


@dataclass(slots=True)
class Person:
    """Who would be looked up at one place: `ids`: by which kinds, and how often; `without`: nobody is named."""

    at: str
    kind: str
    ids: Counter[str] = field(default_factory=Counter)
    without: int = 0


@dataclass(slots=True)
class Sample:
    """Of the records of one kind. `unknown`: names that the schema does not have → in how many records; `never`: paths
    of the schema at which nothing stood; `within`: the envelope in JSON around them; `faults`: how often each."""

    record: str
    records: int
    unknown: Counter[str]
    never: list[str]
    faults: Faults
    people: list[Person]
    within: str = ""

    @property
    def fits(self) -> bool:
        """Whether nothing is to be done about it."""
        return not (self.unknown or self.faults or any(one.without for one in self.people))


def samples_of(schema: Schema, name: str | None, body: bytes) -> list[Sample]:
    """Of each kind of record in a file; `name`: which it is. Raises NoSample."""
    if name is None and schema.csv is not None and schema.csv.manifest is not None:
        files = _unpacked(schema, body)
        return [_laid(schema, schema.records[one], text) for one, text in files.items()]
    if name is None and len(schema.records) > 1:
        raise NoSample(f"say with --record which of its records this is: {', '.join(schema.records)}")
    record = schema.records.get(name or next(iter(schema.records)))
    if record is None:
        raise NoSample(f"--record is one of {', '.join(schema.records)}")
    return [_laid(schema, record, body)]


def _unpacked(schema: Schema, body: bytes) -> Mapping[str, bytes]:
    try:
        return csv.files_of(body, schema)
    except EnvelopeBroken as broken:
        why = str(broken)
    raise NoSample(f"{why}; of one of its files, say with --record which it is")


def _laid(schema: Schema, record: Record, body: bytes) -> Sample:
    try:
        records, within = _read(schema, record, body)
    except EnvelopeBroken as broken:
        why = str(broken)
    else:
        if records:
            return replace(_sample(record, records, _ruler(schema, record)), within=within)
        why = "there is no record in it"
    raise NoSample(why)


def _read(schema: Schema, record: Record, body: bytes) -> tuple[list[Any], str]:
    match schema.format:
        case "json":
            return json.sample_of(body, record)
        case "xml":
            return xml.sample_of(body, record, schema.namespaces), ""
        case "csv":
            return csv.sample_of(body, record, schema.csv or Csv()), ""


def _ruler(schema: Schema, record: Record) -> Ruler:
    return json.JsonRuler(record) if schema.format == "json" else TextRuler(capitals=schema.format == "csv")


def _sample(record: Record, records: list[Any], ruler: Ruler) -> Sample:
    unknown, faults, seen = Counter[str](), Faults(), set[str]()
    for one in records:
        laid = ruler.lay(record.fields, one)
        seen |= laid.seen
        add(faults, laid.faults)
        unknown.update(name for name in laid.unknown if name in unknown or len(unknown) < _MOST)
    never = [path for path, leaf in leaves(record.fields) if path not in seen and leaf.link is None]
    people = [_people(position, records) for position in record.subjects]
    return Sample(record.name, len(records), unknown, never, faults, people)


def _people(position: SubjectPosition, records: list[Any]) -> Person:
    found = Person(position.at, position.person)
    for one in _at(records, position.at):
        kinds = set(_kinds(position, one))
        found.ids.update(kinds)
        found.without += not kinds
    return found


def _kinds(position: SubjectPosition, one: Any) -> Iterator[str]:
    """The kinds of id that stand in an object; one that is a value alone is its `#text`."""
    said = one if isinstance(one, Mapping) else {"#text": one}
    if position.master is not None and said.get(position.master):
        yield ECK_ID
    for name, kind in position.keys.kinds.items() if position.keys else ():
        if any(_at(said, name)):
            yield kind
    typed = position.typed
    for entry in _at(said, typed.path) if typed else ():
        told = str(entry.get(typed.type)) if typed and isinstance(entry, Mapping) and entry.get(typed.value) else ""
        if typed and told in typed.kinds:
            yield typed.kinds[told]


def _at(value: Any, path: str) -> Iterator[Any]:
    """Everything that stands at this path."""
    if isinstance(value, list):
        for one in value:
            if not isinstance(one, list):
                yield from _at(one, path)
    elif not path:
        if value is not None:
            yield value
    elif isinstance(value, Mapping):
        step, _, rest = path.partition(".")
        yield from _at(value.get(step), rest)

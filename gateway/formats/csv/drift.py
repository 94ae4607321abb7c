"""Columns that the source sends and the schema does not know (R9): their names, counted per row, never a value.

Leaves out: when to look, and when a name was seen often enough to be shown (`transfer`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from gateway.core.policy.schema import Csv, Record, Schema
from gateway.core.release.drift import shown
from gateway.core.release.minimised import EnvelopeBroken
from gateway.formats.csv.archive import SetLimits, files_of
from gateway.formats.csv.read import table


def unknown_columns(body: bytes, record: Record, dialect: Csv) -> Mapping[str, int]:
    """Every unknown column → over how many rows it stands. A body that is no CSV has none."""
    try:
        found = table(body, dialect)
    except EnvelopeBroken:
        return {}
    unknown = [name for name in found.names if name not in record.fields.fields]
    counts: Counter[str] = Counter()
    for name in unknown:
        counts[shown(name)] = max(counts[shown(name)], len(found.rows))
    return {name: count for name, count in counts.items() if count}


def unknown_in_set(body: bytes, schema: Schema, limits: SetLimits | None = None) -> Mapping[str, int]:
    """The same of every file of an archive, under its name."""
    dialect = schema.csv or Csv()
    try:
        files = files_of(body, schema, limits)
    except EnvelopeBroken:
        return {}
    return {
        f"{name}.{column}": count
        for name, text in files.items()
        for column, count in unknown_columns(text, schema.records[name], dialect).items()
    }

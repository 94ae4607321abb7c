"""The form of `csv` in schemas/NAME.yaml, and what must agree in a schema of CSV.

Leaves out: records and fields (`schema_forms`, `schema_fields`).
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gateway.adapters.policy.forms import Form
from gateway.adapters.policy.schema_fields import Fault, FieldName, Plain
from gateway.core.policy.grants import leaf_at, leaves
from gateway.core.policy.schema import Branch, Csv, Leaf, Manifest, Many

TEXT = "#text"
Sign = Annotated[str, StringConstraints(pattern=r"^[,;|\t]$")]


class ManifestForm(Form):
    """The files come together in a zip, and this one (without .csv) says which. `name`, `value`: its columns; `entry`:
    what stands before the name of a file; `full`, `partial`, `absent`: how a file can be there; `kept`: what else of it
    leaves, with the values it may have."""

    file: FieldName
    name: FieldName
    value: FieldName
    entry: Plain
    full: Plain
    partial: Plain
    absent: Plain
    kept: dict[Plain, list[Plain]] = Field(default_factory=dict)


class CsvForm(Form):
    """How the files of this format are written. `separator`: between items in one cell; `columns`: what leaves has only
    the granted ones, or those of the standard; `opened`: people open these files in a spreadsheet."""

    delimiter: Sign = ","
    encoding: Literal["utf-8", "utf-8-sig", "cp1252"] = "utf-8"
    separator: Sign = ","
    columns: Literal["granted", "standard"] = "granted"
    opened: bool = False
    manifest: ManifestForm | None = None


def csv_of(form: CsvForm | None) -> Csv:
    if form is None:
        return Csv()
    manifest = form.manifest
    return Csv(
        form.delimiter, form.encoding, form.separator, form.columns, form.opened, _of(manifest) if manifest else None
    )


def _of(form: ManifestForm) -> Manifest:
    kept = {name: tuple(values) for name, values in form.kept.items()}
    return Manifest(form.file, form.name, form.value, form.entry, form.full, form.partial, form.absent, kept)


def csv_faults(records: Mapping[str, Branch], persons: Container[str]) -> Iterator[Fault]:
    """A row has cells: what is an object has `#text` and nothing else. What a row refers to stands in an earlier
    file, or in its own (a parent); whoever names the row of a person speaks of that person. `persons`: records with
    `subjects`."""
    earlier: dict[str, Branch] = {}
    for name, root in records.items():
        for field, node in root.fields.items():
            inner = node.item if isinstance(node, Many) else node
            if isinstance(inner, Branch) and set(inner.fields) != {TEXT}:
                yield ("records", name, "fields", field), f"a cell that is an object has '{TEXT}' alone", "form"
        earlier[name] = root
        for path, leaf in leaves(root):
            if leaf.refers is not None and not _there(leaf.refers, earlier):
                place = ("records", name, "fields", path.partition(".")[0])
                yield place, "'refers' must name a field of an earlier record or its own", "form"
            elif leaf.refers is not None and leaf.refers.partition(".")[0] in persons and name not in persons:
                place = ("records", name, "fields", path.partition(".")[0])
                yield place, "a row that refers to a row of a person needs 'subjects' of its own", "form"


def _there(refers: str, earlier: Mapping[str, Branch]) -> bool:
    name, _, column = refers.partition(".")
    root = earlier.get(name)
    return root is not None and isinstance(leaf_at(root, column), Leaf)

"""The file of a set that says which others are there: read, and written anew for those that leave.

Leaves out: the files themselves (`sets`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from gateway.core.policy.schema import Csv, Manifest
from gateway.core.release.minimised import EnvelopeBroken
from gateway.formats.csv.read import table
from gateway.formats.csv.write import head, line


@dataclass(frozen=True, slots=True)
class Contents:
    """What the source says. `modes`: file → how it is there; `kept`: other things of it that leave."""

    modes: dict[str, str]
    kept: dict[str, str]

    def there(self, name: str, manifest: Manifest) -> bool:
        return self.modes.get(name, manifest.absent) != manifest.absent

    def full(self, name: str, manifest: Manifest) -> bool:
        """Whether it holds everything, so that what is not in it is nowhere."""
        return self.modes.get(name) == manifest.full


def read(body: bytes, dialect: Csv, manifest: Manifest, known: Collection[str]) -> Contents:
    """`known`: files of the schema; what is said of others is not repeated. Raises EnvelopeBroken."""
    found = table(body, dialect)
    if set(found.names) != {manifest.name, manifest.value} or any(len(row) != 2 for row in found.rows):
        raise EnvelopeBroken("no manifest")
    name, value = found.names.index(manifest.name), found.names.index(manifest.value)
    said = [(row[name].strip(), row[value].strip()) for row in found.rows]
    if len(dict(said)) < len(said):
        raise EnvelopeBroken("the manifest says a thing twice")
    modes = {one.removeprefix(manifest.entry): how for one, how in said if one.startswith(manifest.entry)}
    if not set(modes.values()) <= {manifest.full, manifest.partial, manifest.absent}:
        raise EnvelopeBroken("the manifest names a way that the schema does not know")
    kept = {one: how for one, how in said if one in manifest.kept}
    if any(how not in manifest.kept[one] for one, how in kept.items()) or kept.keys() != manifest.kept.keys():
        raise EnvelopeBroken("another version than the schema's")
    return Contents({one: how for one, how in modes.items() if one in known}, kept)


def rewritten(
    contents: Contents, leaving: Collection[str], dialect: Csv, manifest: Manifest, changes: Collection[str] = ()
) -> bytes:
    """Every file of the schema that the source names, absent when it does not leave. `changes`: files that tell of each
    row whether it ended."""
    told = [(name, contents.kept[name]) for name in manifest.kept]
    for name, how in contents.modes.items():
        leaves = manifest.partial if name in changes else how
        told.append((f"{manifest.entry}{name}", leaves if name in leaving else manifest.absent))
    first = head((manifest.name, manifest.value), dialect)
    return first + b"".join(line(list(pair), dialect) for pair in told)

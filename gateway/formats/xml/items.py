"""A document of lists (UWLR, EDEXML), item by item: how it is cut, and what left of it before the next item.

So a document of any size is read, decided and registered in parts as a list is: every item is minimised as a document
that holds nothing else. What an item may refer to stands in an earlier part of the document, and what the standard
demands of earlier parts must have left, or nothing more does. Pure. Leaves out: reading the file (`item_files`), what
leaves of an item (`minimiser`).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field

from gateway.core.model import FieldClass
from gateway.core.policy.grants import leaves
from gateway.core.policy.schema import Branch, Leaf, Many, Node, Record

_DIGITS = 3
_WAITS, _BETWEEN = b"?", "\x1f"


@dataclass(frozen=True, slots=True)
class Section:
    """Items of one kind. `part`: the field of the record they stand in; `item`: what each is called, "" where the part
    is itself the one item; `target`: the path of the id by which others refer to them; `after`: the parts that must
    have left something before."""

    number: int
    part: str
    item: str
    target: str = ""
    after: tuple[str, ...] = ()


def sections(record: Record) -> tuple[Section, ...]:
    """The kinds of items of a document, in their order; none where it must be read whole."""
    if record.envelope or not _by_items(record):
        return ()
    found: list[Section] = []
    before: tuple[str, ...] = ()
    for part, node in record.fields.fields.items():
        assert isinstance(node, Branch), "so says _by_items"
        for item in node.fields if _is_list(node) else [""]:
            path = f"{part}.{item}" if item else part
            found.append(Section(len(found), part, item, _target(record, path), before))
        before = (*before, part) if node.required else before
    return tuple(found) if _refers_back(record, found) else ()


def _by_items(record: Record) -> bool:
    """Every part is a list, or an object that speaks of nobody; nothing joins them but references. Documents are
    counted in what is built whole."""
    people = [one.at for one in record.subjects]
    said = [one for _, one in leaves(record.fields) if one.flag or one.claim or _of_record(one) or _is_document(one)]
    parts = record.fields.fields
    whole = [name for name, node in parts.items() if isinstance(node, Branch) and not _is_list(node)]
    return (
        not said
        and all(_is_part(node) for node in parts.values())
        and all(one.withheld == "item" for one in record.subjects)
        and not any(at == name or at.startswith(f"{name}.") for at in people for name in whole)
    )


def _is_part(node: Node) -> bool:
    return isinstance(node, Branch) and not (node.choice or node.hidden or node.repeats)


def _is_list(node: Branch) -> bool:
    return bool(node.fields) and all(
        isinstance(one, Many) and isinstance(one.item, Branch) for one in node.fields.values()
    )


def _of_record(leaf: Leaf) -> bool:
    """Whether something elsewhere in the record decides about it."""
    return leaf.hidden is not None and any(path.startswith("/") for path in leaf.hidden.by)


def _is_document(leaf: Leaf) -> bool:
    return leaf.field_class is FieldClass.DOCUMENT


def _target(record: Record, path: str) -> str:
    refers = {leaf.refers for _, leaf in leaves(record.fields) if leaf.refers}
    return next((one for one in sorted(refers) if one.startswith(f"{path}.")), "")


def _refers_back(record: Record, found: Iterable[Section]) -> bool:
    """Whether what is referred to always comes before."""
    order = {part: number for number, part in enumerate(record.fields.fields)}
    targets = {one.target for one in found}
    known = [(path, leaf.refers) for path, leaf in leaves(record.fields) if leaf.refers]
    return all(to in targets and order[to.split(".")[0]] < order[path.split(".")[0]] for path, to in known)


@dataclass(slots=True)
class Left:
    """What left of one document so far; `before`: of earlier parts of the file. `closed`: nothing more may."""

    before: Left | None = None
    parts: set[str] = field(default_factory=set)
    keys: dict[str, set[str]] = field(default_factory=dict, repr=False)
    people: dict[str, set[str]] = field(default_factory=dict, repr=False)
    closed: bool = False

    def take(self, section: Section, key: str) -> None:
        self.parts.add(section.part)
        self.name(section.target, (key,))

    def name(self, target: str, ids: Iterable[str]) -> None:
        """Items with these ids left, by which others refer to them."""
        if target:
            self.keys.setdefault(target, set()).update(ids)

    def recall(self, sections: tuple[Section, ...], rows: Iterable[tuple[str, bytes]]) -> None:
        """Rows that left."""
        for key, row in rows:
            self.take(sections[int(key[:_DIGITS])], key[_DIGITS + 1 :])
            self.meet((sections[int(one[:_DIGITS])].target, one[_DIGITS + 1 :]) for one in named_in([(key, row)]))

    def meet(self, names: Iterable[tuple[str, str]]) -> None:
        """Somebody left who is in these groups: (path of their id, the id)."""
        for target, text in names:
            self.people.setdefault(target, set()).add(text)

    def has(self, parts: Iterable[str]) -> bool:
        return all(part in self.parts or (self.before is not None and part in self.before.parts) for part in parts)

    def named(self, target: str) -> Container[str]:
        here = self.keys.setdefault(target, set())
        return here if self.before is None else _Either(here, self.before.named(target))

    def peopled(self, target: str) -> Container[str]:
        """The groups in which somebody who left is."""
        here = self.people.setdefault(target, set())
        return here if self.before is None else _Either(here, self.before.peopled(target))


@dataclass(frozen=True, slots=True)
class _Either:
    one: Container[str]
    other: Container[str]

    def __contains__(self, text: object) -> bool:
        return text in self.one or text in self.other


def order_key(section: Section, key: str) -> str:
    """Rows sorted by this stand in the order of the document, and within a list in that of their ids."""
    return f"{section.number:0{_DIGITS}d} {key}"


def row_of(part: str, names: Iterable[str], text: bytes, *, waits: bool) -> bytes:
    """An item as it is kept until its document is whole. `names`: the keys of the rows it refers to; `waits`: it leaves
    only where another refers to it. No text of XML holds a NUL."""
    said = _WAITS if waits else _BETWEEN.join(names).encode()
    return b"\0".join((part.encode(), said, text))


def named_in(rows: Iterable[tuple[str, bytes]]) -> set[str]:
    """The keys of all rows that these refer to."""
    found: set[str] = set()
    for _, row in rows:
        said = row.split(b"\0", 2)[1]
        if said and said != _WAITS:
            found.update(said.decode().split(_BETWEEN))
    return found


def waiting(rows: Iterable[tuple[str, bytes]]) -> set[str]:
    """The keys of the rows that leave only where another refers to them."""
    return {key for key, row in rows if row.split(b"\0", 2)[1] == _WAITS}


def leaving(rows: Iterable[tuple[str, bytes]], named: Container[str]) -> Iterator[tuple[str, bytes]]:
    """Without what waits in vain."""
    return ((key, row) for key, row in rows if key in named or row.split(b"\0", 2)[1] != _WAITS)


def document_of(rows: Iterable[bytes], empty: bytes) -> Iterator[bytes]:
    """The document of these rows, which is `empty` without them."""
    end = empty.rindex(b"</")
    yield empty[:end]
    open_part = b""
    for row in rows:
        part, _, text = row.split(b"\0", 2)
        if part != open_part:
            yield (b"</%s>" % open_part if open_part else b"") + (b"<%s>" % part if part else b"")
            open_part = part
        yield text
    yield (b"</%s>" % open_part if open_part else b"") + empty[end:]

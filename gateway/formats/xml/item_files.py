"""A document of lists as it arrives: cut into its items (`XmlItemsFile`), and pieces of it minimised (`XmlItems`).

It may stand in the answer of an operation of SOAP. What is known of the document when it ends is that it was whole,
and in the order of its schema. Leaves out: what leaves of one item (`minimiser`), what an item may refer to (`items`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from lxml import etree

from gateway.core.file_forms import Form
from gateway.core.policy.schema import Record
from gateway.core.release.emission import Emission
from gateway.core.release.minimised import WHOLE, EnvelopeBroken, Minimised, Share
from gateway.formats.xml.files import OPENING, sniffed
from gateway.formats.xml.items import Left, Section, order_key, row_of, sections
from gateway.formats.xml.minimiser import XmlMinimiser
from gateway.formats.xml.parse import Arriving, Limits, document
from gateway.formats.xml.source import Names

_NOTHING = "geengegevens"
_PIECE = 65_536  # so that the parser forgets what it gave before it reads on


class XmlItemsFile:
    """`feed` and `close` give the items that are complete, each within its part. Both raise EnvelopeBroken. `above`:
    the elements around the record, from the root; `most`: bytes of one item, and of what stands between two."""

    form = Form.DOCUMENT

    def __init__(
        self, record: Record, names: Names, most: int, above: Sequence[str] = (), limits: Limits | None = None
    ) -> None:
        self._names = names
        self._most = most
        self._opening = b""
        self._since = 0
        self._cut = _Cut(record, names, tuple(above), limits or Limits())
        self._around = {part: names.around(names(part)) for part in record.fields.fields}
        single = [names.prefixed(names(one.part)) for one in sections(record) if not one.item]
        self._frames = tuple(f"<{name}{sign}".encode() for name in single for sign in " >/")
        self._begin, self._end = names.around(names(record.element or record.name))

    def __repr__(self) -> str:
        return f"<XmlItemsFile, {self._since} bytes after an item>"

    def feed(self, chunk: bytes) -> list[bytes]:
        if len(self._opening) < OPENING:
            self._opening += chunk[:OPENING]
            sniffed(self._opening)
        self._since += len(chunk)
        found = self._written(self._cut.feed(chunk))
        self._since = 0 if found else self._since
        if self._since > self._most:
            raise EnvelopeBroken("an item is larger than allowed")
        return found

    def close(self) -> list[bytes]:
        return self._written(self._cut.close())

    def frames(self, item: bytes) -> bool:
        """Whether this is what stands around the lists: it says when the document was made, another time each time."""
        return item.startswith(self._frames)

    def piece(self, records: list[bytes]) -> bytes:
        """Items as a document of their own, in which a part stands as often as there are."""
        return b"".join([self._begin, *records, self._end])

    def _written(self, found: Iterable[tuple[Section, etree._Element]]) -> list[bytes]:
        made = [self._within(section, item) for section, item in found]
        if any(len(text) > self._most for text in made):
            raise EnvelopeBroken("an item is larger than allowed")
        return made

    def _within(self, section: Section, item: etree._Element) -> bytes:
        text: bytes = etree.tostring(item, encoding="UTF-8", with_tail=False)
        if not section.item:
            return text
        begin, end = self._around[section.part]
        return b"".join((begin, text, end))


class XmlDocumentFile:
    """A document of lists: given whole by `close` where it is small, else item by item from when that is known.
    `small`: its bytes; `most`: of one item."""

    def __init__(self, record: Record, names: Names, small: int, most: int) -> None:
        self._small = small
        self._begun = bytearray()
        self._items = XmlItemsFile(record, names, most)
        self.form = Form.SINGLE

    def __repr__(self) -> str:
        return f"<XmlDocumentFile of {len(self._begun)} bytes>" if self.form is Form.SINGLE else repr(self._items)

    def feed(self, chunk: bytes) -> list[bytes]:
        if self.form is Form.DOCUMENT:
            return self._items.feed(chunk)
        self._begun += chunk
        sniffed(bytes(self._begun[:OPENING]))
        if len(self._begun) <= self._small:
            return []
        begun, self._begun, self.form = bytes(self._begun), bytearray(), Form.DOCUMENT
        pieces = (begun[at : at + _PIECE] for at in range(0, len(begun), _PIECE))
        return [item for piece in pieces for item in self._items.feed(piece)]

    def close(self) -> list[bytes]:
        if self.form is Form.DOCUMENT:
            return self._items.close()
        if not self._begun.strip():
            raise EnvelopeBroken("the file ends early")
        return [bytes(self._begun)]

    def piece(self, records: list[bytes]) -> bytes:
        """As the minimiser of documents, or that of items, reads it."""
        return self._items.piece(records) if self.form is Form.DOCUMENT else b"".join(records)


class _Cut:
    """The elements of the items, as the parser comes to their ends; each is gone when the next chunk is read."""

    def __init__(self, record: Record, names: Names, above: tuple[str, ...], limits: Limits) -> None:
        self._path = (*above, names(record.element or record.name))
        self._sections = {(names(one.part), names(one.item) if one.item else ""): one for one in sections(record)}
        self._order = {names(part): number for number, part in enumerate(record.fields.fields)}
        self._nothing = names(_NOTHING)
        tags = {tag for key in self._sections for tag in key if tag}
        self._arriving = Arriving((*tags, self._path[-1]), ("start", "end"), limits)
        self._record: etree._Element | None = None
        self._part: etree._Element | None = None

    def feed(self, chunk: bytes) -> Iterator[tuple[Section, etree._Element]]:
        return self._items(self._arriving.feed(chunk))

    def close(self) -> Iterator[tuple[Section, etree._Element]]:
        yield from self._items(self._arriving.rest())
        root = self._arriving.ended()
        if root is None or not self._is_whole(root):
            raise EnvelopeBroken("no well-formed document of its schema")

    def _items(self, told: Iterable[tuple[str, etree._Element]]) -> Iterator[tuple[Section, etree._Element]]:
        last: etree._Element | None = None
        for event, element in told:
            found = self._seen(event, element)
            if found is not None:
                yield found, element
                last = element
        self._arriving.took(last)

    def _seen(self, event: str, element: etree._Element) -> Section | None:
        """The kind of item that is complete now."""
        above = element.getparent()
        if event == "start":
            self._begins(element, above)
            return None
        if above is not None and above is self._part:
            return self._sections.get((str(above.tag), str(element.tag)))
        if element is self._part:
            return self._sections.get((str(element.tag), ""))
        return None

    def _begins(self, element: etree._Element, above: etree._Element | None) -> None:
        if self._record is None:
            if element.tag == self._path[-1] and _tags_above(element) == self._path[:-1]:
                self._record = element
            return
        if above is not self._record or element.tag not in self._order:
            return
        if self._part is not None and self._order[str(self._part.tag)] >= self._order[str(element.tag)]:
            raise EnvelopeBroken("a part twice, or before another than its schema says")
        self._part = element

    def _is_whole(self, root: etree._Element) -> bool:
        """One element in each of those around the record; in a message a header may stand beside the body."""
        at = root
        for number, tag in enumerate(self._path):
            if at.tag != tag and not (number and at.tag == self._nothing):
                return False
            if number == len(self._path) - 1:
                return at.tag == self._nothing or at is self._record
            inner = list(at)[-1:] if number == 0 and len(at) == 2 else list(at)  # a header stands before the body
            if len(inner) != 1:
                return False
            at = inner[0]
        return False


@dataclass(frozen=True, slots=True)
class XmlItems:
    """Pieces of a document, for one delivery."""

    xml: XmlMinimiser

    @property
    def names(self) -> Names:
        return self.xml.names

    def minimise(self, body: bytes, emission: Emission, left: Left, share: Share = WHOLE) -> Minimised:
        """`rows`: what leaves of each item, with the part it stands in. Raises EnvelopeBroken."""
        record = self.xml.projection.record
        tag = self.names(record.element or record.name)
        items = [_alone(one, self.names.element(tag)) for one in list(document(body, self.xml.limits))]
        circle = cache(lambda: self.xml.circle_of(items))
        before, now = emission.malformed, Left(left)
        rows = [row for item in items if (row := self._row(item, emission, circle, now)) is not None]
        malformed = emission.malformed - before
        share.withstand(malformed, len(items), emission.faults)
        text = b"".join(text for _, text in rows)
        return Minimised(text, len(rows), malformed, tuple(rows), head=self.names.empty(tag))

    def _row(self, item: etree._Element, emission: Emission, circle: Any, now: Left) -> tuple[str, bytes] | None:
        section = self._section(item)
        now.closed = not now.has(section.after)
        row = self.xml.item(item, emission, circle, section.part, now)
        if row is None or not row.body:
            return None
        now.take(section, row.key)
        names = [order_key(self._targets[target], key) for target, key in row.names]
        part = self.names.prefixed(self.names(section.part)) if section.item else ""
        text = row_of(part, names, row.body, waits=self.xml.waits(section.target))
        return order_key(section, row.key), text

    @property
    def _targets(self) -> dict[str, Section]:
        return {one.target: one for one in self.xml.sections}

    def _section(self, item: etree._Element) -> Section:
        (part,) = item
        inner = {str(one.tag) for one in part}
        for one in self.xml.sections:
            if self.names(one.part) == part.tag and (not one.item or {self.names(one.item)} == inner):
                return one
        raise EnvelopeBroken("another document than its schema says")


def _alone(part: etree._Element, root: etree._Element) -> etree._Element:
    root.append(part)
    return root


def _tags_above(element: etree._Element) -> tuple[str, ...]:
    return tuple(str(one.tag) for one in element.iterancestors())[::-1]

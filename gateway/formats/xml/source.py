"""Looking things up in a record as the source sent it, whether they leave or not: by the paths of the schema.

Leaves out: what is done with what is found (`build`, `minimiser`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lxml import etree

from gateway.core.model import FieldClass
from gateway.core.policy import grants
from gateway.core.policy.grants import slots
from gateway.core.policy.schema import Leaf, Record
from gateway.core.release.circle import Circle, is_name, is_number
from gateway.core.release.masking import Mask
from gateway.core.release.national_number import normal

_FALSE = frozenset({"", "false", "0"})


class Names:
    """Names of a schema file as names of XML: {namespace}name."""

    def __init__(self, namespaces: Mapping[str, str]) -> None:
        self._namespaces = namespaces
        self._known: dict[str, str] = {}  # of a schema's names, which are few

    def __call__(self, name: str) -> str:
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._made(name)
        return found

    def _made(self, name: str) -> str:
        prefix, colon, local = name.rpartition(":")
        namespace = self._namespaces.get(prefix if colon else "", "")
        return f"{{{namespace}}}{local}" if namespace else local

    def attribute(self, name: str) -> str:
        """An attribute without a prefix is in no namespace."""
        bare = name.removeprefix("@")
        return self(bare) if ":" in bare else bare

    def prefixed(self, tag: str) -> str:
        """As it is written where the schema's own prefixes are declared."""
        namespace, _, local = tag.removeprefix("{").rpartition("}")
        prefix = next((prefix for prefix, one in self._namespaces.items() if one == namespace), "")
        return f"{prefix}:{local}" if prefix else local

    def element(self, tag: str) -> etree._Element:
        """A new one, that declares the namespaces once for all beneath it."""
        prefixes: Any = {prefix or None: namespace for prefix, namespace in self._namespaces.items()}
        return etree.Element(tag, nsmap=prefixes)

    def around(self, tag: str, *, declared: bool = False) -> tuple[bytes, bytes]:
        """How an element begins and ends that holds something; `declared`: as a document."""
        opening = self.element(tag)
        opening.text = " "
        begin, end = etree.tostring(opening, encoding="UTF-8", xml_declaration=declared).rsplit(b" ", 1)
        return begin, end

    def empty(self, tag: str) -> bytes:
        """A document of this element, with a beginning and an end."""
        return b"".join(self.around(tag, declared=True))


class Source:
    """Reads records of one kind."""

    def __init__(self, record: Record, names: Names) -> None:
        self.names = names
        self._paths: dict[str, tuple[str, ...]] = {}  # of a schema, whose paths are few
        leaves = list(grants.leaves(record.fields))
        ids = frozenset[str]().union(*(slot.paths for slot in slots(record)))
        self._naming = [path for path, leaf in leaves if path not in ids and is_name(leaf)]
        self._numbers = [path for path, leaf in leaves if is_number(leaf)]
        self._documents = [path for path, leaf in leaves if leaf.field_class is FieldClass.DOCUMENT]
        self.flags: Mapping[str, Leaf] = {path: leaf for path, leaf in leaves if leaf.flag is not None}
        self.claims = {path: leaf.claim for path, leaf in leaves if leaf.claim is not None}

    @property
    def counts_documents(self) -> bool:
        """Whether there can be any."""
        return bool(self._documents)

    def elements(self, within: etree._Element, path: str) -> list[etree._Element]:
        """Every element at this path; the record itself for ""."""
        found = [within]
        for tag in self._tags(path):
            found = [child for one in found for child in one.iterchildren(tag)]
        return found

    def _tags(self, path: str) -> tuple[str, ...]:
        found = self._paths.get(path)
        if found is None:
            found = self._paths[path] = tuple(self.names(step) for step in path.split(".")) if path else ()
        return found

    def texts(self, within: etree._Element, path: str) -> Iterator[str]:
        """Every text at the path of a value."""
        above, _, last = path.rpartition(".")
        if last.startswith("@"):
            attribute = self.names.attribute(last)
            yield from (one.get(attribute, "") for one in self.elements(within, above))
        else:
            at = above if last == "#text" else path
            yield from (one.text or "" for one in self.elements(within, at))

    def says(self, root: etree._Element, within: etree._Element, path: str) -> bool:
        """Whether the boolean at this path is not plainly false: a word that a source has for it ("ja") would show what
        it hides. From the record where the path begins with "/"."""
        start, at = root if path.startswith("/") else within, path.removeprefix("/")
        unread = "@" not in at and any(len(one) for one in self.elements(start, at))
        return unread or any(text.strip() not in _FALSE for text in self.texts(start, at))

    def documents(self, record: etree._Element) -> int:
        """How many documents are in it."""
        return sum(len(self.elements(record, path)) for path in self._documents)

    def circle(self, records: Iterable[etree._Element]) -> Circle:
        """The names and national numbers in these records."""
        names: dict[str, None] = {}
        numbers: set[str] = set()
        for record in records:
            for path in self._naming:
                names.update(dict.fromkeys(text for text in self.texts(record, path) if text.strip()))
            found = (normal(text) for path in self._numbers for text in self.texts(record, path))
            numbers.update(number for number in found if number is not None)
        return Circle(Mask(names), frozenset(numbers))

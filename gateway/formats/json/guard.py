"""What is in a released value that may not leave: a national number where none belongs, a text nobody released.

Two steps, so that an ordinary record costs next to nothing. The walk asks one expression (`suspicion`): does a text
hold eight digits in a row, is a number that large, is there a text to mask? Only then the record is judged, leaf by
leaf (`blocked`): free text by the 11-proef, anything else by the numbers that the answer or the school knows (D7),
masked text and documents by what a person released (D8). Leaves out: how a blocked field stays behind (`minimiser`),
masking and what was released (`core`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Raw

from gateway.core.model import FieldClass, Subject, Transform
from gateway.core.policy.schema import Record
from gateway.core.policy.words import hollow
from gateway.core.reasons import Reason
from gateway.core.release.circle import Circle
from gateway.core.release.classified import Waiting, of_document, of_text
from gateway.core.release.emission import Emission
from gateway.core.release.national_number import found_in, may_be, may_hold, own
from gateway.core.release.projection import Branch, Leaf, Many, Slot
from gateway.formats.json.places import Place
from gateway.formats.json.shapes import FORMATS, MALFORMED, Shape, id_fields

Blocked = tuple[tuple[str, Reason], ...]
"""Paths that do not leave of one record, and why."""

_LARGE = 10_000_000  # the smallest number of eight digits
_EIGHT_DIGITS = re.compile(rb"\d(?:[ .-]?\d){7}").search
NAMES: Mapping[str, Any] = {"may_hold": may_hold, "may_be": may_be, "may_name": _EIGHT_DIGITS}
"""What the expressions of `suspicion` call."""


def suspicion(branch: Branch, shape: Shape, read: str, depth: int = 0) -> list[str]:
    """Expressions over a decoded object, each true when a leaf of it must be judged."""
    found: list[str] = []
    for name, node in branch.fields.items():
        inner = f"{read}.{shape.attributes[name]}" if name in shape.attributes else ""
        item = node.item if isinstance(node, Many) else node
        each = f"x{depth}" if isinstance(node, Many) else inner
        if not inner:
            asked = []
        elif isinstance(item, Leaf):
            asked = [_asked(item, each)] if _guarded(item) else []
        elif isinstance(item, Branch):
            asked = suspicion(item, shape.children[name], each, depth + 1)
        else:
            asked = []
        if isinstance(node, Slot) and _as_held(branch):
            found.append(f"may_name({read if shape.whole else f'{read}.{shape.attributes[name]}'})")
        if asked and isinstance(node, Many):
            found.append(f"({inner} and any({' or '.join(asked)} for {each} in {inner}))")
        elif asked:
            found.append(f"({inner} is not None and ({' or '.join(asked)}))")
    return found


def _as_held(branch: Branch) -> bool:
    """Whether ids leave here as the source has them."""
    return branch.subject is not None and branch.subject.method == "held"


def _guarded(leaf: Leaf) -> bool:
    """Whether this leaf leaves with what the source wrote in it. A granted national number is the law's (N1)."""
    return (
        leaf.read
        and leaf.transform in (Transform.KEEP, Transform.MASK)
        and leaf.field_class is not FieldClass.NATIONAL_NUMBER
        and leaf.type != "boolean"
        and leaf.maps is None
        and not leaf.values
        and leaf.format not in FORMATS
    )


def _asked(leaf: Leaf, read: str) -> str:
    if leaf.transform is Transform.MASK or leaf.field_class is FieldClass.DOCUMENT:
        return f"{read} != ''"
    if leaf.type != "string":
        return f"{read} >= {_LARGE}"
    if leaf.field_class is FieldClass.FREE_TEXT:
        return f"len({read}) > 7 and may_hold({read})"
    return f"len({read}) > 7 and {read} not in harmless and may_be({read}, harmless)"


class Guard:
    """Judges the suspect records of one projection."""

    def __init__(self, record: Record, root: Branch, shape: Shape, *, special: bool) -> None:
        self._root = root
        self._shape = shape
        self._special = special
        self._places = {id(branch): Place(record, branch) for branch in _speaking(root)}

    def blocked(self, found: Any, circle: Circle, emission: Emission) -> tuple[Blocked, tuple[Subject, ...]]:
        """What does not leave of this record, and of whom: the persons who decide about it, or else all in it."""
        people = list(self._people(self._root, self._shape, found, emission))
        about = [subject for subject, decides in people if decides] or [subject for subject, _ in people]
        subjects = tuple(dict.fromkeys(about))
        judged = _Judge(circle, emission, subjects, special=self._special)
        leaves = _leaves(self._root, self._shape, found)
        reasons = [(leaf.path, reason) for leaf, value in leaves if (reason := judged.reason(leaf, value)) is not None]
        ids = [path for path, raw in _ids(self._root, self._shape, found) if judged.is_number(raw)]
        return tuple(dict.fromkeys([*reasons, *((path, Reason.BSN_NOT_ALLOWED) for path in ids)])), subjects

    def _people(self, branch: Branch, shape: Shape, found: Any, emission: Emission) -> Iterator[tuple[Subject, bool]]:
        """Everybody the record speaks of, and whether they decide about the whole of it."""
        place = self._places.get(id(branch))
        if place is not None:
            parts = (found,) if shape.whole else [getattr(found, shape.attributes[name]) for name in id_fields(branch)]
            subject = _who(place, parts, emission)
            if subject is not None:
                yield subject, place.subject.withheld == "record"
        if shape.whole:
            return
        for name, child in shape.children.items():
            node = branch.fields[name]
            inner = node.item if isinstance(node, Many) else node
            value = getattr(found, shape.attributes[name])
            assert isinstance(inner, Branch)
            for one in value or () if isinstance(node, Many) else (value,):
                if one is not None:
                    yield from self._people(inner, child, one, emission)


class _Judge:
    """What decides about one record's leaves."""

    def __init__(
        self,
        circle: Circle,
        emission: Emission,
        subjects: tuple[Subject, ...],
        *,
        special: bool,
    ) -> None:
        self._circle = circle
        self._emission = emission
        self._subjects = subjects
        self._special = special

    def reason(self, leaf: Leaf, value: Any) -> Reason | None:
        """Why this value does not leave; None when it may."""
        if leaf.field_class is FieldClass.DOCUMENT:  # by its content: nobody looks inside
            digest = of_document(value, leaf.format)
            return Reason.DOCUMENT_NOT_CLASSIFIED if digest is None or self._waits(leaf, digest) else None
        if self._is_somebodys(value) or (leaf.field_class is FieldClass.FREE_TEXT and found_in(str(value))):
            return Reason.BSN_NOT_ALLOWED
        if leaf.transform is not Transform.MASK:
            return None
        masked = self._circle.mask(value)
        if found_in(masked):
            return Reason.BSN_NOT_ALLOWED
        waits = self._special and self._waits(leaf, of_text(value), masked)
        return Reason.FREE_TEXT_BLOCKED if waits else None

    def is_number(self, ids: Raw) -> bool:
        """Whether ids that leave as the source has them are a national number, for whom no law names it (N1)."""
        grondslag = self._emission.sight.delivery.grondslag
        by_law = grondslag is not None and not hollow(grondslag.national_number)
        return not by_law and self._is_somebodys(bytes(ids).decode("utf-8", "replace"))

    def _is_somebodys(self, value: Any) -> bool:
        return own(self._circle.numbers, value) or self._emission.sight.numbers_somebody(value)

    def _waits(self, leaf: Leaf, digest: bytes, shown: str = "") -> bool:
        """D8: until a person released it for each pupil the record is about; what is about nobody, nobody releases."""
        contents = (Waiting(one, leaf.path, leaf.field_class, digest, shown) for one in self._subjects)
        waits = [self._emission.waits(one) for one in contents]
        return not waits or any(waits)


def _who(place: Place, parts: Any, emission: Emission) -> Subject | None:
    try:
        return place.who(emission.sight, *parts)
    except MALFORMED:
        return None


def _speaking(branch: Branch) -> Iterator[Branch]:
    if branch.subject is not None:
        yield branch
    for node in branch.fields.values():
        inner = node.item if isinstance(node, Many) else node
        if isinstance(inner, Branch):
            yield from _speaking(inner)


def _ids(branch: Branch, shape: Shape, found: Any) -> Iterator[tuple[str, Raw]]:
    """Every slot of ids that leave as the source has them, with their text."""
    for name, node in branch.fields.items():
        if isinstance(node, Slot) and _as_held(branch):
            yield node.path, found if shape.whole else getattr(found, shape.attributes[name])
        item = node.item if isinstance(node, Many) else node
        if isinstance(item, Branch) and name in shape.attributes:
            value = getattr(found, shape.attributes[name])
            for one in value or () if isinstance(node, Many) else (value,):
                if one is not None:
                    yield from _ids(item, shape.children[name], one)


def _leaves(branch: Branch, shape: Shape, found: Any) -> Iterator[tuple[Leaf, Any]]:
    """Every guarded leaf that has a value."""
    if shape.whole:
        return
    for name, node in branch.fields.items():
        item = node.item if isinstance(node, Many) else node
        if name not in shape.attributes or not isinstance(item, Leaf | Branch):
            continue
        value = getattr(found, shape.attributes[name])
        values = [one for one in (value or () if isinstance(node, Many) else (value,)) if one is not None]
        if isinstance(item, Branch):
            for one in values:
                yield from _leaves(item, shape.children[name], one)
        elif _guarded(item):
            yield from ((item, one) for one in values)

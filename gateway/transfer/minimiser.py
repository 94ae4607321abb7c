"""What a flow asks of a minimiser, whatever the format; and documents, which leave whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

from gateway.core.policy.terms import Aggregate
from gateway.core.release.emission import Emission
from gateway.core.release.minimised import WHOLE, EnvelopeBroken, Minimised, Share
from gateway.core.release.projection import Projection
from gateway.formats.csv import CsvMinimiser, CsvSet, Leg, Opened
from gateway.formats.json.minimiser import Pieces
from gateway.formats.xml import Left, Operation, XmlItems, XmlMinimiser


class Minimiser(Protocol):
    """`formats.json.JsonMinimiser`, as a flow uses it. `masks`: text leaves masked by the names in the whole answer."""

    @property
    def masks(self) -> bool: ...

    @property
    def projection(self) -> Projection: ...

    @property
    def aggregate(self) -> Aggregate | None: ...

    def minimise(self, body: bytes, emission: Emission, *, many: bool, share: Share = WHOLE) -> Minimised:
        """Raises EnvelopeBroken."""
        ...

    def split(self, body: bytes, part_bytes: int) -> Pieces:
        """Raises EnvelopeBroken."""
        ...


class _Whole:
    """What is read whole, or cut before it comes here; nobody is counted in it."""

    __slots__ = ()
    aggregate: ClassVar[Aggregate | None] = None

    def split(self, body: bytes, part_bytes: int) -> Pieces:
        raise EnvelopeBroken("it has no parts")


@dataclass(frozen=True, slots=True)
class Documents(_Whole):
    """XML: a document at a time, or (where the schema knows an envelope) a list or a piece of one."""

    xml: XmlMinimiser

    @property
    def masks(self) -> bool:
        return self.xml.masks

    @property
    def projection(self) -> Projection:
        return self.xml.projection

    def minimise(self, body: bytes, emission: Emission, *, many: bool, share: Share = WHOLE) -> Minimised:
        """A document holds all its names, and a list of which text is masked comes whole."""
        listed = bool(self.xml.projection.record.envelope)
        return self.xml.minimise(body, emission, many=listed, share=share)


@dataclass(frozen=True, slots=True)
class Items(_Whole):
    """XML: pieces of one document of lists, of which `left` left before."""

    xml: XmlMinimiser
    left: Left

    @property
    def masks(self) -> bool:
        return self.xml.masks

    @property
    def projection(self) -> Projection:
        return self.xml.projection

    def minimise(self, body: bytes, emission: Emission, *, many: bool, share: Share = WHOLE) -> Minimised:
        return XmlItems(self.xml).minimise(body, emission, self.left, share)


@dataclass(frozen=True, slots=True)
class Messages(_Whole):
    """XML in the messages of one operation of SOAP: built whole, in an envelope of our own."""

    xml: XmlMinimiser
    operation: Operation
    masks: bool = False

    @property
    def projection(self) -> Projection:
        return self.xml.projection

    def minimise(self, body: bytes, emission: Emission, *, many: bool, share: Share = WHOLE) -> Minimised:
        return self.operation.answer(body, self.xml, emission)


@dataclass(frozen=True, slots=True)
class Tables(_Whole):
    """CSV, a file or a piece of one at a time."""

    csv: CsvMinimiser

    @property
    def masks(self) -> bool:
        return self.csv.masks

    @property
    def projection(self) -> Projection:
        return self.csv.projection

    def minimise(self, body: bytes, emission: Emission, *, many: bool, share: Share = WHOLE) -> Minimised:
        return self.csv.minimise(body, emission, many=many, share=share)


@dataclass(frozen=True, slots=True)
class Sets(_Whole):
    """An archive of CSV files that refer to each other: one answer, whole or not at all."""

    files: CsvSet
    masks: bool = False  # a set holds all its names

    @property
    def projection(self) -> Projection:
        """What leaves of all of them together."""
        return _together({name: one.projection for name, one in self.files.minimisers.items()})

    def minimise(self, body: bytes, emission: Emission, *, many: bool, share: Share = WHOLE) -> Minimised:
        """It is no part of anything: what is said of parts does not concern it."""
        made = self.files.minimise(body, emission)
        found = made.files.values()
        records, malformed = sum(one.records for one in found), sum(one.malformed for one in found)
        rows = tuple(made.rows) if share.apart and records else ()
        return Minimised(made.body, records, malformed, rows, seen=sum(one.seen for one in found))


@dataclass(frozen=True, slots=True)
class SetPieces(_Whole):
    """Pieces of one file in such an archive, of which `opened` left before."""

    files: CsvSet
    opened: Opened
    leg: Leg
    masks: bool = False

    @property
    def projection(self) -> Projection:
        return _together({self.leg.name: self.files.minimisers[self.leg.name].projection})

    def minimise(self, body: bytes, emission: Emission, *, many: bool, share: Share = WHOLE) -> Minimised:
        return self.files.part(self.opened, self.leg, body, emission, share)


def _together(several: Mapping[str, Projection]) -> Projection:
    paths = tuple(f"{name}.{path}" for name, one in several.items() for path in one.paths)
    categories = {category for one in several.values() for category in one.categories}
    views = any(one.views for one in several.values())
    return replace(next(iter(several.values())), paths=paths, categories=tuple(sorted(categories)), views=views)

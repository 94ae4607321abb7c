"""One record's projection compiled for JSON: decode what may leave, walk it once, sort, encode.

House rule 2: what leaves is built from the allow-list. A malformed record is withheld alone; when too many are, or
the body is no JSON of the expected form, the answer as a whole is unusable and nothing of it is told. Leaves out: which
record and delivery (`transfer`), the text of the walk (`walk`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from gateway.core.model import Transform
from gateway.core.policy.terms import Aggregate
from gateway.core.reasons import Reason
from gateway.core.release.circle import Circle
from gateway.core.release.compiler import DeliveryRefused
from gateway.core.release.emission import Emission
from gateway.core.release.faults import Faults, add
from gateway.core.release.minimised import WHOLE, EnvelopeBroken, Minimised, Share
from gateway.core.release.projection import Branch, Leaf, Many, Projection, without
from gateway.core.release.sight import Seen
from gateway.core.release.transforms import reference_day
from gateway.core.release.views import Viewed, Views
from gateway.formats.json.accused import Accused
from gateway.formats.json.cells import counted
from gateway.formats.json.circle import CircleReader
from gateway.formats.json.guard import Guard
from gateway.formats.json.misfits import Misfits
from gateway.formats.json.records import Records, split
from gateway.formats.json.remains import Words, remains_of
from gateway.formats.json.shapes import shape
from gateway.formats.json.walk import Written, write
from gateway.formats.json.walked import Walk, Walked


@dataclass(frozen=True, slots=True)
class Pieces:
    """A long list, cut; `records`: how many there are in all; `circle`: gives the names and numbers in it, where it was
    at hand as a whole."""

    bodies: list[bytes] = field(repr=False)
    records: int
    circle: Callable[[], Circle] | None = field(default=None, repr=False)


class Row(NamedTuple):
    """One record that may leave: what orders it, what leaves, and the decoded record it is made of (None: it has
    ended)."""

    key: str
    text: bytes
    record: Any

    def __repr__(self) -> str:
        return "<Row …>"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A list, looked at: what may leave, in its order; who may not; what is malformed; the names in it. `viewed`: where
    what each recipient last got is remembered, what is to be written down of a row, by its key."""

    rows: list[Row] = field(repr=False)
    gone: list[Seen] = field(repr=False)
    malformed: list[Any] = field(repr=False)
    circle: Callable[[], Circle] = field(repr=False)
    viewed: Mapping[str, Viewed] | None = field(default=None, repr=False)


_EXAMPLES = 64  # malformed records of an unusable answer that are looked at, to say why


class JsonMinimiser:
    """Compiled when policy is taken over; holds nothing of any answer."""

    def __init__(self, projection: Projection, aggregate: Aggregate | None = None) -> None:
        self.projection = projection
        self.aggregate = aggregate
        self._shape = shape(projection.root, _order_field(projection))
        self._records = Records(self._shape.type)
        encoder = msgspec.json.Encoder()
        self._encode, self._lines = encoder.encode, encoder.encode_lines
        self._walks: dict[tuple[frozenset[str], date, bool], Written | None] = {}
        self.masks = _masks(projection.root)
        self._sorted = projection.order is not None or _about_somebody(projection.root)
        self._circles = CircleReader(projection.record, names=self.masks)
        self._words, self._remains = Words(projection.root), remains_of(projection.root)
        self._guard = Guard(projection.record, projection.root, self._shape, special=projection.special)
        self._accused = Accused(projection, self._shape.attributes)
        self._misfits = Misfits(projection)
        self.walk(frozenset(), date(2000, 10, 1))  # a delivery that cannot run is known when it is taken over

    def __repr__(self) -> str:
        return f"<JsonMinimiser of {self.projection.record.name}>"

    def minimise(self, body: bytes, emission: Emission, *, many: bool, share: Share = WHOLE) -> Minimised:
        """Raises EnvelopeBroken. Synchronous: screening and building are one moment (house rule 4). `share.apart`: a
        list as rows."""
        records, broken = self._records.read(body, many=many)
        circle = share.circle or (lambda: self._circles.read(body, many=many))
        walked = self._walked(records, emission, circle)
        malformed = [*walked.malformed, *broken]
        self._withstand(share, malformed, len(records) + len(broken), emission)
        if self.aggregate is not None:
            return self._counted(walked, malformed, emission, self.aggregate)
        self._report(walked, malformed, emission)
        if share.apart or emission.views is not None:
            return self._apart(walked, emission, len(malformed), many=many)
        released = _ordered(walked)
        encoded = self._encode(released) if many else self._encode(released[0]) if released else b""
        return Minimised(encoded, len(released), len(malformed))

    def look(self, body: bytes, emission: Emission) -> Sheet:
        """What would leave of a list now, in the order in which it would, for who lets a part of it leave (`cut`).
        `emission`, with its views, is of no answer. Raises EnvelopeBroken."""
        records, broken = self._records.read(body, many=True)
        circle = cache(lambda: self._circles.read(body, many=True))
        walked = self._walked(records, emission, circle)
        malformed = [*walked.malformed, *broken]
        self._withstand(WHOLE, malformed, len(records) + len(broken), emission)
        pairs = list(zip(walked.keys or [""] * len(walked.rows), map(self._encode, walked.rows), strict=True))
        viewed = None
        if emission.views is not None:
            self._report(walked, malformed, emission)
            pairs = self._viewed(pairs, walked, emission, emission.views)
            viewed = {one.remembered.key: one for one in emission.views.written}
        ended = [None] * (len(pairs) - len(walked.sources))
        rows = [Row(*pair, source) for pair, source in zip(pairs, [*walked.sources, *ended], strict=True)]
        return Sheet(sorted(rows, key=itemgetter(0, 1)), walked.gone, malformed, circle, viewed)

    def cut(self, sheet: Sheet, rows: Sequence[Row], emission: Emission) -> list[bytes]:
        """These rows of the sheet leave, in this order: `emission` learns who is in them."""
        walked = self._walked([row.record for row in rows if row.record is not None], emission, sheet.circle)
        self._report(walked, walked.malformed, emission)
        made = set(map(id, walked.sources))
        leaving = [row for row in rows if row.record is None or id(row.record) in made]
        if emission.views is not None and sheet.viewed is not None:
            emission.views.written += [sheet.viewed[row.key] for row in leaving if row.key in sheet.viewed]
            emission.views.told += sum(row.record is None for row in leaving)
        return [row.text for row in leaving]

    def kept(self, sheet: Sheet, emission: Emission, among: Callable[[str], bool]) -> None:
        """`emission` learns whom this list keeps back, of those whose key is `among` these."""
        emission.withhold([seen for seen in sheet.gone if among(seen.key)])
        if among(""):
            self._malform(sheet.malformed, emission)

    def _apart(self, walked: Walked, emission: Emission, malformed: int, *, many: bool) -> Minimised:
        lines = self._lines(walked.rows).split(b"\n")[:-1]  # no line ends within an encoded text
        rows = list(zip(walked.keys or [""] * len(lines), lines, strict=True))
        if emission.views is not None:
            rows = self._viewed(rows, walked, emission, emission.views)
        rows.sort(key=itemgetter(0))
        body = b",".join([line for _, line in rows])
        return Minimised(b"[" + body + b"]" if many else body, len(rows), malformed, tuple(rows))

    def _viewed(
        self, rows: list[tuple[str, bytes]], walked: Walked, emission: Emission, views: Views
    ) -> list[tuple[str, bytes]]:
        """With the gateway's own words, and with what is told of who ended."""
        owners = [seen.subject if seen is not None else None for seen in walked.owners]
        stamps = views.look([key for key, _ in rows], [line for _, line in rows], owners, self._remains)
        write = self._words.write
        here = [(key, write(line, stamp)) for (key, line), stamp in zip(rows, stamps, strict=True)]
        hidden = {key: [seen.reasons for seen in gone] for key, gone in walked.hidden}
        ended = emission.ended(self.projection.record, hidden)
        if not self._words.tells_ends:
            return here  # absence is all that this delivery tells
        return here + [(one.key, write(one.remains, one.stamp)) for one in ended]

    def split(self, body: bytes, part_bytes: int) -> Pieces:
        """A list in pieces of about `part_bytes`, each a list of whole records, in the source's order; one at least.
        Raises EnvelopeBroken."""
        records = split(body)
        pieces: list[list[Raw]] = [[]]
        size = 0
        for raw in records:
            if size >= part_bytes:
                pieces.append([])
                size = 0
            pieces[-1].append(raw)
            size += len(memoryview(raw))
        bodies = [b"[" + b",".join(piece) + b"]" for piece in pieces]
        return Pieces(bodies, len(records), cache(lambda: self._circles.read(*bodies, many=True)))

    def walk(self, paths: frozenset[str], reference: date, *, judged: bool = False) -> Written | None:
        """The walk without these paths; None when a required field is among them. `judged`: over records whose values
        were looked at."""
        key = (paths, reference, judged)
        if key not in self._walks:
            projection = self.projection
            root = without(projection.root, paths) if paths else projection.root
            self._walks[key] = None if root is None else self._written(root, reference, judged=judged)
        return self._walks[key]

    def _written(self, root: Branch, reference: date, *, judged: bool) -> Written:
        record, order, views = self.projection.record, self.projection.order, self.projection.views
        return write(record, root, self._shape, order, reference, judged=judged, viewed=views)

    # -- steps -------------------------------------------------------------------------------------------

    def _walked(self, records: list[Any], emission: Emission, circle: Callable[[], Circle]) -> Walked:
        walked = Walked()
        whole = self._bound(frozenset(), emission, judged=False)
        if whole is not None:
            whole(records, emission, walked)
        if walked.suspects and not self._sorted:
            # Nothing sorts these records, so none may lose its place: all are judged, one after the other.
            walked = Walked()
            walked.suspects = [(record, frozenset()) for record in records]
        if walked.suspects:
            self._judge(walked, circle(), emission)
        for paths, apart in [*walked.thinner.items(), *walked.judged]:
            thinner = self._bound(paths, emission, judged=True)
            if thinner is None:
                emission.withhold(self._accused.of(apart, emission.sight), Reason.NOT_AVAILABLE)
            else:
                thinner(apart, emission, walked)
        return walked

    def _judge(self, walked: Walked, circle: Circle, emission: Emission) -> None:
        """What is blocked of a record stays behind as if the source had no value; where the format requires it, the
        record stays behind (house rule 5). The school reads why."""
        walked.mask = circle.mask
        for record, withheld in walked.suspects:
            blocked, subjects = self._guard.blocked(record, circle, emission)
            paths = withheld.union(path for path, _ in blocked)
            if blocked and self._bound(paths, emission, judged=True) is None:
                reasons = dict.fromkeys(reason for _, reason in blocked)
                emission.withhold([Seen(subject, ()) for subject in subjects], *reasons)
                continue
            emission.block(subjects, blocked)
            walked.judged.append((paths, [record]))

    def _bound(self, paths: frozenset[str], emission: Emission, *, judged: bool) -> Walk | None:
        """The walk without these paths, ready for this sight; None when a required field is among them."""
        key, bound = (self, paths, judged), emission.sight.bound
        if key not in bound:
            written = self.walk(paths, reference_day(emission.sight.today), judged=judged)
            bound[key] = None if written is None else written.bind(emission.sight)
        walk: Walk | None = bound[key]
        return walk

    def _counted(self, walked: Walked, malformed: Sequence[Any], emission: Emission, aggregate: Aggregate) -> Minimised:
        """Counts instead of records (R45): whoever is in no cell that is told is withheld."""
        counts = counted(walked.rows, walked.shown, aggregate)
        walked.shown = list(counts.told)
        self._report(walked, malformed, emission)
        emission.withhold(counts.hidden, Reason.SMALL_CELL)
        return Minimised(self._encode(counts.cells), len(counts.cells), len(malformed))

    def _report(self, walked: Walked, malformed: Sequence[Any], emission: Emission) -> None:
        emission.release(walked.shown)
        emission.withhold(walked.gone)
        if malformed:
            self._malform(malformed, emission)

    def _malform(self, malformed: Sequence[Any], emission: Emission) -> None:
        reference = reference_day(emission.sight.today)
        for record in malformed:
            emission.malform(self._accused.of((record,), emission.sight), self._misfits.of(record, reference))

    def _withstand(self, share: Share, malformed: Sequence[Any], records: int, emission: Emission) -> None:
        """Raises EnvelopeBroken where there are too many, which says where they are malformed, of some."""
        if not malformed:
            return
        try:
            share.withstand(len(malformed), records, Faults())
        except EnvelopeBroken as broken:
            reference = reference_day(emission.sight.today)
            for record in malformed[:_EXAMPLES]:
                add(broken.faults, dict.fromkeys(self._misfits.of(record, reference), 1))
            raise


def _about_somebody(root: Branch) -> bool:
    """Whether a person orders the records (`walk`)."""
    children = [node for node in root.fields.values() if isinstance(node, Branch) and node.required]
    return any(one.subject is not None and one.subject.withheld == "record" for one in [root, *children])


def _masks(branch: Branch) -> bool:
    """Whether a text of this record leaves masked."""
    items = [node.item if isinstance(node, Many) else node for node in branch.fields.values()]
    return any(
        _masks(item) if isinstance(item, Branch) else isinstance(item, Leaf) and item.transform is Transform.MASK
        for item in items
    )


def _ordered(walked: Walked) -> list[Any]:
    """By pseudonym or mapped id, never in the LVS's order (house rule 7)."""
    keys, rows = walked.keys, walked.rows
    if len(rows) < 2 or not keys:
        return rows
    return [rows[number] for number in sorted(range(len(rows)), key=keys.__getitem__)]


def _order_field(projection: Projection) -> dict[str, Any]:
    """What is read also when it stays behind."""
    names = [projection.order.path] if projection.order is not None else []
    names += [projection.record.members] if projection.record.members is not None else []
    for name in names:
        if "." in name:
            raise DeliveryRefused(f"{projection.record.name}: order {name} is no field of the record itself")
    return dict.fromkeys(names, str)

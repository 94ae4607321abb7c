"""One record's projection compiled for XML: read without harm, see whom it speaks of, build what may leave.

The same promise as JSON's (`core.release.minimised`). A document is read whole; of a list one record at a time
(`rows`), so that memory stays flat. Beside the projection the schema speaks: flags that say which parts of a record are
there, values that the standard demands for what is secret. Leaves out: which record and delivery (`transfer`).
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from lxml import etree

from gateway.core.file_forms import Form, in_form
from gateway.core.model import Transform
from gateway.core.policy.terms import Aggregate
from gateway.core.reasons import Reason
from gateway.core.release.circle import Circle
from gateway.core.release.compiler import DeliveryRefused
from gateway.core.release.emission import Emission
from gateway.core.release.faults import SOMEBODY
from gateway.core.release.minimised import WHOLE, EnvelopeBroken, Minimised, Share
from gateway.core.release.projection import Branch, Leaf, Many, Projection, subjects, without
from gateway.core.release.sight import Seen, contradicted
from gateway.core.release.text_guard import Guard
from gateway.core.release.texts import Malformed
from gateway.core.release.transforms import reference_day
from gateway.formats.xml.build import Builder, Built, Gone, RecordGone
from gateway.formats.xml.declared import Declared, Demanded
from gateway.formats.xml.items import Left, sections
from gateway.formats.xml.lane import Row, lane
from gateway.formats.xml.lists import Lists, ListsBuilder, lists
from gateway.formats.xml.parse import Limits, document, records
from gateway.formats.xml.places import Place
from gateway.formats.xml.plan import Plan, Planner
from gateway.formats.xml.references import Groups, References
from gateway.formats.xml.source import Names, Source
from gateway.formats.xml.straight import Unusual

_PLANS = 4096  # kept trees: documents with ever other flags must not fill the memory
_PIECE = 65_536
_DECLARATION = b"<?xml version='1.0' encoding='UTF-8'?>\n"

Parts = frozenset[str] | None
"""Fields of a record; None: all."""


@dataclass(frozen=True, slots=True)
class _Form:
    """How a record leaves: what it is called, and with which parts. `left`: it is one item of a document, of which this
    left before."""

    tag: str
    parts: Parts = None
    left: Left | None = None


class XmlMinimiser:
    """Compiled when policy is taken over; holds nothing of any answer."""

    def __init__(
        self,
        projection: Projection,
        namespaces: Mapping[str, str],
        aggregate: Aggregate | None = None,
        limits: Limits | None = None,
    ) -> None:
        if aggregate is not None:
            raise DeliveryRefused(f"{projection.record.name}: records in XML cannot be counted")
        record = projection.record
        self.projection = projection
        self.limits = limits or Limits()
        self.names = Names(namespaces)
        self._source = Source(record, self.names)
        self._planner = Planner(record, self._source, self.limits)
        self._tag = self.names(record.element or record.name)
        self._envelope = self.names(record.envelope) if record.envelope else ""
        self._empty = self.names.empty(self._envelope) if record.envelope else b""
        self.masks = _masks(projection.root)
        self._places = [
            Place(record, one, self._source) for one in subjects(projection.root) if one.withheld == "record"
        ]
        self._plans: dict[tuple[frozenset[str], date, Parts], Plan | None] = {}
        self._people = [one.at for one in subjects(projection.root)]
        self._references = References(record, self._source)
        self.sections = sections(record)
        self._of_lists_alone = bool(self.sections)
        self._compiled: tuple[date, Lists] | None = None
        whole = self.plan(frozenset(), date(2000, 10, 1))  # a delivery that cannot run is known when it is taken over
        self._groups = Groups(record, self._source, whole.leaving if whole is not None else ())
        self._declared = Declared(projection.root, self._source)
        self._lane = None if self._source.claims else lane(projection, self._source, self.plan, self._places, self._tag)

    def __repr__(self) -> str:
        return f"<XmlMinimiser of {self.projection.record.name}>"

    def minimise(self, body: bytes, emission: Emission, *, many: bool, share: Share = WHOLE) -> Minimised:
        """Raises EnvelopeBroken. Synchronous: screening and building are one moment (house rule 4). A document and a
        list of which text is masked hold all their names: `share.circle` is not looked at."""
        if many:
            return self._list(body, emission, share)
        made = self._document(body, emission)
        made.rows = (("", made.body),) if share.apart and made.records else ()
        return made

    def rows(self, chunks: Iterable[bytes], emission: Emission, circle: Callable[[], Circle]) -> Iterator[Row | None]:
        """Of a list, record by record, while it is read; None for one that does not leave. `circle`: gives that of the
        whole list, where it is needed. The caller sorts, and judges how many may be malformed. Raises
        EnvelopeBroken."""
        if not self._envelope:
            raise EnvelopeBroken("the schema knows no list of these records")
        form = _Form(self._tag)
        for record in records(chunks, self._envelope, self._tag, self.limits):
            try:
                if self._lane is not None:
                    yield self._lane.row(record, emission, circle)
                    continue
            except (Unusual, Malformed):
                pass  # the long way says what is the matter
            yield self._row(record, emission, circle, form)

    def circle(self, chunks: Iterable[bytes]) -> Circle:
        """The names and numbers in a list. Raises EnvelopeBroken."""
        return self._source.circle(records(chunks, self._envelope, self._tag, self.limits))

    def part(self, root: etree._Element, emission: Emission, tag: str, parts: Parts) -> Minimised:
        """Of an element within another document (a message): only these of the record's fields, as an element called
        `tag`, and nothing above it."""
        before = emission.malformed
        row = self._row(root, emission, cache(lambda: self._source.circle([root])), _Form(tag, parts))
        malformed = emission.malformed - before
        if malformed:
            people = sum(len(self._source.elements(root, at)) for at in self._people)
            WHOLE.withstand(malformed, people, emission.faults)
        return Minimised(row.body, 1, malformed, documents=row.documents) if row else Minimised(b"", 0, malformed)

    def circle_of(self, records: Iterable[etree._Element]) -> Circle:
        """The names and numbers in these."""
        return self._source.circle(records)

    def waits(self, target: str) -> bool:
        """Whether an item with its id at this path leaves only where somebody in the document refers to it."""
        return self._groups.waits(target)

    def item(
        self, root: etree._Element, emission: Emission, circle: Callable[[], Circle], part: str, left: Left
    ) -> Row | None:
        """Of one item of a document (`items`), which is all that this root holds. `part`: of the record."""
        return self._row(root, emission, circle, _Form(self._tag, frozenset({part}), left))

    def plan(self, paths: frozenset[str], reference: date, parts: Parts = None) -> Plan | None:
        """What is built without these paths; None when the record cannot leave so."""
        key = (paths, reference, parts)
        if key not in self._plans:
            if len(self._plans) >= _PLANS:
                self._plans.clear()
            whole = _of(self.projection.root, parts)
            root = without(whole, paths) if paths else whole
            self._plans[key] = None if root is None else self._planner.plan(root, reference)
        return self._plans[key]

    # -- documents and lists -------------------------------------------------------------------------------

    def _document(self, body: bytes, emission: Emission) -> Minimised:
        root = document(body, self.limits)
        if root.tag != self._tag:
            raise EnvelopeBroken("another document than its schema says")
        made = self.part(root, emission, self._tag, None)
        if made.records:
            made.body = _DECLARATION + made.body
        return made

    def _list(self, body: bytes, emission: Emission, share: Share) -> Minimised:
        before, seen, rows = emission.malformed, 0, []
        for row in self.rows(_pieces(body), emission, cache(lambda: self.circle(_pieces(body)))):
            seen += 1
            if row is not None:
                rows.append(row)
        malformed = emission.malformed - before
        share.withstand(malformed, seen, emission.faults)
        if self._sorted:
            rows.sort(key=lambda row: row.key)
        documents = sum(row.documents for row in rows)
        found = tuple((row.key, row.body) for row in rows) if share.apart else ()
        whole = b"".join(in_form(Form.LIST, (row.body for row in rows), self._empty))
        return Minimised(whole, len(rows), malformed, found, documents, self._empty)

    @property
    def _sorted(self) -> bool:
        return bool(self._places) or self.projection.order is not None

    # -- one record ----------------------------------------------------------------------------------------

    def _row(self, record: etree._Element, emission: Emission, circle: Callable[[], Circle], form: _Form) -> Row | None:
        people: dict[etree._Element, Seen] = {}
        try:
            self._see(record, emission, people)
            return self._released(record, emission, circle, people, form)
        except Malformed as malformed:
            emission.malform(_known(people), (malformed.fault,))
        except Demanded:
            emission.withhold(_known(people), Reason.FORMAT_DEMANDS_MORE)
        except Gone:
            emission.withhold(_known(people), Reason.NOT_AVAILABLE)
        except RecordGone as gone:
            emission.withhold([gone.seen])
        return None

    def _released(
        self,
        record: etree._Element,
        emission: Emission,
        circle: Callable[[], Circle],
        people: dict[etree._Element, Seen],
        form: _Form,
    ) -> Row | None:
        if any(seen.reasons for seen in people.values()):
            emission.withhold(seen for seen in people.values() if seen.reasons)
            return None
        flags = self._declared.flags(record)
        withheld = frozenset[str]().union(*(seen.withheld for seen in people.values()))
        plan = self.plan(withheld | self._declared.closed(flags), reference_day(emission.sight.today), form.parts)
        if plan is None:
            raise Gone
        about = tuple(dict.fromkeys(one.subject for one in people.values() if one.subject is not None))
        guard = Guard(emission, about, circle, special=self.projection.special, apart=form.left is not None)
        built = Built(
            people, self._declared.told(flags, plan) | self._declared.recorded(record, about, emission, guard)
        )
        try:
            row = (self._of_lists if self._of_lists_alone else self._tree)(record, emission, guard, built, plan, form)
        except Gone:
            _report(built, emission)
            emission.withhold(built.shown, Reason.NOT_AVAILABLE)
            if not built.blocked:
                raise
            emission.withhold(_known(people), *dict.fromkeys(reason for _, reason in built.blocked))
            return None
        _report(built, emission)
        if self._lists_people(form.parts) and not built.shown:
            return None  # R7, R68: a list of which nobody is in this delivery is none of its business
        if form.left is not None and form.left.closed:
            emission.withhold(built.shown, Reason.NOT_AVAILABLE)
            return None
        emission.release([*people.values(), *built.shown])
        emission.block(about, built.blocked)
        return row if self._of_lists_alone else replace(row, key=self._key(record, people, emission))

    def _tree(
        self, record: etree._Element, emission: Emission, guard: Guard, built: Built, plan: Plan, form: _Form
    ) -> Row:
        """Built whole. Raises Gone, Malformed, RecordGone."""
        made = self.names.element(form.tag)
        Builder(self._source, emission, guard, built, record).fill(plan.root, record, made)
        self._references.mend(made, self._references.known(form.parts, plan.leaving))
        gone = set(self._references.gone(made, plan.leaving, built.shown))
        if gone:
            emission.withhold(gone, Reason.NOT_AVAILABLE)
            built.shown[:] = [one for one in built.shown if one not in gone]
        self._groups.mend(made, record, plan.leaving, emission)
        self._references.mend(made, self._references.known(form.parts, plan.leaving))
        self._references.keep(made, self._groups.apart(record, form.parts, plan.leaving, emission))
        return Row("", _written(made), self._source.documents(record) - self._source.documents(made))

    def _of_lists(
        self, record: etree._Element, emission: Emission, guard: Guard, built: Built, plan: Plan, form: _Form
    ) -> Row:
        """Its items one by one, as text. Raises Gone and Malformed."""
        made, whole = self.names.element(form.tag), form.left is None
        lists, left = self._lists(reference_day(emission.sight.today)), form.left or Left()
        counting, others = self._groups.beside(plan.leaving if whole else None)
        there: dict[str, Container[str]] = {
            path: left.peopled(target) if path in others else left.named(target)
            for path, target in self._references.known(form.parts if whole else None, plan.leaving).items()
        }
        if whole:
            there |= self._groups.apart(record, form.parts, plan.leaving, emission)
        builder = ListsBuilder(self._source, emission, guard, built, record, lists, there, counting, left)
        builder.fill(plan.root, record, made)
        for path, peopled in self._groups.peopled(record, plan.leaving, emission, builder.named).items():
            if whole or not self._groups.waits(path):
                builder.keep(path, peopled)
        if whole:
            return Row("", builder.whole(made))
        item = builder.only(made)
        targets = {one.target for one in self.sections}
        key = next((text for path, text in item.names if path in targets), item.key)  # others refer to it by this
        return Row(key, item.body, names=self._groups.said(item.names))

    def _lists(self, reference: date) -> Lists:
        """Compiled once a day."""
        if self._compiled is None or self._compiled[0] != reference:
            plan = self.plan(frozenset(), reference)
            self._compiled = reference, lists(plan, self._source, self._references, self.sections)
        return self._compiled[1]

    def _lists_people(self, parts: Parts) -> bool:
        """Whether these parts of a record, which is about nobody itself, name people."""
        return not self._places and any(parts is None or at.split(".")[0] in parts for at in self._people)

    def _see(self, record: etree._Element, emission: Emission, people: dict[etree._Element, Seen]) -> None:
        """Everybody who decides about the whole record. A reference that must be there and is not names nobody."""
        for place in self._places:
            found = self._source.elements(record, place.subject.at)
            for element in found:
                seen = place.see(element, emission)
                people[element] = contradicted(seen) if self._declared.denies(record, seen, emission) else seen
        if self._places and not people:
            raise Malformed(self._places[0].subject.at, SOMEBODY)

    def _key(self, record: etree._Element, people: Mapping[etree._Element, Seen], emission: Emission) -> str:
        order = self.projection.order
        if order is not None:
            texts = [text.strip() for text in self._source.texts(record, order.path)]
            return emission.sight.thing(order.maps, texts[0] if texts else "")
        return next((seen.key for seen in people.values()), "")


def _report(built: Built, emission: Emission) -> None:
    """Who stays behind within a record that leaves without them."""
    for one in built.gone:  # who is remembered as one nobody knows stays behind each time
        emission.withhold((one,))
    for seen, fault in built.malformed:
        emission.malform((seen,), (fault,))


def _written(made: etree._Element) -> bytes:
    text: bytes = etree.tostring(made, encoding="UTF-8", xml_declaration=False)
    return text


def _masks(branch: Branch) -> bool:
    items = [node.item if isinstance(node, Many) else node for node in branch.fields.values()]
    return any(
        _masks(item) if isinstance(item, Branch) else isinstance(item, Leaf) and item.transform is Transform.MASK
        for item in items
    )


def _of(root: Branch, parts: Parts) -> Branch:
    """Only these of its fields; a part that is not asked for is not missing."""
    if parts is None:
        return root
    return replace(root, fields={name: node for name, node in root.fields.items() if name in parts})


def _known(people: Mapping[etree._Element, Seen]) -> list[Seen]:
    return [seen for seen in people.values() if seen.subject is not None]


def _pieces(body: bytes) -> Iterator[bytes]:
    return (body[start : start + _PIECE] for start in range(0, len(body), _PIECE))

"""One record's projection compiled for XML: read without harm, see whom it speaks of, build what may leave.

The same promise as JSON's (`core.release.minimised`). A document is read whole; of a list one record at a time
(`rows`), so that memory stays flat. Beside the projection the schema speaks: flags that say which parts of a record are
there, values that the standard demands for what is secret. Leaves out: which record and delivery (`transfer`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from lxml import etree

from gateway.core.file_forms import Form, in_form
from gateway.core.model import Category, Subject, Transform
from gateway.core.policy.grants import leaves
from gateway.core.policy.terms import Aggregate
from gateway.core.reasons import Reason
from gateway.core.release.circle import Circle
from gateway.core.release.claims import denied, recorded, stands
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
from gateway.formats.xml.items import Left, sections
from gateway.formats.xml.lane import Row, lane
from gateway.formats.xml.parse import Limits, document, records
from gateway.formats.xml.places import Place
from gateway.formats.xml.plan import Plan, Planner, values
from gateway.formats.xml.references import Groups, References
from gateway.formats.xml.source import Names, Source
from gateway.formats.xml.straight import Unusual

_PLANS = 4096  # kept trees: documents with ever other flags must not fill the memory
_PIECE = 65_536
_DECLARATION = b"<?xml version='1.0' encoding='UTF-8'?>\n"

Parts = frozenset[str] | None
"""Fields of a record; None: all."""


class Demanded(Exception):
    """The standard demands a part of the record of which nothing may leave."""


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
        self._births = {place.subject.at: self._birth(place) for place in self._places}
        self._plans: dict[tuple[frozenset[str], date, Parts], Plan | None] = {}
        self._people = [one.at for one in subjects(projection.root)]
        self._items = [Place(record, one, self._source) for one in subjects(projection.root) if one.withheld == "item"]
        self._references = References(record, self._source)
        self.sections = sections(record)
        whole = self.plan(frozenset(), date(2000, 10, 1))  # a delivery that cannot run is known when it is taken over
        self._groups = Groups(record, self._source, whole.leaving if whole is not None else ())
        self._claimed = {leaf.path: leaf for leaf in values(projection.root) if leaf.path in self._source.claims}
        self._lane = (
            None
            if self._source.claims
            else lane(projection, self._source, self.plan, self._places, self._births, self._tag)
        )

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
        flags = self._flags(record)
        withheld = frozenset[str]().union(*(seen.withheld for seen in people.values()))
        plan = self.plan(withheld | self._closed(flags), reference_day(emission.sight.today), form.parts)
        if plan is None:
            raise Gone
        about = tuple(dict.fromkeys(one.subject for one in people.values() if one.subject is not None))
        others, special, apart = lambda: self._others(record, emission), self.projection.special, form.left is not None
        guard = Guard(emission, about, circle, others, special=special, apart=apart)
        built = Built(people, self._told(flags, plan) | self._recorded(record, about, emission, guard))
        made = self.names.element(form.tag)
        try:
            Builder(self._source, emission, guard, built, record).fill(plan.root, record, made)
        except Gone:
            _report(built, emission)
            emission.withhold(built.shown, Reason.NOT_AVAILABLE)
            if not built.blocked:
                raise
            emission.withhold(_known(people), *dict.fromkeys(reason for _, reason in built.blocked))
            return None
        _report(built, emission)
        self._references.mend(made, form.parts, form.left)
        self._groups.mend(made, record, plan.leaving, emission, form.left)
        if self._lists_people(form.parts) and not built.shown:
            return None  # R7, R68: a list of which nobody is in this delivery is none of its business
        if form.left is not None and form.left.closed:
            emission.withhold(built.shown, Reason.NOT_AVAILABLE)
            return None
        emission.release([*people.values(), *built.shown])
        emission.block(about, built.blocked)
        dropped = self._source.documents(record) - self._source.documents(made)
        if form.left is not None:
            key = built.last or self._references.named(made)
            return Row(key, _written(made), dropped, self._groups.said(made))
        return Row(self._key(record, people, emission), _written(made), dropped)

    def _lists_people(self, parts: Parts) -> bool:
        """Whether these parts of a record, which is about nobody itself, name people."""
        return not self._places and any(parts is None or at.split(".")[0] in parts for at in self._people)

    def _see(self, record: etree._Element, emission: Emission, people: dict[etree._Element, Seen]) -> None:
        """Everybody who decides about the whole record. A reference that must be there and is not names nobody."""
        for place in self._places:
            found = self._source.elements(record, place.subject.at)
            for element in found:
                seen = place.see(element, emission)
                wrong = self._contradicts(place, element, seen) or self._denies(record, seen, emission)
                people[element] = contradicted(seen) if wrong else seen
        if self._places and not people:
            raise Malformed(self._places[0].subject.at, SOMEBODY)

    def _others(self, record: etree._Element, emission: Emission) -> Iterator[Subject]:
        """Whoever stands in it, wherever that is."""
        for place in self._items:
            for element in self._source.elements(record, place.subject.at):
                known = place.who(element, emission)
                if known is not None:
                    yield known

    def _contradicts(self, place: Place, element: etree._Element, seen: Seen) -> bool:
        """R109: another birth date than the one the school recorded."""
        path = self._births.get(place.subject.at)
        if path is None or seen.born is None or seen.reasons:
            return False
        said = [text.strip()[:10] for text in self._source.texts(element, path) if text.strip()]
        return any(day != seen.born.isoformat() for day in said)

    def _denies(self, record: etree._Element, seen: Seen, emission: Emission) -> bool:
        """R109: a no where the school recorded a yes."""
        if not self._source.claims or seen.reasons or seen.subject is None:
            return False
        sight = emission.sight
        facts = sight.facts.about(seen.subject.id)
        return any(
            denied(claim, text, facts, sight.delivery, sight.today)
            for path, claim in self._source.claims.items()
            for text in self._source.texts(record, path)
        )

    def _recorded(
        self, record: etree._Element, about: Sequence[Subject], emission: Emission, guard: Guard
    ) -> dict[str, str]:
        """R57, N26: what leaves where the record speaks of what the school recorded ("": nothing), never its own word.
        Of a record about several nothing was recorded."""
        sight, found = emission.sight, dict[str, str]()
        facts = sight.facts.about(about[0].id) if len(about) == 1 and self._source.claims else None
        for path, claim in self._source.claims.items():
            if facts is not None and stands(claim, facts, sight.delivery, sight.today):
                continue
            text = recorded(claim, facts, sight.delivery, sight.today) if facts is not None else None
            spoken = any(one.strip() for one in self._source.texts(record, path))
            found[path] = self._said(path, text, guard) or (claim.nothing if spoken else "")
        return found

    def _said(self, path: str, text: str | None, guard: Guard) -> str | None:
        leaf = self._claimed.get(path)
        said = guard.said(leaf, text) if leaf is not None and text is not None else None
        return None if isinstance(said, Reason) else said

    def _birth(self, place: Place) -> str | None:
        """The field of this person's birth date, from the person's own object."""
        at = f"{place.subject.at}." if place.subject.at else ""
        for path, leaf in leaves(self.projection.record.fields):
            name = path.removeprefix(at)
            days = leaf.category is Category.BIRTH_DATE and leaf.format == "date"
            if days and path.startswith(at) and "." not in name:
                return name
        return None

    def _key(self, record: etree._Element, people: Mapping[etree._Element, Seen], emission: Emission) -> str:
        order = self.projection.order
        if order is not None:
            texts = [text.strip() for text in self._source.texts(record, order.path)]
            return emission.sight.thing(order.maps, texts[0] if texts else "")
        return next((seen.key for seen in people.values()), "")

    # -- flags ---------------------------------------------------------------------------------------------

    def _flags(self, record: etree._Element) -> dict[str, str]:
        """What the source says in each flag."""
        found = {path: next(self._source.texts(record, path), "").strip() for path in self._source.flags}
        return {path: text for path, text in found.items() if text}

    def _closed(self, flags: Mapping[str, str]) -> frozenset[str]:
        """What the source itself says is not there: it does not leave, whatever stands there."""
        known = [(self._source.flags[path].flag, text) for path, text in flags.items()]
        return frozenset(one for flag, text in known if flag and text in flag.closed for one in flag.of)

    def _told(self, flags: Mapping[str, str], plan: Plan) -> dict[str, str]:
        """What leaves in each flag. Raises Gone where the standard demands a part of which nothing may leave."""
        told: dict[str, str] = {}
        for path, text in flags.items():
            flag = self._source.flags[path].flag
            if flag is None or plan.any_of(flag.of) or text in flag.closed:
                continue
            if text == flag.demanded:
                raise Demanded
            told[path] = flag.absent
        return told


def _report(built: Built, emission: Emission) -> None:
    """Who stays behind within a record that leaves without them."""
    emission.withhold(built.gone)
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

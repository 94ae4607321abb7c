"""Random schemas, grants and records: no value that was not granted is in anything that leaves, is raised or shown.

Every scalar of a record is a canary that says where it stands; afterwards each canary in the output must stand at a
path that was granted to be kept. Records are also broken at random: a leaf becomes an object, a list, another type.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.model import Person, PseudonymMethod, Transform
from gateway.core.policy.grants import node_at
from gateway.core.policy.schema import Branch, Leaf, Many, Node, Record
from gateway.core.policy.terms import Grant
from gateway.core.release.compiler import compile_projection
from gateway.core.release.emission import Emission
from gateway.formats.json import EnvelopeBroken, JsonMinimiser
from tests import builders_formats as build

PEOPLE = [build.pupil(1), build.pupil(2), build.pupil(3, year=2), build.pupil(4)]
KNOWN = [*PEOPLE[:3], build.pupil(7, person=Person.STAFF)]
CANARY = re.compile(r"<([\w.]*)#\d+>")
NAMES = st.sampled_from([f"f{number}" for number in range(8)])


@dataclass(frozen=True)
class Case:
    """A record's schema, what is granted of it, and records as an LVS could send them."""

    record: Record
    grants: dict[str, Grant]
    sent: list[Any]


@st.composite
def branches(draw: st.DrawFn, depth: int = 0) -> Branch:
    fields: dict[str, Node] = {}
    for name in draw(st.lists(NAMES, max_size=5, unique=True)):
        kind = draw(st.integers(0, 5 if depth < 3 else 2))
        leaf = build.leaf(maps=draw(st.sampled_from([None, None, None, "group"])))
        if kind <= 2:
            fields[name] = leaf
        elif kind == 3:
            fields[name] = draw(branches(depth + 1))
        else:
            fields[name] = Many(draw(st.one_of(st.just(leaf), branches(depth + 1))))
    return Branch(fields)


def objects(branch: Branch, prefix: str = "") -> Iterator[str]:
    """Paths of every object of a record, arrays of objects included."""
    yield prefix
    for name, node in branch.fields.items():
        inside = node.item if isinstance(node, Many) else node
        if isinstance(inside, Branch):
            yield from objects(inside, f"{prefix}.{name}" if prefix else name)


def with_ids(branch: Branch, places: set[str], prefix: str = "") -> Branch:
    fields: dict[str, Node] = {}
    for name, node in branch.fields.items():
        path = f"{prefix}.{name}" if prefix else name
        inside = node.item if isinstance(node, Many) else node
        inner = with_ids(inside, places, path) if isinstance(inside, Branch) else inside
        fields[name] = Many(inner) if isinstance(node, Many) else inner
    return Branch({**(build.id_fields() if prefix in places else {}), **fields})


def leaf_paths(branch: Branch, prefix: str = "") -> Iterator[tuple[str, Leaf]]:
    for name, node in branch.fields.items():
        path = f"{prefix}{name}"
        inside = node.item if isinstance(node, Many) else node
        if isinstance(inside, Branch):
            yield from leaf_paths(inside, f"{path}.")
        else:
            yield path, inside


@st.composite
def cases(draw: st.DrawFn) -> Case:
    bare = draw(branches())
    places = draw(st.sets(st.sampled_from(sorted(set(objects(bare)))), max_size=3))
    positions = tuple(build.position(at, item=draw(st.booleans())) for at in sorted(places))
    record = Record("Random", with_ids(bare, places), positions)
    grants: dict[str, Grant] = {}
    for place in sorted(places):
        grants |= draw(st.sampled_from([{}, build.own_slot(place)]))
    for path, leaf in leaf_paths(bare):
        if draw(st.booleans()):
            in_array = isinstance(node_at(bare, path), Many)
            grants |= draw(st.sampled_from(ways(path, leaf, in_array=in_array)))
    sent = [draw(values(record.fields, places)) for _ in range(draw(st.integers(0, 4)))]
    return Case(record, grants, sent)


def ways(path: str, leaf: Leaf, *, in_array: bool) -> list[dict[str, Grant]]:
    fixed = {path: Grant(path, "asked", Transform.FIXED, "-")}
    if leaf.maps is not None:
        return [build.keep(path)]
    changed = [build.changed(transform, path) for transform in (Transform.REDACT, Transform.YEAR)]
    return [build.keep(path), *changed, *([] if in_array else [fixed])]


@st.composite
def values(draw: st.DrawFn, branch: Branch, places: set[str], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, node in branch.fields.items():
        if name in {"userIds", "userMasterIdentifier"}:
            continue
        path = f"{prefix}.{name}" if prefix else name
        if draw(st.integers(0, 5)) > 0:
            found[name] = draw(value(node, places, path))
    if prefix in places:
        found |= build.reference(draw(st.sampled_from(PEOPLE)), master=draw(st.booleans()))
    for extra in draw(st.lists(st.sampled_from(["bsn", "note", "userids", "f0 "]), max_size=2)):
        found[extra] = draw(st.sampled_from([canary(), {"f0": canary()}, [canary()]]))
    return found


_count = iter(range(1_000_000_000))


def canary(path: str = "") -> str:
    return f"<{path}#{next(_count)}>"


@st.composite
def value(draw: st.DrawFn, node: Node, places: set[str], path: str) -> Any:
    broken = draw(st.integers(0, 60))
    if broken == 1:
        return draw(st.sampled_from([None, 5, True, {"f0": canary()}, [canary()], [[canary()]], {"userId": canary()}]))
    if isinstance(node, Branch):
        return draw(values(node, places, path))
    if isinstance(node, Many):
        inner = value(node.item, places, path)
        return [draw(inner) for _ in range(draw(st.integers(0, 3)))]
    return canary(path)


def strings(found: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(found, dict):
        for name, inner in found.items():
            yield from strings(inner, f"{path}.{name}" if path else name)
    elif isinstance(found, list):
        for inner in found:
            yield from strings(inner, path)
    elif isinstance(found, str):
        yield path, found


def unmapped(case: Case) -> set[str]:
    leaves = dict(leaf_paths(case.record.fields))
    kept = {path for path, grant in case.grants.items() if grant.transform is Transform.KEEP}
    return {path for path in kept if leaves[path].maps is None}


@settings(max_examples=150, deadline=None)
@given(cases())
def test_no_value_that_was_not_granted_leaves(case: Case) -> None:
    body, told, _ = minimise(case)
    allowed = unmapped(case)
    held = {value for one in PEOPLE for value in one.ids.values()}

    for path, text in strings(json.loads(body) if body else None):
        origin = CANARY.fullmatch(text)
        assert text not in held
        if origin is not None:
            assert origin[1] == path
            assert path in allowed
    assert "#" not in told
    assert not any(value in told for value in held)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_nobody_who_may_not_be_seen_is_in_what_leaves(case: Case) -> None:
    body, _, emission = minimise(case)
    available = {build.sight(build.delivery({})).pseudonym(one) for one in PEOPLE[:2]}
    issued = {issue.pseudonym for issue in emission.issued if issue.value is None}

    named = {text for path, text in strings(json.loads(body) if body else None) if path.endswith("userIds.userId")}

    assert named <= available
    assert named <= issued
    assert named <= {build.sight(build.delivery({})).pseudonym(one) for one in emission.released}


@settings(max_examples=60, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_order_of_the_source_is_in_nothing_about_persons(case: Case, random: Any) -> None:
    """House rule 7, for lists of persons: the same records in another order give the same bytes."""
    if not any(position.at == "" for position in case.record.subjects):
        return
    once = {json.dumps(one): one for one in case.sent}
    people = [json.dumps(one.get("userIds")) for one in once.values() if isinstance(one, dict)]
    if len(set(people)) < len(people):
        return  # several records of one pupil keep their order among themselves
    turned = list(case.sent)
    random.shuffle(turned)

    assert minimise(case)[0] == minimise(Case(case.record, case.grants, turned))[0]


def minimise(case: Case) -> tuple[bytes, str, Emission]:
    """What leaves, and everything that is said about it."""
    projection = compile_projection(case.record, case.grants, PseudonymMethod.HMAC)
    minimiser = JsonMinimiser(projection)
    terms = build.delivery({"Random": case.grants}, years=frozenset({1}))
    emission = Emission(build.sight(terms, KNOWN))
    try:
        found = minimiser.minimise(json.dumps(case.sent).encode(), emission, many=True)
    except EnvelopeBroken as refused:
        return b"", repr(refused) + repr(refused.__context__), emission
    shown = (found, emission, minimiser, emission.released, emission.withheld, emission.issued)
    return found.body, repr(shown), emission

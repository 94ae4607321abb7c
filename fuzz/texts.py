"""What a shipped delivery lets through as the source wrote it, set aside so that the canary is looked for in the rest.

A mutation may put the canary where a name of a group stands; that it leaves there says nothing. Leaves out: what a
delivery is (`recipients`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import orjson
from lxml import etree

from fuzz.target import CANARY
from gateway.adapters.policy.files import load_recipient
from gateway.core.model import Transform
from gateway.core.policy.grants import granted_leaves
from gateway.core.policy.schema import Leaf
from gateway.core.policy.terms import Recipient
from tests.policy.shipped import answered, schemas


@cache
def free(template: str, schema: str, purpose: str | None = None) -> frozenset[str]:
    """Local names of the fields of this delivery in which any text may stand."""
    found = load_recipient(answered(template), f"{template}.yaml", schemas())
    assert isinstance(found, Recipient)
    (delivery,) = [one for one in found.deliveries if one.schema == schema and purpose in (None, one.purpose)]
    return frozenset(
        _local(path)
        for record, grants in delivery.grants.items()
        for path, leaf, grant in granted_leaves(schemas()[schema].records[record], grants)
        if grant.transform not in (Transform.FIXED, Transform.PSEUDONYM, Transform.EMPTY) and _any(leaf)
    )


def _any(leaf: Leaf) -> bool:
    bound = leaf.type != "string" or leaf.values or leaf.format or leaf.maps
    return not bound and (leaf.pattern is None or re.fullmatch(leaf.pattern, CANARY) is not None)


def _local(path: str) -> str:
    steps = path.split(".")
    name = steps[-2] if steps[-1] == "#text" else steps[-1]
    return name.rpartition(":")[2].removeprefix("@")


def bare(body: bytes, names: frozenset[str]) -> bytes:
    """What left, without the texts of these fields."""
    if body.lstrip()[:1] == b"<":
        return _bare_xml(body, names)
    return orjson.dumps(_bare_json(orjson.loads(body), names)) if body else b""


def _bare_xml(body: bytes, names: frozenset[str]) -> bytes:
    root = etree.fromstring(body)
    for one in root.iter("*"):
        if etree.QName(one).localname in names:
            one.text = ""
        for name in one.attrib:
            if etree.QName(name).localname in names:
                one.set(name, "")
    return bytes(etree.tostring(root))


def _bare_json(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {name: "" if name in names else _bare_json(inner, names) for name, inner in value.items()}
    return [_bare_json(one, names) for one in value] if isinstance(value, list) else value


def names_in(body: bytes) -> bytes:
    """What its objects or elements are called, and nothing that stands in them."""
    if body.lstrip()[:1] == b"<":
        root = etree.fromstring(body)
        return " ".join(name for one in root.iter() for name in (str(one.tag), *map(str, one.attrib))).encode()
    return " ".join(_keys(orjson.loads(body))).encode()


def _keys(value: Any) -> Iterator[str]:
    for one in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
        yield from _keys(one)
    yield from value if isinstance(value, dict) else ()

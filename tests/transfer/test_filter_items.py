"""A document of lists through the filter: a large one leaves in parts, as the document that a small one is."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache

import pytest
from lxml import etree

from gateway.core.facts import Restriction, RestrictionGround
from gateway.core.file_forms import Form
from gateway.core.reasons import Reason
from gateway.transfer.compiled import Compiled
from gateway.transfer.filing import Wanted
from gateway.transfer.filter import Filed, Filter, document
from gateway.transfer.steps import Sizes
from tests.builders_uwlr import edexml_wrong, keys_in, people, sample
from tests.policy.shipped import answered
from tests.simulators.world import SIZES, School, a_school, policy

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif("STANDARDS_DIR" not in os.environ, reason="STANDARDS_DIR does not name the official files"),
]

WANTED = Wanted("lvs", "edexml-2-1", "edexml-smalle-set", "methodetoetsen-bestand")
TINY = Sizes(3_000, 700, 32)  # a document is larger than what may be read whole


@cache
def compiled() -> Compiled:
    return policy(texts=(("edexml-smalle-set", answered("edexml-smalle-set")),))


@pytest.fixture
def school() -> School:
    return a_school(compiled=compiled(), pupils=people())


async def run(school: School, body: bytes, sizes: Sizes = TINY) -> tuple[Filed, bytes]:
    rows: list[tuple[str, bytes]] = []
    chunks = [body[at : at + 700] for at in range(0, len(body), 700)]
    filed = await Filter(school.outside, sizes, "j.jansen").file(WANTED, chunks, rows.extend)
    if filed.form is Form.DOCUMENT:
        return filed, b"".join(document(sorted(rows), filed.named, filed.head))
    return filed, b"".join(row for _, row in rows)


def canonical(body: bytes) -> bytes:
    return etree.tostring(etree.fromstring(body), method="c14n")


async def test_large_document_leaves_as_a_small_one_in_parts_that_are_registered(school: School) -> None:
    body = sample()
    assert len(body) > TINY.answer_bytes

    filed, made = await run(school, body)
    whole, small = await run(a_school(compiled=compiled(), pupils=people()), body, SIZES)

    assert (filed.stop, filed.form, whole.form) == (None, Form.DOCUMENT, Form.SINGLE)
    assert canonical(made) == canonical(small)
    assert edexml_wrong(made) == []
    assert filed.parts > 1
    assert [(draft.kind, draft.part) for draft in school.register.drafts] == [
        ("part", number) for number in range(1, filed.parts + 1)
    ]
    assert filed.tally.released == 1 + len(keys_in(made, "*/*"))  # the school, and who and what has a key
    assert (filed.tally.persons, whole.tally.persons) == (6, 6)


async def test_who_is_restricted_while_it_runs_is_not_in_what_leaves_then(school: School) -> None:
    school.register.before = lambda _: school.record(2, Restriction(ground=RestrictionGround.ACCURACY))

    filed, made = await run(school, sample())

    assert filed.stop is None
    assert len(keys_in(made, "leerlingen/leerling")) == 2


async def test_large_document_of_which_nobody_leaves_is_none() -> None:
    nobody = a_school(compiled=compiled(), pupils=[replace(one, enrolments=()) for one in people()])

    filed, _ = await run(nobody, sample())

    assert (filed.stop, filed.tally.released) == (None, 0)
    assert nobody.register.drafts


async def test_large_document_that_ends_early_leaves_nothing(school: School) -> None:
    filed, _ = await run(school, sample()[:-200])

    assert filed.stop is not None
    assert filed.stop.reason is Reason.BODY_INVALID
    assert school.register.drafts[-1].outcome != "delivered"


async def test_large_item_is_refused(school: School) -> None:
    body = sample().replace(b"<roepnaam>", b"<roepnaam>" + b"x" * 6_000, 1)

    filed, _ = await run(school, body)

    assert filed.stop is not None
    assert filed.stop.reason is Reason.BODY_INVALID

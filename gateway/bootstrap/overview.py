"""What the register says about one pupil, once the view is registered (R78, R80, N11).

Leaves out: what each reader sees of it (`core.overview`), one entry as it is kept (`acts.show_entries`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

import orjson

from gateway.adapters.register.writer import entries_about
from gateway.bootstrap.pupils import looked_at
from gateway.bootstrap.school import School, check
from gateway.core.days import legal_date
from gateway.core.overview import Line, Reader, Share, Times, overview, share
from gateway.core.persons import Actor
from gateway.core.policy.grants import leaves


def pupil_overview(
    school: School,
    actor: Actor,
    source: str | None,
    las_key: str,
    reason: str,
    since: date | None = None,
    *,
    hand_over: bool = False,
) -> dict[Line, Times]:
    """Every transfer, refusal, view and act about this pupil, from the day `since` on. Raises Refused."""
    subject = looked_at(school, actor, source, las_key, reason, {"shown": "register"})
    found = _entries(school, subject.reference, since)
    return overview(found, _parent(school, actor) if hand_over else Reader(actor.roles))


def _parent(school: School, actor: Actor) -> Reader:
    """By the files as they stand; of what left them nothing is known."""
    files = check(school.directory)
    classified = {
        name: [(path, leaf.category) for record in schema.records.values() for path, leaf in leaves(record.fields)]
        for name, schema in files.schemas.items()
    }
    deliveries = (delivery for one in files.recipients.values() for delivery in one.deliveries)
    counted = frozenset((one.recipient, one.purpose) for one in deliveries if one.aggregate is not None)
    return Reader(actor.roles, hand_over=True, classified=classified, counted=counted)


def _entries(school: School, reference: bytes, since: date | None) -> Iterator[tuple[Mapping[str, Any], Share]]:
    shares: dict[int, Share] = {}
    for body, number, roll in entries_about(school.database, reference):
        entry = orjson.loads(body)
        if since is not None and legal_date(datetime.fromisoformat(entry["moment"])) < since:
            continue
        if number not in shares:
            shares[number] = share(roll, reference)
        yield entry, shares[number]


def titles(school: School) -> dict[str, str]:
    """What recipients are called, as far as their files can be read (N11: who they are, not of which kind)."""
    return {name: one.title for name, one in check(school.directory).recipients.items()}

"""Two recipients who put their answers side by side, and one who holds the class list: nothing links by accident."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from gateway.core.model import Subject
from gateway.core.release.emission import Emission
from tests import builders_formats as build

PEOPLE = [build.pupil(number) for number in range(1, 200)]
PAGE = json.dumps([build.student_json(one) for one in PEOPLE]).encode()
GROUPS = json.dumps([build.group_json(n, PEOPLE[n * 20 : n * 20 + 20]) for n in range(9)]).encode()


def answer(domain: str, body: bytes = PAGE, people: list[Subject] = PEOPLE) -> Any:
    record, grants = build.student(), build.student_grants()
    if body == GROUPS:
        record, grants = build.group(), build.group_grants()
    terms = build.delivery({record.name: grants}, domain=domain)
    minimiser = build.compiled(record, grants)
    return json.loads(minimiser.minimise(body, Emission(build.sight(terms, people)), many=True).body)


def texts(found: Any) -> Iterator[str]:
    if isinstance(found, dict):
        for inner in found.values():
            yield from texts(inner)
    elif isinstance(found, list):
        for inner in found:
            yield from texts(inner)
    else:
        yield found


def owners(found: list[Any], domain: str) -> list[Subject]:
    """Whom each record is about, in the answer's order: what only the gateway can know."""
    sight = build.sight(build.delivery({}, domain=domain))
    back = {sight.pseudonym(one): one for one in PEOPLE}
    return [back[one["userIds"][0]["userId"]] for one in found]


def test_two_recipients_have_no_id_in_common() -> None:
    ids = [{text for text in texts(answer(domain)) if len(text) == 36} for domain in ("noord", "zuid")]

    assert len(ids[0]) == len(ids[1]) == len(PEOPLE)
    assert not ids[0] & ids[1]


def test_two_recipients_have_no_id_of_a_group_in_common() -> None:
    ids = [{text for text in texts(answer(domain, GROUPS)) if len(text) == 36} for domain in ("noord", "zuid")]

    assert not ids[0] & ids[1]


def test_position_in_the_list_links_no_two_recipients() -> None:
    """By position, as many pupils coincide as chance gives."""
    one, two = (owners(answer(domain), domain) for domain in ("noord", "zuid"))

    assert sum(mine is theirs for mine, theirs in zip(one, two, strict=True)) <= 6


def test_position_in_the_list_tells_nothing_of_the_sources_order() -> None:
    found = owners(answer("noord"), "noord")

    assert sum(mine is theirs for mine, theirs in zip(found, PEOPLE, strict=True)) <= 6


def test_order_of_members_and_of_groups_is_not_the_sources() -> None:
    found = answer("noord", GROUPS)

    members = [[one["userIds"][0]["userId"] for one in group["students"]] for group in found]
    assert all(one == sorted(one) for one in members)
    assert [one["groupId"] for one in found] == sorted(one["groupId"] for one in found)


def test_pseudonyms_stay_when_the_school_moves_to_another_lvs() -> None:
    """The same children under other ids in another system: the recipient's ids stay (design, "Pseudonym")."""
    moved = [replace(one, ids={"las-key": f"new-{number}"}) for number, one in enumerate(PEOPLE)]
    body = json.dumps([build.student_json(one) for one in moved]).encode()

    assert answer("noord", body, moved) == answer("noord")

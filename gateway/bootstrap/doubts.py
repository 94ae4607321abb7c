"""Pupils who share an id with another: who they are, and what a person says about it.

Leaves out: when they are in doubt (`adapters.pupils.doubt`), pupils that wait to be linked (`acts`).
"""

from __future__ import annotations

from gateway.adapters.pupils import doubt, learning, settling
from gateway.adapters.pupils.settling import Doubtful
from gateway.bootstrap.pupils import as_registered
from gateway.bootstrap.school import Refused, School
from gateway.core.persons import Actor, Deed, places

SAID = {
    doubt.SHARED: "shares an id",
    doubt.MIXED: "was two",
    learning.CLASH: "id of another's record too: correct the LVS",
}
"""What each kind of doubt is, in a few words."""


def listed(school: School, actor: Actor) -> list[Doubtful]:
    """The oldest first, for who may look everywhere: whose location it is nobody knows. Raises Refused."""
    held = places(actor, Deed.PUPIL_VIEW)
    found = settling.doubts(school.database, school.store_keys) if held is None else []
    pupils = [pupil for one in found if one.subject for pupil in as_registered(school, one.subject)]
    school.look(actor, Deed.PUPIL_VIEW, "pupils in doubt", pupils, held or ())
    return found


def settle(school: School, actor: Actor, number: int, las_key: str, reason: str, *, one: bool) -> None:
    """`las_key`: another number of this pupil, or the one it keeps. Raises Refused."""
    act = school.act(actor, Deed.PUPIL_LINK, reason)
    settled = settling.settle_as_one if one else settling.settle_as_two
    try:
        settled(school.database, school.store_keys, number, las_key, act)
    except settling.NotInDoubt:
        raise Refused(["there is no such doubt about a known pupil, or this number is another pupil's"]) from None

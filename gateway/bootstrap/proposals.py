"""Deeds for which two persons must stand (R116): proposed by one, carried out when another confirms.

A deed takes part by one function, given with `carries(Deed.X)`, that does it from the stored arguments:

    @carries(Deed.X)
    def _carry_out_x(school: School, actor: Actor, arguments: Mapping[str, Any], reason: str) -> None: ...

`actor` is then whoever proposed it, with `second` the one who confirmed; both names come to stand in the entry. The
function checks again all that a first person's deed is checked for. Leaves out: which deeds need two
(`core.persons.needs_two`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gateway.adapters.access import proposals as stored
from gateway.adapters.access import sign_in
from gateway.adapters.access.proposals import Proposal
from gateway.bootstrap.school import Refused, School, clock, random
from gateway.core.persons import Actor, Deed, PersonRole, may

__all__ = ["Proposal", "carries", "confirm", "propose", "waiting", "withdraw"]

Carry = Callable[[School, Actor, Mapping[str, Any], str], None]

_CARRIES: dict[Deed, Carry] = {}


def carries(deed: Deed) -> Callable[[Carry], Carry]:
    """Marks the function that does this deed once a second person confirmed it."""

    def mark(carry: Carry) -> Carry:
        _CARRIES[deed] = carry
        return carry

    return mark


def propose(school: School, actor: Actor, deed: Deed, arguments: Mapping[str, Any], reason: str) -> int:
    """The proposal's number. `arguments`: JSON; "about" in it is shown in lists and names nobody, "secret" keeps its
    entries for who sees secrets (D4). Raises Refused for somebody who could not do it alone either."""
    act = school.act(actor, deed, reason)
    return stored.propose(school.database, school.store_keys, deed, arguments, act, random)


def waiting(school: School, actor: Actor) -> list[Proposal]:
    """Those of the deeds that this person may do or may see done. Raises Refused."""
    school.act(actor, Deed.PROPOSAL_VIEW, "list")
    found = stored.waiting(school.database, school.store_keys, clock())
    return [one for one in found if _may_see(actor, one)]


def confirm(school: School, number: int, actor: Actor) -> Proposal:
    """Carry it out with both names. Raises Refused: for the person who proposed it, for one whose role does not allow
    it, and when the proposer's no longer does."""
    proposal = _found(school, number, actor)
    if proposal.by == actor.name:
        raise Refused(["somebody else must confirm what you proposed (R116)"])
    school.act(actor, proposal.deed, proposal.reason)
    proposer = sign_in.person_now(school.database, proposal.by)
    if proposer is None or proposal.deed not in _CARRIES:
        raise Refused(["whoever proposed this is no longer here: propose it again"])
    if not stored.take(school.database, number, actor.name, clock()):
        raise Refused([_GONE])
    both = replace(proposer, on_behalf=proposal.on_behalf, second=actor.name)
    try:
        _CARRIES[proposal.deed](school, both, proposal.arguments, proposal.reason)
    except Refused:
        stored.give_back(school.database, number)
        raise
    return proposal


def withdraw(school: School, number: int, actor: Actor, reason: str) -> None:
    """By whoever may do the deed, also by whoever proposed it. Raises Refused."""
    proposal = _found(school, number, actor)
    if not stored.withdraw(school.database, proposal, school.act(actor, proposal.deed, reason)):
        raise Refused([_GONE])


_GONE = "no proposal of this number waits: it was confirmed, withdrawn, or lapsed after 14 days"


def _found(school: School, number: int, actor: Actor) -> Proposal:
    """Who may not see it learns no more than that there is none."""
    proposal = stored.find(school.database, school.store_keys, number, clock())
    if proposal is None or not _may_see(actor, proposal):
        raise Refused([_GONE])
    return proposal


def _may_see(actor: Actor, proposal: Proposal) -> bool:
    """Who could confirm it, and the FG, who reads everything (R84)."""
    return may(actor, proposal.deed) or PersonRole.FG in actor.roles

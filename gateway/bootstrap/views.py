"""How long what recipients last got is remembered (`adapters.views`): as long as the delivery, and an end for 30 days.

A delivery that its file no longer has, or that ended 30 days ago, is forgotten; one of which the file cannot be read
now is not, nor one that is suspended: their recipients must still hear who ended.
"""

from __future__ import annotations

from gateway.adapters.views import TOLD_FOR, forget
from gateway.bootstrap.school import School, clock, legal_today
from gateway.core.gate.decide import Standings


def forget_views(school: School, standings: Standings) -> int:
    """How many were forgotten."""
    readable = {recipient for recipient, _, _ in standings}
    last = legal_today() - TOLD_FOR

    def over(recipient: str, purpose: str, schema: str) -> bool:
        standing = standings.get((recipient, purpose, schema))
        return recipient in readable if standing is None else standing.delivery.until < last

    return forget(school.database, clock(), over)

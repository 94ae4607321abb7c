"""What waits for the board and the FG: break-glass to notice and to review, cases nobody decided about in time.

Each role is shown its own; of what is secret the board has none (`adapters.register.holds`). Leaves out: doing them
(`permits`, `holds`), tasks about who is who (`acts`).
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.adapters.register.holds import OVERDUE_BOARD, OVERDUE_FG
from gateway.adapters.register.permits import FG_NOTICE, FG_REVIEW
from gateway.adapters.tasks import OpenTask, open_tasks
from gateway.bootstrap.holds import look_after
from gateway.bootstrap.school import School
from gateway.core.persons import Actor, Deed, PersonRole

_OF: Mapping[PersonRole, tuple[str, ...]] = {
    PersonRole.BOARD: (OVERDUE_BOARD,),
    PersonRole.FG: (FG_NOTICE, FG_REVIEW, OVERDUE_FG),
}


def listed(school: School, actor: Actor) -> list[OpenTask]:
    """Those of this person's roles, the oldest first. Raises Refused."""
    school.look(actor, Deed.HOLD_VIEW, "list tasks", about={"hold": "tasks"})
    look_after(school)
    kinds = [kind for role in sorted(actor.roles) for kind in _OF.get(role, ())]
    return open_tasks(school.database, kinds)

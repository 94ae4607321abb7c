"""May this call have an answer at all? Steps 1-8 of the gate order (requirements 0.4 with D1 and D2 of 0.7).

Pure: the caller, the call, the delivery as it stands, the school's policy and today's date go in; a Permit, or a
Refusal with every reason that spoke, comes out. All rules run, none stops the others, deny is what remains.
Leaves out: who the caller is (`web.identify`), the pupils (`screening`), reading policy files (`adapters`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from gateway.core.model import Caller, Delivery, Finding, Recipient, SchoolPolicy
from gateway.core.reasons import Reason


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked: the schema and record of the matched route, the purpose named in the header (None when
    not named) and the locations asked for (names of gateway.yaml; empty when none matched)."""

    source: str
    schema: str
    record: str
    purpose: str | None
    locations: frozenset[str]
    channel: str = "api"


@dataclass(frozen=True, slots=True)
class Standing:
    """A delivery as it stands now: what is both activated and in the file (`policy.narrow`), and what is
    wrong with it whatever the call (`findings`, computed when policy is compiled)."""

    recipient: Recipient
    delivery: Delivery
    findings: tuple[Finding, ...] = ()


_TICKET = object()


@dataclass(frozen=True, slots=True)
class Permit:
    """The ticket to fetch. Only `decide` makes one. `findings`: what must stand in every report though it
    does not refuse (D1)."""

    caller: Caller
    call: Call
    standing: Standing
    findings: tuple[Finding, ...]
    ticket: object

    def __post_init__(self) -> None:
        if self.ticket is not _TICKET:
            raise RuntimeError("only decide() makes a Permit")


@dataclass(frozen=True, slots=True)
class Refusal:
    """No delivery: `reason` is the first in the gate order, `findings` all that spoke."""

    reason: Reason
    findings: tuple[Finding, ...]

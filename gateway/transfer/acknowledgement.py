"""What became of statements, told to the recipient in its format's own form: one exit, one word per outcome (D3, D9).

Edu-V Results: 201 without a body when all were taken, else 400 with a status per statement id. What the source says
of a statement is looked at for its number only; none of its words is relayed (house rule 7). Eindtoetsketen, whose
messages hold one statement: 202 with a sentence, else an error. UWLR: a confirmation when all were taken, else a fault
that names each statement that was not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec

from gateway.core.reasons import Reason, first
from gateway.core.release.minimised import BROKEN, EnvelopeBroken
from gateway.formats.xml import Operation
from gateway.formats.xml.soap import fault, faultcode
from gateway.transfer.ledger import Outcome, State, Statement
from gateway.transfer.ports import Receipt, UpstreamAnswer
from gateway.transfer.released import SOAP, Released

_TAKEN = 201
_SUCCESS = range(200, 300)


@dataclass(frozen=True, slots=True)
class Result:
    """One statement: taken (no reason), or why not. `id` is the recipient's own."""

    id: str | None = field(repr=False)
    reason: Reason | None


class _Status(msgspec.Struct):
    """As the source answers it; anything else in it is not read."""

    status: Annotated[int, msgspec.Meta(ge=100, le=599)]
    id: str | None = None


_statuses = msgspec.json.Decoder(list[_Status])


def understood(statements: Sequence[Statement], answer: UpstreamAnswer) -> list[Outcome]:
    """What the source says of each statement. A refusal that does not say of which counts for all."""
    if answer.status in _SUCCESS:
        return [Outcome(one, State.ACCEPTED, answer.status) for one in statements]
    said = {one.id: one.status for one in _read(answer.body) if one.id is not None}
    return [_outcome(one, said.get(one.under or one.id, answer.status)) for one in statements]


def _outcome(statement: Statement, status: int) -> Outcome:
    return Outcome(statement, State.ACCEPTED if status in _SUCCESS else State.REFUSED, status)


def _read(body: bytes) -> list[_Status]:
    try:
        return _statuses.decode(body)
    except BROKEN:
        return []


def acknowledge(receipt: Receipt, results: Sequence[Result], purpose: str, shape: str) -> Released:
    """That all were taken; or what was not."""
    reasons = [one.reason for one in results if one.reason is not None]
    if shape == "eindtoets":
        return _told_of_one(receipt, reasons, purpose)
    if not reasons:
        return Released(receipt, status=_TAKEN, body=b"", purpose=purpose)
    body = msgspec.json.encode([_told(one) for one in results])
    return Released(receipt, first(reasons), status=400, body=body, purpose=purpose)


def confirmed(answer: UpstreamAnswer, operation: Operation) -> State:
    """What the source's message says of all statements together. SOAP 1.1 section 4.4.1: a fault of the class Client
    says that the message was not processed; any other answer leaves open what became of it."""
    try:
        taken = answer.status in _SUCCESS and operation.confirms(answer.body)
    except EnvelopeBroken:
        return State.UNKNOWN
    if taken:
        return State.ACCEPTED
    return State.REFUSED if faultcode(answer.body) == "Client" else State.UNKNOWN


def confirm(receipt: Receipt, results: Sequence[Result], purpose: str, operation: Operation) -> Released:
    """The confirmation, or a fault with the word for every statement."""
    reasons = [one.reason for one in results if one.reason is not None]
    if not reasons:
        return Released(receipt, body=operation.empty(), media=SOAP, purpose=purpose)
    reason = first(reasons).outward
    each = [(one.id, one.reason.outward.value if one.reason else "ACCEPTED") for one in results if one.id is not None]
    body = fault("Client", reason.value, reason.meaning.recipient, each=each)
    return Released(receipt, first(reasons), status=500, body=body, media=SOAP, purpose=purpose)


def _told_of_one(receipt: Receipt, reasons: Sequence[Reason], purpose: str) -> Released:
    if reasons:
        return Released(receipt, first(reasons), shape="eindtoets", purpose=purpose)
    body = msgspec.json.encode({"melding": "Het leerlingresultaat is ontvangen."})
    return Released(receipt, status=202, body=body, purpose=purpose)


def _told(result: Result) -> dict[str, Any]:
    reason = result.reason
    status = reason.meaning.status if reason else _TAKEN
    told = {"id": result.id} if result.id is not None else {}
    return {**told, "status": status, "statusMessage": reason.value if reason else "ACCEPTED"}

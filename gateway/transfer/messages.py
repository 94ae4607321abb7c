"""Messages of SOAP within a transfer: the operation of a route, and its request in the source's own ids.

Leaves out: the order of the steps (`flow`), reading what came in (`inquiry`), the shape of a message (`formats.xml`).
"""

from __future__ import annotations

from dataclasses import replace

from gateway.core.policy.schema import Soap
from gateway.formats.xml import Operation
from gateway.transfer.inquiry import Inquiry
from gateway.transfer.minimiser import Messages
from gateway.transfer.ports import Snapshot
from gateway.transfer.remembered import Granted
from gateway.transfer.request import Match
from gateway.transfer.resolve import Absent, Resolver


def operation(match: Match, soap: Soap) -> Operation:
    return Operation(soap, match.schema.namespaces)


def messages(match: Match | None, granted: Granted, snapshot: Snapshot) -> Messages | None:
    """What leaves in the answers of this route, where it is an operation."""
    xml = snapshot.compiled.xml(granted.permit, granted.permit.call.record)
    if match is None or match.route.soap is None or xml is None:
        return None
    return Messages(xml, operation(match, match.route.soap))


def asked(resolver: Resolver, match: Match, soap: Soap, inquiry: Inquiry) -> bytes | Absent:
    """The same request in the source's own ids. A group that leads nowhere is left out, and of none but such there is
    nothing; a list never says so."""
    pairs: list[tuple[str, str]] = []
    absent, found = None, False
    for parameter, value in inquiry.message:
        thing = resolver.thing(parameter.maps or "", value) if parameter.meaning == "thing" and value else value
        if isinstance(thing, Absent):
            absent = replace(thing, listed=True)
            continue
        found = found or parameter.meaning == "thing"
        pairs.append((parameter.name, thing))
    return operation(match, soap).request(pairs) if found or absent is None else absent

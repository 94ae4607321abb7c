"""May this call have an answer at all? Steps 1-8 of the gate order (requirements 0.4 with D1 and D2 of 0.7).

Pure: the caller, the call, the delivery as it stands, the school's policy and today's date go in; a Permit, or a
Refusal with every reason that spoke, comes out. All rules run, none stops the others, deny is what remains. A
pseudonymous delivery passes no fewer of them than a named one (N4).
Leaves out: who the caller is (`web.identify`), what is wrong with a delivery whatever the call (`policy`, whose
findings stand in the Standing), the pupils (`screening`), reading policy files (`adapters`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from gateway.core.facts import Occasion
from gateway.core.model import Caller, Finding, Ground
from gateway.core.policy.terms import Delivery, Organisation, Recipient, SchoolPolicy
from gateway.core.policy.words import forbidden_purpose
from gateway.core.reasons import Reason, first, rank

API = "api"
"""The channel of a delivery that the recipient calls for."""
FILE = "handed in"
"""Stands for the channel where a school hands records in; no delivery can be named so."""
PUSH = "push"
"""The channel of a delivery that the source hands in and the gateway sends to the recipient's endpoint."""


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked: the schema and record of the matched route, the purpose named in the header (None when
    not named) and the locations asked for (names of gateway.yaml; empty when none matched, None when the route
    names no organisation). `channel`: how the answer leaves; FILE where a school hands records in, PUSH where they go
    on to the recipient."""

    source: str
    schema: str
    record: str
    purpose: str | None
    locations: frozenset[str] | None
    channel: str = API


@dataclass(frozen=True, slots=True)
class Standing:
    """A delivery as it stands now: what is both activated and in the file (`narrowing`), and what is
    wrong with it whatever the call (`findings`, computed when policy is compiled)."""

    recipient: Recipient
    delivery: Delivery
    findings: tuple[Finding, ...] = ()


Standings = Mapping[tuple[str, str, str], Standing]

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


@dataclass(frozen=True, slots=True)
class _Asked:
    """One call with all that the rules may look at; `standing` is None when no delivery was found."""

    caller: Caller
    call: Call
    standings: Standings
    standing: Standing | None
    policy: SchoolPolicy
    organisation: Organisation
    today: date


def decide(
    caller: Caller,
    call: Call,
    standings: Standings,
    policy: SchoolPolicy,
    organisation: Organisation,
    today: date,
) -> Permit | Refusal:
    """`today` is the date in Europe/Amsterdam."""
    standing = standings.get((caller.recipient or "", caller.purpose or "", call.schema))
    asked = _Asked(caller, call, standings, standing, policy, organisation, today)
    findings = [finding for rule in _RULES for finding in rule(asked)]
    findings.sort(key=lambda finding: rank(finding.reason))
    refusing = [finding.reason for finding in findings if _refuses(finding.reason, standing)]
    if standing is None or refusing:
        return Refusal(first(refusing or [Reason.SCHEMA_NOT_ACTIVE]), tuple(findings))
    return Permit(caller, call, standing, tuple(findings), _TICKET)


# D1: a statutory duty (c), a vital interest (d) or a one-off permit does not wait for the council; the finding stays.
_OF_THE_POLICY = frozenset({Reason.POLICY_NOT_IN_FORCE, Reason.POLICY_NO_INSTEMMING})
_DO_NOT_WAIT = frozenset({Ground.STATUTORY_DUTY, Ground.VITAL_INTEREST})


def _refuses(reason: Reason, standing: Standing | None) -> bool:
    if standing is None or reason not in _OF_THE_POLICY:
        return True
    grondslag = standing.delivery.grondslag
    urgent = grondslag is not None and grondslag.ground in _DO_NOT_WAIT
    return not (urgent or standing.delivery.conditions.one_off)


def _channel(asked: _Asked) -> Iterator[Finding]:
    """R50: only by the agreed way. What a school filters it hands over itself, by whichever way was agreed that is not
    the recipient's own call. Whoever lacks a permit hears that, whatever way they came."""
    if asked.standing is None or (asked.standing.delivery.conditions.one_off and asked.caller.kind == "recipient"):
        return
    agreed, by = asked.standing.delivery.channel, asked.call.channel
    if agreed == API if by == FILE else agreed != by:
        yield Finding(Reason.CHANNEL_NOT_ALLOWED, "channel")


def _caller(asked: _Asked) -> Iterator[Finding]:
    """R72: bound to one recipient. A school credential hands records in; it never reads for a recipient, but for a
    person who hands over on a permit (D4)."""
    name = asked.caller.recipient
    if _misspelt(asked):
        yield Finding(Reason.RECIPIENT_UNKNOWN, "final recipient" if asked.caller.platform else "recipient")
    elif not _may_ask(asked) or name is None or not (asked.standing or _known(asked.standings, name)):
        yield Finding(Reason.CALLER_NOT_RECIPIENT, "caller")
    elif asked.standing and not _belongs(asked.standing, name):
        yield Finding(Reason.CALLER_NOT_RECIPIENT, "delivery")


def _misspelt(asked: _Asked) -> bool:
    """Nobody of this name receives anything, of which a school hears so, and no more: it names whom it likes."""
    name = asked.caller.recipient
    return asked.caller.kind == "school" and name is not None and not _known(asked.standings, name)


def _may_ask(asked: _Asked) -> bool:
    """Who hands in records could learn what becomes of an id of their choice: never a recipient."""
    if asked.call.channel in _HANDED_IN:
        return asked.caller.kind == "school"
    one_off = asked.standing is not None and asked.standing.delivery.conditions.one_off
    return asked.caller.kind == "recipient" or one_off


_HANDED_IN = frozenset({FILE, PUSH})


def _known(standings: Standings, *names: str | None) -> bool:
    """Whether any delivery's key begins with these names."""
    return any(key[: len(names)] == names for key in standings)


def _platform(asked: _Asked) -> Iterator[Finding]:
    """R55: what passes through a platform goes to a recipient that the call names, on the platform's terms too; what
    goes is what that recipient may have."""
    platform, standing = asked.caller.platform, asked.standing
    if _misspelt(asked):
        return
    if platform is None:
        if standing and standing.delivery.conditions.final_recipients:
            yield Finding(Reason.FINAL_RECIPIENT_MISSING, "final recipient")
        return
    if asked.caller.kind == "school" and not _known(asked.standings, platform):
        yield Finding(Reason.RECIPIENT_UNKNOWN, "recipient")
        return
    through = asked.standings.get((platform, asked.caller.purpose or "", asked.call.schema))
    if through is None or asked.caller.recipient not in through.delivery.conditions.final_recipients:
        yield Finding(Reason.CHANNEL_NOT_ALLOWED, "platform")
        return
    yield from through.findings
    yield from dated(through.recipient, through.delivery, asked.today)
    if standing and not standing.delivery.locations <= through.delivery.locations:
        yield Finding(Reason.LOCATION_OUT_OF_SCOPE, "locations of the platform")


def _belongs(standing: Standing, recipient: str) -> bool:
    return standing.recipient.name == standing.delivery.recipient == recipient


def _locations(asked: _Asked) -> Iterator[Finding]:
    """R68: a delivery at one location gives nothing at another; a location the school lacks is no location."""
    wanted = asked.call.locations
    if wanted is None:
        return
    allowed = asked.standing.delivery.locations if asked.standing else wanted
    if not wanted or not wanted <= allowed or not wanted <= asked.organisation.locations.keys():
        yield Finding(Reason.LOCATION_OUT_OF_SCOPE, "locations")


def _policy(asked: _Asked) -> Iterator[Finding]:
    """R117, R118; consent of the council comes before the policy is in force (C10)."""
    policy = asked.policy
    if policy.in_force > asked.today:
        yield Finding(Reason.POLICY_NOT_IN_FORCE, "policy")
    if policy.instemming is None or policy.instemming > min(policy.in_force, asked.today):
        yield Finding(Reason.POLICY_NO_INSTEMMING, "policy")


def _purpose(asked: _Asked) -> Iterator[Finding]:
    """R1, R11: one purpose, that of the credential, set before the call."""
    bound, named = asked.caller.purpose, asked.call.purpose
    known = asked.standing or _misspelt(asked) or _known(asked.standings, asked.caller.recipient, bound)
    if bound is None or not known:
        yield Finding(Reason.PURPOSE_UNKNOWN, "purpose")
    if named is not None and named != bound:
        yield Finding(Reason.PURPOSE_MISMATCH, "purpose")
    if any(forbidden_purpose(purpose) for purpose in (bound, named) if purpose):
        yield Finding(Reason.PURPOSE_FORBIDDEN, "purpose")


def _route(asked: _Asked) -> Iterator[Finding]:
    """R7: a schema or record that the delivery does not name is not there for this caller."""
    if _misspelt(asked):
        return
    if asked.standing is None:
        if _known(asked.standings, asked.caller.recipient, asked.caller.purpose):
            yield Finding(Reason.ROUTE_UNKNOWN, "schema")
        else:
            yield Finding(Reason.SCHEMA_NOT_ACTIVE, "delivery")
    elif asked.call.record not in asked.standing.delivery.grants:
        yield Finding(Reason.ROUTE_UNKNOWN, "record")


def _terms(asked: _Asked) -> Iterator[Finding]:
    """What policy found wrong, and what today's date makes wrong."""
    if asked.standing:
        yield from asked.standing.findings
        yield from dated(asked.standing.recipient, asked.standing.delivery, asked.today)


# What a delivery lacks that takes a permit for each occasion, when it is called as if it stood (D4).
LACKS: Mapping[Occasion, Reason] = {
    Occasion.POLICE: Reason.NO_VORDERING,
    Occasion.BREAK_GLASS: Reason.BREAKGLASS_NOT_GRANTED,
    Occasion.SAFETY: Reason.PERMIT_MISSING,
    Occasion.INVESTIGATION: Reason.PERMIT_MISSING,
    Occasion.REQUEST: Reason.PERMIT_MISSING,
}


def _occasion(asked: _Asked) -> Iterator[Finding]:
    """R13, R48, R56, R97, N31: on a one-off permit a person of the school hands over what the LVS holds now; no
    recipient fetches it, and no file takes its place."""
    occasion = asked.standing.delivery.conditions.occasion if asked.standing else Occasion.STANDING
    if occasion in LACKS and (asked.caller.kind == "recipient" or asked.call.channel in _HANDED_IN):
        yield Finding(LACKS[occasion], "occasion")


_RULES: tuple[Callable[[_Asked], Iterator[Finding]], ...] = (
    _channel,
    _caller,
    _platform,
    _locations,
    _policy,
    _purpose,
    _route,
    _terms,
    _occasion,
)


def dated(recipient: Recipient, delivery: Delivery, today: date) -> Iterator[Finding]:
    """The rules that a new day can change; every last day counts (R69: inclusive, no grace period)."""
    if delivery.until < today:
        yield Finding(Reason.SCHEMA_EXPIRED, "until")
    if recipient.agreement:
        if max(recipient.agreement.signed, recipient.agreement.starts) > today:
            yield Finding(Reason.AGREEMENT_MISSING, "agreement")
        if recipient.agreement.until < today:
            yield Finding(Reason.AGREEMENT_EXPIRED, "agreement")
    if delivery.authorisation:
        if delivery.authorisation.on > today:
            yield Finding(Reason.AGREEMENT_MISSING, "authorisation")
        if delivery.authorisation.until < today:
            yield Finding(Reason.AGREEMENT_EXPIRED, "authorisation")
    if delivery.dpia and delivery.dpia.review < today:
        yield Finding(Reason.DPIA_EXPIRED, "dpia")

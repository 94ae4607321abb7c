"""What is known about a made-up pupil, from the words of tests/vectors: persons by a Dutch name, facts by their kind.

Leaves out: what the gateway makes of it (tests/core).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.core.facts import (
    NOTHING_KNOWN,
    Admission,
    AnyFact,
    Birth,
    Consent,
    CourtOrder,
    Dispute,
    Document,
    Facts,
    Inzage,
    Marker,
    Objection,
    Permit,
    Release,
    Representative,
    Restriction,
    SupportRequest,
    Withdrawal,
    gathered,
)

PUPIL = b"1" * 16
PEOPLE = {
    "leerling": PUPIL,
    **{name: name.encode().ljust(16, b".") for name in ("moeder", "vader", "voogd", "curator", "oma")},
}

KINDS: dict[str, type[AnyFact]] = {
    "admissions": Admission,
    "representatives": Representative,
    "consents": Consent,
    "withdrawals": Withdrawal,
    "restrictions": Restriction,
    "objections": Objection,
    "court_orders": CourtOrder,
    "markers": Marker,
    "disputes": Dispute,
    "support_requests": SupportRequest,
    "inzagen": Inzage,
    "documents": Document,
    "releases": Release,
    "permits": Permit,
}
_NAMED = ("person", "giver", "against")  # keys that hold a person


def known(said: Mapping[str, Any] | None, usual: Mapping[str, Any], consent: Mapping[str, Any]) -> Facts:
    """`usual`: what is known in every case that speaks of facts; `consent`: the good consent that a case changes."""
    if said is None:
        return NOTHING_KNOWN
    facts: list[AnyFact] = []
    for kind, value in {**usual, **said}.items():
        if kind == "birth":
            facts += [msgspec.convert({"type": "birth", "day": value}, Birth)] if value else []
            continue
        for one in value:
            whole = _consent(consent, one) if kind == "consents" else one
            facts.append(msgspec.convert(_persons(whole), KINDS[kind]))
    return gathered(facts)


def _consent(good: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    terms = said.get("terms", {})
    return {**good, **said, "terms": None if terms is None else {**good["terms"], **terms}}


def _persons(said: Mapping[str, Any]) -> dict[str, Any]:
    """Names to internal ids, as msgspec reads bytes; `vader` as addressee of a court order in hexadecimal."""
    found = dict(said)
    for key in _NAMED:
        if found.get(key) is not None:
            found[key] = b64encode(PEOPLE[found[key]]).decode()
    if found.get("addressee") in PEOPLE:
        found["addressee"] = PEOPLE[found["addressee"]].hex()
    return found

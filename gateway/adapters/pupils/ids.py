"""The ids by which a person is known: where each counts, its keyed hash, and how the register names the person.

Values are sealed; what is searched for is a keyed hash. Leaves out: whose they are (`subjects`).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.adapters.store_keys import StoreKeys
from gateway.transfer.ports import Observation

ECK_ID = "eck-id"
BSN = "bsn"  # or onderwijsnummer: it is found by its keyed hash, and kept nowhere (D7)
_EVERYWHERE = frozenset({ECK_ID, BSN})


def scope(source: str, kind: str) -> str:
    """The ECK iD and the BSN are national; every other id is known in its own source only, or in the one that the kind
    names (`las-key@lvs`: a number that this source took over from that one)."""
    return "" if kind in _EVERYWHERE else kind.partition("@")[2] or source


def id_lookup(keys: StoreKeys, source: str, kind: str, value: str) -> bytes:
    return keys.look_up("subject-id", scope(source, kind), kind.partition("@")[0], value)


def reference(keys: StoreKeys, internal: bytes, sealed_key: bytes) -> bytes:
    """How the register names this person: made with the person's own key, so that without it nobody finds it back."""
    return hmac.digest(keys.open(sealed_key, internal), b"register/v1\0" + internal, "sha256")[:16]


@dataclass(frozen=True, slots=True)
class Sighting:
    """An observation with the look-up values of its ids (→ kind)."""

    observation: Observation
    lookups: Mapping[bytes, str]


def sighting(keys: StoreKeys, source: str, observation: Observation) -> Sighting:
    ids = observation.ids.items()
    return Sighting(observation, {id_lookup(keys, source, kind, value): kind for kind, value in ids})

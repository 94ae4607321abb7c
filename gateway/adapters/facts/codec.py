"""How a fact stands in its row: MessagePack with its kind and number, sealed with the store key unless it is plain.

Growth rule: fields of `core.facts` are only ever added, with a default; none is renamed, removed or given another
meaning, and a kind keeps its word. A body that was written before decodes for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from gateway.adapters.store_keys import StoreKeys
from gateway.core.facts import AnyFact, Consent, ConsentTerms, Facts, Kind, gathered

# These hold references and words of ours only, and come by the hundred thousand; all others are sealed, and so is a
# consent with terms of its own: what names its text and its proof may name a person.
PLAIN = frozenset({Kind.ADMISSION, Kind.CONSENT, Kind.REPRESENTATIVE})

NONE = b"\x90"  # no facts, as `joined` writes it

_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decode_one: msgspec.msgpack.Decoder[AnyFact] = msgspec.msgpack.Decoder(AnyFact)
_decode_all: msgspec.msgpack.Decoder[tuple[AnyFact, ...]] = msgspec.msgpack.Decoder(tuple[AnyFact, ...])
_decode_terms = msgspec.msgpack.Decoder(ConsentTerms)


def kind_of(fact: AnyFact) -> Kind:
    return Kind(str(fact.__struct_config__.tag))


class Row(NamedTuple):
    """The columns of a fact, but for its batch."""

    number: int
    subject: bytes
    kind: str
    body: bytes
    sealed: int


def row_of(keys: StoreKeys, subject: bytes, fact: AnyFact) -> Row:
    """Of a fact that has its number."""
    kind, body = kind_of(fact), _encode(fact)
    sealed = kind not in PLAIN or (isinstance(fact, Consent) and fact.terms is not None)
    stored = keys.seal(body, _row(subject, kind)) if sealed else body
    return Row(fact.number, subject, kind.value, stored, int(sealed))


def body_of(keys: StoreKeys, subject: bytes, kind: str, body: bytes, sealed: int) -> bytes:
    """The plain body of a row. Raises ValueError when it was not sealed for this row."""
    return keys.open(body, _row(subject, kind)) if sealed else body


def _row(subject: bytes, kind: str) -> bytes:
    return b"fact\0" + subject + kind.encode()


def fact_of(body: bytes, campaigns: Mapping[int, ConsentTerms]) -> AnyFact:
    return _with_terms(_decode_one.decode(body), campaigns)


def joined(bodies: list[bytes]) -> bytes:
    """All facts of one person as one value, which takes a fraction of the memory of the facts themselves."""
    return b"\xdd" + len(bodies).to_bytes(4, "big") + b"".join(bodies) if bodies else NONE


def facts_of(whole: bytes, campaigns: Mapping[int, ConsentTerms]) -> Facts:
    return gathered(_with_terms(fact, campaigns) for fact in _decode_all.decode(whole))


def _with_terms(fact: AnyFact, campaigns: Mapping[int, ConsentTerms]) -> AnyFact:
    """D6: a consent of a campaign has the campaign's terms. Of a campaign nobody knows it has none, and is worth
    nothing."""
    if isinstance(fact, Consent) and fact.campaign is not None:
        return msgspec.structs.replace(fact, terms=campaigns.get(fact.campaign))
    return fact


def encode_terms(terms: ConsentTerms) -> bytes:
    return _encode(terms)


def campaigns_of(rows: Iterable[tuple[int, bytes]]) -> dict[int, ConsentTerms]:
    return {number: _decode_terms.decode(body) for number, body in rows}

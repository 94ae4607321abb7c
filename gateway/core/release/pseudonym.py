"""The keyed one-way function behind every id that leaves: HKDF per domain, HMAC-SHA-256, 122 bits as UUID v8.

The HMAC is over the gateway's own internal id, never over an id of the LVS or a national number (N2), so pseudonyms
survive a change of LVS (design, "Pseudonym"). Leaves out: where keys live (`adapters`), which domain a delivery has
(`model`), and the way back (an index of what was issued).
"""

from __future__ import annotations

import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.core.model import Person

_INFO = b"pseudonym/v1/"
_VARIANT = "89ab"  # RFC 9562: the two highest bits of this digit are 10


def domain_key(version_key: bytes, domain: str) -> bytes:
    """The 32-byte key of one recipient domain under one key version."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_INFO + domain.encode()).derive(version_key)


def person(key: bytes, subject_id: bytes, kind: Person) -> str:
    """The pseudonym of a person in the domain of `key`."""
    return _uuid8(hmac.digest(key, b"%s\0%s" % (kind.value.encode(), subject_id), "sha256"))


def thing(key: bytes, thing: str, source: str, value: str) -> str:
    """What a group, enrolment, … of a source is called in the domain of `key`.

    The framing is unambiguous: neither a kind of thing nor a source's name holds a NUL, and "thing" is no kind of
    person, so no value of one can be chosen to look like another."""
    if "\0" in thing or "\0" in source:
        raise ValueError("a kind of thing and a source have names without NUL")
    message = b"\0".join((b"thing", thing.encode(), source.encode(), value.encode()))
    return _uuid8(hmac.digest(key, message, "sha256"))


def _uuid8(digest: bytes) -> str:
    """The first 128 bits, six of them given to version 8 and variant (RFC 9562, 5.8)."""
    text = digest[:16].hex()
    variant = _VARIANT[digest[8] >> 4 & 3]
    return f"{text[:8]}-{text[8:12]}-8{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"

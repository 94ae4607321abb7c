"""What the store key is for: sealing values at rest, look-up values, digests of what was sent.

Each use has its own key, by HKDF-SHA256. Sealing is AES-SIV, bound to the row by its associated data: deterministic, so
that it needs no randomness, and equal values in two rows look different. Look-up values and digests are BLAKE2b with a
key (RFC 7693): a MAC like HMAC, without letting go of the interpreter twice on every request. Leaves out: where the key
comes from (`adapters.keys`), pseudonyms (`core.release.pseudonym`: HMAC-SHA-256).
"""

from __future__ import annotations

import hmac
from hashlib import blake2b

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_SIZE = 32  # bytes


class StoreKeys:
    """What the store key is used for. All methods are pure and quick (2-3 µs)."""

    def __init__(self, store: bytes) -> None:
        self._sealing = AESSIV(derived(store, b"store/v1/seal", 64))
        self._look_up = derived(store, b"store/v1/look-up", _SIZE)
        self._digest = derived(store, b"store/v1/digest", _SIZE)
        self.proof = hmac.digest(derived(store, b"store/v1/proof", _SIZE), b"proof", "sha256")

    def __repr__(self) -> str:
        return "<StoreKeys>"

    def seal(self, value: bytes, row: bytes) -> bytes:
        """`value` encrypted, to be opened only with the same `row` (what identifies the row it is stored in)."""
        return self._sealing.encrypt(value, [row])

    def open(self, sealed: bytes, row: bytes) -> bytes:
        """Raises ValueError when it was not sealed so: another key, another row, a changed byte."""
        try:
            return self._sealing.decrypt(sealed, [row])
        except InvalidTag:
            raise ValueError("a sealed value does not open") from None

    def look_up(self, use: str, *parts: str) -> bytes:
        """16 bytes that stand for `parts` in an index; nobody finds them back without the key."""
        message = bytearray(use.encode())
        for part in parts:
            encoded = part.encode("utf-8", "surrogatepass")
            message += b"\0%d\0" % len(encoded)
            message += encoded
        return blake2b(message, digest_size=16, key=self._look_up).digest()

    def brief(self, row: bytes, content: bytes) -> bytes:
        """16 bytes by which the content of a row is known again; two rows with the same content differ."""
        return blake2b(row + content, digest_size=16, key=self._digest).digest()

    def digest(self, sent: bytes) -> str:
        """The keyed digest of what was sent; about 1 GB/s."""
        return blake2b(sent, digest_size=32, key=self._digest).hexdigest()


def derived(key: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(key)

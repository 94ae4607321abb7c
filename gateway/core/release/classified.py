"""What leaves by its content only (D8): a document, or free text beside a special category, that a person released.

A release names the content as the source has it, for one pupil and purpose, and one recipient or any. Of a text that is
the text before it is masked: what is masked depends on who else is in an answer, and is never less than the person saw,
who saw it with the names of the pupil's own record alone. Pure, and the same for every format. Leaves out: masking
(`masking`), what stays behind when nothing is released (`formats`).
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from hashlib import sha256

from gateway.core.facts import Facts
from gateway.core.model import FieldClass, Subject
from gateway.core.policy.terms import Delivery
from gateway.core.reasons import Reason

WAITS = frozenset({Reason.FREE_TEXT_BLOCKED, Reason.DOCUMENT_NOT_CLASSIFIED})
"""Said of content that nobody released: a case for a person (D2), ended by releasing that content."""


def waiting_for(field_class: FieldClass) -> Reason:
    """What is said of content that a person released, or will, as this."""
    return Reason.FREE_TEXT_BLOCKED if field_class is FieldClass.FREE_TEXT else Reason.DOCUMENT_NOT_CLASSIFIED


FREE = frozenset({FieldClass.DOCUMENT, FieldClass.ORDINARY, FieldClass.RESULT, FieldClass.SUPPORT})
"""What a person may call a document that leaves; what needs a parent's consent or a basis of its own does not."""

# Part of what is digested: when masking changes so that more is left, another number, and every text waits again.
_MASKING = b"mask/1\0"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Content of this pupil that nobody released. `shown`: what a person judges, a masked text; empty of a document,
    which the person opens in the source."""

    subject: Subject
    path: str
    field_class: FieldClass
    digest: bytes = field(repr=False)
    shown: str = field(repr=False)


def of_text(text: str) -> bytes:
    """`text` as the source has it."""
    return sha256(_MASKING + text.encode("utf-8", "surrogatepass")).digest()


def of_document(value: str, form: str | None) -> bytes | None:
    """SHA-256 of the file, as `sha256sum` says it; `form` base64: of what is encoded. None: that is not how base64
    writes it, so the file is not all that would leave."""
    if form != "base64":
        return sha256(value.encode("utf-8", "surrogatepass")).digest()
    written = "".join(value.split())
    try:
        content = b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        return None
    return sha256(content).digest() if b64encode(content).decode() == written else None


def released(facts: Facts, delivery: Delivery, digest: bytes, field_class: FieldClass) -> bool:
    """Whether a person released exactly this, for this purpose and recipient; of a document what it was called last."""
    said = [
        one.field_class
        for one in facts.documents
        if one.digest == digest and one.purpose == delivery.purpose and one.recipient in (None, delivery.recipient)
    ]
    return field_class in said if field_class is FieldClass.FREE_TEXT else bool(said) and said[-1] in FREE

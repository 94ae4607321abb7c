"""What is in a released value that may not leave: a national number where none belongs, a text or a document that
nobody released (D7, D8): for the formats in which everything is text. Leaves out: how it stays behind (`formats`)."""

from __future__ import annotations

from collections.abc import Callable

from gateway.core.model import FieldClass, PseudonymMethod, Subject, Transform
from gateway.core.policy.words import hollow
from gateway.core.reasons import Reason
from gateway.core.release.circle import Circle
from gateway.core.release.classified import Waiting, of_document, of_text
from gateway.core.release.emission import Emission
from gateway.core.release.national_number import found_in, may_be, may_hold, own
from gateway.core.release.projection import Leaf

_DAYS = frozenset({"date", "date-time"})


class Guard:
    """Judges the values of one record. `subjects`: whom the record is about; `circle`: read when it is needed. `apart`:
    of a document of which the rest is not at hand, so that a number in it may be that of anybody there."""

    def __init__(
        self,
        emission: Emission,
        subjects: tuple[Subject, ...],
        circle: Callable[[], Circle],
        *,
        special: bool,
        apart: bool = False,
    ) -> None:
        self._emission = emission
        self._subjects = subjects
        self._circle = circle
        self._special = special
        self._apart = apart
        self._harmless: set[str] = set()

    def names(self, text: str) -> bool:
        """Whether an id that leaves as the source has it is a national number, for whom no law names it (N1)."""
        delivery = self._emission.sight.delivery
        if delivery.pseudonym is not PseudonymMethod.NONE or may_hold(text) is None:
            return False
        by_law = delivery.grondslag is not None and not hollow(delivery.grondslag.national_number)
        return not by_law and self._is_somebodys(text)

    def passed(self, leaf: Leaf, text: str) -> str | Reason:
        """What leaves of this value, before its transform; or why nothing does."""
        if leaf.field_class is FieldClass.DOCUMENT:
            content = of_document(text, "base64")
            return Reason.DOCUMENT_NOT_CLASSIFIED if content is None or self._waits(leaf, content) else text
        if not guarded(leaf):
            return text
        free = leaf.field_class is FieldClass.FREE_TEXT
        suspect = may_hold(text) is not None if free else may_be(text, self._harmless)
        if suspect and (free or self._apart) and found_in(text):
            return Reason.BSN_NOT_ALLOWED
        if suspect and self._is_somebodys(text):
            return Reason.BSN_NOT_ALLOWED
        return self._masked(leaf, text) if leaf.transform is Transform.MASK else text

    def said(self, leaf: Leaf, text: str) -> str | Reason:
        """What leaves of a text that a person of the school recorded to go along (R57): it waits for nobody, and names
        nobody else."""
        masked = self._circle().mask(text) if leaf.transform is Transform.MASK else text
        return Reason.BSN_NOT_ALLOWED if found_in(masked) or self._is_somebodys(text) else masked

    def _masked(self, leaf: Leaf, text: str) -> str | Reason:
        masked = self._circle().mask(text)
        if found_in(masked):
            return Reason.BSN_NOT_ALLOWED
        waits = self._special and self._waits(leaf, of_text(text), masked)
        return Reason.FREE_TEXT_BLOCKED if waits else masked

    def _is_somebodys(self, text: str) -> bool:
        return own(self._circle().numbers, text) or self._emission.sight.numbers_somebody(text)

    def _waits(self, leaf: Leaf, content: bytes, shown: str = "") -> bool:
        """D8: until a person released it for each pupil the record is about; what is about nobody, nobody releases."""
        contents = (Waiting(one, leaf.path, leaf.field_class, content, shown) for one in self._subjects)
        waits = [self._emission.waits(one) for one in contents]
        return not waits or any(waits)


def guarded(leaf: Leaf) -> bool:
    """Whether this leaf leaves with what the source wrote in it. A granted national number is the law's (N1)."""
    return leaf.transform in (Transform.KEEP, Transform.MASK) and not (
        leaf.field_class is FieldClass.NATIONAL_NUMBER
        or leaf.maps is not None
        or leaf.type == "boolean"
        or leaf.values
        or leaf.format in _DAYS
    )

"""The names and national numbers that stand in one answer of the source, in fields that themselves do not leave.

In memory for that answer: to mask free text, and to know a released value for somebody's number. Leaves out: reading
them from an answer (`formats`), what is masked (`masking`).
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.model import Category, FieldClass
from gateway.core.policy.schema import Leaf
from gateway.core.release.masking import Mask

_NAMING = frozenset({FieldClass.DIRECT, FieldClass.THIRD_PERSON, FieldClass.CONTACT})
_NAMES = frozenset(
    {Category.NAME, Category.GUARDIANS, Category.STAFF, Category.SCHOOL_EMAIL, Category.PRIVATE_EMAIL},
)


@dataclass(frozen=True, slots=True, repr=False)
class Circle:
    """Of one answer. `numbers`: national numbers of nine digits."""

    mask: Mask
    numbers: frozenset[str]


def is_number(leaf: Leaf) -> bool:
    """Whether this field holds a national number."""
    return leaf.field_class is FieldClass.NATIONAL_NUMBER or leaf.category is Category.NATIONAL_NUMBER


def is_name(leaf: Leaf) -> bool:
    """Whether this field holds what somebody is called, or the address of their mail."""
    text = leaf.type == "string" and not leaf.values and leaf.format is None and leaf.maps is None
    return text and leaf.field_class in _NAMING and leaf.category in _NAMES

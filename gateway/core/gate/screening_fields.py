"""What of one record would leave, as screening needs it: paths by category, by term, and by what they may give away.

Compiled once per delivery, record and kind of person, not per pupil. Leaves out: whether a grant is lawful
(`rules_fields`), the rules that ask (`screening`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gateway.core.model import Category, FieldClass, Person, PseudonymMethod, Transform
from gateway.core.policy.grants import granted_leaves, slots
from gateway.core.policy.schema import Leaf, Record
from gateway.core.policy.terms import Delivery

# R103, N34, table 5.3: years after leaving the school; two where nothing specific is set.
KEPT_YEARS: Mapping[Category, int] = {Category.ATTENDANCE: 5, Category.ABSENCE_REASON: 5}
KEPT_YEARS_OTHERWISE = 2

# D4, R34, R35, R38: consent is needed whatever the ground, and must name the category that the class stands for.
NEEDS_CONSENT: Mapping[FieldClass, Category] = {
    FieldClass.IMAGE: Category.IMAGE,
    FieldClass.MEDICAL: Category.MEDICAL,
    FieldClass.PSYCHOLOGICAL_REPORT: Category.PSYCHOLOGICAL_REPORT,
}
_NEEDS_CONSENT = frozenset(NEEDS_CONSENT.values())

# N39: what tells where a child is. The school is told by its name, its groups and the domain of its e-mail.
_TELLS_WHERE = frozenset(
    {
        Category.ADDRESS,
        Category.PHONE,
        Category.PRIVATE_EMAIL,
        Category.SCHOOL_EMAIL,
        Category.ORGANISATION,
        Category.TIMETABLE,
    }
)
# D10: in company of these it matters; a pseudonym within R44 is unaffected.
_TELLS_WHO = frozenset({Category.NAME, Category.ADDRESS, Category.PHONE, Category.TIMETABLE})
_TELLS_WHO_CLASSES = frozenset({FieldClass.DIRECT, FieldClass.CONTACT, FieldClass.NATIONAL_NUMBER})


@dataclass(frozen=True, slots=True)
class FieldTerms:
    """Paths of one record that would leave for one kind of person. `categories`: where each stands, a sensitive class
    beside its own category; `kept`: by the years they may be kept; `consent`: need consent whatever the ground;
    `located`: tell where somebody is (empty where the record does not say who); `number`: the pseudonym's own slot,
    which goes with whatever goes and is named by no consent or permit."""

    categories: Mapping[Category, frozenset[str]] = field(default_factory=dict)
    kept: Mapping[int, frozenset[str]] = field(default_factory=dict)
    consent: frozenset[str] = frozenset()
    located: frozenset[str] = frozenset()
    number: frozenset[str] = frozenset()

    @property
    def all(self) -> frozenset[str]:
        """Every path but the pseudonym's."""
        return frozenset().union(*self.categories.values()) - self.number

    def of(self, categories: frozenset[Category]) -> frozenset[str]:
        """What a prohibition of these categories reaches."""
        return frozenset().union(*(paths for one, paths in self.categories.items() if one in categories))

    def beyond(self, categories: frozenset[Category]) -> frozenset[str]:
        """What a permission of these categories does not reach."""
        return frozenset().union(*(paths for one, paths in self.categories.items() if one not in categories)) - (
            self.number
        )


def field_terms(delivery: Delivery, record: Record, person: Person = Person.PUPIL) -> FieldTerms:
    """Fixed and empty grants carry nothing about anybody, so they are not screened."""
    named = delivery.pseudonym is PseudonymMethod.NONE
    number = frozenset() if named else frozenset().union(*(slot.paths for slot in slots(record)))
    categories: dict[Category, set[str]] = {}
    kept: dict[int, set[str]] = {}
    where: set[str] = set()
    who = named
    for path, leaf in _leaving(delivery, record, person):
        for category in {leaf.category, NEEDS_CONSENT.get(leaf.field_class, leaf.category)}:
            categories.setdefault(category, set()).add(path)
        kept.setdefault(KEPT_YEARS.get(leaf.category, KEPT_YEARS_OTHERWISE), set()).add(path)
        who = who or leaf.category in _TELLS_WHO or leaf.field_class in _TELLS_WHO_CLASSES
        if leaf.category in _TELLS_WHERE or leaf.field_class is FieldClass.CONTACT:
            where.add(path)
    frozen = {category: frozenset(paths) for category, paths in categories.items()}
    return FieldTerms(
        frozen,
        {years: frozenset(paths) for years, paths in kept.items()},
        frozenset().union(*(paths for category, paths in frozen.items() if category in _NEEDS_CONSENT)),
        frozenset(where) if who else frozenset(),
        number,
    )


def _leaving(delivery: Delivery, record: Record, person: Person) -> Iterator[tuple[str, Leaf]]:
    for path, leaf, grant in granted_leaves(record, delivery.grants.get(record.name, {})):
        said = grant.transform not in (Transform.FIXED, Transform.EMPTY, Transform.VIEW)
        if said and person in _speaks_of(record, path):
            yield path, leaf


def _speaks_of(record: Record, path: str) -> tuple[Person, ...]:
    """The kinds of person that the innermost object which speaks of one can speak of; outside all of them, all."""
    around = [one for one in record.subjects if not one.at or path.startswith(f"{one.at}.")]
    if not around:
        return tuple(Person)
    innermost = max(around, key=lambda one: len(one.at))
    return innermost.person, *innermost.others

"""What a file of schemas/ must say of persons: a field that speaks of one stands with a subject.

A list whose items speak of a pupil, and that `subjects` does not name, would leave of everybody: nobody is withheld in
it. Leaves out: whether a subject bears its ids (`schema_faults`), whether a field may leave (`core.policy`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.adapters.policy.schema_fields import Fault, LeafForm, ManyForm, NodeForm
from gateway.adapters.policy.schema_forms import RecordForm, SubjectForm
from gateway.core.model import FieldClass
from gateway.core.policy.grants import node_at
from gateway.core.policy.schema import Branch, Many

_OF_ONE_PERSON = frozenset(
    {
        FieldClass.ID,
        FieldClass.DIRECT,
        FieldClass.CONTACT,
        FieldClass.RESULT,
        FieldClass.MEDICAL,
        FieldClass.PSYCHOLOGICAL_REPORT,
        FieldClass.SPECIAL,
        FieldClass.CRIMINAL,
        FieldClass.NATIONAL_NUMBER,
        FieldClass.ABSENCE_REASON,
        FieldClass.FINANCIAL,
        FieldClass.IMAGE,
    }
)


def person_faults(where: tuple[str | int, ...], record: RecordForm, root: Branch) -> Iterator[Fault]:
    """R46: each field that speaks of one person goes when that person is withheld."""
    covered = tuple(_goes_with(root, one) for one in record.subjects)
    for place, path, leaf in placed_leaves((*where, "fields"), record.fields, ""):
        if leaf.field_class in _OF_ONE_PERSON and not path.startswith(covered):
            yield place, "this speaks of a person: say in 'subjects' whose object it stands in", "R46"


def _goes_with(root: Branch, subject: SubjectForm) -> str:
    """What stays behind when this person is withheld: everything, or the item of a list that names them."""
    if subject.withheld == "record" or not subject.at:
        return ""
    steps = subject.at.split(".")
    ends = [n for n in range(1, len(steps) + 1) if isinstance(node_at(root, ".".join(steps[:n])), Many)]
    return ".".join(steps[: ends[-1] if ends else len(steps)]) + "."


def placed_leaves(
    where: tuple[str | int, ...], fields: Mapping[str, NodeForm], prefix: str
) -> Iterator[tuple[tuple[str | int, ...], str, LeafForm]]:
    for name, node in fields.items():
        place, path = (*where, name), f"{prefix}{name}"
        inner = node.items if isinstance(node, ManyForm) else node if isinstance(node, LeafForm) else node.fields
        if isinstance(inner, LeafForm):
            yield place, path, inner
        else:
            yield from placed_leaves((*place, "items" if isinstance(node, ManyForm) else "fields"), inner, f"{path}.")

"""What a delivery's grants become: the tree of what may leave, and what cannot be compiled."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gateway.core.model import Category, Person, PseudonymMethod, Transform
from gateway.core.policy.schema import Branch as SchemaBranch
from gateway.core.policy.schema import Many as SchemaMany
from gateway.core.policy.schema import Node, Record
from gateway.core.policy.terms import Grant
from gateway.core.release.compiler import DeliveryRefused, compile_projection
from gateway.core.release.projection import Branch, Leaf, Many, Order, Projection, Slot, without
from tests import builders_formats as build

HMAC = PseudonymMethod.HMAC


def project(record: Record, grants: Mapping[str, Grant], method: PseudonymMethod = HMAC) -> Projection:
    return compile_projection(record, grants, method)


def named(branch: Branch) -> set[str]:
    return set(branch.fields)


def test_projection_holds_exactly_the_granted_fields() -> None:
    found = project(build.student(), build.student_grants() | build.keep("gender"))

    assert named(found.root) == {
        "userIds",
        "givenName",
        "familyName",
        "gender",
        "status",
        "dateCreated",
        "dateLastModified",
    }


def test_projection_without_grants_holds_nothing_but_the_person_to_screen() -> None:
    found = project(build.student(), {})

    assert not found.root.released
    assert found.root.subject is not None
    assert found.root.subject.method is None


def test_projection_names_paths_and_categories_for_the_register() -> None:
    found = project(build.student(), build.student_grants() | build.keep("gender", "dateOfBirth"))

    assert found.paths[:2] == ("userIds.userId", "userIds.userIdType")
    assert set(found.categories) == {Category.PUPIL_NUMBER, Category.SEX, Category.BIRTH_DATE}


def test_projection_of_fixed_fields_names_no_category_for_them() -> None:
    found = project(build.student(), build.student_grants())

    assert found.categories == (Category.PUPIL_NUMBER,)


def test_projection_with_a_pseudonym_has_a_slot_and_no_real_id() -> None:
    found = project(build.student(), build.student_grants())

    assert found.root.fields["userIds"] == Slot("userIds", "typed")
    assert found.root.subject is not None
    assert found.root.subject.method == "hmac"


def test_projection_with_the_eck_id_has_the_master_slot() -> None:
    grants = build.student_grants()
    grants = {path: grant for path, grant in grants.items() if not path.startswith("userIds")}

    found = project(build.student(), grants | build.keep("userMasterIdentifier"), PseudonymMethod.ECK_ID)

    assert found.root.fields["userMasterIdentifier"] == Slot("userMasterIdentifier", "master")
    assert "userIds" not in found.root.fields


@pytest.mark.parametrize(
    ("grants", "why"),
    [
        (build.keep("bsn"), "no field"),
        (build.keep("*"), "no field"),
        (build.keep("address"), "no field"),
        (build.keep("address.*"), "no field"),
        (build.keep("gender.value"), "no field"),
        (build.keep("userMasterIdentifier"), "second number"),
        (build.keep("address.street"), "is required by the format and not granted"),
        (build.changed(Transform.EMPTY, "gender"), "no array"),
        (build.fixed(emailsParents="-"), "use `empty`"),
        (build.changed(Transform.PSEUDONYM, "gender"), "no id of a person"),
        (build.changed(Transform.INITIALS, "gender"), "no free text"),
        (build.changed(Transform.YEAR, "address.houseNumber"), "no free text"),
        (build.fixed(gender="unknown"), "does not know"),
        (build.fixed(email=7), "another type"),
    ],
)
def test_projection_of_a_grant_that_cannot_run_is_refused(grants: dict[str, Grant], why: str) -> None:
    with pytest.raises(DeliveryRefused, match=why):
        project(build.student(), build.student_grants() | grants)


@pytest.mark.parametrize("missing", ["givenName", "status", "dateCreated"])
def test_projection_without_a_required_field_is_refused(missing: str) -> None:
    grants = build.student_grants()
    del grants[missing]

    with pytest.raises(DeliveryRefused, match=f"Student: {missing} is required"):
        project(build.student(), grants)


def test_projection_without_a_required_reference_is_refused() -> None:
    grants = {path: one for path, one in build.enrollment_grants().items() if not path.startswith("student.")}

    with pytest.raises(DeliveryRefused, match="student is required"):
        project(build.enrollment(), grants)


def test_projection_of_half_an_id_is_refused() -> None:
    grants = build.student_grants()
    del grants["userIds.userIdType"]

    with pytest.raises(DeliveryRefused, match="both its leaves"):
        project(build.student(), grants)


def test_projection_of_a_real_id_under_a_pseudonym_is_refused() -> None:
    with pytest.raises(DeliveryRefused, match="as a pseudonym only"):
        project(build.student(), build.student_grants() | build.keep("userIds.userId"))


def test_projection_of_the_eck_id_under_hmac_is_refused() -> None:
    grants = {path: one for path, one in build.student_grants().items() if not path.startswith("userIds")}

    with pytest.raises(DeliveryRefused, match="N3"):
        project(build.student(), grants | build.keep("userMasterIdentifier"))


def test_projection_of_a_mapped_id_under_a_transform_is_refused() -> None:
    with pytest.raises(DeliveryRefused, match="mapped"):
        project(build.enrollment(), build.enrollment_grants() | build.changed(Transform.FIRST_LETTER, "study"))


def test_projection_maps_ids_of_things_whatever_the_grant_says() -> None:
    found = project(build.enrollment(), build.enrollment_grants())

    assert isinstance(found.root.fields["study"], Leaf)
    assert found.root.fields["study"].maps == "study-offering"
    assert found.order is not None
    assert found.order.maps == "enrolment"


def test_projection_of_an_order_that_is_the_same_for_everybody_has_no_kind_of_thing() -> None:
    record = Record("Period", SchemaBranch({"title": build.leaf()}), (), "title")

    assert project(record, build.keep("title")).order == Order("title", None)


@pytest.mark.parametrize("order", ["nothing", "title.id", "inner"])
def test_projection_of_an_order_that_is_no_field_is_refused(order: str) -> None:
    record = Record("Period", SchemaBranch({"title": build.leaf(), "inner": SchemaBranch({})}), (), order)

    with pytest.raises(DeliveryRefused, match="order"):
        project(record, build.keep("title"))


def test_projection_of_an_empty_array_reads_nothing() -> None:
    grants = build.group_grants() | build.changed(Transform.EMPTY, "assignments")

    found = project(build.group(), grants).root.fields["assignments"]

    assert not isinstance(found, Leaf | Slot | Branch)
    assert found.empty


def test_projection_looks_at_a_person_who_decides_though_nothing_of_them_leaves() -> None:
    record = Record(
        "Note",
        SchemaBranch({"text": build.leaf(), "about": SchemaBranch(build.id_fields())}),
        (build.position("about"),),
    )

    about = project(record, build.keep("text")).root.fields["about"]

    assert isinstance(about, Branch)
    assert not about.released
    assert about.subject is not None


def test_projection_leaves_out_items_of_which_nothing_leaves() -> None:
    fields: dict[str, Node] = {"text": build.leaf(), "people": SchemaMany(SchemaBranch(build.id_fields()))}
    record = Record("Note", SchemaBranch(fields), (build.position("people", item=True),))

    assert named(project(record, build.keep("text")).root) == {"text"}


def test_person_on_a_required_object_takes_the_record_with_them() -> None:
    fields: dict[str, Node] = {"text": build.leaf(), "about": SchemaBranch(build.id_fields(), required=True)}
    record = Record("Note", SchemaBranch(fields), (build.position("about", Person.STAFF, item=True),))

    about = project(record, build.keep("text") | build.own_slot("about")).root.fields["about"]

    assert isinstance(about, Branch)
    assert about.subject is not None
    assert about.subject.withheld == "record"


# -- withheld for one person -------------------------------------------------------------------------------


ADDRESS = ("address.street", "address.houseNumber", "address.zipCode", "address.city", "address.country")


def thinner(*paths: str) -> Branch | None:
    grants = build.student_grants() | build.keep("gender", "emailsParents", "address.houseNumberSuffix", *ADDRESS)
    return without(project(build.student(), grants).root, frozenset(paths))


def test_without_a_path_the_rest_stays() -> None:
    found = thinner("gender")

    assert found is not None
    assert "gender" not in found.fields
    assert "address" in found.fields


def test_without_an_object_all_beneath_it_goes() -> None:
    found = thinner("address")

    assert found is not None
    assert "address" not in found.fields


def test_without_a_required_field_of_an_object_the_object_goes() -> None:
    found = thinner("address.street")

    assert found is not None
    assert "address" not in found.fields


def test_without_an_optional_field_of_an_object_the_object_stays() -> None:
    found = thinner("address.houseNumberSuffix")

    assert found is not None
    assert isinstance(found.fields["address"], Branch)
    assert "houseNumberSuffix" not in found.fields["address"].fields


def test_without_a_required_field_of_the_record_nothing_is_left() -> None:
    assert thinner("givenName") is None


def test_without_a_leaf_of_the_slot_the_slot_goes() -> None:
    found = thinner("userIds.userId")

    assert found is not None
    assert "userIds" not in found.fields


def test_without_a_field_of_the_objects_in_an_array_they_leave_without_it() -> None:
    times = tuple(f"accessibility.additionalTestingTime.{name}" for name in ("fixed-minutes", "unlimited"))
    root = project(build.student(), build.student_grants() | build.keep(*times)).root

    found = without(root, frozenset({times[0]}))

    assert found is not None
    accessibility = found.fields["accessibility"]
    assert isinstance(accessibility, Many)
    assert isinstance(accessibility.item, Branch)
    inner = accessibility.item.fields["additionalTestingTime"]
    assert isinstance(inner, Branch)
    assert named(inner) == {"unlimited"}


def test_without_an_array_the_array_goes() -> None:
    found = thinner("emailsParents")

    assert found is not None
    assert "emailsParents" not in found.fields


def test_without_the_only_id_of_a_required_reference_nothing_is_left() -> None:
    root = project(build.enrollment(), build.enrollment_grants()).root

    assert without(root, frozenset({"student.userIds.userId"})) is None

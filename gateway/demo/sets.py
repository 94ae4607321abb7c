"""OneRoster CSV: the demo school's classes as one zip of files that refer to each other, with a manifest.

With a column of the vendor's own and a password, as a real administration writes them. Leaves out: the same in JSON
(`oneroster`).
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping

from gateway.demo.records import Json, Records
from gateway.demo.school import SITES, Group, Pupil, School

Row = Mapping[str, str]

_MANIFEST = {"manifest.version": "1.0", "oneroster.version": "1.2", "source.systemName": "Demo LVS"}


def class_set(school: School, held: Records) -> bytes:
    """Version 1.2, bulk."""
    groups = [group for group in school.groups if group.pupils]
    files: dict[str, list[Row]] = {
        "orgs": [{"sourcedId": one.ve_code, "name": one.title, "type": "school"} for one in SITES],
        "classes": [_class(group) for group in groups],
        "users": [_user(str(pupil.number), one) for pupil, one in held.students.items()],
        "roles": [_role(pupil) for pupil in held.students],
        "enrollments": [row for group in groups for row in _enrollments(group)],
    }
    told = {**_MANIFEST, **{f"file.{name}": "bulk" for name in files}}
    files["manifest"] = [{"propertyName": name, "value": value} for name, value in told.items()]
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in files.items():
            archive.writestr(f"{name}.csv", _table(rows))
    return written.getvalue()


def _table(rows: Iterable[Row]) -> bytes:
    rows = [*rows]
    written = io.StringIO(newline="")
    table = csv.DictWriter(written, [*rows[0]], lineterminator="\r\n")
    table.writeheader()
    table.writerows(rows)
    return written.getvalue().encode()


def _class(group: Group) -> Row:
    place = {"classType": "scheduled" if group.subject else "homeroom", "schoolSourcedId": group.site.ve_code}
    return {"sourcedId": group.id, "title": group.name, **place}


def _user(number: str, one: Json) -> Row:
    named = {name: one[name] for name in ("givenName", "familyName", "email")}
    signs_in = {"username": f"l{number}", "password": f"pw-{number}", "metadata.bsn": one["bsn"]}
    return {"sourcedId": number, "enabledUser": "true", **named, **signs_in}


def _role(pupil: Pupil) -> Row:
    number, place = str(pupil.number), pupil.stays[-1].site.ve_code
    role = {"roleType": "primary", "role": "student", "orgSourcedId": place}
    return {"sourcedId": f"r-{number}", "userSourcedId": number, **role}


def _enrollments(group: Group) -> Iterable[Row]:
    for pupil in group.pupils:
        named = {"classSourcedId": group.id, "schoolSourcedId": group.site.ve_code, "userSourcedId": str(pupil.number)}
        yield {"sourcedId": f"{group.id}-{pupil.number}", **named, "role": "student"}

"""What one LVS format contains: every known field, classified, and the routes that give it.

Data only; a schema file becomes these values in `adapters.policy.schema_forms`. Leaves out: who receives what of it
(`terms`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gateway.core.model import Category, FieldClass, Person, RecipientKind

LeafType = Literal["string", "integer", "number", "boolean"]
Told = Literal["created", "modified", "status"]
"""What a record says of its own life: when it was made, when it last changed, whether it is still there."""
Errors = Literal["problem", "edu-v", "edu-v-list", "soap", "oneroster", "eindtoets"]


@dataclass(frozen=True, slots=True)
class Hidden:
    """A record can say of itself that something in it is secret. `by`: boolean fields, from the enclosing object, or
    from the record where the path begins with "/". When one of them is true the node stays behind, or leaves with the
    neutral `value`, or with that of `values` for what stands in the field `kind` beside it."""

    by: tuple[str, ...]
    value: str | None = None
    kind: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flag:
    """A field that says of a part of the record whether it is there. `of`: the paths of that part; `absent`: what
    leaves when nothing of it may leave; `demanded`: without the part the record cannot leave; `closed`: the source says
    that the part is not there, and nothing of it leaves, whatever stands there; `kinds`: of recipients, in every record
    to whom the standard demands the part."""

    of: tuple[str, ...]
    absent: str
    demanded: str
    closed: tuple[str, ...]
    kinds: frozenset[RecipientKind] = frozenset()


Recorded = Literal["inzage", "inzage-day", "inzage-remark", "inzage-agreement", "consent"]
"""What the school records, of which a record may say something too; whether the parents agreed it does not record."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A field in which a record says `of` itself what only the school's facts decide. `granted`: the word for yes that
    leaves where the facts say so; `denied`: words that say no, which holds a record of which the facts say yes;
    `nothing`: the word that leaves where nothing was recorded ("": none)."""

    of: Recorded
    granted: str = ""
    denied: tuple[str, ...] = ()
    nothing: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """Where a URL of the gateway leads: a path of the source, and after it what leaves in the field `beside`."""

    path: str
    beside: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar. `maps` names the kind of thing (group, enrolment, …) whose id this is: mapped per recipient.
    `pattern`: what its text looks like as a whole; `filler`: what the standard has stand there when the value stays
    behind; `choice`: of the required fields of one object with this word, exactly one is there (`several`: at least
    one); `refers`: what this id names: in a set of files the record and field ("users.sourcedId") of a row, in XML the
    path of the id of another object of the document; `view`: what it says of the record's life, which leaves as the
    gateway saw it for this recipient, or fixed (house rule 7); `claim`: what it says of the school's facts; `link`: a
    URL that the gateway makes, and never reads."""

    type: LeafType
    category: Category
    field_class: FieldClass
    required: bool = False
    maps: str | None = None
    format: str | None = None
    values: tuple[str, ...] = ()
    pattern: str | None = None
    filler: str | None = None
    choice: str | None = None
    hidden: Hidden | None = None
    flag: Flag | None = None
    refers: str | None = None
    several: bool = False
    view: Told | None = None
    claim: Claim | None = None
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """An object. `repeats`: its fields may come several times, one row after the other."""

    fields: Mapping[str, Node]
    required: bool = False
    choice: str | None = None
    hidden: Hidden | None = None
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Many:
    """An array of leaves or objects. `filled`: an empty one is no value."""

    item: Leaf | Branch
    required: bool = False
    choice: str | None = None
    hidden: Hidden | None = None
    filled: bool = False


Node = Leaf | Branch | Many


@dataclass(frozen=True, slots=True)
class TypedIds:
    """An array of {value, type} ids: `path` of the array, names of its two leaves, wire type → kind of id
    (`kinds`), and the wire type that stands for the administration's own key (`own`)."""

    path: str
    value: str
    type: str
    kinds: Mapping[str, str]
    own: str


@dataclass(frozen=True, slots=True)
class KeyIds:
    """Ids that stand each in a leaf of its own: name of the leaf → kind of id (`kinds`), and the leaf that holds the
    administration's own key (`own`; "" where the format has none)."""

    kinds: Mapping[str, str]
    own: str


@dataclass(frozen=True, slots=True)
class SubjectPosition:
    """Where a record speaks of a person. `at`: path of the object from the record's root ("" is the root,
    "students" an array whose items are references). `master`: leaf that holds the ECK iD (kind `eck-id`).
    `withheld`: what goes when the person is withheld. `others`: kinds of person that may stand here too; which it is
    the roster tells, and only what is ordinary leaves of them."""

    at: str
    person: Person
    withheld: Literal["record", "item"]
    master: str | None
    typed: TypedIds | None
    keys: KeyIds | None = None
    others: tuple[Person, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One kind of record. `order`: path of the id by which a list is sorted when the record is not itself a person
    (house rule 7). `element` and `envelope`: what it is called, and what a list stands in. `since`: the format lets a
    recipient ask what changed since a moment, so what each last got is remembered. `places`: paths of ids that name a
    location: where it is none of the delivery's, the object with it stays behind, and what needs it too (R68).
    `members`: the id of a group; one of which nobody is in this delivery is none of its business (R7)."""

    name: str
    fields: Branch
    subjects: tuple[SubjectPosition, ...] = ()
    order: str | None = None
    element: str = ""
    envelope: str = ""
    since: bool = False
    places: tuple[str, ...] = ()
    members: str | None = None


Meant = Literal[
    "organisation-master",
    "organisation-id",
    "organisation-id-type",
    "organisation-filter",
    "organisation-brin",
    "organisation-part",
    "organisation-key",
    "organisation-oin",
    "organisation-place",
    "thing",
    "person",
    "plain",
    "since",
    "ignored",
    "limit",
    "offset",
    "anchor",
    "sort",
    "sort-direction",
    "filter",
    "selection",
]
SHAPING: frozenset[Meant] = frozenset({"limit", "offset", "anchor", "sort", "sort-direction", "filter", "selection"})
"""What the gateway does itself with what leaves, and never asks of the source."""


Exported = Literal["school-year", "version"]
"""The school year of today ("2026-2027"), the version of the schema."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A path or query parameter, or (SOAP) the path of a value in the request's body. `meaning` "thing": the mapped id
    of a `maps`; "person": the pseudonym of one of `persons`, who goes up by the id of this `kind`; "plain" goes up as
    it is, and so do "organisation-oin", the routeringskenmerk of a location (an id of the type OIN), and
    "organisation-place", in a path, an id of the schema's `location_type`; "since": the moment of what the caller has;
    "ignored": read, and dropped; those of `SHAPING` never go up. `export`: what the gateway writes there when it asks
    for a whole list itself."""

    name: str
    place: Literal["path", "query", "body"]
    meaning: Meant
    type: LeafType = "string"
    maps: str | None = None
    values: tuple[str, ...] = ()
    required: bool = False
    persons: tuple[Person, ...] = ()
    kind: str | None = None
    export: Exported | None = None


@dataclass(frozen=True, slots=True)
class NamedSubject:
    """A request body that names one person: JSON keys of the person's reference and of the organisation's,
    the shape of the reference, and the kind of person."""

    key: str
    organisation_key: str
    position: SubjectPosition


@dataclass(frozen=True, slots=True)
class WriteBack:
    """A request body that brings statements: `items` (in JSON an array, or the one object; in XML the path of its
    elements), key of a statement's id, key of the organisation's reference ("": the query names it); what is named in
    `unkeyed` is left out of the content digest (D9)."""

    items: str
    id: str
    organisation_key: str
    unkeyed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Soap:
    """An operation of SOAP 1.1. `action`: the SOAPAction; `request`, `answer`: the elements in the body; `element`:
    what the record is called in the answer, of which `parts` (fields of the record) belong to this operation.
    `location`, `schoolkey`: the kinds of organisation id that brincode with dependancecode, and a schoolkey, are."""

    action: str
    request: str
    answer: str
    element: str = ""
    parts: tuple[str, ...] = ()
    location: str = "V_ID"
    schoolkey: str = "SCHOOLKEY"


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path template (`/groups/school/{id}`). `many`: the body is an array of records. In SOAP several
    routes share both, each with its action. Of a push, `answer` is the record that the recipient answers with, and
    `action` its SOAPAction, where both travel in an envelope of SOAP 1.1."""

    method: str
    path: str
    record: str
    many: bool
    parameters: tuple[Parameter, ...] = ()
    named: NamedSubject | None = None
    write: WriteBack | None = None
    soap: Soap | None = None
    answer: str | None = None
    action: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """The file of a set that says which others are there. `file`: its name without ".csv"; `name`, `value`: its two
    columns; `entry`: what stands before the name of a file; `full`, `partial`, `absent`: the words for a file
    that holds everything, only what changed, or is not there; `kept`: other names that leave, with the values they may
    have."""

    file: str
    name: str
    value: str
    entry: str
    full: str
    partial: str
    absent: str
    kept: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Csv:
    """How the files of a format are written. `separator`: between the items within one cell; `columns`: only those of
    which something leaves, or as the standard has them, empty where nothing does; `opened`: people open these files in
    a spreadsheet, so no cell may begin a formula; `manifest`: they come as a set, in a zip."""

    delimiter: str = ","
    encoding: Literal["utf-8", "utf-8-sig", "cp1252"] = "utf-8"
    separator: str = ","
    columns: Literal["granted", "standard"] = "granted"
    opened: bool = False
    manifest: Manifest | None = None


@dataclass(frozen=True, slots=True)
class Paging:
    """How the source's lists are read: the names of its parameters for size and place, the records of its largest page
    (`most`), by which field one record is told from another (`key`), and what makes their order that of this field
    (`stable`, parameters as they go up)."""

    limit: str
    offset: str
    most: int
    key: str
    stable: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Schema:
    """What one LVS format contains. `text_hash`: SHA-256 (hex) of the file. `errors`: shape of an error.
    `namespaces`: in XML, prefix of a name in this file → namespace ("" for names without one). `csv`: in CSV, how it is
    written; a record is called as its file. `direction` "push": the source hands a record in, which goes to the
    recipient, and the recipient's answer comes back. `location_type`: the type, in gateway.yaml, of the ids by which
    records name a location (`Record.places`). `paging`: lists come in pages."""

    name: str
    title: str
    version: str
    format: Literal["json", "xml", "csv"]
    base_path: str
    direction: Literal["pull", "push"]
    errors: Errors
    routes: tuple[Route, ...]
    records: Mapping[str, Record]
    text_hash: str = ""
    namespaces: Mapping[str, str] = field(default_factory=dict)
    csv: Csv | None = None
    location_type: str | None = None
    paging: Paging | None = None

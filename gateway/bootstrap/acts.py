"""What a person at the command line does: activate, suspend, make and revoke credentials, rotate keys, link, verify.

Each is one transaction with its register entry, and needs a signed-in person whose role allows it (house rule 10).
Leaves out: signing in (`session`), how it is shown (`cli`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import orjson

from gateway.adapters import keys as key_files
from gateway.adapters.access import callers
from gateway.adapters.access.callers import ListedClient, NewClient
from gateway.adapters.facts.declarations import declarations
from gateway.adapters.lvs.field_seen import StoredFieldsSeen
from gateway.adapters.policy import store as policy_store
from gateway.adapters.policy.compiler import compile_state, file_schemas, recipient_states
from gateway.adapters.policy.store import NotStored, PolicyText
from gateway.adapters.pupils import linking
from gateway.adapters.pupils.subjects import synchronised
from gateway.adapters.pupils.vanished import doubted
from gateway.adapters.register.acts import Act, note
from gateway.adapters.register.writer import newest_entries, verify_register
from gateway.bootstrap.proposals import carries, propose
from gateway.bootstrap.school import Refused, School, Unusable, check, key_place, legal_today, random
from gateway.core.gate import explain as explaining
from gateway.core.gate.decide import Standing
from gateway.core.gate.declared import findings, undeclared
from gateway.core.model import KeyVersion
from gateway.core.persons import Actor, Deed, needs_two, places, shown_entry, weights
from gateway.core.policy.schema import Schema
from gateway.core.policy.terms import Recipient
from gateway.core.reasons import Reason
from gateway.core.verification import Head, Verification
from gateway.transfer.compiled import Compiled


def take_over_policy(school: School) -> frozenset[tuple[str, str]]:
    """Store the policy files as they stand now; what changed. A file that cannot be read counts as gone."""
    return policy_store.take_over(school.database, _policy_files(school.directory))


def _policy_files(directory: Path) -> Iterable[PolicyText]:
    for kind, folder in (("schema", "schemas"), ("recipient", "recipients")):
        for path in sorted((directory / folder).glob("*.yaml")):
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                continue
            if not path.name.startswith("."):
                yield PolicyText(kind, path.stem, text)


def activate(school: School, name: str, actor: Actor, reason: str) -> int | None:
    """The number of the proposal when a second person must confirm it (R116). Raises Refused while its file has a
    problem or an open question."""
    act = school.act(actor, Deed.RECIPIENT_ACTIVATE, reason)
    recipient, schemas = _in_order(school, name)
    if needs_two(Deed.RECIPIENT_ACTIVATE, weights(recipient, schemas)):
        arguments = {"about": name, **_texts(recipient, schemas)}
        return propose(school, actor, Deed.RECIPIENT_ACTIVATE, arguments, reason)
    _activate(school, recipient, schemas, act)
    return None


@carries(Deed.RECIPIENT_ACTIVATE)
def _activate_confirmed(school: School, actor: Actor, arguments: Mapping[str, Any], reason: str) -> None:
    act = school.act(actor, Deed.RECIPIENT_ACTIVATE, reason)
    recipient, schemas = _in_order(school, arguments["about"])
    if _texts(recipient, schemas) != {key: arguments[key] for key in ("recipient", "schemas")}:
        raise Refused(["the file or a schema changed since this was proposed: propose it again"])
    _activate(school, recipient, schemas, act)


def _in_order(school: School, name: str) -> tuple[Recipient, dict[str, Schema]]:
    """The recipient and the schemas it uses. Raises Refused."""
    report = check(school.directory)
    files = (f"recipients/{name}.yaml", "schemas/")
    problems = [problem for problem in report.problems if problem.file.startswith(files)]
    problems_open = [question for question in report.questions if question.file == files[0]]
    recipient = report.recipients.get(name)
    if problems or problems_open or recipient is None:
        raise Refused([*problems, *problems_open] or [f"recipients/{name}.yaml: there is no such recipient"])
    used = sorted({delivery.schema for delivery in recipient.deliveries})
    return recipient, {schema: report.schemas[schema] for schema in used}


def _texts(recipient: Recipient, schemas: Mapping[str, Schema]) -> dict[str, Any]:
    """Which texts exactly, by their hashes."""
    return {"recipient": recipient.text_hash, "schemas": {name: one.text_hash for name, one in schemas.items()}}


def _activate(school: School, recipient: Recipient, schemas: Mapping[str, Schema], act: Act) -> None:
    take_over_policy(school)
    hashes = {name: schema.text_hash for name, schema in schemas.items()}
    try:
        policy_store.activate(school.database, recipient.name, recipient.text_hash, hashes, act)
    except NotStored:
        raise Refused(["the file changed while it was being activated; look at it again"]) from None


def suspend(school: School, name: str, actor: Actor, reason: str) -> None:
    """Works whatever its file says or lacks."""
    act = school.act(actor, Deed.RECIPIENT_SUSPEND, reason)
    known = {name for name, _ in recipients(school)}
    if name not in known:
        raise Refused([f"recipients/{name}.yaml: there is no such recipient"])
    policy_store.suspend(school.database, name, act)


def recipients(school: School) -> list[tuple[str, str]]:
    """Name and state of every recipient that anybody wrote, activated or suspended."""
    state = policy_store.read_policy(school.database)
    files = {file.name: file.hash for file in state.files if file.kind == "recipient"}
    files |= {path.stem: "" for path in (school.directory / "recipients").glob("*.yaml") if path.stem not in files}
    names = sorted({*files, *state.active, *state.suspended})
    return [(name, _state(name, state, files)) for name in names]


def _state(name: str, state: policy_store.PolicyState, files: Mapping[str, str]) -> str:
    if name in state.suspended:
        return "suspended"
    active = state.active.get(name)
    if active is None:
        return "not activated"
    if name not in files:
        return "active, but its file is gone: gets nothing"
    return "active" if files[name] == active.hash else "active; the file differs from what was activated"


def compiled(school: School) -> Compiled:
    """Policy as it runs now."""
    take_over_policy(school)
    sources = {name: source.schemas for name, source in school.settings.sources.items()}
    return compile_state(policy_store.read_policy(school.database), school.settings.organisation, sources)


def explain(school: School, recipient: str, purpose: str, *, every_field: bool = False) -> list[str]:
    """Every rule that speaks, in Dutch."""
    policy = compiled(school)
    stands_on = explaining.School(policy.schemas, school.settings.policy, school.settings.organisation)
    known = any(key[0] == recipient for key in policy.standings)
    meant = [] if known else near(school, recipient)
    mine = [one for key, one in policy.standings.items() if key[:2] == (recipient, purpose)]
    return [
        *explaining.explain(recipient, purpose, policy.standings, stands_on, legal_today(), every_field=every_field),
        *([f"Bedoelt u {' of '.join(meant)}?"] if meant else []),
        *_not_declared(school, mine),
        *_doubted(school, policy, mine),
    ]


def _not_declared(school: School, standings: Iterable[Standing]) -> list[str]:
    """What these deliveries wait for, a line each."""
    known = {(one.kind, one.location) for one in declarations(school.database)}
    undone = {
        one for each in standings for one in undeclared(each.delivery, None, lambda kind, place: (kind, place) in known)
    }
    return [explaining.unmet(one.reason, one.about) for one in findings(sorted(undone))]


def _doubted(school: School, policy: Compiled, standings: Iterable[Standing]) -> list[str]:
    """Locations of which nothing leaves in these deliveries until somebody looked (R109)."""
    at = {
        (source, place)
        for one in standings
        for source, spoken in policy.spoken.items()
        if one.delivery.schema in spoken
        for place in one.delivery.locations & doubted(school.database, source)
    }
    looks = "kijk in het LVS; zijn zij echt weg: gateway roster believe"
    return [explaining.unmet(Reason.ROSTER_DOUBTED, f"{looks} {source} {place}") for source, place in sorted(at)]


def new_client(school: School, recipient: str | None, purpose: str | None, actor: Actor) -> NewClient:
    """Raises Refused for a recipient or purpose nobody wrote down."""
    act = school.act(actor, Deed.CLIENT_MANAGE, "credential")
    if recipient is not None and purpose not in written(school).get(recipient, frozenset()):
        raise Refused(["no recipient file has this recipient with this purpose"])
    return callers.create_client(school.database, recipient, purpose, act, random)


def written(school: School) -> dict[str, frozenset[str]]:
    """Recipient → purpose of every delivery that is activated or stands in a file."""
    take_over_policy(school)
    state = policy_store.read_policy(school.database)
    found: dict[str, frozenset[str]] = {}
    for both in recipient_states(state, file_schemas(state)):
        for one in filter(None, (both.active, both.file)):
            found[one.name] = found.get(one.name, frozenset()) | {delivery.purpose for delivery in one.deliveries}
    return found


def near(school: School, name: str) -> list[str]:
    """Recipients whose names are much like this one, if it is nobody's."""
    known = [one for one, _ in recipients(school)]
    return [] if name in known else get_close_matches(name, known)


def revoke_client(school: School, client: str, actor: Actor) -> None:
    if not callers.revoke_client(school.database, client, school.act(actor, Deed.CLIENT_MANAGE, "credential")):
        raise Refused(["there is no such client, or it was revoked before"])


def clients(school: School) -> list[ListedClient]:
    return callers.list_clients(school.database)


def rotate_key(school: School, overlap: timedelta | None, actor: Actor, reason: str) -> KeyVersion:
    """Raises Refused when the key does not stand in a file: then a person adds the next version where it stands."""
    act = school.act(actor, Deed.KEY_MANAGE, reason)
    settings = school.settings
    number = key_files.next_version(school.database)
    material = key_files.with_version(school.read_material(), number, random)
    if settings.key.kind == "file":
        key_files.replace_key_file(key_files.key_path(key_place(settings), school.directory), material)
    elif number not in school.read_material().versions:
        raise Refused([f"add version {number} to the key in the environment first"])
    return key_files.rotate(school.database, material, overlap, act)


def key_versions(school: School) -> list[tuple[int, str, str]]:
    return [(number, started, until or "in use") for number, started, until in key_files.versions(school.database)]


def entries(school: School, last: int, transfer: str | None) -> list[Any]:
    """The newest `last` entries, oldest first, or those of one transfer."""
    rows = newest_entries(school.database, last, transfer)
    return [{"sequence": sequence, **orjson.loads(body), "hash": digest.hex()} for sequence, body, digest in rows]


def show_entries(school: School, actor: Actor, last: int, transfer: str | None, reason: str) -> list[Any]:
    """The same as this person may see them, once the view is registered; the view itself is not among them (R80).
    Raises Refused."""
    seen = _seen(school, actor, last, transfer)
    school.look(actor, Deed.REGISTER_VIEW, reason, about={"transfer": transfer} if transfer else None)
    return seen


def _seen(school: School, actor: Actor, last: int, transfer: str | None) -> list[Any]:
    asked = last
    while True:
        found = entries(school, asked, transfer)
        seen = [told for entry in found if (told := shown_entry(entry, actor.roles)) is not None]
        if len(seen) >= last or len(found) < asked:
            return seen[-last:]
        asked *= 2  # what is kept from this person does not count


def verify(school: School, expected: str | None) -> Verification:
    """`expected`: SEQUENCE:HASH of a head kept elsewhere. Raises Unusable when it is not of that form."""
    return verify_register(school.database, _head(expected) if expected else None)


def _head(text: str) -> Head:
    sequence, _, digest = text.partition(":")
    try:
        return Head(int(sequence), bytes.fromhex(digest))
    except ValueError:
        raise Unusable(["a head is SEQUENCE:HASH, as verify tells it"]) from None


def unclassified(school: School) -> list[tuple[str, str, str]]:
    """(schema, record, field) of fields that a source sends and no schema knows."""
    return StoredFieldsSeen(school.database, school.store_keys).shown()


def roster_status(school: School) -> list[tuple[str, str, str]]:
    """(source, location, moment) of what was synchronised; where the last answer is in doubt, that."""
    read = synchronised(school.database)
    doubts = {source: doubted(school.database, source) for source, _, _ in read}
    return [(source, place, "in doubt" if place in doubts[source] else moment) for source, place, moment in read]


def may_synchronise(school: School, actor: Actor) -> None:
    """Raises Refused."""
    school.act(actor, Deed.ROSTER_SYNC, "roster sync")


def believe_roster(school: School, source: str, location: str, actor: Actor, reason: str) -> None:
    """A person says that most pupils of this location did leave. Raises Refused."""
    act = school.act(actor, Deed.ROSTER_SYNC, reason)
    if location not in doubted(school.database, source):
        raise Refused(["of this location nothing is in doubt: gateway roster status"])
    about = {"source": source, "location": location}
    note(school.database, act, "roster believed", kind="change", about=about)


def waiting_pupils(school: School, actor: Actor) -> list[linking.Pending]:
    """Those of the locations where this person may look. Raises Refused."""
    held = places(actor, Deed.PUPIL_VIEW)
    school.look(actor, Deed.PUPIL_VIEW, "waiting to be linked", locations=held or ())
    waiting = linking.pending_links(school.database, school.store_keys)
    return [one for one in waiting if held is None or one.location in held]


def forget_pupil(school: School, source: str, las_key: str, actor: Actor, reason: str) -> None:
    """Destroy a pupil's reference key, ids and place in every roster (R103). Raises Refused for an unknown one, and for
    one who has not left: the next synchronisation would bring them back without what protects them."""
    act = school.act(actor, Deed.PUPIL_FORGET, reason)  # before anything tells whether the source knows this number
    subject = _known_pupil(school, source, las_key)
    if _enrolled(school, subject):
        raise Refused(["this pupil is enrolled; only who left can be forgotten"])
    if not linking.destroy_reference_key(school.database, subject, act):
        raise Refused(["this pupil was forgotten before"])


def _enrolled(school: School, internal: bytes) -> bool:
    """In any source, today or later."""
    seen = [roster.by_id(internal) for roster in school.world().now().rosters.values()]
    ends = [enrolment.end for one in seen if one is not None for enrolment in one.enrolments]
    return any(end is None or end >= legal_today() for end in ends)


def _known_pupil(school: School, source: str, las_key: str) -> bytes:
    roster = school.world().now().rosters.get(source)
    found = roster.find("las-key", las_key) if roster else None
    if found is None:
        raise Refused(["this source has no such pupil"])
    return found.id


def link_pupil(school: School, number: int, known: tuple[str, str] | None, actor: Actor, reason: str) -> None:
    """`known`: (source, las-key) of a pupil the gateway knows; None for one it does not. Raises Refused."""
    act = school.act(actor, Deed.PUPIL_LINK, reason)
    subject = _known_pupil(school, *known) if known is not None else None
    try:
        linking.link_pending(school.database, school.store_keys, number, subject, act, random)
    except linking.NotPending:
        raise Refused(["this pupil does not wait to be linked, or its ids belong to another pupil"]) from None

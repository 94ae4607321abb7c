"""What a person looks at and releases by its content (D8): free text beside special categories, documents.

Of a text only its digest is kept. What is released must wait at that moment, in the source, for that pupil and purpose;
where special categories leave too, a second person confirms (R116). Leaves out: what waits (`core.release.classified`),
the read (`transfer.review`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gateway.adapters.facts.store import UnknownSubject
from gateway.adapters.file_output import chunks_of
from gateway.adapters.register import holds as stored
from gateway.adapters.register.acts import Act
from gateway.bootstrap.acts import compiled
from gateway.bootstrap.files import source_of
from gateway.bootstrap.one_pupil import outside, parts
from gateway.bootstrap.plane import sizes_of
from gateway.bootstrap.proposals import carries, propose
from gateway.bootstrap.pupils import as_registered, pupil
from gateway.bootstrap.school import Refused, School
from gateway.core.facts import Document
from gateway.core.gate.decide import Standing
from gateway.core.model import NOBODIES, FieldClass
from gateway.core.persons import Actor, Deed, needs_two, sentence, weights
from gateway.core.release.classified import FREE, Waiting
from gateway.transfer.filing import Wanted
from gateway.transfer.request import Stop
from gateway.transfer.review import FileReview, Review

__all__ = ["About", "Content", "Waits", "release", "waiting"]


@dataclass(frozen=True, slots=True)
class About:
    """Which pupil, in which delivery. `file`: what is to be handed in, where the source is not asked; `schema`: of its
    records, where the delivery has several."""

    recipient: str
    purpose: str
    las_key: str = field(repr=False)
    source: str | None = None
    file: Path | None = field(default=None, repr=False)
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What may leave. `called`: what a document is, by who read it; `everybody`: to every recipient with this
    purpose."""

    digest: bytes = field(repr=False)
    called: FieldClass | None = None
    everybody: bool = False


@dataclass(frozen=True, slots=True)
class Waits:
    """One content that waits, and every field in which it stands: one release lets it leave in all of them."""

    content: Waiting
    fields: tuple[str, ...]


def waiting(school: School, actor: Actor, about: About, reason: str) -> list[Waits]:
    """What of this pupil waits, once the view is registered (R80). Raises Refused."""
    school.act(actor, Deed.TEXT_RELEASE, reason)  # before anything tells whether there is such a pupil
    found: dict[tuple[FieldClass, bytes, str], list[Waiting]] = {}
    for one in _looked_at(school, actor, about, pupil(school, about.source, about.las_key).id, reason):
        found.setdefault((one.field_class, one.digest, one.shown), []).append(one)
    return [Waits(same[0], tuple(dict.fromkeys(one.path for one in same))) for same in found.values()]


def _looked_at(school: School, actor: Actor, about: About, subject: bytes, reason: str) -> list[Waiting]:
    standings = _standings(school, about.recipient, about.purpose)
    told = {"recipient": about.recipient, "purpose": about.purpose}
    school.look(actor, Deed.TEXT_RELEASE, reason, as_registered(school, subject), about=told)
    if about.file is not None:
        return asyncio.run(_in_file(school, actor, subject, about, standings))
    return asyncio.run(_review(school, actor, subject, standings))


def _standings(school: School, recipient: str, purpose: str) -> list[Standing]:
    found = [one for key, one in compiled(school).standings.items() if key[:2] == (recipient, purpose)]
    if not found:
        raise Refused(["this recipient has no such delivery"])
    return found


async def _review(school: School, actor: Actor, subject: bytes, standings: list[Standing]) -> list[Waiting]:
    deliveries = [one.delivery for one in standings]
    async with outside(school) as opened:
        review = Review(opened, sizes_of(school), subject)
        found: list[Waiting] = []
        asked = list(parts(school, opened.world.now(), subject, deliveries))
        if not asked:
            raise Refused(["the source cannot be asked for one pupil in this delivery"])
        for source, delivery, record in asked:
            try:
                found += await review.waiting(actor.name, source, delivery, record)
            except Stop as stop:
                raise Refused([f"{stop.reason}: {sentence(stop.reason, actor.roles)}"]) from None
        return found


async def _in_file(
    school: School, actor: Actor, subject: bytes, about: About, standings: list[Standing]
) -> list[Waiting]:
    """What waits in a file that a person of the school is to hand in."""
    schemas = sorted(one.delivery.schema for one in standings)
    if about.schema is None and len(schemas) > 1:
        raise Refused(["say what the file holds: --schema"])
    schema = about.schema or schemas[0]
    assert about.file is not None
    wanted = Wanted(source_of(school, schema, about.source), schema, about.recipient, about.purpose)
    async with outside(school) as opened:
        try:
            return FileReview(opened, sizes_of(school), subject).waiting(actor.name, wanted, chunks_of(about.file))
        except Stop as stop:
            raise Refused([f"{stop.reason}: {sentence(stop.reason, actor.roles)}"]) from None


def release(school: School, actor: Actor, about: About, content: Content, reason: str) -> int | None:
    """Something that waits. The number of the proposal when a second person must confirm. Raises Refused."""
    act = school.act(actor, Deed.TEXT_RELEASE, reason)
    subject = pupil(school, about.source, about.las_key).id
    document = _waits(school, actor, about, subject, content, reason)
    if needs_two(Deed.TEXT_RELEASE, _weights(school, about)):
        arguments = {
            "about": str(document.field_class),
            "recipient": about.recipient,
            "purpose": about.purpose,
            "subject": subject.hex(),
            "digest": content.digest.hex(),
            "called": content.called,
            "everybody": content.everybody,
            "in_file": about.file is not None,
        }
        return propose(school, actor, Deed.TEXT_RELEASE, arguments, reason)
    _keep(school, act, subject, about.recipient, document)
    return None


@carries(Deed.TEXT_RELEASE)
def _release_confirmed(school: School, actor: Actor, arguments: Mapping[str, Any], reason: str) -> None:
    """Everything is looked at again: the text may have changed since. A file is not kept; its content is what the
    digest says, and is looked at again when it is handed in."""
    act = school.act(actor, Deed.TEXT_RELEASE, reason)
    about = About(arguments["recipient"], arguments["purpose"], "")
    called = FieldClass(arguments["called"]) if arguments["called"] else None
    content = Content(bytes.fromhex(arguments["digest"]), called, everybody=arguments["everybody"])
    subject = bytes.fromhex(arguments["subject"])
    if arguments.get("in_file"):
        found = Waiting(NOBODIES[0], "", FieldClass(arguments["about"]), content.digest, "")
        document = _document(found, about, content)
    else:
        document = _waits(school, actor, about, subject, content, reason)
    _keep(school, act, subject, about.recipient, document)


def _waits(school: School, actor: Actor, about: About, subject: bytes, content: Content, reason: str) -> Document:
    for one in _looked_at(school, actor, about, subject, reason):
        if one.digest == content.digest:
            return _document(one, about, content)
    raise Refused(["nothing with this digest waits of this pupil in this delivery"])


def _document(one: Waiting, about: About, content: Content) -> Document:
    return Document(
        digest=one.digest,
        purpose=about.purpose,
        field_class=_class(one, content.called),
        recipient=None if content.everybody else about.recipient,
    )


def _class(one: Waiting, called: FieldClass | None) -> FieldClass:
    """R38: what a person calls a document decides whether it may leave without more."""
    if called is None:
        return one.field_class
    if one.field_class is not FieldClass.DOCUMENT or called not in FREE:
        raise Refused([f"only a document is called something: {', '.join(sorted(FREE))}; another does not leave"])
    return called


def _weights(school: School, about: About) -> frozenset[Any]:
    schemas = compiled(school).schemas
    standings = _standings(school, about.recipient, about.purpose)
    return frozenset().union(
        *(weights(replace(one.recipient, deliveries=(one.delivery,)), schemas) for one in standings)
    )


def _keep(school: School, act: Act, subject: bytes, recipient: str, document: Document) -> None:
    try:
        stored.release_content(school.database, school.store_keys, subject, recipient, document, act)
    except UnknownSubject:
        raise Refused(["this pupil was forgotten"]) from None

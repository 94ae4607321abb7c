"""What the demo school has before it is called: roster, persons, activations, facts, credentials.

Leaves out: its directory (`demo.directory`), its files (`demo.examples`), starting and telling (`demo`).
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import orjson

from gateway.bootstrap import acts, fact_acts, facts, proposals, session
from gateway.bootstrap.office import synchronise
from gateway.bootstrap.school import Refused, School, Unusable, legal_today, open_school
from gateway.cli.demo_calls import Client
from gateway.core.gate.decide import API
from gateway.core.model import Ground
from gateway.core.persons import Actor
from gateway.demo.directory import secret_path
from gateway.demo.examples import example_facts
from gateway.demo.persons import PERSONS, SECOND, SIGNED_IN, DemoPerson
from gateway.demo.school import make_school

SEED = 1
SOURCES = ("lvs", "oneroster", "somtoday")  # the one LVS of the demo, in each of its live JSON dialects
_WHY = "make demo"
_SIGNED_IN = timedelta(days=30)  # the person at the demo's command line; a school's session is short


async def furnish(directory: Path) -> tuple[list[Client], Client]:
    """Roster, persons, activations, declared facts and credentials, also one of a system of the school; a second start
    adds credentials only, as secrets are shown once."""
    if not await synchronise(directory, *SOURCES):
        raise Unusable(["the demo LVS did not answer"])
    with open_school(directory) as school:
        fresh = session.nobody_yet(school)
        actor = _people(school, directory)
        for name, state in acts.recipients(school):
            if state == "not activated":
                _activate(school, name, actor)
        undone = [(kind, place) for kind, place, declared, _ in facts.status(school).declared if declared is None]
        for kind, place in undone:
            facts.declare(school, actor, [kind], [place], _WHY)
        if fresh:
            _know(school, actor)
        standings = acts.compiled(school).standings
        # who receives on a permit alone has no credential: a person of the school hands over (D4)
        # nor who is handed files
        # nor who calls by a schema that the demo LVS does not speak
        speaks = {schema for source in school.settings.sources.values() for schema in source.schemas}
        called = {key[:2] for key, one in standings.items() if one.delivery.channel == API and key[2] in speaks}
        keys = sorted(called - {key[:2] for key, one in standings.items() if one.delivery.conditions.one_off})
        # whose pupils are asked comes last: its lists are empty until somebody consented
        terms = [(key[:2], one.delivery.grondslag) for key, one in standings.items()]
        asked = {key for key, grondslag in terms if grondslag and grondslag.ground is Ground.CONSENT}
        keys.sort(key=asked.__contains__)
        made = [(recipient, purpose, acts.new_client(school, recipient, purpose, actor)) for recipient, purpose in keys]
        own = acts.new_client(school, None, None, actor)
    clients = [Client(recipient, purpose, new.id, new.secret, new.api_key) for recipient, purpose, new in made]
    return clients, Client("", "", own.id, own.secret, own.api_key)


def _people(school: School, directory: Path) -> Actor:
    """The demo's persons, where they are not there yet, and the first of them signed in; whoever acts below, also when
    somebody took that person's roles away."""
    if session.nobody_yet(school):
        session.add_first_person(school, SIGNED_IN.name, SIGNED_IN.held, credentials_of(directory, SIGNED_IN))
    actor = Actor(SIGNED_IN.name, frozenset(SIGNED_IN.held), confidential=True)
    known = {one.name for one in session.list_persons(school, actor)}
    for one in PERSONS:
        if one.name not in known:
            session.add_person(school, actor, one.name, one.held, credentials_of(directory, one), _WHY)
        session.accept_statement(school, replace(actor, name=one.name))
    rules = replace(school.sign_in_rules(), idle=_SIGNED_IN, lifetime=_SIGNED_IN)
    with contextlib.suppress(Refused):  # revoked since
        session.keep_session(school, SIGNED_IN.name, rules)
    return actor


def _know(school: School, actor: Actor) -> None:
    """What must be known about pupils for something of each example to leave."""
    for kind, rows in example_facts(make_school(SEED, legal_today())):
        file = io.BytesIO(orjson.dumps(rows))
        fact_acts.bring_in(school, actor, kind, file, kind, _WHY)


def _activate(school: School, name: str, actor: Actor) -> None:
    """Where two persons must stand for it, the demo has two (R116)."""
    number = acts.activate(school, name, actor, _WHY)
    if number is not None:
        second = Actor(SECOND.name, frozenset(SECOND.held), confidential=True)
        proposals.confirm(school, number, second)


def credentials_of(directory: Path, one: DemoPerson) -> session.Credentials:
    secret = secret_of(directory)
    return session.Credentials(one.password(secret), one.totp(secret))


def secret_of(directory: Path) -> str:
    return secret_path(directory).read_text(encoding="ascii").strip()

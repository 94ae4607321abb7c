"""A delivery of a list in XML that no shipped schema has, as a school would write it: schema and recipient."""

from __future__ import annotations

from gateway.adapters.policy.files import load_recipient, load_schema
from gateway.core.policy.rules import RecipientState, compile_standings
from gateway.core.policy.schema import Schema
from gateway.core.policy.terms import Recipient
from gateway.transfer.compiled import Compiled, compile_policy
from tests.policy.shipped import answered
from tests.simulators.world import ORGANISATION

SCHEMA = """\
schema: lijst
title: Lijst van leerlingen
version: "1.0"
format: xml
base_path: ""
direction: pull
errors: problem
namespaces: {default: "urn:example:lijst"}
identities:
  leerling: {keys: {own: "@key", kinds: {"@key": las-key}}}
records:
  leerling:
    element: leerling
    envelope: leerlingen
    subjects: [{at: "", person: pupil, withheld: record, ids: leerling}]
    fields:
      "@key": {type: string, class: id, category: pupil-number, required: true}
      naam: {type: string, class: direct, category: name}
      leerjaar: {type: integer, class: ordinary, category: organisation}
routes: []
"""
SPACE = "urn:example:lijst"
NAME, PURPOSE = "toetsbureau", "papieren-toets"


def schema() -> Schema:
    found = load_schema(SCHEMA, "schemas/lijst.yaml")
    assert isinstance(found, Schema), found
    return found


def recipient() -> str:
    """The template with this schema in place of its own."""
    text = answered(NAME)
    return (
        text[: text.index("    schemas:\n")]
        + """\
    schemas:
      lijst:
        leerling:
          "@key":
            transform: pseudonym
            reason: Antwoordblad en uitslag moeten bij dezelfde leerling horen.
          leerjaar:
            reason: De toets verschilt per leerjaar.
"""
    )


def policy() -> Compiled:
    """This delivery alone, activated."""
    known = {"lijst": schema()}
    found = load_recipient(recipient(), f"recipients/{NAME}.yaml", known)
    assert isinstance(found, Recipient), found
    state = RecipientState(active=found, active_schemas=known, file=found, suspended=False)
    return compile_policy(compile_standings([state], known, ORGANISATION), known, {"lvs": ["lijst"]})


def pupil(key: str, inner: str = "<leerjaar>1</leerjaar>") -> str:
    return f'<leerling key="{key}"><naam>Anne</naam>{inner}</leerling>'


def listed(*pupils: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><leerlingen xmlns="{SPACE}">{"".join(pupils)}</leerlingen>'.encode()

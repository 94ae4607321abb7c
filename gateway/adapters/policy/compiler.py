"""From the policy texts in the database to what runs: parsed, narrowed to what is active and in the file, compiled.

A text that does not load gives its recipient nothing and takes nobody else down. Texts are parsed once: a change of
one file costs that file. Leaves out: which rules there are (`core.policy.rules`), where the texts are kept (`store`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from gateway.adapters.policy.files import load_recipient, load_schema
from gateway.adapters.policy.store import Activation, PolicyState
from gateway.core.policy.rules import RecipientState, compile_standings
from gateway.core.policy.schema import Schema
from gateway.core.policy.terms import Organisation, Recipient
from gateway.transfer.compiled import Compiled, compile_policy

_REMEMBERED = 512  # texts; more than the files of a large school board


def compile_state(state: PolicyState, organisation: Organisation, sources: Mapping[str, tuple[str, ...]]) -> Compiled:
    """`sources`: source → the schemas it speaks. The last are remembered: who opens the school for each act, as the
    office does, compiles once."""
    active = {name: (one.text, one.schemas) for name, one in state.active.items()}
    told = (state.files, active, state.suspended, organisation, sources)
    known = next((compiled for before, compiled in tuple(_compiled) if before == told), None)
    if known is None:
        known = _compile(state, organisation, sources)
        _compiled.append((told, known))
    return known


def _compile(state: PolicyState, organisation: Organisation, sources: Mapping[str, tuple[str, ...]]) -> Compiled:
    schemas = file_schemas(state)
    standings = compile_standings(recipient_states(state, schemas), schemas, organisation)
    return compile_policy(standings, schemas, sources)


def file_schemas(state: PolicyState) -> dict[str, Schema]:
    """The schemas whose files can be read, by name."""
    return _schemas({file.name: file.text for file in state.files if file.kind == "schema"})


def recipient_states(state: PolicyState, schemas: Mapping[str, Schema]) -> list[RecipientState]:
    """Every recipient that anybody activated, suspended or wrote."""
    files = {file.name: file.text for file in state.files if file.kind == "recipient"}
    names = sorted({*files, *state.active, *state.suspended})
    return [_state(name, files.get(name), state, schemas) for name in names]


def _state(name: str, text: str | None, state: PolicyState, schemas: Mapping[str, Schema]) -> RecipientState:
    active = state.active.get(name)
    active_schemas = _schemas(active.schemas) if active else {}
    return RecipientState(
        active=_activated(active, active_schemas),
        active_schemas=active_schemas,
        file=_recipient(text, name, schemas) if text is not None else None,
        suspended=name in state.suspended,
    )


def _activated(active: Activation | None, schemas: Mapping[str, Schema]) -> Recipient | None:
    return _recipient(active.text, active.recipient, schemas) if active else None


def _schemas(texts: Mapping[str, str]) -> dict[str, Schema]:
    found = {name: load_schema(text, f"{name}.yaml") for name, text in texts.items()}
    return {name: schema for name, schema in found.items() if isinstance(schema, Schema)}


def _recipient(text: str, name: str, schemas: Mapping[str, Schema]) -> Recipient | None:
    named = tuple(sorted((schema, value.text_hash) for schema, value in schemas.items()))
    key = (text, name, named)
    if key not in _recipients:
        if len(_recipients) >= _REMEMBERED:
            _recipients.clear()
        loaded = load_recipient(text, f"{name}.yaml", schemas)
        _recipients[key] = loaded if isinstance(loaded, Recipient) else None
    return _recipients[key]


_recipients: dict[tuple[str, str, tuple[tuple[str, str], ...]], Recipient | None] = {}
_compiled: deque[tuple[object, Compiled]] = deque(maxlen=4)  # what it was made of, and what was made

"""JSON Schemas of the three kinds of file, made from the forms, for editors.

They say the shape: what they refuse the loader refuses too, but not the other way round (two places that must agree,
a rule of law, are the loader's and `core.policy.rules`'s). Draft 7, the newest that YAML editors read.
"""

from __future__ import annotations

import json
from typing import Any

from gateway.adapters.policy.forms import Form
from gateway.adapters.policy.recipient_forms import RecipientForm
from gateway.adapters.policy.schema_forms import SchemaForm
from gateway.adapters.policy.settings_forms import SettingsForm

FORMS: dict[str, tuple[type[Form], str]] = {
    "schema": (SchemaForm, "schemas/NAME.yaml: what one format of an administration contains"),
    "recipient": (RecipientForm, "recipients/NAME.yaml: who receives, and under which terms"),
    "gateway": (SettingsForm, "gateway.yaml: where the gateway runs"),
}


def file_name(kind: str) -> str:
    return f"{kind}.schema.json"


def text(kind: str) -> str:
    """The JSON Schema of one kind of file as it is shipped."""
    form, title = FORMS[kind]
    made = form.model_json_schema(by_alias=True, ref_template="#/definitions/{model}")
    made["definitions"] = made.pop("$defs", {})
    whole = {"$schema": "http://json-schema.org/draft-07/schema#", **made, "title": title}
    return json.dumps(_plain(whole), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _plain(value: Any) -> Any:
    """Without the titles pydantic makes of key names, which say nothing the key does not; and a name that is no name
    is refused where names are the school's own."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    made = {key: _plain(one) for key, one in value.items()}
    if isinstance(made.get("title"), str) and "$schema" not in made:
        del made["title"]
    if "patternProperties" in made:
        made["additionalProperties"] = False
    return made

"""Write the shipped JSON Schemas (schemas/json/) from the forms: `python -m scripts.json_schemas`."""

from __future__ import annotations

from pathlib import Path

from gateway.adapters.policy.json_schema import FORMS, file_name, text

FOLDER = Path(__file__).parents[1] / "schemas" / "json"


def main() -> None:
    """Overwrite what is there; a test says when that was forgotten."""
    FOLDER.mkdir(exist_ok=True)
    for kind in FORMS:
        (FOLDER / file_name(kind)).write_text(text(kind), encoding="utf-8")


if __name__ == "__main__":
    main()

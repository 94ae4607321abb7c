"""Filling in the open questions of a recipient file, with everything else, comments too, as it was.

Leaves out: whether an answer is right; the file is read again as any other (`files`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from gateway.adapters.policy.yaml_text import Asked, read

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

Answer = str | int | bool | Sequence[str]
Given = Mapping[str, Answer] | Mapping[int, Answer] | Mapping[int | str, Answer]


def questions(text: str) -> list[Asked]:
    """The open questions in the order of the file."""
    return sorted(read(text, "").asked, key=lambda asked: asked.begin)


def answers(text: str, given: Given) -> str:
    """`text` with each question answered that `given` names, by its line or by its dotted path
    (`deliveries.0.locations.0`; a `*` stands for any one step). Several answers fill an item of a list.
    LookupError when something is given that is not asked: a misspelt path must not pass for an answer."""
    used: set[int | str] = set()
    for asked in reversed(questions(text)):
        for name, answer in given.items():
            if name == asked.line or (isinstance(name, str) and _matches(name, asked.path)):
                text = text[: asked.begin] + _written(answer, asked, text) + text[asked.end :]
                used.add(name)
                break
    if unused := [str(name) for name in given if name not in used]:
        raise LookupError("not asked in this file: " + ", ".join(unused))
    return text


def _matches(name: str, path: Sequence[str]) -> bool:
    steps = name.split(".")
    return len(steps) == len(path) and all(step in ("*", there) for step, there in zip(steps, path, strict=True))


def _written(answer: Answer, asked: Asked, text: str) -> str:
    """An answer as YAML: text in quotes, so that it can mean nothing else, but for a day, which only is one."""
    if isinstance(answer, str | int):
        return _scalar(answer)
    written = [_scalar(one) for one in answer]
    line_start = text.rfind("\n", 0, asked.begin) + 1
    before = text[line_start : asked.begin]
    if before.strip() == "-":
        return f"\n{before}".join(written)
    return ", ".join(written)


def _scalar(answer: str | int) -> str:
    if isinstance(answer, str) and _DAY.fullmatch(answer):
        return answer
    return json.dumps(answer, ensure_ascii=False)

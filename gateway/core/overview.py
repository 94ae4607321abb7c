"""What the register says about one pupil, for a person who may read it, in Dutch (R78, R80, N11).

Pure. Alike entries are one row with their number, as a class list may have been asked for every five minutes. What only
releaser and FG may see is `guarded`: they weigh it before they tell (art. 23 AVG, art. 41 UAVG), and it is left out of
what is handed over, which speaks of categories of data and no field of an LVS (art. 12(1), 15(1)(b) AVG). Leaves out:
reading the register and its view log (`bootstrap.overview`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from gateway.core.days import dutch_clock
from gateway.core.dutch import CATEGORIES, GROUNDS, said_moment
from gateway.core.model import Category, Ground
from gateway.core.persons import SECRET_REASONS, WITHHELD, PersonRole, sentence, shown, shown_entry
from gateway.core.reasons import Reason

HEADINGS = {
    "released": "Overgedragen",
    "withheld": "Niet overgedragen",
    "viewed": "Bekeken door de school",
    "changed": "Vastgelegd of besloten door de school",
    "found": "Gevonden in een antwoord van het LVS",
}
_WHAT = {"view": "viewed", "change": "changed", "finding": "found"}
GUARDED = "alleen voor releaser en FG: weeg af voordat u dit vertelt (art. 23 AVG, art. 41 UAVG)"
Told = str | tuple[str, ...]
_HANDED_OVER = frozenset({"released", "withheld", "viewed"})
_NAMING = ("on behalf of: ", "second person: ")
_REASONS = frozenset(Reason)
_COUNTED = "in aantallen leerlingen, zonder wie zij zijn"
_CATEGORIES = frozenset(Category)
_GROUNDS = frozenset(Ground)
_REFERENCE = 32  # hexadecimal digits


class Share(NamedTuple):
    """One pupil's place in a roll: among the released, without which (path, reason), or withheld for which reasons."""

    released: bool
    without: tuple[tuple[str, str], ...]
    withheld: tuple[str, ...]


def share(roll: bytes, reference: bytes) -> Share:
    """From the list of pupils behind an entry (`core.register`)."""
    content, one = json.loads(roll), reference.hex()
    partial = [words for words, who in content.get("partial", {}).items() if _among(one, who)]
    withheld = [words for words, who in content.get("withheld", {}).items() if _among(one, who)]
    return Share(
        _among(one, content.get("released", "")),
        tuple((path, why) for path, _, why in (word.rpartition(":") for word in _words(partial))),
        tuple(_words(withheld)),
    )


def _among(one: str, joined: str) -> bool:
    at = joined.find(one)
    while at % _REFERENCE and at > 0:  # two neighbours may have it where they meet
        at = joined.find(one, at + 1)
    return at >= 0


def _words(lists: Iterable[str]) -> list[str]:
    return sorted({word for words in lists for word in words.split(",") if word})


@dataclass(frozen=True, slots=True)
class Line:
    """Entries about this pupil that say the same. `says`: in the order in which it is told."""

    what: str
    says: tuple[tuple[str, Told], ...]
    guarded: bool


@dataclass(slots=True)
class Times:
    """When a line was said: how often, first, last, and the id of the last (the `Gateway-Transfer` of a delivery)."""

    number: int
    first: str
    last: str
    id: str


Classified = Mapping[str, Iterable[tuple[str, Category]]]
"""Schema → path of every field with its category; a path of two records may stand in it twice."""


class Reader(NamedTuple):
    """Who reads it. `hand_over`: it is made to be given to the pupil or the parents, whoever makes it; `classified`:
    of which categories what stayed behind is; `counted`: (recipient, purpose) of deliveries of counts (R45)."""

    roles: frozenset[PersonRole]
    hand_over: bool = False
    classified: Classified = MappingProxyType({})
    counted: frozenset[tuple[str, str]] = frozenset()


def overview(entries: Iterable[tuple[Mapping[str, Any], Share]], reader: Reader) -> dict[Line, Times]:
    """`entries`: the oldest first."""
    found: dict[Line, Times] = {}
    for entry, part in entries:
        line = _line(entry, part, reader)
        if line is None or (reader.hand_over and (line.guarded or line.what not in _HANDED_OVER)):
            continue
        times = found.setdefault(line, Times(0, entry["moment"], "", ""))
        times.number, times.last, times.id = times.number + 1, entry["moment"], entry["id"]
    return found


def _line(entry: Mapping[str, Any], part: Share, reader: Reader) -> Line | None:
    seen = shown_entry(entry, reader.roles)
    if seen is None:
        return None
    what = _WHAT.get(entry["kind"], "released" if part.released else "withheld")
    says = _act(seen, reader) if entry["kind"] in _WHAT else _transfer(seen, part, reader)
    guarded = shown_entry(entry, frozenset()) is None or not SECRET_REASONS.isdisjoint(part.withheld)
    return Line(what, tuple((name, value) for name, value in says if value), guarded)


def _transfer(seen: Mapping[str, Any], part: Share, reader: Reader) -> Iterator[tuple[str, Told]]:
    for name in ("recipient", "purpose", "grondslag"):
        yield name, seen.get(name, "")
    if not part.released:
        yield "reasons", tuple(_why(why, reader) for why in part.withheld)
    elif reader.hand_over:
        yield from _categories(seen, part, reader)
    else:
        gone = tuple(path for path, _ in part.without)
        yield "fields", tuple(path for path in seen.get("fields", ()) if not _below(path, gone))
        yield "without", tuple(f"{path}: {_told(why, reader.roles)}" for path, why in part.without)
    if part.released:
        yield "detail", tuple(word for word in seen.get("detail", ()) if word.startswith(("permit: ", "through: ")))
    if not reader.hand_over:
        yield "route", seen.get("route", "")


def _categories(seen: Mapping[str, Any], part: Share, reader: Reader) -> Iterator[tuple[str, Told]]:
    """What is withheld for a secret reason is not told, and not told to have left either."""
    gone = tuple(path for path, _ in part.without)
    classified = tuple(reader.classified.get(seen.get("schema", ""), ())) if gone else ()
    left = {path for path in seen.get("fields", ()) if not _below(path, gone)}
    behind = {of for path, of in classified if _below(path, gone)} - {of for path, of in classified if path in left}
    yield "categories", tuple(of for of in seen.get("categories", ()) if of not in behind)
    yield "counted", _COUNTED if (seen.get("recipient"), seen.get("purpose")) in reader.counted else ""
    told = [(path, why) for path, why in part.without if why not in SECRET_REASONS]
    yield "without", tuple(dict.fromkeys(
        f"{called(of)}: {_plainly(why)}" for path, why in told for below, of in classified if _below(below, (path,))
    ))  # fmt: skip


def _act(seen: Mapping[str, Any], reader: Reader) -> Iterator[tuple[str, Told]]:
    """Who at school did it is told inside the school only (CJEU C-579/21)."""
    yield "actor", "" if reader.hand_over else seen.get("actor", "")
    yield "deed", seen.get("outcome", "")
    said = tuple(seen.get("detail", ()))
    yield "detail", tuple(one for one in said if not (reader.hand_over and one.startswith(_NAMING)))


def _below(path: str, gone: tuple[str, ...]) -> bool:
    return any(path == one or path.startswith(f"{one}.") for one in gone)


def _why(why: str, reader: Reader) -> str:
    return _plainly(why) if reader.hand_over else _told(why, reader.roles)


def _plainly(why: str) -> str:
    """The sentence and the article, without our own words for it."""
    return f"{Reason(why).meaning.school} ({Reason(why).meaning.article})" if why in _REASONS else why


def _told(why: str, roles: frozenset[PersonRole]) -> str:
    """The reason's word with its rule, article and sentence; a word that is no reason stays as it is."""
    if why not in _REASONS:
        return why
    reason = Reason(why)
    if shown(reason, roles) == WITHHELD:
        return sentence(reason, roles)
    return f"{reason} ({reason.meaning.rule}; {reason.meaning.article}): {reason.meaning.school}"


# -- as text --------------------------------------------------------------------------------------------

_DEEDS = {
    "facts.read": "bekeek wat is vastgelegd",
    "pupil.view": "bekeek deze leerling",
    "hold.view": "bekeek een zaak",
    "permit.view": "bekeek een eenmalige verstrekking",
    "facts entered": "legde vast",
    "fact ended": "beëindigde",
    "refused": "vroeg, en werd geweigerd",
}
_NAMES = {
    "purpose": "doel",
    "route": "vraag",
    "grondslag": "grondslag",
    "fields": "ten hoogste",
    "categories": "gegevens, ten hoogste",
    "counted": "alleen",
    "without": "bleef achter",
    "reasons": "omdat",
    "detail": "daarbij",
}
_SAID = {
    "reason": "reden",
    "shown": "getoond",
    "entered": "vastgelegd, van alle leerlingen samen",
    "ended": "beëindigd, van alle leerlingen samen",
    "rows of": "soort",
    "recipient": "ontvanger",
    "on behalf of": "namens",
    "second person": "tweede persoon",
    "permit": "eenmalige verstrekking",
    "through": "via",
}
"""What an entry's details begin with; what is not here stays as it is."""
_RECIPIENTS = frozenset({"recipient", "through"})


def sentences(found: Mapping[Line, Times], titles: Mapping[str, str], *, hand_over: bool = False) -> Iterator[str]:
    """Per heading the lines, the last first; `titles`: what recipients are called."""
    if not found:
        yield "Het register noemt deze leerling niet."
    for what, heading in HEADINGS.items():
        lines = sorted((one for one in found if one.what == what), key=lambda one: found[one].last, reverse=True)
        if lines:
            yield f"{heading}:"
        for line in lines:
            yield from _sentences(line, found[line], titles, hand_over=hand_over)


def _sentences(line: Line, times: Times, titles: Mapping[str, str], *, hand_over: bool) -> Iterator[str]:
    says = dict(line.says)
    name = str(says.pop("recipient", ""))
    named = titles.get(name, name) if hand_over else f"{titles[name]} ({name})" if name in titles else name
    yield f"  {named or _who(says)}{f'  [{GUARDED}]' if line.guarded else ''}"
    yield f"    {_when(times, said_moment if hand_over else dutch_clock)}"
    for word, value in says.items():
        for one in _values(word, value, titles):
            yield f"    {_NAMES[word]}: {_in_words(word, one) if hand_over else one}"


def _values(word: str, value: Told, titles: Mapping[str, str]) -> Iterable[str]:
    if isinstance(value, str):
        return [value]
    if word == "categories":
        return ["; ".join(map(called, value))]  # a name may have a comma
    if word == "detail":
        return [_said(one, titles) for one in value]
    return [", ".join(value)] if word == "fields" else value


def called(category: str) -> str:
    """In Dutch; one that was left since stays as it was."""
    return CATEGORIES[Category(category)] if category in _CATEGORIES else category


def _in_words(word: str, value: str) -> str:
    """A purpose without its hyphens; a ground by its name before its reference."""
    if word == "purpose":
        return value.replace("-", " ")
    letter, colon, reference = value.partition(": ")
    if word == "grondslag" and colon and letter in _GROUNDS:
        return f"{GROUNDS[Ground(letter)]} ({reference.rstrip('.')})"
    return value


def _said(detail: str, titles: Mapping[str, str]) -> str:
    begin, colon, rest = detail.partition(": ")
    return f"{_SAID.get(begin, begin)}{colon}{titles.get(rest, rest) if begin in _RECIPIENTS else rest}"


def _who(says: dict[str, Told]) -> str:
    deed = str(says.pop("deed", "-"))
    return f"{says.pop('actor', 'een medewerker')}: {_DEEDS.get(deed, deed)}"


def _when(times: Times, said: Callable[[datetime], str]) -> str:
    first, last = (said(datetime.fromisoformat(moment)) for moment in (times.first, times.last))
    if times.number == 1:
        return f"{last}, regel {times.id}"
    when = last if first == last else f"van {first} tot en met {last}"
    return f"{times.number} keer, {when}, de laatste in regel {times.id}"


def as_json(line: Line, times: Times) -> dict[str, Any]:
    """For a program; the moments are in UTC."""
    guarded = {"guarded": True} if line.guarded else {}
    when = {"times": times.number, "first": times.first, "last": times.last, "id": times.id}
    return {"what": line.what, **dict(line.says), **when, **guarded}

"""Words that policy refuses: commercial purposes, and reasons that say nothing. Dutch and English.

Leaves out: where a text stands and which rule it breaks (`rules`).
"""

from __future__ import annotations

import re
from functools import lru_cache

# R11: parts of words, because Dutch compounds them (reclamedoeleinden, productmarketing).
_COMMERCIAL = re.compile(
    r"verkoop|verkop|reclame|marketing|advert|commerci|commerce|klantprofiel|consumentenprofiel"
    r"|\bsales?\b|\bsell(?:ing)?\b|\bads?\b",
)

# R4, R10: a text with one of these is no reason and no list.
_EMPTY_PHRASES = re.compile(
    r"\*|\bhandig|\bgemak|\bmakkelijk|\bwellicht\b|\bmisschien\b|\booit\b|\benzovoort|\benz\b|\betc\b|\bet cetera\b"
    r"|\boverig|\bdiverse|\bhandy\b|\bconvenien|\bnice to have\b|\bjust in case\b|\band so on\b|\bmaybe\b",
)

# R4: texts that are only this say nothing either.
_FILLERS = frozenset({"nodig", "noodzakelijk", "nvt", "geen", "ja", "nee", "tbd", "todo", "x", "needed", "yes", "no"})


@lru_cache(maxsize=1024)
def forbidden_purpose(purpose: str) -> bool:
    """R11: sale, advertising, marketing, profiling for commerce; not even with consent."""
    return _COMMERCIAL.search(re.sub(r"[\W_]+", " ", purpose.casefold())) is not None


def vague(text: str | None) -> bool:
    """R4, R10: a reason or a list that is empty or opens to everything."""
    return _silent(text) or _EMPTY_PHRASES.search(_plain(text)) is not None


def hollow(text: str | None) -> bool:
    """An explanation that says nothing. A long one may use a word like 'overige' and still explain; a short one
    that does has nothing else in it."""
    return _silent(text) or (len(_plain(text).split()) <= _SHORT and vague(text))


_SHORT = 6  # words


def _plain(text: str | None) -> str:
    return " ".join((text or "").casefold().split())


def _silent(text: str | None) -> bool:
    letters = re.sub(r"[\W_]+", "", _plain(text))
    return not letters or letters in _FILLERS

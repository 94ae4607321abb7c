"""Free text without the names and numbers that say whom it is about (D8, R88, N5).

`Mask` knows the names of one answer of the source: of the pupil, the guardians and everybody else in the same fetch;
they are in memory for that answer only. Each becomes a neutral word. Names are found by whole words, whatever the
case and the accents, with tussenvoegsels, initials and Dutch endings (Jans, Jantje). A note also names who is not in
the fetch, a pupil of another location or an aunt: a word with a capital within a sentence counts as a name too, since
Dutch writes little else so. What is an e-mail address, a
link, a postcode or a number of eight digits or more is masked whoever it belongs to. Masking is a help and no proof
that nobody can be recognised: beside a special category a person releases the text that is left (`classified`, D8).
Leaves out: which fields are names (`formats`), who released what (`facts`), the BSN (`national_number`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from gateway.core.release.national_number import DATE

LONGEST = 100_000
"""Signs of a free text. What is longer (a picture in a note) nobody reads, and masking it would take seconds: its
record is malformed."""

NAME, MAIL, LINK, NUMBER, POSTCODE = "[naam]", "[e-mail]", "[link]", "[nummer]", "[postcode]"

# Small words of names: masked before one, never alone.
_ROW = """van von vom zu zum zur de der den het t ten ter te s la le les los el al du des di da do dos das del della
ibn ben bin bint abu af av d l o"""
_PARTICLES = frozenset(_ROW.split())
_SMALL = _PARTICLES | {"aan", "bij", "in", "onder", "op", "over", "tot", "uit", "voor", "en", "e", "i", "y"}
_GLUED = re.compile(r"^(?:van|von|der|den|de|ter|ten|te|het|la|le|el|al|di|da|du|del|ben|abu)+")
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f])*")
_BETWEEN = re.compile(r"[\s\-\u2013'\u2019.]*")
# Endings that Dutch puts behind a name: Jans, Jantje, Pietjes.
_ENDINGS = ("s", "je", "jes", "tje", "tjes", "etje", "etjes", "pje", "pjes", "kje", "kjes")

# Where a word has its capital from the sentence; behind an initial it does not.
_BEGINS = re.compile(r"(?:^|[.!?:;\n\r\"\u201c(\[*\u2022])\s*$")
_INITIAL = re.compile(r"(?<![^\W_])[^\W\d_]\.\s*$")
_LEFT = 40  # signs looked back
_LONGEST_ABBREVIATION = 5
# Words with a capital that name nobody, and words that begin a sentence before a name.
_KNOWN = """nederlands engels frans duits spaans turks arabisch pools oekraiens fries latijn grieks nederland cito
magister somtoday teams kerst pasen ramadan suikerfeest sinterklaas"""
_OPENING = """aan als bij dat de deze die door en er gisteren het hij hoewel ik in juf maar meester meneer mentor
met mevrouw moeder na naar of om omdat ook op ouders oma opa over sinds tante tegen toen tot vader
van vandaag voor volgens want wat wie zij ze zonder broer zus oom leerling heeft is was gaf kreeg
zag nadat terwijl dhr mw"""
_NOBODY = frozenset(_KNOWN.split())
_OPENERS = frozenset(_OPENING.split())

# Each begins where a row of its signs does: begun at every sign, the time grows with the square of the text.
_MAIL = re.compile(r"(?<![^\s@<>()\[\],;:\"])[^\s@<>()\[\],;:\"]+@[^\s@<>()\[\],;:\"]+")
_LINK = re.compile(r"(?:(?<![a-z0-9+.\-])[a-z0-9+.\-]+://|\bwww\.)\S+", re.IGNORECASE)
_IBAN = re.compile(r"\b[a-z]{2}\d{2}(?: ?[a-z0-9]{4}){2,7}(?: ?[a-z0-9]{1,3})?\b", re.IGNORECASE)
_DIGITS = re.compile(
    rf"{DATE}|(?P<number>(?:\+\s?)?\(?\d(?:[\s.\-()/\u00ad\u00b7\u2010-\u2015\u200b-\u200d\u2060\ufeff]{{0,3}}\d){{7,}})"
)
# Two small letters after a space may be a word: "in 2026 is hij".
_TWO_LETTERS = "al|af|bv|de|di|do|en|er|ga|ik|in|is|ja|je|ma|me|na|nu|of|om|op|te|uw|vr|we|wo|za|ze|zo"
_POSTCODE = re.compile(rf"(?<!\w)[1-9]\d{{3}}(?:\s?[A-Z]{{2}}|[a-z]{{2}}|\s(?!(?:{_TWO_LETTERS})\b)[a-z]{{2}})(?!\w)")

_PLACES = ((_MAIL, MAIL), (_LINK, LINK), (_IBAN, NUMBER), (_POSTCODE, POSTCODE))
# Letters that do not fall apart in a plain one and a sign.
_FOLDED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ĳ": "ij"})

Span = tuple[int, int, str]


class Mask:
    """Made for one answer; called with each text of it."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names: set[str] = set()
        self._as_written: set[str] = set()
        self._done: dict[str, str] = {}
        for name in names:
            self._learn(name)

    def __repr__(self) -> str:
        return "<Mask …>"

    def __call__(self, text: str) -> str:
        """`text` with neutral words; the same text gives the same."""
        found = self._done.get(text)
        if found is None:
            seen = _visible(text)
            spans = sorted([*_everyday(seen), *self._named(seen)], key=lambda span: (span[0], -span[1]))
            found = self._done[text] = _replaced(seen, spans)
        return found

    def _learn(self, name: str) -> None:
        """The words of a name, also written as one. A name that is a small word counts with its capital only (Le)."""
        words = _WORD.findall(_visible(name).partition("@")[0])
        for word in words:
            fold = folded(word)
            if len(fold) > 1 and fold not in _SMALL:
                self._names.add(fold)
            elif len(fold) > 1 and word[0].isupper():
                self._as_written.add(word)
        if len(words) > 1:
            self._names.add(folded("".join(words)))

    def _named(self, text: str) -> Iterator[Span]:
        """Where names stand, with the small words and initials before them."""
        begin = end = -1  # of the row of small words and initials just before
        for match in _WORD.finditer(text):
            start, stop = match.span()
            if end < 0 or _BETWEEN.fullmatch(text, end, start) is None:
                begin = start
            end = stop
            word, opens = match.group(), _opens(text, start)
            if self._known(word) or (_has_capital(word) and not opens):
                yield begin, stop, NAME
                end = -1
            elif not _goes_before(word) and not (opens and _has_capital(word) and folded(word) not in _OPENERS):
                end = -1

    def _known(self, word: str) -> bool:
        if word in self._as_written:
            return True
        fold = folded(word)
        return self._is_name(fold) or self._is_name(_GLUED.sub("", fold))

    def _is_name(self, fold: str) -> bool:
        names = self._names
        return fold in names or any(fold.endswith(end) and fold[: -len(end)] in names for end in _ENDINGS)


def folded(word: str) -> str:
    """Without case and accents."""
    if word.isascii():
        return word.lower()
    apart = unicodedata.normalize("NFKD", word.casefold().translate(_FOLDED))
    return "".join(sign for sign in apart if not unicodedata.combining(sign)).casefold()


def _visible(text: str) -> str:
    """Without signs that nobody sees, as a soft hyphen: a name with one in it reads as the name."""
    return text if text.isascii() else "".join(sign for sign in text if unicodedata.category(sign) != "Cf")


def _opens(text: str, start: int) -> bool:
    """Whether a word that stands here has its capital from the sentence."""
    before = text[max(0, start - _LEFT) : start]
    return _BEGINS.search(before) is not None and _INITIAL.search(before) is None


def _has_capital(word: str) -> bool:
    """A capital as a name has it: no initial, no abbreviation, no word that names nobody."""
    if len(word) < 2 or not word[0].isupper() or (word.isupper() and len(word) <= _LONGEST_ABBREVIATION):
        return False
    return folded(word) not in _NOBODY


def _goes_before(word: str) -> bool:
    """An initial or a small word."""
    return folded(word) in _PARTICLES or (len(word) == 1 and word.isupper())


def _everyday(text: str) -> Iterator[Span]:
    """What points at somebody whoever it is."""
    for pattern, word in _PLACES:
        for match in pattern.finditer(text):
            yield *match.span(), word
    for match in _DIGITS.finditer(text):
        if match["number"]:
            yield *match.span(), NUMBER


def _replaced(text: str, spans: list[Span]) -> str:
    """The spans, in order, as their words; what overlaps becomes one, and so does a name of several words."""
    kept: list[Span] = []
    for start, stop, word in spans:
        before = kept[-1] if kept else (-1, -1, "")
        same_name = before[2] == word == NAME and _BETWEEN.fullmatch(text, before[1], start) is not None
        if start < before[1] or same_name:
            kept[-1] = (before[0], max(before[1], stop), before[2])
        else:
            kept.append((start, stop, word))
    pieces, end = [], 0
    for start, stop, word in kept:
        pieces += [text[end:start], word]
        end = stop
    return "".join([*pieces, text[end:]])

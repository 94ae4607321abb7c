"""Invented names, addresses and identifiers, drawn from a seeded generator.

Names are put together from syllables: none belongs to a real person. The BSNs pass the 11-proef and lie in the
range 9999xxxxx, which is not given to anybody. Leaves out who is in which class: that is `school`.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from random import Random

_GIRL_STARTS = ("Ama", "Bre", "Da", "Eli", "Fe", "Ju", "Ka", "Lie", "Ma", "Noe", "Ro", "Sa", "Ti", "Ye")
_GIRL_ENDS = ("lia", "nke", "rije", "mke", "seth", "vana", "lijn", "dine", "rissa", "belle", "tske", "wina")
_BOY_STARTS = ("Ar", "Bo", "Dir", "El", "Flo", "Gij", "Hen", "Ja", "Lu", "Me", "Ot", "Rei", "Sie", "Wil")
_BOY_ENDS = ("bert", "ko", "mar", "ndo", "rin", "sto", "wout", "dijn", "lard", "vik", "mon", "tse")
_FAMILY_STARTS = (
    "Akker", "Beuk", "Dool", "Elder", "Fraan", "Groen", "Heuvel", "Imber", "Jolster", "Kamper", "Linde",
    "Meer", "Noorder", "Ooster", "Peppel", "Roder", "Schel", "Tolle", "Ulver", "Veld", "Wester", "Zande",
)  # fmt: skip
_FAMILY_ENDS = ("baan", "dam", "horst", "kamp", "laar", "man", "mans", "rijk", "stra", "veen", "voort", "water")
_PREFIXES = ("de", "van", "van de", "van der", "ter", "ten")
_STREET_STARTS = ("Wilgen", "Merel", "Molen", "Dorps", "Haven", "Kers", "Lijster", "Singel", "Klaver", "Zonne")
_STREET_ENDS = ("hof", "laan", "pad", "plein", "straat", "weg")
_CITIES = ("Noorddrecht", "Zuidermeer", "Hoogwolde", "Lage Veld", "Oosterhaven")
_PAIRS = "ABCDEFGHJKLMNPRTVXZ"

GIRL, BOY = "female", "male"


@dataclass(frozen=True, slots=True)
class Name:
    """A name in its three Dutch parts."""

    given: str
    prefix: str | None
    family: str

    @property
    def full(self) -> str:
        return " ".join(part for part in (self.given, self.prefix, self.family) if part)


@dataclass(slots=True)
class Invention:
    """Draws invented values; unique where the real thing is unique."""

    random: Random
    _bsns: set[str] = field(default_factory=set)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def gender(self) -> str:
        return self.random.choices((GIRL, BOY, "other", "unspecified"), (49, 49, 1, 1))[0]

    def name(self, gender: str) -> Name:
        girl = gender == GIRL or (gender != BOY and self.chance(0.5))
        starts, ends = (_GIRL_STARTS, _GIRL_ENDS) if girl else (_BOY_STARTS, _BOY_ENDS)
        given = self.random.choice(starts) + self.random.choice(ends)
        family = self.random.choice(_FAMILY_STARTS) + self.random.choice(_FAMILY_ENDS)
        return Name(given, self.random.choice(_PREFIXES) if self.chance(0.35) else None, family)

    def uuid(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def hex(self, digits: int) -> str:
        return f"{self.random.getrandbits(4 * digits):0{digits}x}"

    def eck_id(self) -> str:
        """An ECK iD is a URI that ends in 128 hexadecimal digits; this host is nobody's."""
        return f"https://ketenid.nl/demo/{self.hex(128)}"

    def bsn(self) -> str:
        """A nine-digit number that passes the 11-proef and that nobody has."""
        while True:
            number = f"9999{self.random.randrange(100_000):05d}"
            if passes_eleven_test(number) and number not in self._bsns:
                self._bsns.add(number)
                return number

    def address(self) -> dict[str, str | int]:
        street = self.random.choice(_STREET_STARTS) + self.random.choice(_STREET_ENDS)
        letters = self.random.choice(_PAIRS) + self.random.choice(_PAIRS)
        address: dict[str, str | int] = {"street": street, "houseNumber": self.random.randint(1, 240)}
        if self.chance(0.15):
            address["houseNumberSuffix"] = self.random.choice("ABC")
        zip_code = f"{self.random.randint(1000, 9999)} {letters}"
        return {
            **address, "zipCode": zip_code, "city": self.random.choice(_CITIES), "countryCode": "NL",
            "country": "Nederland",
        }  # fmt: skip


def passes_eleven_test(number: str) -> bool:
    """The 11-proef of a BSN: weights 9 … 2 and -1."""
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return sum(weight * int(digit) for weight, digit in zip(weights, number, strict=True)) % 11 == 0

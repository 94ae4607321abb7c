"""Names of a pupil's circle and everyday numbers leave free text (D8, R88)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.release.masking import Mask, folded
from gateway.core.release.national_number import found_in

# What says nothing without the name behind it.
SMALL = {"van", "de", "den", "het", "ten", "ter", "te", "la", "le", "les", "los", "el", "al", "du", "des", "di", "da"}
SMALL |= {"do", "dos", "das", "del", "della"}
SMALL |= {"von", "vom", "zu", "zum", "zur", "der", "s", "ibn", "ben", "bin", "bint", "abu", "af", "av", "en", "in"}
SMALL |= {"aan", "bij", "onder", "op", "over", "tot", "uit", "voor"}
CIRCLE = ("Fatima", "van der", "Berg", "Zoë", "Jan-Willem", "O'Brien", "Le", "de", "Groot", "İbrahim", "Øyvind")


def masked(text: str, *names: str) -> str:
    return Mask(names or CIRCLE)(text)


@pytest.mark.parametrize("sign", ["\u00ad", "\u200b", "\u200d", "\u2060", "\ufeff"])
def test_name_with_a_sign_in_it_that_nobody_sees_is_masked(sign: str) -> None:
    assert masked(f"Fat{sign}ima slaat Jan{sign}-Willem.") == "[naam] slaat [naam]."
    assert masked("Fatima slaat.", f"Fat{sign}ima") == "[naam] slaat."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ruzie met Fatima van der Berg in de pauze.", "Ruzie met [naam] in de pauze."),
        ("FATIMA en fatima", "[naam] en [naam]"),
        ("Zoe, ZOË en Zoe\u0308", "[naam], [naam] en [naam]"),
        ("J.P. van der Berg belde", "[naam] belde"),
        ("Jan-Willem was er", "[naam] was er"),
        ("Jan was er, Willem niet", "[naam] was er, [naam] niet"),
        ("O'Brien lachte", "[naam] lachte"),
        ("Fatima's fiets, Groots tas, Grootje, Zoëtje", "[naam]'s fiets, [naam] tas, [naam], [naam]"),
        ("vandenberg en devanderberg", "[naam] en [naam]"),
        ("ibrahim, oyvind", "[naam], [naam]"),
        ("Le zei het, op le pont", "[naam] zei het, op le pont"),
        ("Het gaat de goede kant op", "Het gaat de goede kant op"),
        ("Bergen en herbergen", "Bergen en herbergen"),
        ("fatima_berg2010", "[naam]_[naam]2010"),
    ],
)
def test_name_of_the_circle_is_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail jan@thuis.example even", "mail [e-mail] even"),
        ("bel 06-12345678 of +31 (0)20 1234567", "bel [nummer] of [nummer]"),
        ("BSN 1234.56.783", "BSN [nummer]"),
        ("op NL91 ABNA 0417 1643 00.", "op [nummer]."),
        ("woont op 1234 AB of 1234ab", "woont op [postcode] of [postcode]"),
        ("in 2026 is hij 12", "in 2026 is hij 12"),
        ("op 12-03-2026 en 2026-03-12 afwezig", "op 12-03-2026 en 2026-03-12 afwezig"),
        ("zie https://lvs.example/leerling/12 voor meer", "zie [link] voor meer"),
        ("haalde een 7,5 voor 3 toetsen", "haalde een 7,5 voor 3 toetsen"),
    ],
)
def test_what_points_at_somebody_is_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ruzie met Gijrin ter Beuklaar in de pauze.", "Ruzie met [naam] in de pauze."),
        ("Gijrin Beuklaar belde.", "[naam] belde."),
        ("Gesproken met M. Veldkamp.", "Gesproken met [naam]."),
        ("Met Gijrin gesproken. Moeder belde.", "Met [naam] gesproken. Moeder belde."),
        ("Hij haalde een 7 voor Engels; de GGD is ingelicht.", "Hij haalde een 7 voor Engels; de GGD is ingelicht."),
    ],
)
def test_name_of_somebody_outside_the_fetch_is_masked_by_its_capital(text: str, expected: str) -> None:
    assert masked(text) == expected


def test_email_of_a_parent_teaches_the_name_and_not_the_provider() -> None:
    assert masked("Devries belde over ouders", "karin.devries@ouders.example") == "[naam] belde over ouders"


def test_name_of_one_letter_masks_nothing() -> None:
    assert masked("a b c", "A", "B") == "a b c"


def test_lower_case_prefix_alone_masks_nothing() -> None:
    assert masked("Hij is van school gewisseld", "van", "de") == "Hij is van school gewisseld"


def test_name_of_only_small_words_is_masked_where_it_is_written_so() -> None:
    assert masked("Gesprek met Van Den gevoerd; van den", "Van Den") == "Gesprek met [naam] gevoerd; van den"


def test_mask_shows_no_name() -> None:
    assert "Fatima" not in repr(Mask(["Fatima"]))


@pytest.mark.parametrize("sign", ["a", "Ab9/", "a.", "a-", "www.", "a@", "1 ", "1.", "\u0301"])
def test_long_text_without_an_end_costs_no_more_than_its_length(sign: str) -> None:
    """A picture that stands in a note as text: signs without a space."""

    def seconds(length: int) -> float:
        text = (sign * length)[:length]
        begun = process_time()
        Mask(["Anne Jansen"])(text)
        found_in(text)
        return process_time() - begun

    assert seconds(80_000) < 24 * max(seconds(10_000), 0.01)


names = st.text(alphabet="abdeéëilmnorstuvzçøABDEÉJMNOS '-", min_size=2, max_size=14)
texts = st.text(alphabet="abdeéinorst .,'-_@\n0123456789", max_size=40)


def words(text: str) -> set[str]:
    plain = unicodedata.normalize("NFC", text)
    return {folded(word) for word in re.findall(r"[^\W\d_]+", plain)}


@given(
    st.lists(names, min_size=1, max_size=4),
    st.lists(st.tuples(texts, st.integers(0, 3)), max_size=5),
    st.sampled_from([str, str.upper, str.lower, str.title]),
)
def test_no_name_of_the_circle_survives(
    circle: list[str], parts: list[tuple[str, int]], written: Callable[[str], str]
) -> None:
    text = " ".join(f"{around} {circle[which % len(circle)]}" for around, which in parts)

    left = Mask(circle)(written(text))

    around = re.sub(r"\[(?:naam|e-mail|link|nummer|postcode)\]", " ", left)
    of_the_circle = set().union(*(words(name.partition("@")[0]) for name in circle))
    assert not {word for word in words(around) & of_the_circle if len(word) > 1} - SMALL


@given(st.lists(names, max_size=4), texts)
def test_masking_twice_is_masking_once(circle: list[str], text: str) -> None:
    """But for a circle in which somebody is called Naam or Nummer."""
    mask = Mask(circle)
    once = mask(text)

    assert mask(once) == once

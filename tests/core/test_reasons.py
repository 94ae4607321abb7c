"""The table of reasons is whole, and its order is the gate's."""

from __future__ import annotations

import re

import pytest

from gateway.core.reasons import Reason, first

EVERY = pytest.mark.parametrize("reason", list(Reason), ids=str)


@EVERY
def test_reason_word_is_its_name(reason: Reason) -> None:
    assert reason.value == reason.name


@EVERY
def test_reason_cites_a_rule_and_an_article(reason: Reason) -> None:
    """R119."""
    assert re.fullmatch(r"[RND]\d+(, [RND]\d+)*", reason.meaning.rule)
    assert re.search(r"\b(AVG|UAVG|WMS|BW|Sv|WPO)\b", reason.meaning.article)


@EVERY
def test_reason_has_a_sentence_for_the_school_and_one_for_the_recipient(reason: Reason) -> None:
    assert reason.meaning.school.endswith(".")
    assert reason.meaning.recipient.endswith(".")


@EVERY
def test_reason_has_an_http_error_and_a_place_in_the_gate(reason: Reason) -> None:
    assert 400 <= reason.meaning.status < 600
    assert 0 <= reason.meaning.step <= 22


@EVERY
def test_reason_about_a_person_has_one_outward_word(reason: Reason) -> None:
    """D3."""
    about_a_person = 9 <= reason.meaning.step <= 14
    if about_a_person:
        assert reason.outward is Reason.NOT_AVAILABLE
    assert reason.outward in (reason, Reason.NOT_AVAILABLE)


@EVERY
def test_reason_about_a_person_says_what_not_available_says(reason: Reason) -> None:
    if reason.outward is Reason.NOT_AVAILABLE:
        assert reason.meaning.recipient == Reason.NOT_AVAILABLE.meaning.recipient


def test_reasons_are_declared_in_gate_order() -> None:
    steps = [reason.meaning.step for reason in Reason]

    assert steps == sorted(steps)


def test_first_is_the_earliest_step() -> None:
    assert first([Reason.NO_GRONDSLAG, Reason.PURPOSE_MISMATCH, Reason.DPIA_MISSING]) is Reason.PURPOSE_MISMATCH


def test_first_within_a_step_is_the_earliest_declared() -> None:
    assert first({Reason.PURPOSE_MISMATCH, Reason.PURPOSE_FORBIDDEN}) is Reason.PURPOSE_FORBIDDEN

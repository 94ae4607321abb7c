"""Consent as it comes in: a row per answer of a giver, the withdrawal, and the terms that a campaign states once (D6).

At the door: who gave it, in which capacity, by which act, when, to whom, for what, on which text, with which proof
(R18); given before it is entered (R19); oral is kept as a note (R20); no answer is assumed (R21); a school gives no
consent. What a row lacks is listed, not invented. Whether a consent holds on the day is `core.gate.consent`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, ClassVar

from gateway.adapters.facts.row_forms import (
    CapacityName,
    Categories,
    Day,
    Door,
    FactRow,
    Moment,
    Number,
    Recipients,
    Slug,
    Value,
    Words,
    Wrong,
    latest,
)
from gateway.adapters.policy.forms import Form, member
from gateway.core.days import legal_date
from gateway.core.facts import Answer, Capacity, Consent, ConsentTerms, Withdrawal
from gateway.core.facts import Form as Act

ActName = Annotated[Act, member(Act)]
AnswerName = Annotated[Answer, member(Answer)]
_SCHOOL = frozenset({"school", "de school", "administratie", "gateway"})
# In these capacities somebody answers without being one of the pupil's guardians.
_NO_GUARDIAN = frozenset({Capacity.PUPIL, Capacity.COURT})
_WITHDRAWS = frozenset({Capacity.PUPIL, Capacity.PARENT, Capacity.VOOGD, Capacity.CURATOR, Capacity.MENTOR})


class CampaignForm(Form):
    """What everybody in one campaign is asked (D6): to whom, for what, which categories, on which text, by which act,
    until when; `evidence`: the hash of the proof, for instance of the parent portal's export."""

    recipients: Recipients
    purpose: Slug
    categories: Categories
    text: Words
    form: ActName
    evidence: Value
    until: Day | None = None

    def wrong(self, door: Door) -> Iterator[Wrong]:
        yield from _terms_wrong(door, self.recipients, self.purpose, self.until)
        if self.form is Act.ORAL:
            yield "an oral campaign proves nothing", "R20"

    def terms(self) -> ConsentTerms:
        return ConsentTerms(
            recipients=frozenset(self.recipients),
            purpose=self.purpose,
            categories=frozenset(self.categories),
            text=self.text,
            form=self.form,
            evidence=self.evidence,
            until=self.until,
        )


class ConsentRow(FactRow):
    """One answer. `campaign` names the terms, or the row states them: `recipients`, `purpose`, `categories`, `text`,
    `form` and `evidence`. `giver`: the guardian; `extract`: the date of the document that says their capacity."""

    GUARDIAN: ClassVar[str | None] = "giver"

    giver: Value | None = None
    capacity: CapacityName
    extract: Day | None = None
    answer: AnswerName
    given: Moment
    campaign: Number | None = None
    recipients: Recipients | None = None
    purpose: Slug | None = None
    categories: Categories | None = None
    text: Words | None = None
    form: ActName | None = None
    evidence: Value | None = None
    until: Day | None = None

    def wrong(self, door: Door) -> Iterator[Wrong]:
        yield from super().wrong(door)
        yield from self._giver_wrong(door.today)
        if self.given > door.now:
            yield "'given' lies in the future: what is entered was given before", "R19"
        if self.campaign is None:
            yield from self._own_terms_wrong(door)
        else:
            yield from self._campaign_wrong(door)

    def _giver_wrong(self, today: date) -> Iterator[Wrong]:
        if self.giver is not None and self.giver.casefold() in _SCHOOL:
            yield "'giver': a school gives no consent in a pupil's name", "R18"
        elif self.capacity in _NO_GUARDIAN and self.giver is not None:
            yield f"'giver' does not belong to the capacity {self.capacity.value}", "R18"
        elif self.capacity not in _NO_GUARDIAN and self.giver is None:
            yield "'giver' is missing: consent is traceable to a person", "R18"
        if self.capacity is not Capacity.PUPIL and self.extract is None:
            yield "'extract' is missing: the date of the document that says the capacity", "D6"
        if self.extract is not None and self.extract > today:
            yield "'extract' lies in the future", "R19"

    def _campaign_wrong(self, door: Door) -> Iterator[Wrong]:
        if self.campaign not in door.campaigns:
            yield "'campaign' is none that was recorded", "D6"
        for name in (*_TERMS, "until"):
            if getattr(self, name) is not None:
                yield f"'{name}' stands in the campaign", "D6"

    def _own_terms_wrong(self, door: Door) -> Iterator[Wrong]:
        for name, rule in _TERMS.items():
            if getattr(self, name) is None and not (name == "evidence" and self._proves_nothing()):
                yield f"'{name}' is missing, or the campaign that says it", rule
        yield from _terms_wrong(door, self.recipients or (), self.purpose, self.until)
        if self.until is not None and self.until < legal_date(self.given):
            yield "'until' lies before 'given'", "R18"

    def _proves_nothing(self) -> bool:
        """A refusal, a question without an answer and a note need no proof: they give nothing away (R20, R21)."""
        return self.answer is not Answer.YES or self.form is Act.ORAL

    def facts(self, guardian: bytes | None) -> tuple[Consent, ...]:
        consent = Consent(
            capacity=self.capacity,
            answer=self.answer,
            given=latest(self.given) if self.answer is Answer.NO else self.given,
            giver=guardian,
            extract=self.extract,
            terms=self._terms() if self.campaign is None else None,
            campaign=self.campaign,
        )
        return (consent,)

    def _terms(self) -> ConsentTerms:
        told = "what is missing was told by wrong()"
        assert self.recipients is not None, told
        assert self.purpose is not None, told
        assert self.categories is not None, told
        assert self.text is not None, told
        assert self.form is not None, told
        return ConsentTerms(
            recipients=frozenset(self.recipients),
            purpose=self.purpose,
            categories=frozenset(self.categories),
            text=self.text,
            form=self.form,
            evidence=self.evidence,
            until=self.until,
        )


_TERMS = {
    "recipients": "R18, R24",
    "purpose": "R18, R24",
    "categories": "R18, R23",
    "text": "R18, R23",
    "form": "R18, R20",
    "evidence": "R18, R22",
}


def _terms_wrong(door: Door, recipients: tuple[str, ...], purpose: str | None, until: date | None) -> Iterator[Wrong]:
    found = [wrong for recipient in recipients or (None,) for wrong in door.whom_wrong(recipient, purpose)]
    yield from dict.fromkeys(found)
    if until is not None and until < door.today:
        yield "'until' has passed", "R18"


class WithdrawalRow(FactRow):
    """R26, D5: by the pupil at any age or by any one representative, from the moment it is entered. Without
    `recipient` and `purpose`: of everything."""

    capacity: CapacityName
    withdrawn: Moment
    recipient: Slug | None = None
    purpose: Slug | None = None

    def wrong(self, door: Door) -> Iterator[Wrong]:
        yield from super().wrong(door)
        yield from door.whom_wrong(self.recipient, self.purpose)
        if self.withdrawn > door.now:
            yield "'withdrawn' lies in the future", "R26"
        if self.capacity not in _WITHDRAWS:
            yield f"'capacity': a {self.capacity.value} withdraws no consent", "D5"

    def facts(self, guardian: bytes | None) -> tuple[Withdrawal, ...]:
        return (Withdrawal(moment=latest(self.withdrawn), recipient=self.recipient, purpose=self.purpose),)

"""Rules about the terms under which a recipient may receive: steps 1-8 of the gate order, whatever the fields.

Each rule is one function that yields what it finds wrong. Leaves out: fields (`rules_fields`), what today's date
makes wrong (`decide.dated`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gateway.core.facts import Occasion
from gateway.core.gate.decide import API, PUSH
from gateway.core.model import FieldClass, Ground, PseudonymMethod, RecipientKind, Role
from gateway.core.policy.grants import kinds_given
from gateway.core.policy.problems import DeliveryTerms, PolicyProblem
from gateway.core.policy.rules_fields import classes
from gateway.core.policy.terms import Agreement, Recipient
from gateway.core.policy.words import forbidden_purpose, hollow, vague
from gateway.core.reasons import Reason

# R70: what an agreement must describe, by the names of the file.
AGREEMENT_ITEMS = ("product", "data", "access", "storage", "contact", "security", "incidents", "deletion")
# R73, N35: with its bijsluiter this model describes all eight.
CONVENANT = "privacyconvenant-4.0"
# R5: the aims for which a school may weigh a legitimate interest.
AIMS = frozenset({"begeleiding", "geschillen", "onderzoek", "leermiddelen", "examens", "toetsen"})
# N20: European Union, Iceland, Liechtenstein, Norway.
EEA = frozenset(
    {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT"}
    | {"LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"},
)
# R50: mail is opened by nobody's default; the words a file could use for it.
_MAIL = frozenset({"mail", "email", "e-mail", "smtp"})
# R3, N7: these bodies ask under the law; a parent cannot be asked whether the law applies.
_STATUTORY_KINDS = frozenset(
    {RecipientKind.DUO, RecipientKind.GOVERNMENT, RecipientKind.INSPECTIE, RecipientKind.LEERPLICHT}
)
# N3: the chain for digital learning material and tests.
_ECK_CHAIN = frozenset({RecipientKind.PUBLISHER, RecipientKind.DISTRIBUTOR, RecipientKind.TEST_PROVIDER})
# R114: large-scale special categories.
_NEEDS_DPIA = frozenset({FieldClass.SPECIAL, FieldClass.MEDICAL, FieldClass.PSYCHOLOGICAL_REPORT})


def agreement_present(recipient: Recipient) -> Iterator[PolicyProblem]:
    """R69, R71. The Inspectie asks under its own law (R47, N42); a parent or pupil is no third party; whoever gets data
    on a permit alone gets them on that occasion's own ground (D4)."""
    if recipient.deliveries and all(one.conditions.one_off for one in recipient.deliveries):
        return
    if recipient.agreement or recipient.role is Role.DATA_SUBJECT or recipient.kind is RecipientKind.INSPECTIE:
        return
    if recipient.role is Role.PROCESSOR:
        yield _of(Reason.AGREEMENT_MISSING, "R69", "a processor needs a verwerkersovereenkomst", "agreement")
    else:
        yield _of(Reason.AGREEMENT_MISSING, "R71", "a controller needs written exchange arrangements", "agreement")


def agreement_complete(recipient: Recipient) -> Iterator[PolicyProblem]:
    """R70, N18: the eight items; the convenant's model with its bijsluiter has them (R59, R73)."""
    agreement = recipient.agreement
    if agreement is None:
        return
    if hollow(agreement.model):
        yield _of(Reason.AGREEMENT_INCOMPLETE, "R71", "name the arrangement", "agreement", "model")
    if agreement.until < agreement.starts:
        yield _of(Reason.AGREEMENT_INCOMPLETE, "R69", "the agreement ends before it starts", "agreement", "until")
    if recipient.role is not Role.PROCESSOR:
        return
    if not agreement.storage:
        yield _of(Reason.AGREEMENT_INCOMPLETE, "R70", "say in which country data are stored", "agreement", "storage")
    if hollow(recipient.contact):
        yield _of(Reason.AGREEMENT_INCOMPLETE, "R70", "name the privacy contact", "contact")
    yield from _items(agreement)


def _items(agreement: Agreement) -> Iterator[PolicyProblem]:
    if agreement.model == CONVENANT:
        if hollow(agreement.bijsluiter):
            yield _of(
                Reason.AGREEMENT_INCOMPLETE, "R59", "name the bijsluiter of the product", "agreement", "bijsluiter"
            )
        wanted: tuple[str, ...] = tuple(agreement.items)
    else:
        wanted = AGREEMENT_ITEMS
    for item in wanted:
        if hollow(agreement.items.get(item)):
            message = (
                f"the agreement does not describe: {item}" if item in AGREEMENT_ITEMS else "this item says nothing"
            )
            yield _of(Reason.AGREEMENT_INCOMPLETE, "R70", message, "agreement", "items", item)


def sub_processors_named(recipient: Recipient) -> Iterator[PolicyProblem]:
    """R75, R10: all other parties with access, by name."""
    for place, party in enumerate(recipient.agreement.sub_processors if recipient.agreement else ()):
        if vague(party.name):
            where = ("agreement", "sub_processors", place, "name")
            yield _of(Reason.SUBPROCESSOR_UNKNOWN, "R75", "name each party with access", *where)


def inside_eea(recipient: Recipient) -> Iterator[PolicyProblem]:
    """N20: adequacy, standard clauses with an assessment, or an exception must be named."""
    agreement = recipient.agreement
    if agreement is None:
        return
    parties = [("storage", place, one.country, one.basis) for place, one in enumerate(agreement.storage)]
    parties += [("sub_processors", place, one.country, one.basis) for place, one in enumerate(agreement.sub_processors)]
    for name, place, country, basis in parties:
        if country not in EEA and hollow(basis):
            where = ("agreement", name, place, "country")
            yield _of(Reason.OUTSIDE_EEA, "N20", "outside the EEA a basis is needed", *where)


def one_number(recipient: Recipient) -> Iterator[PolicyProblem]:
    """N3: never a pseudonym of ours and the ECK iD to one recipient; it would join the two."""
    methods = {delivery.pseudonym for delivery in recipient.deliveries}
    if {PseudonymMethod.HMAC, PseudonymMethod.ECK_ID} <= methods:
        message = "one recipient gets our pseudonym or the ECK iD, never both"
        yield _of(Reason.DIRECT_IDENTIFIER_NOT_ALLOWED, "N3", message, "deliveries")


def delivered_once(recipient: Recipient) -> Iterator[PolicyProblem]:
    """R1: one purpose and schema select one delivery; two would leave the choice to chance."""
    keys = [(delivery.purpose, delivery.schema) for delivery in recipient.deliveries]
    for purpose, schema in sorted({key for key in keys if keys.count(key) > 1}):
        where = ("deliveries", purpose, "schemas", schema)
        yield _of(Reason.SCHEMA_NOT_ACTIVE, "R1", "this purpose and schema stand in the file twice", *where)


def purpose_allowed(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R1, R11: also not with consent."""
    if vague(terms.delivery.purpose.replace("-", " ")):
        yield terms.problem(Reason.PURPOSE_UNKNOWN, "R1", "describe a concrete purpose", "purpose")
    if forbidden_purpose(terms.delivery.purpose):
        yield terms.problem(
            Reason.PURPOSE_FORBIDDEN, "R11", "pupil data are never sold or used commercially", "purpose"
        )


def channel_allowed(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R50."""
    if hollow(terms.delivery.channel) or terms.delivery.channel.casefold() in _MAIL:
        yield terms.problem(Reason.CHANNEL_NOT_ALLOWED, "R50", "plain mail is no channel", "channel")


def endpoint_agreed(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R75: what the gateway itself sends goes to an address that the agreement lists, and nothing else has one."""
    delivery, agreement = terms.delivery, terms.recipient.agreement
    agreed = agreement.endpoints if agreement else ()
    if delivery.channel == PUSH and delivery.endpoint is None:
        yield terms.problem(Reason.CHANNEL_NOT_ALLOWED, "R75", "say where a push goes (endpoint)", "endpoint")
    elif delivery.channel != PUSH and delivery.endpoint is not None:
        yield terms.problem(Reason.CHANNEL_NOT_ALLOWED, "R75", "an endpoint belongs to the channel push", "endpoint")
    elif delivery.endpoint is not None and delivery.endpoint not in agreed:
        message = "the agreement does not list this endpoint (agreement.endpoints)"
        yield terms.problem(Reason.CHANNEL_NOT_ALLOWED, "R75", message, "endpoint")
    if delivery.channel == PUSH and terms.schema is not None and terms.schema.direction != "push":
        message = "this format is fetched by the recipient; it cannot be pushed"
        yield terms.problem(Reason.CHANNEL_NOT_ALLOWED, "R50", message, "channel")


def locations_known(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R68, N17: a delivery without locations gives nothing, so it says nothing either."""
    if not terms.delivery.locations:
        yield terms.problem(Reason.LOCATION_OUT_OF_SCOPE, "R68", "name at least one location", "locations")
    elif terms.organisation and not terms.delivery.locations <= terms.organisation.locations.keys():
        message = "the school has no such location"
        yield terms.problem(Reason.LOCATION_OUT_OF_SCOPE, "R68", message, "locations")


def necessity_answered(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R6: both tests, answered by somebody."""
    necessity = terms.delivery.necessity
    if necessity is None:
        message = "subsidiarity and proportionality are not answered"
        yield terms.problem(Reason.NO_NOODZAAK, "R6", message, "necessity")
        return
    for name in ("subsidiarity", "proportionality", "by"):
        if hollow(getattr(necessity, name)):
            yield terms.problem(Reason.NO_NOODZAAK, "R6", f"{name} says nothing", "necessity", name)


def absence_explained(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R8, R25: what the recipient does when a pupil is no longer in the answer is part of the arrangement."""
    if hollow(terms.delivery.absence):
        message = "say what the recipient does when a pupil is absent"
        yield terms.problem(Reason.AGREEMENT_INCOMPLETE, "R8", message, "absence")


def notices_possible(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R94, N12: a list waits until its recipient heard whom to keep unused. So it must be able to ask, and to know whom
    a notice names: else it waits for ever."""
    delivery = terms.delivery
    if not delivery.notices:
        return
    if delivery.channel != API:
        message = "notices are fetched by the recipient; by this channel it cannot ask"
        yield terms.problem(Reason.CHANNEL_NOT_ALLOWED, "R94, N12", message, "notices")
    about = [one.record for one in terms.granted if one.record.subjects]
    if delivery.pseudonym is PseudonymMethod.NONE and not all(
        any(kinds_given(record, delivery.grants[record.name])) for record in about
    ):
        message = "without a pseudonym, and with no id of the pupil granted, no notice can name anybody"
        yield terms.problem(Reason.SCHEMA_NOT_ACTIVE, "R94, N12", message, "notices")


def authorised(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R12, C14: the school's permission to a supplier, per purpose."""
    authorisation = terms.delivery.authorisation
    if terms.recipient.role is Role.PROCESSOR and (authorisation is None or hollow(authorisation.by)):
        message = "a processor needs the school's authorisation for this purpose"
        yield terms.problem(Reason.AGREEMENT_MISSING, "R12", message, "authorisation")


def dpia_present(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R114, N22: profiling or special categories on a large scale need a DPIA with the FG's advice; one pupil on a
    permit is no large scale."""
    special = not terms.delivery.conditions.one_off and any(_NEEDS_DPIA & classes(one) for one in terms.granted)
    if not (special or terms.delivery.profiling):
        return
    dpia = terms.delivery.dpia
    if dpia is None or hollow(dpia.reference) or hollow(dpia.fg_advice):
        message = "profiling and special categories need a DPIA with the advice of the FG"
        yield terms.problem(Reason.DPIA_MISSING, "R114", message, "dpia")


def profiling_reviewed(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R98, N16: somebody looks again at every outcome, and only what touches nobody's rights goes without consent."""
    profiling, grondslag = terms.delivery.profiling, terms.delivery.grondslag
    if profiling is None:
        return
    if hollow(profiling.human_review):
        message = "say who looks again at an outcome of the profiling"
        yield terms.problem(Reason.NO_HUMAN_REVIEW, "R98, N16", message, "profiling", "human_review")
    consented = grondslag is not None and grondslag.ground is Ground.CONSENT
    if hollow(profiling.no_effect) and not consented:
        message = "profiling with an effect on pupils needs their consent (ground a)"
        yield terms.problem(Reason.NO_GRONDSLAG, "R98", message, "profiling", "no_effect")


def ground_named(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R2; N7 for bodies that ask under the law; C19: vital interest is break-glass, never a standing delivery."""
    grondslag = terms.delivery.grondslag
    if grondslag is None:
        yield terms.problem(Reason.NO_GRONDSLAG, "R2", "the grondslag is missing", "grondslag")
        return
    if hollow(grondslag.reference):
        message = "say which law, task or agreement the grondslag rests on"
        yield terms.problem(Reason.NO_GRONDSLAG, "R2", message, "grondslag", "reference")
    if grondslag.ground is Ground.CONSENT and terms.recipient.kind in _STATUTORY_KINDS:
        message = "consent is no ground for a statutory duty"
        yield terms.problem(Reason.NO_GRONDSLAG, "N7", message, "grondslag", "ground")
    if grondslag.ground is Ground.VITAL_INTEREST and terms.delivery.conditions.occasion is not Occasion.BREAK_GLASS:
        message = "vital interest is no ground for a standing delivery"
        yield terms.problem(Reason.NO_GRONDSLAG, "R13", message, "grondslag", "ground")


def interest_weighed(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """R5: aim from the list, both interests, and an outcome in favour of the school."""
    grondslag, weighing = terms.delivery.grondslag, terms.delivery.weighing
    if grondslag is None or grondslag.ground is not Ground.LEGITIMATE_INTEREST:
        return
    if weighing is None:
        message = "ground f needs a balancing test"
        yield terms.problem(Reason.NO_BELANGENAFWEGING, "R5", message, "weighing")
        return
    if weighing.aim not in AIMS:
        message = "the aim must be one of " + ", ".join(sorted(AIMS))
        yield terms.problem(Reason.NO_BELANGENAFWEGING, "R5", message, "weighing", "aim")
    if weighing.outcome != "school":
        message = "the pupil's interest prevails"
        yield terms.problem(Reason.NO_BELANGENAFWEGING, "R5", message, "weighing", "outcome")
    for name in ("school_interest", "pupil_interest", "by"):
        if hollow(getattr(weighing, name)):
            yield terms.problem(Reason.NO_BELANGENAFWEGING, "R5", f"{name} says nothing", "weighing", name)


def number_fits(terms: DeliveryTerms) -> Iterator[PolicyProblem]:
    """N3: the ECK iD inside its chain, and there only; R40, C13: a real number needs a recorded deviation."""
    delivery = terms.delivery
    wrong = Reason.DIRECT_IDENTIFIER_NOT_ALLOWED
    if delivery.pseudonym is PseudonymMethod.ECK_ID and terms.recipient.kind not in _ECK_CHAIN:
        yield terms.problem(wrong, "N3", "the ECK iD stays in the chain of learning material and tests", "pseudonym")
    if delivery.eck_login and delivery.pseudonym is not PseudonymMethod.ECK_ID:
        yield terms.problem(wrong, "N3", "where pupils log in with the ECK iD the method is eck-id", "pseudonym")
    if delivery.pseudonym is PseudonymMethod.NONE and hollow(delivery.deviation):
        yield terms.problem(wrong, "R40", "a delivery without pseudonym needs a recorded deviation", "deviation")


def _of(reason: Reason, rule: str, message: str, *where: str | int) -> PolicyProblem:
    return PolicyProblem(reason, rule, message, where)


RECIPIENT_RULES: tuple[Callable[[Recipient], Iterator[PolicyProblem]], ...] = (
    agreement_present,
    agreement_complete,
    sub_processors_named,
    inside_eea,
    delivered_once,
    one_number,
)

TERMS_RULES: tuple[Callable[[DeliveryTerms], Iterator[PolicyProblem]], ...] = (
    channel_allowed,
    endpoint_agreed,
    locations_known,
    purpose_allowed,
    necessity_answered,
    absence_explained,
    notices_possible,
    authorised,
    dpia_present,
    profiling_reviewed,
    ground_named,
    interest_weighed,
    number_fits,
)

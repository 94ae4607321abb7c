"""Every reason the gateway can give, once.

The same word stands in the answer, the register, the documents and the report. `step` is the place in the gate order
(requirements 0.4 as amended by 0.7): of all reasons collected, the one with the lowest step is the answer, within a
step the one that stands first here. `told` says whether the recipient may hear it; what is about one pupil never is
(D3) and has one outward word, NOT_AVAILABLE. Leaves out: when a reason applies (`policy`, `decide`, `screening`).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum, auto
from typing import NamedTuple, Self

# What a caller may read where the reason itself is the school's business.
NOT_ACTIVE = "This delivery is not active."
NOT_AVAILABLE_TO_YOU = "Not available."
LATER = "Temporarily unavailable; try again later."


class Meaning(NamedTuple):
    """What a reason means: `step` in the gate order, HTTP `status`, `told` outside or not, `rule` numbers,
    `article` of law, `school` (Dutch sentence for the school), `recipient` (neutral sentence for the caller)."""

    step: int
    status: int
    told: bool
    rule: str
    article: str
    school: str
    recipient: str


_Row = tuple[auto, int, int, bool, str, str, str, str]


def _withheld(step: int, rule: str, article: str, school: str) -> _Row:
    """About one pupil: never told (D3)."""
    return auto(), step, 404, False, rule, article, school, NOT_AVAILABLE_TO_YOU


def _told(step: int, status: int, rule: str, article: str, school: str, recipient: str) -> _Row:
    """About the delivery, the request or the transport: the caller may hear it."""
    return auto(), step, status, True, rule, article, school, recipient


def _inactive(step: int, rule: str, article: str, school: str) -> _Row:
    """Something that the school must settle before the delivery runs."""
    return _told(step, 403, rule, article, school, NOT_ACTIVE)


def _later(rule: str, article: str, school: str) -> _Row:
    """The gateway cannot answer now."""
    return _told(20, 503, rule, article, school, LATER)


class Reason(StrEnum):
    """One word per refusal; a row is the word itself and its `Meaning`."""

    meaning: Meaning

    @staticmethod
    def _generate_next_value_(name: str, *_: object) -> str:
        return name

    def __new__(cls, word: str, *row: str | int) -> Self:
        self = str.__new__(cls, word)
        self._value_ = word
        self.meaning = Meaning._make(row)
        return self

    # -- the transport's own (step 0): before anybody is asked for data
    RATE_LIMITED = _told(
        0, 429, "R107", "art. 32 AVG", "Te veel aanroepen in korte tijd.", "Too many requests; try again later."
    )
    INSECURE_TRANSPORT = _told(
        0, 403, "R107", "art. 32 AVG", "De aanroep kwam zonder versleuteling binnen.", "Use HTTPS."
    )
    BODY_TOO_LARGE = _told(
        0, 413, "R107", "art. 32 AVG", "Het verzoek is groter dan toegestaan.", "The request body is too large."
    )
    ROUTE_UNKNOWN = _told(
        0, 404, "R7, R9", "art. 5(1)(c) AVG",
        "Dit pad hoort niet bij een schema van deze bron of bij deze levering.", "Unknown path.",
    )
    METHOD_NOT_ALLOWED = _told(
        0, 405, "R7", "art. 5(1)(c) AVG",
        "Deze methode is op dit pad niet toegestaan.", "This method is not allowed on this path.",
    )
    NOT_ACCEPTABLE = _told(
        0, 406, "R7", "art. 5(1)(c) AVG",
        "De aanroeper vraagt een formaat dat de bron niet levert.", "The requested media type is not available.",
    )
    MEDIA_TYPE_UNKNOWN = _told(
        0, 415, "R7", "art. 5(1)(c) AVG",
        "Het verzoek heeft een formaat of codering die hier niet hoort.", "Unsupported media type or encoding.",
    )
    PARAMETER_UNKNOWN = _told(
        0, 400, "R7, R74", "art. 5(1)(c) AVG",
        "Het verzoek noemt een parameter die het schema niet kent.",
        "The request has a parameter that is not declared.",
    )
    PARAMETER_MISSING = _told(
        0, 400, "R68", "art. 5(1)(c) AVG", "Een verplichte parameter ontbreekt.", "A mandatory parameter is missing."
    )
    PARAMETER_INVALID = _told(
        0, 400, "R7", "art. 5(1)(c) AVG",
        "Een parameter heeft een waarde die het schema niet toestaat.", "A parameter has a value that is not allowed.",
    )
    BODY_INVALID = _told(
        0, 400, "R7, R15", "art. 5(1)(c) AVG",
        "De inhoud van het verzoek voldoet niet aan het schema.", "The request body does not follow its schema.",
    )
    # -- 1 caller and channel
    CALLER_UNAUTHENTICATED = _told(
        1, 401, "R81", "art. 32 AVG",
        "De aanroeper is niet bekend, of zijn toegang is ingetrokken of verlopen.",
        "Credentials are missing, unknown, revoked or expired.",
    )
    CHANNEL_NOT_ALLOWED = _told(
        1, 403, "R50", "art. 32 AVG",
        "Deze ontvanger mag de gegevens niet langs deze weg ontvangen.",
        "This channel is not allowed for this delivery.",
    )
    # -- 2 recipient
    CALLER_NOT_RECIPIENT = _told(
        2, 403, "R72", "art. 28, 32 AVG",
        "De aanroeper hoort niet bij een actieve ontvanger.", "The credentials do not belong to an active recipient.",
    )
    RECIPIENT_UNKNOWN = _told(
        2, 403, "R72", "art. 28, 32 AVG",
        "De school kent geen ontvanger met deze naam, of zijn bestand is niet in orde.",
        "The school has no such recipient.",
    )
    FINAL_RECIPIENT_MISSING = _told(
        2, 403, "R55", "art. 5(1)(b), 28 AVG",
        "Een platform geeft alleen door: noem wie de gegevens uiteindelijk krijgt.",
        "Name the final recipient of what passes through this platform.",
    )
    # -- 3 location
    LOCATION_OUT_OF_SCOPE = _told(
        3, 403, "R68", "art. 5(1)(c) AVG",
        "De gevraagde locatie valt buiten deze levering.", "The organisation asked for is outside this delivery.",
    )
    # -- 4 policy
    POLICY_NOT_IN_FORCE = _told(
        4, 403, "R118", "art. 24 AVG",
        "Het privacyreglement is nog niet in werking.", "The school's policy is not in force.",
    )
    POLICY_NO_INSTEMMING = _told(
        4, 403, "R117", "art. 10 WMS",
        "Het privacyreglement heeft geen instemming van de medezeggenschap.", "The school's policy is not in force.",
    )
    # -- 5 delivery and purpose (a forbidden purpose says more than a wrong one, so it comes first)
    PURPOSE_UNKNOWN = _told(
        5, 403, "R1", "art. 5(1)(b) AVG",
        "Het verzoek noemt geen doel, of een doel dat de school niet kent.", "The purpose is missing or unknown.",
    )
    PURPOSE_FORBIDDEN = _told(
        5, 403, "R11", "art. 5(1)(b) AVG",
        "Dit doel is verboden: leerlinggegevens worden niet verkocht of commercieel gebruikt.",
        "This purpose is forbidden.",
    )
    PURPOSE_MISMATCH = _told(
        5, 403, "R1", "art. 5(1)(b) AVG",
        "Het genoemde doel is niet het doel van deze toegang.",
        "The purpose differs from the purpose of these credentials.",
    )
    SCHEMA_NOT_ACTIVE = _inactive(
        5, "R2, R6", "art. 24, 25 AVG",
        "Deze levering is niet geactiveerd, opgeschort, of anders dan wat geactiveerd is.",
    )
    SCHEMA_EXPIRED = _told(
        5, 403, "R8", "art. 5(1)(e) AVG", "De einddatum van deze levering is voorbij.", "This delivery has ended."
    )
    NO_NOODZAAK = _inactive(
        5, "R4, R6", "art. 5(1)(c) AVG",
        "De noodzaak van een veld, of de toets op subsidiariteit en proportionaliteit, ontbreekt.",
    )
    # -- 6 agreement
    AGREEMENT_MISSING = _told(
        6, 403, "R12, R69, R71", "art. 28(3) AVG",
        "Er is geen overeenkomst of autorisatie die vandaag geldt.", "There is no agreement in force.",
    )
    AGREEMENT_EXPIRED = _told(
        6, 403, "R69", "art. 28(3) AVG", "De overeenkomst of autorisatie is verlopen.", "The agreement has expired."
    )
    AGREEMENT_INCOMPLETE = _told(
        6, 403, "R70, N18", "art. 28(3) AVG",
        "In de overeenkomst ontbreken verplichte onderdelen.", "The agreement is incomplete.",
    )
    FIELD_NOT_IN_AGREEMENT = _told(
        6, 403, "R10", "art. 28(3) AVG",
        "Een veld valt buiten de categorieën van de overeenkomst.", "The agreement does not cover this delivery.",
    )
    SUBPROCESSOR_UNKNOWN = _told(
        6, 403, "R75", "art. 28(2) AVG",
        "Een betrokken partij staat niet in de overeenkomst.", "A party is not named in the agreement.",
    )
    OUTSIDE_EEA = _told(
        6, 403, "N20", "art. 44-49 AVG",
        "Opslag of inzage buiten de EER zonder geldige grond.", "Storage outside the EEA has no valid basis.",
    )
    # -- 7 DPIA
    DPIA_MISSING = _inactive(7, "R114", "art. 35 AVG", "Voor deze levering is een DPIA verplicht; die ontbreekt.")
    NO_HUMAN_REVIEW = _inactive(
        7, "R98, N16", "art. 22 AVG, art. 40 UAVG",
        "Voor profilering ontbreekt wie een uitkomst opnieuw bekijkt, of zijn leerling en ouders niet geïnformeerd.",
    )
    DPIA_EXPIRED = _inactive(7, "R114", "art. 35(11) AVG", "De DPIA moet eerst opnieuw worden beoordeeld.")
    # -- 8 ground
    NO_GRONDSLAG = _told(
        8, 403, "R2", "art. 6(1) AVG", "Deze levering heeft geen grondslag.", "This delivery has no legal ground."
    )
    NO_BELANGENAFWEGING = _told(
        8, 403, "R5", "art. 6(1)(f) AVG",
        "De belangenafweging ontbreekt of valt uit in het voordeel van de leerling.",
        "This delivery has no legal ground.",
    )
    NO_VORDERING = _inactive(
        8, "R56, N30", "art. 126nc-126nf Sv", "Er is geen vordering of bevel dat deze gegevens van deze leerling noemt."
    )
    BREAKGLASS_NOT_GRANTED = _inactive(
        8, "R13", "art. 6(1)(d) AVG", "Er is geen noodtoegang die nu voor deze leerling en ontvanger geldt."
    )
    PERMIT_MISSING = _inactive(
        8, "R48, R97, N31", "art. 6, 20 AVG",
        "Er is geen eenmalige toestemming van de school die nu voor deze leerling en ontvanger geldt.",
    )
    NOTICES_FIRST = _told(
        8, 409, "R94, N12", "art. 18, 19 AVG",
        "De ontvanger wist wie ontbreekt en moet eerst ophalen wat hij moet bewaren zonder het te gebruiken.",
        "Fetch the notices of this delivery first.",
    )
    # -- 9 the pupil is in scope
    PSEUDONYM_UNKNOWN = _withheld(9, "R42", "art. 4(5) AVG", "Dit pseudoniem is nooit aan deze ontvanger uitgegeven.")
    PUPIL_UNRESOLVED = _withheld(
        9, "R109", "art. 5(1)(d) AVG", "Het record hoort bij geen of bij meer dan één bekende leerling."
    )
    PUPIL_NOT_IN_SCOPE = _withheld(
        9, "R8, R109", "art. 5(1)(c) AVG", "Deze persoon valt niet (meer) onder deze levering."
    )
    RETENTION_PASSED = _withheld(9, "R103", "art. 5(1)(e) AVG", "De bewaartermijn van deze gegevens is voorbij.")
    FACTS_CONTRADICTED = _withheld(
        9, "R109, R115", "art. 5(1)(d) AVG",
        "Het record spreekt tegen wat de school over deze leerling heeft vastgelegd.",
    )
    # -- 10-14 facts about the pupil
    COURT_ORDER = _withheld(
        10, "R14", "art. 1:253a, 1:377a BW", "Een rechterlijke uitspraak verbiedt deze verstrekking."
    )
    CHILD_SAFETY = _withheld(
        11, "R33, R100", "art. 23(1)(i) AVG, art. 41 UAVG",
        "De veiligheid of het belang van de leerling staat deze verstrekking in de weg.",
    )
    SECRET_ADDRESS = _withheld(
        11, "N39, D10", "art. 32 AVG",
        "Het adres is geheim; wat zegt waar de leerling is (adres, contact, school, rooster) gaat niet mee.",
    )
    PUPIL_RESTRICTED = _withheld(
        12, "R93, N13", "art. 18 AVG", "De verwerking van deze gegevens is beperkt (afgeschermd)."
    )
    PUPIL_OBJECTED = _withheld(13, "R96", "art. 21 AVG", "Tegen deze verstrekking is bezwaar gemaakt.")
    BIRTH_DATE_UNKNOWN = _withheld(
        14, "R27", "art. 5 UAVG", "De geboortedatum is niet bekend, dus ook niet wie toestemming mag geven."
    )
    CONSENT_MISSING = _withheld(14, "R3, R18, R21", "art. 6(1)(a), 7 AVG", "Er is geen toestemming bekend.")
    CONSENT_REFUSED = _withheld(14, "R3, R25", "art. 7 AVG", "De toestemming is geweigerd.")
    CONSENT_WITHDRAWN = _withheld(14, "R26, N7", "art. 7(3) AVG", "De toestemming is ingetrokken.")
    CONSENT_EXPIRED = _withheld(14, "R8, R18", "art. 7 AVG", "De toestemming is verlopen.")
    CONSENT_WRONG_PURPOSE = _withheld(
        14, "R24", "art. 6(1)(a) AVG", "Er is toestemming voor een ander doel, niet voor dit."
    )
    CONSENT_WRONG_RECIPIENT = _withheld(
        14, "R24", "art. 6(1)(a) AVG", "Er is toestemming voor een andere ontvanger, niet voor deze."
    )
    CONSENT_SCOPE_CHANGED = _withheld(
        14, "R23", "art. 4(11) AVG", "Dit gegeven is erbij gekomen nadat de toestemming is gegeven."
    )
    CONSENT_NOT_WRITTEN = _withheld(
        14, "R20", "art. 7(1) AVG", "De toestemming is mondeling gegeven; dat is een notitie en geen toestemming."
    )
    CONSENT_NO_PROOF = _withheld(14, "R18, R22", "art. 7(1) AVG", "Van de toestemming ontbreekt het bewijs.")
    CONSENT_GIVER_NOT_ENTITLED = _withheld(
        14, "R27, R28, R29, D5", "art. 5 UAVG", "Wie toestemming gaf, mag dat vandaag niet voor deze leerling."
    )
    PARENT_PROGRESS_ONLY = _withheld(
        14, "R31, R33", "art. 1:377c BW", "Deze ouder krijgt niet meer dan de studievoortgang."
    )
    INZAGE_NOT_RECORDED = _withheld(
        14, "R57, N26", "art. 42 WPO", "De inzage van de ouders (of de leerling) is niet vastgelegd."
    )
    # -- 15-18 fields
    FIELD_UNCLASSIFIED = (
        auto(), 16, 502, False, "R9", "art. 25 AVG",
        "De bron stuurt een veld dat het schema niet kent; het gaat niet mee.",
        NOT_AVAILABLE_TO_YOU,
    )
    SPECIAL_CATEGORY_NO_ART9 = _inactive(
        17, "R36, N9", "art. 9 AVG, art. 22-30 UAVG", "Een bijzonder persoonsgegeven heeft geen basis in artikel 9."
    )
    CRIMINAL_DATA = _inactive(
        17, "R37", "art. 10 AVG, art. 31-33 UAVG", "Strafrechtelijke gegevens gaan niet naar buiten."
    )
    FIELD_CONFIDENTIAL = _inactive(
        17, "R64, R38", "art. 5(1)(f), 32 AVG",
        "Een vertrouwelijk gegeven of een inloggegeven gaat in geen enkele levering mee.",
    )
    BSN_NOT_ALLOWED = _inactive(
        17, "R39, N1", "art. 87 AVG, art. 46 UAVG", "Het BSN of onderwijsnummer mag niet naar deze ontvanger."
    )
    DIRECT_IDENTIFIER_NOT_ALLOWED = _inactive(
        17, "R40, N3", "art. 25 AVG",
        "Een direct identificerend gegeven of een tweede nummer gaat niet naar deze ontvanger.",
    )
    CLASS_LIST_BLOCKED = _inactive(
        17, "R17", "art. 5(1)(c) AVG", "Een lijst met namen en contactgegevens van een groep is geblokkeerd."
    )
    FREE_TEXT_BLOCKED = _inactive(18, "R38, N5", "art. 25 AVG", "Vrije tekst gaat niet mee.")
    DOCUMENT_NOT_CLASSIFIED = _withheld(
        18, "D8, R38", "art. 25 AVG", "Niemand heeft dit document voor deze leerling en dit doel vrijgegeven."
    )
    FIELD_DISPUTED = _withheld(18, "R93, R115", "art. 18(1)(a) AVG", "De juistheid van dit gegeven wordt betwist.")
    SMALL_CELL = _withheld(18, "R45", "art. 4(5) AVG", "De groep is te klein om naamloos te zijn.")
    THIRD_PERSON_DATA = _inactive(
        18, "R46, R88", "art. 5(1)(c) AVG", "Gegevens van een ander dan de leerling gaan niet mee."
    )
    RECORD_MALFORMED = _withheld(
        18, "R7", "art. 25 AVG", "Het record wijkt af van het schema en is daarom achtergehouden."
    )
    FORMAT_DEMANDS_MORE = _withheld(
        18, "R7, R9", "art. 5(1)(c) AVG", "De standaard verplicht een onderdeel waarvan in deze levering niets mee mag."
    )
    # -- the one outward word about pupils (house rule 5)
    NOT_AVAILABLE = _told(
        19, 404, "R25, R93", "art. 25 AVG",
        "Niets vrijgegeven; de school ziet per leerling waarom.", NOT_AVAILABLE_TO_YOU,
    )
    # -- 20-21 register and the other side
    FACTS_STALE = _later("R109", "art. 5(1)(d) AVG", "De leerlinglijst is te lang niet bijgewerkt om op te beslissen.")
    ROSTER_DOUBTED = _later(
        "R109", "art. 5(1)(d) AVG",
        "In het laatste antwoord van de bron ontbreken de meeste leerlingen van deze locatie; dat is niet overgenomen.",
    )
    FACTS_NOT_DECLARED = _later(
        "R93, R96", "art. 5(1)(d) AVG",
        "Niemand heeft verklaard dat de feiten van deze locatie volledig zijn ingevoerd.",
    )
    FACTS_CHANGED = _later(
        "R93", "art. 5(2) AVG", "Tijdens het samenstellen veranderden beleid of feiten; er is niets geleverd."
    )
    REGISTER_UNAVAILABLE = _later(
        "R85", "art. 5(2), 30 AVG", "Het register was niet beschikbaar; daarom is er niets geleverd."
    )
    OVERLOADED = _later("R107", "art. 32 AVG", "Er liepen te veel aanroepen tegelijk.")
    UPSTREAM_FAILED = _told(
        21, 502, "R107", "art. 25, 32 AVG",
        "De bron gaf geen bruikbaar antwoord; er is niets doorgegeven.", "The source system gave no usable answer.",
    )
    NOT_SENT = _told(
        21, 503, "R42", "art. 5(1)(f) AVG",
        "Het andere systeem was niet bereikbaar; er is niets verstuurd.",
        "The other system could not be reached; nothing was sent.",
    )
    OUTCOME_UNKNOWN = _told(
        21, 504, "R42", "art. 5(1)(f) AVG",
        "Het andere systeem brak af; onbekend is of het bericht is ontvangen.",
        "The other system broke off; it is unknown whether the message was received.",
    )
    STATEMENT_REFUSED = _told(
        21, 400, "R42", "art. 5(1)(d) AVG",
        "Het andere systeem nam dit bericht niet aan.", "The other system did not take this message.",
    )
    UPSTREAM_TIMEOUT = _told(
        21, 504, "R107", "art. 32 AVG",
        "De bron antwoordde niet op tijd; er is niets doorgegeven.", "The source system did not answer in time.",
    )
    INTERNAL = _told(
        22, 500, "R107", "art. 32 AVG",
        "De gateway maakte een fout; er is niets doorgegeven.", "Internal error; nothing was delivered.",
    )

    @property
    def outward(self) -> Reason:
        """The word the recipient may read: this one, or NOT_AVAILABLE where it is about a pupil."""
        return self if self.meaning.told else Reason.NOT_AVAILABLE


_RANK = {reason: (reason.meaning.step, place) for place, reason in enumerate(Reason)}


def rank(reason: Reason) -> tuple[int, int]:
    """The place of a reason in the gate order; what sorts findings and problems."""
    return _RANK[reason]


def first(reasons: Iterable[Reason]) -> Reason:
    """The answer among collected reasons: the earliest in the gate order, then by declaration."""
    return min(reasons, key=rank)

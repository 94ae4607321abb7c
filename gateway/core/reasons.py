"""Every reason the gateway can give, once.

The same word stands in the answer, the register, the documents and the report. `step` is the place in
the gate order (requirements 0.4 as amended by 0.7): of all reasons collected, the one with the lowest step
is the answer, within a step the one that stands first here. `told` says whether the recipient may hear it; what
is about one pupil never is (D3) and has one outward word, NOT_AVAILABLE. Leaves out: when a reason
applies; that is `policy`, `decide` and `screening`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
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


class Reason(StrEnum):
    """One word per refusal; `Reason.X.meaning` holds the rest. Rows: word, step, status, told, rules, article,
    sentence for the school, sentence for the recipient."""

    meaning: Meaning

    def __new__(cls, word: str, *row: str | int) -> Self:
        self = str.__new__(cls, word)
        self._value_ = word
        self.meaning = Meaning._make(row)
        return self

    # -- the transport's own (step 0): before anybody is asked for data
    RATE_LIMITED = (
        "RATE_LIMITED", 0, 429, True, "R107", "art. 32 AVG",
        "Te veel aanroepen in korte tijd.",
        "Too many requests; try again later.",
    )
    INSECURE_TRANSPORT = (
        "INSECURE_TRANSPORT", 0, 403, True, "R107", "art. 32 AVG",
        "De aanroep kwam zonder versleuteling binnen.",
        "Use HTTPS.",
    )
    BODY_TOO_LARGE = (
        "BODY_TOO_LARGE", 0, 413, True, "R107", "art. 32 AVG",
        "Het verzoek is groter dan toegestaan.",
        "The request body is too large.",
    )
    ROUTE_UNKNOWN = (
        "ROUTE_UNKNOWN", 0, 404, True, "R7, R9", "art. 5(1)(c) AVG",
        "Dit pad hoort niet bij een schema van deze bron of bij deze levering.",
        "Unknown path.",
    )
    METHOD_NOT_ALLOWED = (
        "METHOD_NOT_ALLOWED", 0, 405, True, "R7", "art. 5(1)(c) AVG",
        "Deze methode is op dit pad niet toegestaan.",
        "This method is not allowed on this path.",
    )
    NOT_ACCEPTABLE = (
        "NOT_ACCEPTABLE", 0, 406, True, "R7", "art. 5(1)(c) AVG",
        "De aanroeper vraagt een formaat dat de bron niet levert.",
        "The requested media type is not available.",
    )
    MEDIA_TYPE_UNKNOWN = (
        "MEDIA_TYPE_UNKNOWN", 0, 415, True, "R7", "art. 5(1)(c) AVG",
        "Het verzoek heeft een formaat of codering die hier niet hoort.",
        "Unsupported media type or encoding.",
    )
    PARAMETER_UNKNOWN = (
        "PARAMETER_UNKNOWN", 0, 400, True, "R7, R74", "art. 5(1)(c) AVG",
        "Het verzoek noemt een parameter die het schema niet kent.",
        "The request has a parameter that is not declared.",
    )
    PARAMETER_MISSING = (
        "PARAMETER_MISSING", 0, 400, True, "R68", "art. 5(1)(c) AVG",
        "Een verplichte parameter ontbreekt.",
        "A mandatory parameter is missing.",
    )
    PARAMETER_INVALID = (
        "PARAMETER_INVALID", 0, 400, True, "R7", "art. 5(1)(c) AVG",
        "Een parameter heeft een waarde die het schema niet toestaat.",
        "A parameter has a value that is not allowed.",
    )
    BODY_INVALID = (
        "BODY_INVALID", 0, 400, True, "R7, R15", "art. 5(1)(c) AVG",
        "De inhoud van het verzoek voldoet niet aan het schema.",
        "The request body does not follow its schema.",
    )
    # -- 1 caller and channel
    CALLER_UNAUTHENTICATED = (
        "CALLER_UNAUTHENTICATED", 1, 401, True, "R81", "art. 32 AVG",
        "De aanroeper is niet bekend, of zijn toegang is ingetrokken of verlopen.",
        "Credentials are missing, unknown, revoked or expired.",
    )
    CHANNEL_NOT_ALLOWED = (
        "CHANNEL_NOT_ALLOWED", 1, 403, True, "R50", "art. 32 AVG",
        "Deze ontvanger mag de gegevens niet langs deze weg ontvangen.",
        "This channel is not allowed for this delivery.",
    )
    # -- 2 recipient
    CALLER_NOT_RECIPIENT = (
        "CALLER_NOT_RECIPIENT", 2, 403, True, "R72", "art. 28, 32 AVG",
        "De aanroeper hoort niet bij een actieve ontvanger.",
        "The credentials do not belong to an active recipient.",
    )
    FINAL_RECIPIENT_MISSING = (
        "FINAL_RECIPIENT_MISSING", 2, 403, True, "R55", "art. 5(1)(b), 28 AVG",
        "Een platform geeft alleen door: noem wie de gegevens uiteindelijk krijgt.",
        "Name the final recipient of what passes through this platform.",
    )
    # -- 3 location
    LOCATION_OUT_OF_SCOPE = (
        "LOCATION_OUT_OF_SCOPE", 3, 403, True, "R68", "art. 5(1)(c) AVG",
        "De gevraagde locatie valt buiten deze levering.",
        "The organisation asked for is outside this delivery.",
    )
    # -- 4 policy
    POLICY_NOT_IN_FORCE = (
        "POLICY_NOT_IN_FORCE", 4, 403, True, "R118", "art. 24 AVG",
        "Het privacyreglement is nog niet in werking.",
        "The school's policy is not in force.",
    )
    POLICY_NO_INSTEMMING = (
        "POLICY_NO_INSTEMMING", 4, 403, True, "R117", "art. 10 WMS",
        "Het privacyreglement heeft geen instemming van de medezeggenschap.",
        "The school's policy is not in force.",
    )
    # -- 5 delivery and purpose (a forbidden purpose says more than a wrong one, so it comes first)
    PURPOSE_UNKNOWN = (
        "PURPOSE_UNKNOWN", 5, 403, True, "R1", "art. 5(1)(b) AVG",
        "Het verzoek noemt geen doel, of een doel dat de school niet kent.",
        "The purpose is missing or unknown.",
    )
    PURPOSE_FORBIDDEN = (
        "PURPOSE_FORBIDDEN", 5, 403, True, "R11", "art. 5(1)(b) AVG",
        "Dit doel is verboden: leerlinggegevens worden niet verkocht of commercieel gebruikt.",
        "This purpose is forbidden.",
    )
    PURPOSE_MISMATCH = (
        "PURPOSE_MISMATCH", 5, 403, True, "R1", "art. 5(1)(b) AVG",
        "Het genoemde doel is niet het doel van deze toegang.",
        "The purpose differs from the purpose of these credentials.",
    )
    SCHEMA_NOT_ACTIVE = (
        "SCHEMA_NOT_ACTIVE", 5, 403, True, "R2, R6", "art. 24, 25 AVG",
        "Deze levering is niet geactiveerd, opgeschort, of anders dan wat geactiveerd is.",
        NOT_ACTIVE,
    )
    SCHEMA_EXPIRED = (
        "SCHEMA_EXPIRED", 5, 403, True, "R8", "art. 5(1)(e) AVG",
        "De einddatum van deze levering is voorbij.",
        "This delivery has ended.",
    )
    NO_NOODZAAK = (
        "NO_NOODZAAK", 5, 403, True, "R4, R6", "art. 5(1)(c) AVG",
        "De noodzaak van een veld, of de toets op subsidiariteit en proportionaliteit, ontbreekt.",
        NOT_ACTIVE,
    )
    # -- 6 agreement
    AGREEMENT_MISSING = (
        "AGREEMENT_MISSING", 6, 403, True, "R12, R69, R71", "art. 28(3) AVG",
        "Er is geen overeenkomst of autorisatie die vandaag geldt.",
        "There is no agreement in force.",
    )
    AGREEMENT_EXPIRED = (
        "AGREEMENT_EXPIRED", 6, 403, True, "R69", "art. 28(3) AVG",
        "De overeenkomst of autorisatie is verlopen.",
        "The agreement has expired.",
    )
    AGREEMENT_INCOMPLETE = (
        "AGREEMENT_INCOMPLETE", 6, 403, True, "R70, N18", "art. 28(3) AVG",
        "In de overeenkomst ontbreken verplichte onderdelen.",
        "The agreement is incomplete.",
    )
    FIELD_NOT_IN_AGREEMENT = (
        "FIELD_NOT_IN_AGREEMENT", 6, 403, True, "R10", "art. 28(3) AVG",
        "Een veld valt buiten de categorieën van de overeenkomst.",
        "The agreement does not cover this delivery.",
    )
    SUBPROCESSOR_UNKNOWN = (
        "SUBPROCESSOR_UNKNOWN", 6, 403, True, "R75", "art. 28(2) AVG",
        "Een betrokken partij staat niet in de overeenkomst.",
        "A party is not named in the agreement.",
    )
    OUTSIDE_EEA = (
        "OUTSIDE_EEA", 6, 403, True, "N20", "art. 44-49 AVG",
        "Opslag of inzage buiten de EER zonder geldige grond.",
        "Storage outside the EEA has no valid basis.",
    )
    # -- 7 DPIA
    DPIA_MISSING = (
        "DPIA_MISSING", 7, 403, True, "R114", "art. 35 AVG",
        "Voor deze levering is een DPIA verplicht; die ontbreekt.",
        NOT_ACTIVE,
    )
    NO_HUMAN_REVIEW = (
        "NO_HUMAN_REVIEW", 7, 403, True, "R98, N16", "art. 22 AVG, art. 40 UAVG",
        "Voor profilering ontbreekt wie een uitkomst opnieuw bekijkt, of zijn leerling en ouders niet geïnformeerd.",
        NOT_ACTIVE,
    )
    DPIA_EXPIRED = (
        "DPIA_EXPIRED", 7, 403, True, "R114", "art. 35(11) AVG",
        "De DPIA moet eerst opnieuw worden beoordeeld.",
        NOT_ACTIVE,
    )
    # -- 8 ground
    NO_GRONDSLAG = (
        "NO_GRONDSLAG", 8, 403, True, "R2", "art. 6(1) AVG",
        "Deze levering heeft geen grondslag.",
        "This delivery has no legal ground.",
    )
    NO_BELANGENAFWEGING = (
        "NO_BELANGENAFWEGING", 8, 403, True, "R5", "art. 6(1)(f) AVG",
        "De belangenafweging ontbreekt of valt uit in het voordeel van de leerling.",
        "This delivery has no legal ground.",
    )
    NO_VORDERING = (
        "NO_VORDERING", 8, 403, True, "R56, N30", "art. 126nc-126nf Sv",
        "Er is geen vordering of bevel dat deze gegevens van deze leerling noemt.",
        NOT_ACTIVE,
    )
    BREAKGLASS_NOT_GRANTED = (
        "BREAKGLASS_NOT_GRANTED", 8, 403, True, "R13", "art. 6(1)(d) AVG",
        "Er is geen noodtoegang die nu voor deze leerling en ontvanger geldt.",
        NOT_ACTIVE,
    )
    PERMIT_MISSING = (
        "PERMIT_MISSING", 8, 403, True, "R48, R97, N31", "art. 6, 20 AVG",
        "Er is geen eenmalige toestemming van de school die nu voor deze leerling en ontvanger geldt.",
        NOT_ACTIVE,
    )
    NOTICES_FIRST = (
        "NOTICES_FIRST", 8, 409, True, "R94, N12", "art. 18, 19 AVG",
        "De ontvanger wist wie ontbreekt en moet eerst ophalen wat hij moet bewaren zonder het te gebruiken.",
        "Fetch the notices of this delivery first.",
    )
    # -- 9 the pupil is in scope
    PSEUDONYM_UNKNOWN = (
        "PSEUDONYM_UNKNOWN", 9, 404, False, "R42", "art. 4(5) AVG",
        "Dit pseudoniem is nooit aan deze ontvanger uitgegeven.",
        NOT_AVAILABLE_TO_YOU,
    )
    PUPIL_UNRESOLVED = (
        "PUPIL_UNRESOLVED", 9, 404, False, "R109", "art. 5(1)(d) AVG",
        "Het record hoort bij geen of bij meer dan één bekende leerling.",
        NOT_AVAILABLE_TO_YOU,
    )
    PUPIL_NOT_IN_SCOPE = (
        "PUPIL_NOT_IN_SCOPE", 9, 404, False, "R8, R109", "art. 5(1)(c) AVG",
        "Deze persoon valt niet (meer) onder deze levering.",
        NOT_AVAILABLE_TO_YOU,
    )
    RETENTION_PASSED = (
        "RETENTION_PASSED", 9, 404, False, "R103", "art. 5(1)(e) AVG",
        "De bewaartermijn van deze gegevens is voorbij.",
        NOT_AVAILABLE_TO_YOU,
    )
    FACTS_CONTRADICTED = (
        "FACTS_CONTRADICTED", 9, 404, False, "R109, R115", "art. 5(1)(d) AVG",
        "Het record spreekt tegen wat de school over deze leerling heeft vastgelegd.",
        NOT_AVAILABLE_TO_YOU,
    )
    # -- 10-14 facts about the pupil
    COURT_ORDER = (
        "COURT_ORDER", 10, 404, False, "R14", "art. 1:253a, 1:377a BW",
        "Een rechterlijke uitspraak verbiedt deze verstrekking.",
        NOT_AVAILABLE_TO_YOU,
    )
    CHILD_SAFETY = (
        "CHILD_SAFETY", 11, 404, False, "R33, R100", "art. 23(1)(i) AVG, art. 41 UAVG",
        "De veiligheid of het belang van de leerling staat deze verstrekking in de weg.",
        NOT_AVAILABLE_TO_YOU,
    )
    SECRET_ADDRESS = (
        "SECRET_ADDRESS", 11, 404, False, "N39, D10", "art. 32 AVG",
        "Het adres is geheim; wat zegt waar de leerling is (adres, contact, school, rooster) gaat niet mee.",
        NOT_AVAILABLE_TO_YOU,
    )
    PUPIL_RESTRICTED = (
        "PUPIL_RESTRICTED", 12, 404, False, "R93, N13", "art. 18 AVG",
        "De verwerking van deze gegevens is beperkt (afgeschermd).",
        NOT_AVAILABLE_TO_YOU,
    )
    PUPIL_OBJECTED = (
        "PUPIL_OBJECTED", 13, 404, False, "R96", "art. 21 AVG",
        "Tegen deze verstrekking is bezwaar gemaakt.",
        NOT_AVAILABLE_TO_YOU,
    )
    BIRTH_DATE_UNKNOWN = (
        "BIRTH_DATE_UNKNOWN", 14, 404, False, "R27", "art. 5 UAVG",
        "De geboortedatum is niet bekend, dus ook niet wie toestemming mag geven.",
        NOT_AVAILABLE_TO_YOU,
    )
    CONSENT_MISSING = (
        "CONSENT_MISSING", 14, 404, False, "R3, R18, R21", "art. 6(1)(a), 7 AVG",
        "Er is geen toestemming bekend.",
        NOT_AVAILABLE_TO_YOU,
    )
    CONSENT_REFUSED = (
        "CONSENT_REFUSED", 14, 404, False, "R3, R25", "art. 7 AVG",
        "De toestemming is geweigerd.",
        NOT_AVAILABLE_TO_YOU,
    )
    CONSENT_WITHDRAWN = (
        "CONSENT_WITHDRAWN", 14, 404, False, "R26, N7", "art. 7(3) AVG",
        "De toestemming is ingetrokken.",
        NOT_AVAILABLE_TO_YOU,
    )
    CONSENT_EXPIRED = (
        "CONSENT_EXPIRED", 14, 404, False, "R8, R18", "art. 7 AVG",
        "De toestemming is verlopen.",
        NOT_AVAILABLE_TO_YOU,
    )
    CONSENT_WRONG_PURPOSE = (
        "CONSENT_WRONG_PURPOSE", 14, 404, False, "R24", "art. 6(1)(a) AVG",
        "Er is toestemming voor een ander doel, niet voor dit.",
        NOT_AVAILABLE_TO_YOU,
    )
    CONSENT_WRONG_RECIPIENT = (
        "CONSENT_WRONG_RECIPIENT", 14, 404, False, "R24", "art. 6(1)(a) AVG",
        "Er is toestemming voor een andere ontvanger, niet voor deze.",
        NOT_AVAILABLE_TO_YOU,
    )
    CONSENT_SCOPE_CHANGED = (
        "CONSENT_SCOPE_CHANGED", 14, 404, False, "R23", "art. 4(11) AVG",
        "Dit gegeven is erbij gekomen nadat de toestemming is gegeven.",
        NOT_AVAILABLE_TO_YOU,
    )
    CONSENT_NOT_WRITTEN = (
        "CONSENT_NOT_WRITTEN", 14, 404, False, "R20", "art. 7(1) AVG",
        "De toestemming is mondeling gegeven; dat is een notitie en geen toestemming.",
        NOT_AVAILABLE_TO_YOU,
    )
    CONSENT_NO_PROOF = (
        "CONSENT_NO_PROOF", 14, 404, False, "R18, R22", "art. 7(1) AVG",
        "Van de toestemming ontbreekt het bewijs.",
        NOT_AVAILABLE_TO_YOU,
    )
    CONSENT_GIVER_NOT_ENTITLED = (
        "CONSENT_GIVER_NOT_ENTITLED", 14, 404, False, "R27, R28, R29, D5", "art. 5 UAVG",
        "Wie toestemming gaf, mag dat vandaag niet voor deze leerling.",
        NOT_AVAILABLE_TO_YOU,
    )
    PARENT_PROGRESS_ONLY = (
        "PARENT_PROGRESS_ONLY", 14, 404, False, "R31, R33", "art. 1:377c BW",
        "Deze ouder krijgt niet meer dan de studievoortgang.",
        NOT_AVAILABLE_TO_YOU,
    )
    INZAGE_NOT_RECORDED = (
        "INZAGE_NOT_RECORDED", 14, 404, False, "R57, N26", "art. 42 WPO",
        "De inzage van de ouders (of de leerling) is niet vastgelegd.",
        NOT_AVAILABLE_TO_YOU,
    )
    # -- 15-18 fields
    FIELD_UNCLASSIFIED = (
        "FIELD_UNCLASSIFIED", 16, 502, False, "R9", "art. 25 AVG",
        "De bron stuurt een veld dat het schema niet kent; het gaat niet mee.",
        NOT_AVAILABLE_TO_YOU,
    )
    SPECIAL_CATEGORY_NO_ART9 = (
        "SPECIAL_CATEGORY_NO_ART9", 17, 403, True, "R36, N9", "art. 9 AVG, art. 22-30 UAVG",
        "Een bijzonder persoonsgegeven heeft geen basis in artikel 9.",
        NOT_ACTIVE,
    )
    CRIMINAL_DATA = (
        "CRIMINAL_DATA", 17, 403, True, "R37", "art. 10 AVG, art. 31-33 UAVG",
        "Strafrechtelijke gegevens gaan niet naar buiten.",
        NOT_ACTIVE,
    )
    FIELD_CONFIDENTIAL = (
        "FIELD_CONFIDENTIAL", 17, 403, True, "R64, R38", "art. 5(1)(f), 32 AVG",
        "Een vertrouwelijk gegeven of een inloggegeven gaat in geen enkele levering mee.",
        NOT_ACTIVE,
    )
    BSN_NOT_ALLOWED = (
        "BSN_NOT_ALLOWED", 17, 403, True, "R39, N1", "art. 87 AVG, art. 46 UAVG",
        "Het BSN of onderwijsnummer mag niet naar deze ontvanger.",
        NOT_ACTIVE,
    )
    DIRECT_IDENTIFIER_NOT_ALLOWED = (
        "DIRECT_IDENTIFIER_NOT_ALLOWED", 17, 403, True, "R40, N3", "art. 25 AVG",
        "Een direct identificerend gegeven of een tweede nummer gaat niet naar deze ontvanger.",
        NOT_ACTIVE,
    )
    CLASS_LIST_BLOCKED = (
        "CLASS_LIST_BLOCKED", 17, 403, True, "R17", "art. 5(1)(c) AVG",
        "Een lijst met namen en contactgegevens van een groep is geblokkeerd.",
        NOT_ACTIVE,
    )
    FREE_TEXT_BLOCKED = (
        "FREE_TEXT_BLOCKED", 18, 403, True, "R38, N5", "art. 25 AVG",
        "Vrije tekst gaat niet mee.",
        NOT_ACTIVE,
    )
    DOCUMENT_NOT_CLASSIFIED = (
        "DOCUMENT_NOT_CLASSIFIED", 18, 404, False, "D8, R38", "art. 25 AVG",
        "Niemand heeft dit document voor deze leerling en dit doel vrijgegeven.",
        NOT_AVAILABLE_TO_YOU,
    )
    FIELD_DISPUTED = (
        "FIELD_DISPUTED", 18, 404, False, "R93, R115", "art. 18(1)(a) AVG",
        "De juistheid van dit gegeven wordt betwist.",
        NOT_AVAILABLE_TO_YOU,
    )
    SMALL_CELL = (
        "SMALL_CELL", 18, 404, False, "R45", "art. 4(5) AVG",
        "De groep is te klein om naamloos te zijn.",
        NOT_AVAILABLE_TO_YOU,
    )
    THIRD_PERSON_DATA = (
        "THIRD_PERSON_DATA", 18, 403, True, "R46, R88", "art. 5(1)(c) AVG",
        "Gegevens van een ander dan de leerling gaan niet mee.",
        NOT_ACTIVE,
    )
    RECORD_MALFORMED = (
        "RECORD_MALFORMED", 18, 404, False, "R7", "art. 25 AVG",
        "Het record wijkt af van het schema en is daarom achtergehouden.",
        NOT_AVAILABLE_TO_YOU,
    )
    FORMAT_DEMANDS_MORE = (
        "FORMAT_DEMANDS_MORE", 18, 404, False, "R7, R9", "art. 5(1)(c) AVG",
        "De standaard verplicht een onderdeel waarvan in deze levering niets mee mag.",
        NOT_AVAILABLE_TO_YOU,
    )
    # -- the one outward word about pupils (house rule 5)
    NOT_AVAILABLE = (
        "NOT_AVAILABLE", 19, 404, True, "R25, R93", "art. 25 AVG",
        "Niets vrijgegeven; de school ziet per leerling waarom.",
        NOT_AVAILABLE_TO_YOU,
    )
    # -- 20-21 register and the other side
    FACTS_STALE = (
        "FACTS_STALE", 20, 503, True, "R109", "art. 5(1)(d) AVG",
        "De leerlinglijst is te lang niet bijgewerkt om op te beslissen.",
        LATER,
    )
    FACTS_NOT_DECLARED = (
        "FACTS_NOT_DECLARED", 20, 503, True, "R93, R96", "art. 5(1)(d) AVG",
        "Niemand heeft verklaard dat de feiten van deze locatie volledig zijn ingevoerd.",
        LATER,
    )
    FACTS_CHANGED = (
        "FACTS_CHANGED", 20, 503, True, "R93", "art. 5(2) AVG",
        "Tijdens het samenstellen veranderden beleid of feiten; er is niets geleverd.",
        LATER,
    )
    REGISTER_UNAVAILABLE = (
        "REGISTER_UNAVAILABLE", 20, 503, True, "R85", "art. 5(2), 30 AVG",
        "Het register was niet beschikbaar; daarom is er niets geleverd.",
        LATER,
    )
    OVERLOADED = (
        "OVERLOADED", 20, 503, True, "R107", "art. 32 AVG",
        "Er liepen te veel aanroepen tegelijk.",
        LATER,
    )
    UPSTREAM_FAILED = (
        "UPSTREAM_FAILED", 21, 502, True, "R107", "art. 25, 32 AVG",
        "De bron gaf geen bruikbaar antwoord; er is niets doorgegeven.",
        "The source system gave no usable answer.",
    )
    NOT_SENT = (
        "NOT_SENT", 21, 503, True, "R42", "art. 5(1)(f) AVG",
        "Het andere systeem was niet bereikbaar; er is niets verstuurd.",
        "The other system could not be reached; nothing was sent.",
    )
    OUTCOME_UNKNOWN = (
        "OUTCOME_UNKNOWN", 21, 504, True, "R42", "art. 5(1)(f) AVG",
        "Het andere systeem brak af; onbekend is of het bericht is ontvangen.",
        "The other system broke off; it is unknown whether the message was received.",
    )
    STATEMENT_REFUSED = (
        "STATEMENT_REFUSED", 21, 400, True, "R42", "art. 5(1)(d) AVG",
        "Het andere systeem nam dit bericht niet aan.",
        "The other system did not take this message.",
    )
    UPSTREAM_TIMEOUT = (
        "UPSTREAM_TIMEOUT", 21, 504, True, "R107", "art. 32 AVG",
        "De bron antwoordde niet op tijd; er is niets doorgegeven.",
        "The source system did not answer in time.",
    )
    INTERNAL = (
        "INTERNAL", 22, 500, True, "R107", "art. 32 AVG",
        "De gateway maakte een fout; er is niets doorgegeven.",
        "Internal error; nothing was delivered.",
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

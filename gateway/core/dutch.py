"""What the law's words are called in Dutch, for who reads them at school or at home: categories, grounds, moments.

Data, and how a moment is said. Leaves out: the sentences of reasons (`reasons`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from gateway.core.days import AMSTERDAM
from gateway.core.model import Category, Ground

GROUNDS: Mapping[Ground, str] = {
    Ground.CONSENT: "toestemming",
    Ground.CONTRACT: "overeenkomst",
    Ground.STATUTORY_DUTY: "wettelijke verplichting",
    Ground.VITAL_INTEREST: "vitaal belang",
    Ground.PUBLIC_TASK: "publieke taak",
    Ground.LEGITIMATE_INTEREST: "gerechtvaardigd belang",
}

CATEGORIES: Mapping[Category, str] = {
    Category.NAME: "naam",
    Category.ADDRESS: "adres en woonplaats",
    Category.PHONE: "telefoonnummer",
    Category.PRIVATE_EMAIL: "e-mailadres van thuis",
    Category.SCHOOL_EMAIL: "e-mailadres van school",
    Category.ORGANISATION: "school, groep en leerjaar",
    Category.BIRTH_DATE: "geboortedatum",
    Category.SEX: "geslacht",
    Category.BIRTH_PLACE: "geboorteplaats",
    Category.PUPIL_NUMBER: "leerlingnummer of pseudoniem",
    Category.NATIONALITY: "nationaliteit",
    Category.GUARDIANS: "ouders en voogden",
    Category.MEDICAL: "gezondheid",
    Category.SUPPORT: "begeleiding en ondersteuning",
    Category.RESULTS: "resultaten en voortgang",
    Category.OBSERVATIONS: "aantekeningen en observaties",
    Category.ATTENDANCE: "aanwezigheid",
    Category.ABSENCE_REASON: "reden van afwezigheid",
    Category.TIMETABLE: "rooster",
    Category.FINANCIAL: "financiële gegevens",
    Category.IMAGE: "foto en video",
    Category.STAFF: "leraren en medewerkers",
    Category.NATIONAL_NUMBER: "burgerservicenummer of onderwijsnummer",
    Category.SPECIAL: "bijzondere persoonsgegevens",
    Category.CRIMINAL: "strafrechtelijke gegevens",
    Category.PSYCHOLOGICAL_REPORT: "psychologisch rapport",
    Category.CONFIDENTIAL: "vertrouwelijke gegevens",
    Category.CREDENTIALS: "inloggegevens",
}

_MONTHS = (
    *("januari", "februari", "maart", "april", "mei", "juni"),
    *("juli", "augustus", "september", "oktober", "november", "december"),
)


def said_moment(moment: datetime) -> str:
    """23 november 2026 om 9.30 uur, on the Dutch clock."""
    here = moment.astimezone(AMSTERDAM)
    return f"{here.day} {_MONTHS[here.month - 1]} {here.year} om {here.hour}.{here.minute:02} uur"

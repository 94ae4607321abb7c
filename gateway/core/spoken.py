"""What stands behind a reason, in Dutch, for who reads it at a terminal: where, what was expected, what a file is not.

The words themselves are what programs read (`--json`, the register, an answer). What is not listed is a name of the
school's own files, and stays as it is. Leaves out: the sentences of reasons (`reasons`), the law's words (`dutch`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_KINDS = {
    "restriction": "beperking",
    "objection": "bezwaar",
    "court-order": "uitspraak van de rechter",
    "marker": "markering",
}

ABOUT: Mapping[str, str] = {
    # where a delivery is not in order (`gate`, `policy`)
    "activation": "nog niet geactiveerd: gateway recipient activate",
    "agreement": "de overeenkomst (agreement)",
    "authorisation": "de toestemming van de school (authorisation)",
    "caller": "wie vraagt",
    "channel": "de weg (channel)",
    "delivery": "de levering",
    "dpia": "de DPIA (dpia)",
    "endpoint": "het eindpunt",
    "file": "het bestand van de ontvanger",
    "final recipient": "de uiteindelijke ontvanger",
    "locations": "de locaties (locations)",
    "locations of the platform": "de locaties van het platform",
    "occasion": "de aanleiding (occasion)",
    "platform": "het platform",
    "policy": "het beleid van de school (policy)",
    "purpose": "het doel",
    "recipient": "de ontvanger",
    "schema": "het schema",
    "suspended": "opgeschort: gateway recipient activate",
    "until": "de einddatum (until)",
    # what came from the source, or could not go on
    "a list of the source is in no order, and too long to be read whole": (
        "een lijst van de bron staat in geen volgorde, en is te lang om in één keer te lezen"
    ),
    "counts are of a whole location, as the recipient asks for it: there is no file or export of them": (
        "aantallen zijn van een hele locatie, zoals de ontvanger ze opvraagt: er is geen bestand of export van"
    ),
    "more than is read at once (limits.upstream_bytes): ask for less, such as some groups, or have it exported": (
        "meer dan in één keer gelezen wordt (limits.upstream_bytes): vraag minder, zoals enkele groepen"
    ),
    "nobody is told": "een lijst zonder leerlingen, van een locatie waar er zijn",
    "standard output was closed, and some may have been taken": "de uitvoer is gesloten; een deel kan zijn gelezen",
    "text is masked by the names in a whole file, which must be smaller": (
        "tekst wordt gemaskeerd met de namen uit het hele bestand, dat daarvoor kleiner moet zijn"
    ),
    "text is masked by the names in a whole location": "tekst wordt gemaskeerd met de namen van een hele locatie",
    "the agreement does not list this endpoint (agreement.endpoints)": (
        "de overeenkomst noemt dit eindpunt niet (agreement.endpoints)"
    ),
    "the endpoint did not take it": "het eindpunt nam het niet aan",
    "the output could not be written": "de uitvoer kon niet worden geschreven",
    "the output could not be written: is the disk full?": "de uitvoer kon niet worden geschreven: is de schijf vol?",
    "the same command sends it once more": "dezelfde opdracht verstuurt het nog eens",
    "the source gives no list of these records by location": "de bron geeft van deze records geen lijst per locatie",
    "the source says something else each time": "de bron zegt telkens iets anders",
    # what a file is not (`formats`)
    "a column that this file must have is missing": "een kolom die er moet zijn ontbreekt",
    "a document is larger than allowed": "een document is groter dan mag",
    "a document type": "het heeft een documenttype (DOCTYPE)",
    "a document type, or no text": "het heeft een documenttype (DOCTYPE), of is geen tekst",
    "a file is packed smaller than tables are": "een bestand is kleiner ingepakt dan tabellen zijn",
    "a file that the manifest names is missing": "een bestand dat het manifest noemt ontbreekt",
    "a part twice, or before another than its schema says": "een onderdeel staat er tweemaal, of niet op zijn plaats",
    "a record is larger than allowed": "een record is groter dan mag",
    "a row has more or fewer cells than the header has columns": "een rij heeft meer of minder cellen dan kolommen",
    "a row is longer than allowed": "een rij is langer dan mag",
    "an encoding that is not read": "in deze tekencodering wordt niet gelezen",
    "an entry that has no place in a set of files": "een bestand dat niet in de set hoort",
    "an item is larger than allowed": "een onderdeel is groter dan mag",
    "another document than its schema says": "een ander document dan het schema zegt",
    "another version than the schema's": "een andere versie dan die van het schema",
    "it has no parts": "het heeft geen delen",
    "neither UTF-8 nor Windows-1252": "het is geen UTF-8 en geen Windows-1252",
    "nested too deeply": "het is te diep genest",
    "no JSON": "het is geen JSON",
    "no JSON array of records": "het is geen lijst (array) van records in JSON",
    "no JSON object": "het is geen object in JSON",
    "no archive": "het is geen zip",
    "no column says whom a row is about": "geen kolom zegt over wie een rij gaat",
    "no envelope of the expected name": "de omslag heet anders dan het schema zegt",
    "no header, or a column stands in it twice": "er is geen kopregel, of een kolom staat er tweemaal in",
    "no list of records": "het is geen lijst van records",
    "no manifest": "er is geen manifest",
    "no markup": "het is geen XML",
    "no text": "het is geen tekst",
    "no valid JSON text": "het is geen geldige JSON",
    "no well-formed XML": "het is geen welgevormde XML",
    "no well-formed document of its schema": "het is geen welgevormd document van dit schema",
    "no well-formed list": "het is geen welgevormde lijst",
    "not CSV: a quote that does not close, or a line that ends within a cell": (
        "het is geen CSV: een aanhalingsteken sluit niet, of een regel eindigt binnen een cel"
    ),
    "not a whole zip archive": "het is geen hele zip",
    "not one row": "het is niet één rij",
    "neither an array nor an object": "het is geen lijst (array) en geen object",
    "the archive is larger than allowed": "de zip is groter dan mag",
    "the file cannot be read": "het bestand kan niet worden gelezen",
    "the file ends early": "het bestand is niet af",
    "the files are larger than allowed": "de bestanden zijn groter dan mag",
    "the manifest names a way that the schema does not know": "het manifest noemt een manier die het schema niet kent",
    "the manifest says a thing twice": "het manifest zegt iets tweemaal",
    "the schema knows no list of these records": "het schema kent geen lijst van deze records",
    "the text is not UTF-8": "de tekst is geen UTF-8",
    "this is no file": "dit is geen bestand",
    "too many elements in one record": "een record heeft te veel elementen",
    "too many entries": "er zitten te veel bestanden in",
    "too many entries, or one name twice": "er zitten te veel bestanden in, of een naam staat er tweemaal",
    "too many malformed records": "te veel records wijken af van het schema",
}

_EXPECTED: Mapping[str, str] = {
    "fields: an object": "een object",
    "format: date, as 2026-10-05": "een dag, zoals 2026-10-05",
    "format: date-time, as 2026-10-05T09:30:00+02:00": "een moment, zoals 2026-10-05T09:30:00+02:00",
    "format: uuid": "een UUID",
    "items: a list": "een lijst",
    "one, where it has no items": "één waarde en geen lijst",
    "required: true": "dat het er staat",
    "the id of somebody": "het kenmerk van iemand",
    "type: boolean": "waar of onwaar (true, false)",
    "type: integer": "een geheel getal",
    "type: number": "een getal",
    "type: string": "tekst",
    "type: string, as every id": "tekst, zoals elk kenmerk",
    "type: string, with no element in it": "tekst, zonder element erin",
    "what its schema says": "wat het schema zegt",
    "what its schema says, in other fields too": "wat het schema zegt, ook in andere velden",
}
_PATTERNS = (
    (re.compile(r"type: string, of at most (\d+) signs"), r"tekst van ten hoogste \1 tekens"),
    (re.compile(r"what `transform: (.+)` reads"), r"wat `transform: \1` kan lezen"),
    (re.compile(r"values: (.+)"), r"een van: \1"),
    (re.compile(r"pattern: (.+)", re.DOTALL), r"tekst naar het patroon \1"),
)
_FAULT = re.compile(r"(?P<path>.+?): expected (?P<expected>.+) \((?P<times>\d+) records?\)", re.DOTALL)
_RECORDS = re.compile(
    r"schema: of this source in order are (?P<schemas>.+); gateway check tells the rest|record: one of (?P<records>.+)"
)
_DECLARED = re.compile(rf"({'|'.join(_KINDS)})@(.+)")


def said_about(about: str) -> str:
    """What a finding is about."""
    if about in ABOUT:
        return ABOUT[about]
    if found := _DECLARED.fullmatch(about):
        return f"{_KINDS[found[1]]} op {found[2]}: {found[1]}"
    if found := _RECORDS.fullmatch(about):
        schemas, records = found["schemas"], found["records"]
        here = f"schema: van deze bron zijn in orde {schemas}; de rest zegt gateway check"
        return here if schemas else f"record: een van {records}"
    if found := _FAULT.fullmatch(about):
        path = "het record" if found["path"] == "the record" else found["path"]
        records = said_records(int(found["times"]))
        return f"{path}: {records}, verwacht {said_expected(found['expected'])}"
    return about


def said_expected(expected: str) -> str:
    """What a field should have held (`release.faults`)."""
    if expected in _EXPECTED:
        return _EXPECTED[expected]
    for pattern, dutch in _PATTERNS:
        if pattern.fullmatch(expected):
            return pattern.sub(dutch, expected)
    return expected


def said_records(count: int) -> str:
    return f"{count} {'record' if count == 1 else 'records'}"

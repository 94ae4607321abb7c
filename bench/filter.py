"""Files of a million distinct pupils through `gateway filter`, each in a process of its own: pupils a second, the most
memory it took; writes FILTER.md.

Every pupil is resolved, decided, registered and sorted; in a set of files each is a user with an enrolment in a class.
Leaves out: the roster sync, which happened before.
Run from the repository's root: python -m bench.filter [--pupils 20000 1000000] [--forms xml csv set]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.many_school import RELEASER, make_school, measured, peak
from gateway.bootstrap import acts
from gateway.bootstrap.school import open_school
from gateway.demo.many import Many, ids, student

RESULTS = Path(__file__).parent / "FILTER.md"
GOAL = 150  # MB
SPACE = "urn:example:lijst"
UWLR = "http://www.edustandaard.nl/leerresultaten/2/leerlinggegevens"

SCHEMA = f"""\
schema: lijst
title: Lijst van leerlingen
version: "1"
format: xml
base_path: ""
direction: pull
errors: problem
namespaces: {{default: "{SPACE}"}}
identities:
  leerling: {{keys: {{own: "@key", kinds: {{"@key": las-key}}}}}}
records:
  leerling:
    element: leerling
    envelope: leerlingen
    subjects: [{{at: "", person: pupil, withheld: record, ids: leerling}}]
    fields:
      "@key": {{type: string, class: id, category: pupil-number, required: true}}
      achternaam: {{type: string, class: direct, category: name}}
      roepnaam: {{type: string, class: direct, category: name}}
      geboortedatum: {{type: string, class: quasi, category: birth-date, format: date}}
      leerjaar: {{type: integer, class: ordinary, category: organisation}}
      klas: {{type: string, class: ordinary, category: organisation, maps: group}}
      emailadres: {{type: string, class: contact, category: school-email}}
      postcode: {{type: string, class: contact, category: address}}
routes: []
"""
"""A list in XML as a school would describe one."""

GRANTED = """\
      lijst:
        leerling:
          "@key": {transform: pseudonym, reason: Blad en uitslag horen bij dezelfde leerling.}
          leerjaar: {reason: De toets verschilt per leerjaar.}
          klas: {reason: De bladen komen per klas.}
      oneroster-csv:
        orgs:
          sourcedId: {reason: De klas hoort bij een school.}
          name: {reason: Het pakket gaat naar de school.}
          type: {reason: OneRoster eist bij elke organisatie de soort.}
        classes:
          sourcedId: {reason: De bladen komen per klas.}
          title: {reason: Het pakket draagt de naam van de klas.}
          schoolSourcedId: {reason: OneRoster eist bij elke klas de school.}
        users:
          sourcedId: {transform: pseudonym, reason: Blad en uitslag horen bij dezelfde leerling.}
          enabledUser: {transform: fixed, value: true, reason: OneRoster eist het.}
          givenName: {transform: fixed, value: "-", reason: OneRoster eist een naam.}
          familyName: {transform: fixed, value: "-", reason: OneRoster eist een naam.}
        enrollments:
          sourcedId: {reason: OneRoster eist een kenmerk per inschrijving.}
          classSourcedId: {reason: De bladen komen per klas.}
          schoolSourcedId: {reason: OneRoster eist bij elke inschrijving de school.}
          "userSourcedId.#text": {transform: pseudonym, reason: Blad en klas horen bij dezelfde leerling.}
          role: {reason: OneRoster eist de rol.}
      cijferlijst-csv:
        cijferlijst:
          leerlingnummer: {transform: pseudonym, reason: Blad en uitslag horen bij dezelfde leerling.}
          leerjaar: {reason: De toets verschilt per leerjaar.}
          klas: {reason: De bladen komen per klas.}
"""


@dataclass(frozen=True)
class Form:
    """A file: of which records, what stands before, between and after them, and how one is written."""

    name: str
    asked: tuple[str, str]
    begin: str
    between: str
    end: str
    record: Callable[[int], str]
    whom: tuple[str, str] = ("toetsbureau", "papieren-toets")

    def write(self, path: Path, pupils: int) -> None:
        with path.open("w", encoding="utf-8") as file:
            file.write(self.begin)
            file.writelines(self.texts(pupils))
            file.write(self.end)

    def texts(self, pupils: int) -> Iterator[str]:
        yield from (self.record(n) if n == 0 else self.between + self.record(n) for n in range(pupils))


class DocumentForm(Form):
    """A document of lists: its classes stand before its pupils."""

    def write(self, path: Path, pupils: int) -> None:
        with path.open("w", encoding="utf-8") as file:
            file.write(self.begin)
            file.writelines(map(school_class, range(-(-pupils // 25))))
            file.write(self.between)
            file.writelines(map(self.record, range(pupils)))
            file.write(self.end)


class SetForm(Form):
    """Files that refer to each other, in a zip."""

    def write(self, path: Path, pupils: int) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, (head, row, count) in self.files(pupils).items():
                with archive.open(f"{name}.csv", "w") as file:
                    file.write(f"{head}\r\n".encode())
                    file.writelines(f"{row(number)}\r\n".encode() for number in range(count))

    def files(self, pupils: int) -> dict[str, tuple[str, Callable[[int], str], int]]:
        """Of each: its first line, a row of it, and how many there are."""
        said = {"manifest.version": "1.0", "oneroster.version": "1.2"}
        there = ("orgs", "classes", "users", "enrollments")
        told = [*said.items(), *((f"file.{name}", "bulk") for name in there)]
        classes, below = -(-pupils // 25), "schoolSourcedId"
        return {
            "manifest": ("propertyName,value", lambda n: ",".join(told[n]), len(told)),
            "orgs": ("sourcedId,name,type", lambda n: f"o{n},School {n},school", 2),
            "classes": (f"sourcedId,title,{below}", lambda n: f"c{n},{1 + n % 6}v{n},o0", 2 * classes),
            "users": ("sourcedId,enabledUser,givenName,familyName,email", self.record, pupils),
            "enrollments": (f"sourcedId,classSourcedId,{below},userSourcedId,role", enrolment, pupils),
        }


def enrolment(number: int) -> str:
    return f"e{number},c{number // 25},o0,{ids(number)['las-key']},student"


def user(number: int) -> str:
    return f"{ids(number)['las-key']},true,Noor,Akkerdam,noor.{number}@leerling.example"


def element(number: int) -> str:
    key, born = ids(number)["las-key"], f"20{10 + number % 8}-{1 + number % 12:02d}-{1 + number % 28:02d}"
    return (
        f'<leerling key="{key}"><achternaam>Akkerdam</achternaam><roepnaam>Noor</roepnaam>'
        f"<geboortedatum>{born}</geboortedatum><leerjaar>{1 + number % 6}</leerjaar><klas>{number // 25}</klas>"
        f"<emailadres>noor.{number}@leerling.example</emailadres><postcode>{1000 + number % 9000} AB</postcode>"
        "</leerling>"
    )


def school_class(number: int) -> str:
    return (
        f'<groep key="g{number}"><naam>{1 + number % 6}v{number}</naam><jaargroep>{1 + number % 6}</jaargroep></groep>'
    )


def of_class(number: int) -> str:
    key, born = ids(number)["las-key"], f"20{10 + number % 8}-{1 + number % 12:02d}-{1 + number % 28:02d}"
    return (
        f'<leerling key="{key}"><achternaam>Akkerdam</achternaam><roepnaam>Noor</roepnaam>'
        f"<geboortedatum>{born}</geboortedatum><geslacht>1</geslacht><jaargroep>{1 + number % 6}</jaargroep>"
        f'<groep key="g{number // 25}"/><emailadres>noor.{number}@leerling.example</emailadres></leerling>\n'
    )


def row(number: int) -> str:
    key, born = ids(number)["las-key"], f"20{10 + number % 8}-{1 + number % 12:02d}-{1 + number % 28:02d}"
    return f"{key};Noor;Akkerdam;{born};{1 + number % 6};{number // 25};7,5"


def text(number: int) -> str:
    return student(number).decode()


_BEGIN = (
    f'<leerlinggegevens xmlns="{UWLR}"><school><schooljaar>2026-2027</schooljaar><brincode>01AB</brincode>'
    "<dependancecode>00</dependancecode><xsdversie>2.2</xsdversie></school><groepen>"
)
_STUDENTS = ("edu-v-students", "Student")
_HEADER = "leerlingnummer;roepnaam;achternaam;geboortedatum;leerjaar;klas;cijfer\n"
FORMS = [
    Form("xml", ("lijst", "leerling"), f'<leerlingen xmlns="{SPACE}">', "\n", "</leerlingen>", element),
    Form("csv", ("cijferlijst-csv", "cijferlijst"), _HEADER, "\n", "\n", row),
    Form("json", _STUDENTS, "[", ",", "]", text),
    Form("ndjson", _STUDENTS, "", "\n", "\n", text),
    DocumentForm(
        "document",
        ("uwlr-2-2", ""),
        _BEGIN,
        "</groepen><leerlingen>",
        "</leerlingen></leerlinggegevens>",
        of_class,
        ("uwlr-smalle-set", "methodetoetsen"),
    ),
    SetForm("set", ("oneroster-csv", ""), "", "", "", user),
]


@dataclass(frozen=True)
class Measured:
    """One file."""

    form: str
    pupils: int
    seconds: float
    peak: float
    size: float


def describe(directory: Path) -> None:
    """The same delivery, of two more kinds of file."""
    (directory / "schemas" / "lijst.yaml").write_text(SCHEMA, encoding="utf-8")
    settings, recipient = directory / "gateway.yaml", directory / "recipients" / "toetsbureau.yaml"
    known = settings.read_text(encoding="utf-8")
    settings.write_text(known.replace("- edu-v-students", "- edu-v-students\n      - lijst", 1), encoding="utf-8")
    recipient.write_text(recipient.read_text(encoding="utf-8") + GRANTED, encoding="utf-8")
    with open_school(directory) as school:
        acts.activate(school, "toetsbureau", RELEASER, "bench")


def measure(directory: Path, pupils: int, form: Form) -> Measured:
    given, output = directory.parent / "in", directory.parent / "uit"
    form.write(given, pupils)
    (schema, record), (recipient, purpose) = form.asked, form.whom
    asked = ["--recipient", recipient, "--purpose", purpose, "--schema", schema]
    asked += ["--record", record] if record else []
    begun = time.perf_counter()
    command = measured("filter", *asked, str(given), "-o", str(output), "-C", str(directory))
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    seconds = time.perf_counter() - begun
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    size = given.stat().st_size / 1e6
    for one in (given, output, output.with_name(output.name + ".cover.json")):
        one.unlink()
    return Measured(form.name, pupils, seconds, peak(done.stderr), size)


def report(found: list[Measured]) -> str:
    lines = [
        "# Files",
        "",
        "Written by `python -m bench.filter`. Every pupil is another, and is resolved, decided, registered and sorted;",
        f"the goal is {GOAL} MB, whatever the number.",
        "",
        "| form | pupils | file, MB | seconds | pupils a second | most memory, MB |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {one.form} | {one.pupils:,} | {one.size:,.0f} | {one.seconds:,.0f} | {one.pupils / one.seconds:,.0f} |"
        f" {one.peak:,.0f} |"
        for one in found
    ]
    return "\n".join([*lines, ""])


def measured_at(pupils: int, locations: int, forms: list[Form]) -> Iterator[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "school"
        begun = time.perf_counter()
        make_school(directory, Many(pupils, locations), 1)
        describe(directory)
        print(f"the roster took {time.perf_counter() - begun:,.0f} s", flush=True)
        for form in forms:
            found = measure(directory, pupils, form)
            print(found, flush=True)
            yield found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pupils", type=int, nargs="*", default=[20_000, 1_000_000])
    parser.add_argument("--forms", nargs="*", default=[one.name for one in FORMS])
    given = parser.parse_args()
    forms = [one for one in FORMS if one.name in given.forms]
    found = [one for size in given.pupils for one in measured_at(size, max(1, size // 10_000), forms)]
    RESULTS.write_text(report(found), encoding="utf-8")


if __name__ == "__main__":
    main()

"""A made-up administration of any size: pupils are made when they are asked for and stand in no memory.

For tests and measurements of what reads everybody. Pupil `n` is always the same, whatever the size; a pupil is at one
location. Speaks Edu-V Students at the list of a location, with OAuth2 as the demo LVS, and UWLR 2.2 with the whole
document of a location. Leaves out: everything else the demo LVS does (`lvs`).
`python -m gateway.demo.many --pupils 1000000 --locations 100` runs it.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import islice

import msgspec
from lxml import etree
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from gateway.demo.server import serve
from gateway.formats.xml.soap import enveloped, opened

TOGETHER = 200  # pupils in one chunk
CLASS = 25  # pupils in one group
UWLR = b"http://www.edustandaard.nl/leerresultaten/2/leerlinggegevens"
_GIVEN = ("Daan", "Fatima", "Joris", "Lieke", "Mila", "Noor", "Sem", "Yara")
_FAMILY = ("Akkerdam", "Beukman", "Elderhorst", "Groenveen", "Heuvelrijk", "Kamperstra", "Lindelaar", "Meerwater")


@dataclass(frozen=True, slots=True)
class Many:
    """So many pupils, spread over so many locations: `v000`, `v001`, …"""

    pupils: int
    locations: int = 1

    def names(self) -> list[str]:
        return [f"v{number:03d}" for number in range(self.locations)]

    def at(self, location: str) -> range:
        """The numbers of the pupils at a location."""
        return range(int(location[1:]), self.pupils, self.locations)

    def records(self, location: str) -> Iterator[bytes]:
        """Students, as JSON."""
        return (student(number) for number in self.at(location))

    def document(self, location: str, year: str) -> Iterator[bytes]:
        """Leerlinggegevens of UWLR, element by element."""
        brin = organisation_id(location)[1]
        yield (
            f"<leerlinggegevens><school><schooljaar>{year}</schooljaar><brincode>{brin[:4]}</brincode>"
            f"<dependancecode>{brin[4:]}</dependancecode><aanmaakdatum>2026-11-01T06:00:00</aanmaakdatum>"
            "<auteur>mw. Roderhorst</auteur><xsdversie>2.2</xsdversie></school><groepen>"
        ).encode()
        numbers = self.at(location)
        for group in range(-(-len(numbers) // CLASS)):
            year_of = 1 + group % 8
            yield f'<groep key="g{group}"><naam>{year_of}A</naam><jaargroep>{year_of}</jaargroep></groep>'.encode()
        yield b"</groepen><leerlingen>"
        yield from (pupil(number, at // CLASS) for at, number in enumerate(numbers))
        yield b"</leerlingen></leerlinggegevens>"


def organisation_id(location: str) -> tuple[str, str]:
    """How Edu-V names a location: (type, value)."""
    return "V_ID", f"02CD{int(location[1:]):02d}"


def ids(number: int) -> dict[str, str]:
    """The ids of a pupil, by kind of the roster."""
    drawn = hashlib.sha512(number.to_bytes(8, "big")).hexdigest()
    nepri = f"{drawn[:8]}-{drawn[8:12]}-4{drawn[13:16]}-8{drawn[17:20]}-{drawn[20:32]}"
    return {"las-key": str(1_000_000 + number), "nepri": nepri, "eck-id": f"https://ketenid.nl/demo/{drawn}"}


def student(number: int) -> bytes:
    """Complete, with what may not leave."""
    known = ids(number)
    given, family = _GIVEN[number % 8], _FAMILY[number // 8 % 8]
    seconds = f"{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}"
    return (
        f'{{"userMasterIdentifier":"{known["eck-id"]}","userIds":[{{"userId":"{known["las-key"]}","userIdType":"ASI"}},'
        f'{{"userId":"{known["nepri"]}","userIdType":"NEPRI"}}],"givenName":"{given}","familyName":"{family}",'
        f'"dateOfBirth":"20{10 + number % 8}-{1 + number % 12:02d}-{1 + number % 28:02d}","gender":"unspecified",'
        f'"email":"{given.lower()}.{number}@leerling.example","language":"nl","address":{{"street":"Wilgenlaan",'
        f'"houseNumber":{1 + number % 240},"zipCode":"{1000 + number % 9000} AB","city":"Lage Veld","countryCode":"NL",'
        f'"country":"Nederland"}},"emailsParents":["ouder.{number}@post.example"],"bsn":"{number % 10**9:09d}",'
        f'"status":"active","dateCreated":"2026-08-01T{seconds}Z","dateLastModified":"2026-09-01T{seconds}Z"}}'
    ).encode()


def pupil(number: int, group: int) -> bytes:
    """A leerling of UWLR, complete, with what may not leave."""
    given, family = _GIVEN[number % 8], _FAMILY[number // 8 % 8]
    return (
        f'<leerling key="{1_000_000 + number}" eckid="{ids(number)["eck-id"]}"><achternaam>{family}</achternaam>'
        f"<voorletters-1>{given[0]}</voorletters-1><roepnaam>{given}</roepnaam>"
        f"<geboortedatum>20{10 + number % 8}-{1 + number % 12:02d}-{1 + number % 28:02d}</geboortedatum>"
        f'<geslacht>{1 + number % 2}</geslacht><jaargroep>{1 + group % 8}</jaargroep><groep key="g{group}"/>'
        f"<emailadres>{given.lower()}.{number}@leerling.example</emailadres><land>NL</land><land_vader>NL</land_vader>"
        f"<bsn>{number % 10**9:09d}</bsn><postcodenl>{1000 + number % 9000}AB</postcodenl>"
        f"<instroomdatum>2026-08-01</instroomdatum></leerling>"
    ).encode()


def make_app(many: Many, secret: str) -> Starlette:
    """One client: `gateway`."""
    places = {organisation_id(name): name for name in many.names()}

    async def token(_: Request) -> Response:
        return _json({"access_token": secret, "token_type": "Bearer", "expires_in": 3600})

    async def students(request: Request) -> Response:
        asked = (request.query_params.get("orgIdType", ""), request.query_params.get("orgId", ""))
        if request.headers.get("authorization") != f"Bearer {secret}":
            return Response(status_code=401)
        if asked not in places:
            return Response(status_code=404)
        return StreamingResponse(_array(many.records(places[asked])), media_type="application/json")

    async def uwlr(request: Request) -> Response:
        asked = opened(await request.body())
        said = {etree.QName(one).localname: one.text or "" for one in asked}
        name = places.get(("V_ID", said.get("brincode", "") + said.get("dependancecode", "")))
        if request.headers.get("authorization") != f"Bearer {secret}" or name is None:
            return Response(status_code=401)
        document = many.document(name, said["schooljaar"])
        return StreamingResponse(_message(document), media_type="text/xml")

    return Starlette(
        routes=[
            Route("/oauth/token", token, methods=["POST"]),
            Route("/uwlr/leerlinggegevens", uwlr, methods=["POST"]),
            Route("/students/school", students, methods=["GET"]),
        ]
    )


async def _array(records: Iterator[bytes]) -> AsyncIterator[bytes]:
    before = b"["
    chunk: list[bytes] = []
    for record in records:
        chunk.append(record)
        if len(chunk) == TOGETHER:
            yield before + b",".join(chunk)
            before, chunk = b",", []
    yield (before if chunk or before == b"[" else b"") + b",".join(chunk) + b"]"


async def _message(document: Iterator[bytes]) -> AsyncIterator[bytes]:
    begin, end = enveloped(b'<leerlinggegevens_antwoord xmlns="%s">|</leerlinggegevens_antwoord>' % UWLR).split(b"|")
    yield begin
    while chunk := b"".join(islice(document, TOGETHER)):
        yield chunk
    yield end


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


def main() -> None:
    """Serve until stopped; says the address on one line once ready."""
    parser = argparse.ArgumentParser(prog="python -m gateway.demo.many", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--pupils", type=int, default=100_000)
    parser.add_argument("--locations", type=int, default=1)
    parser.add_argument("--secret", default="demo", help="of nobody but the made-up pupils")
    parser.add_argument("--lifeline", type=int, help="a pipe's end: stop when the other end is closed")
    given = parser.parse_args()
    app = make_app(Many(given.pupils, given.locations), given.secret)
    asyncio.run(serve(app, given.port, _say, given.lifeline))


def _say(port: int) -> None:
    sys.stdout.write(f"http://127.0.0.1:{port}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

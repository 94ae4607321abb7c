"""XML made to break, to crash or to leak: refused whole, quickly, and never told."""

from __future__ import annotations

import traceback

import pytest

from gateway.core.release.circle import Circle
from gateway.core.release.emission import Emission
from gateway.core.release.masking import Mask
from gateway.core.release.minimised import EnvelopeBroken
from gateway.formats.xml import Limits
from tests import builders_xml as xml

CANARY = "kanarie-7f3a"
GRANTS = xml.grants("year", "note", "x:extra", "place.street")
LAUGHS = "".join(f'<!ENTITY a{n} "{10 * f"&a{n - 1};"}">' for n in range(1, 12))
TENFOLD, NUMBERED = 50_000 * "&a;", " ".join(f"a{n}='{n}'" for n in range(200_000))


def noted(text: str) -> str:
    return xml.text(f"<note>{text}</note>")


def nested(depth: int) -> str:
    return depth * "<a>" + depth * "</a>"


def typed(declaration: str, body: str) -> bytes:
    return f"<!DOCTYPE {declaration}>{body}".encode()


def declared(encoding: str, body: bytes) -> bytes:
    return f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + body


def hostile() -> dict[str, bytes]:
    good = xml.text()
    return {
        "nothing": b"",
        "space": b" ",
        "json": b'{"pupil": 1}',
        "html": b"<html><p>" + CANARY.encode() + b"</html>",
        "another document": b"<other>" + CANARY.encode() + b"</other>",
        "truncated": good.encode()[:-9],
        "two roots": (good + good).encode(),
        "billion laughs": typed(f'p [<!ENTITY a0 "ha">{LAUGHS}]', noted("&a11;")),
        "quadratic": typed(f'p [<!ENTITY a "{50_000 * "x"}">]', noted(TENFOLD)),
        "external entity": typed('p [<!ENTITY e SYSTEM "file:///etc/hostname">]', noted("&e;")),
        "external subset": typed('p SYSTEM "http://localhost/x.dtd"', good),
        "parameter entity": typed('p [<!ENTITY % e SYSTEM "file:///etc/hostname">%e;]', good),
        "default attribute": typed('pupil [<!ATTLIST pupil key CDATA "las-1">]', good),
        "doctype in utf-16": f"<!DOCTYPE p><p>{CANARY}</p>".encode("utf-16"),
        "utf-16": good.encode("utf-16"),
        "utf-16 without mark": good.encode("utf-16-le"),
        "utf-7": declared("UTF-7", b"+ADwAIQ-DOCTYPE p+AD4-"),
        "utf-7 behind a long declaration": declared("UTF-7", good.encode()).replace(b" enc", 99 * b" " + b" enc"),
        "declaration without end": b"<?xml " + 2_000 * b" " + b"version='1.0' encoding='UTF-7'?>" + good.encode(),
        "ebcdic": '<?xml version="1.0" encoding="cp037"?><pupil/>'.encode("cp037"),
        "no such encoding": declared("x-none", good.encode()),
        "wrong encoding": declared("UTF-8", noted("\xe9").encode("latin-1")),
        "undeclared entity": noted("&eacute;").encode(),
        "control sign": noted("\0").encode(),
        "50,000 deep": nested(50_000).encode(),
        "50,000 deep within": xml.text(f"<place>{nested(50_000)}</place>").encode(),
        "200 deep within": xml.text(nested(200)).encode(),
        "300 deep within": xml.text(nested(300)).encode(),
        "10 MB text": noted(10_500_000 * "x").encode(),
        "a million elements": xml.text(1_000_000 * "<a/>").encode(),
        "attribute twice": xml.text(f"<a {NUMBERED} a1='x'/>").encode(),
    }


HOSTILE = hostile()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_document_is_refused(name: str) -> None:
    with pytest.raises(EnvelopeBroken):
        xml.bench(GRANTS).run(HOSTILE[name])


WITHIN = ["truncated", "undeclared entity", "10 MB text", "50,000 deep within", "300 deep within", "a million elements"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_document_instead_of_a_list_is_refused(name: str) -> None:
    with pytest.raises(EnvelopeBroken):
        xml.bench(GRANTS).run(HOSTILE[name], many=True)


@pytest.mark.parametrize("name", WITHIN)
def test_hostile_record_in_a_list_is_refused(name: str) -> None:
    body = f'<pupils xmlns="{xml.SPACE}">'.encode() + HOSTILE[name] + b"</pupils>"
    with pytest.raises(EnvelopeBroken):
        xml.bench(GRANTS).run(body, many=True)


@pytest.mark.parametrize("name", ["utf-7", "utf-16", "utf-16 without mark", "no such encoding", "doctype in utf-16"])
def test_an_encoding_cannot_hide_in_small_pieces(name: str) -> None:
    bench = xml.bench(GRANTS)
    chunks = (piece for one in HOSTILE[name] for piece in (b"", bytes([one])))
    with pytest.raises(EnvelopeBroken, match=r"encoding|no text"):
        next(bench.minimiser.rows(chunks, Emission(bench.sight), lambda: Circle(Mask(()), frozenset())))


@pytest.mark.parametrize("before", ["", f"<!-- {70_000 * 'x'} -->", f"<!-- {65_500 * 'x'} -->"])
def test_a_list_with_a_document_type_is_refused_before_any_of_it_is_read(before: str) -> None:
    body = f'{before}<!DOCTYPE pupils><pupils xmlns="{xml.SPACE}">{xml.text()}</pupils>'.encode()
    bench = xml.bench(GRANTS)
    for size in (len(body), 65_536, 7):
        chunks = (body[start : start + size] for start in range(0, len(body), size))
        with pytest.raises(EnvelopeBroken):
            next(bench.minimiser.rows(chunks, Emission(bench.sight), lambda: Circle(Mask(()), frozenset())))


def test_a_text_of_ten_megabytes_in_a_field_that_leaves_is_malformed() -> None:
    found, _ = xml.bench(GRANTS).run(xml.text(f"<note>{'x' * 5_000_000}</note>"))
    assert (found.body, found.malformed) == (b"", 1)


def test_a_deep_element_that_nobody_knows_is_refused_at_its_depth() -> None:
    bench = xml.bench(GRANTS, limits=Limits(depth=5))
    assert bench.run(xml.text("<a>" * 4 + "</a>" * 4))[0].records == 1
    with pytest.raises(EnvelopeBroken):
        bench.run(xml.text("<a>" * 5 + "</a>" * 5))


def test_a_list_that_breaks_off_is_refused_as_a_whole() -> None:
    body = f'<pupils xmlns="{xml.SPACE}">{xml.text()}{xml.text(key="las-2")[:40]}'
    with pytest.raises(EnvelopeBroken):
        xml.bench(GRANTS).run(body, many=True)


@pytest.mark.parametrize(
    "body",
    [
        noted(CANARY)[:-30],
        f"<!DOCTYPE {CANARY}>{xml.text()}",
        xml.text(f"<place><{CANARY}></place>"),
        f"<{CANARY}/>",
    ],
)
def test_an_error_tells_nothing_of_the_body(body: str) -> None:
    with pytest.raises(EnvelopeBroken) as broken:
        xml.bench(GRANTS).run(body)
    assert CANARY not in "".join(traceback.format_exception(broken.value)).replace(body, "")
    assert broken.value.__context__ is None


def test_a_malformed_record_tells_nothing_of_itself() -> None:
    bench = xml.bench(GRANTS)
    assert CANARY not in repr((bench.run(xml.text(f"<year>{CANARY}</year>")), bench.minimiser))


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "windows-1252", "iso-8859-15"])
def test_an_encoding_of_dutch_administrations_is_read_and_leaves_as_utf_8(encoding: str) -> None:
    body = f'<?xml version="1.0" encoding="{encoding}"?>' + xml.text("<place><street>Coöperatie</street></place>")
    found, _ = xml.bench(GRANTS).run(body.encode(encoding))
    assert "Coöperatie".encode() in found.body


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert xml.bench(GRANTS).run(b"\xef\xbb\xbf" + xml.text().encode())[0].records == 1

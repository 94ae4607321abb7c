"""UWLR and EDEXML by the shipped templates: the official example becomes the profile's elements, and no more."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from lxml import etree

from gateway.core.reasons import Reason
from tests.builders_uwlr import LVS, SMALL, bench, edexml_wrong, keys_in, moved, names_in, people, sample, wrong
from tests.policy.shipped import answered, changed

pytestmark = pytest.mark.skipif("STANDARDS_DIR" not in os.environ, reason="STANDARDS_DIR does not name the files")

GROUPS = "groepen/groep"
CROSSING = "groepen/samengestelde_groep"
PUPILS = "leerlingen/leerling"


def small() -> bytes:
    return bench("uwlr-smalle-set", "uwlr-2-2").run(moved(sample()))[0].body


def test_official_example_in_uwlr_becomes_the_smalle_set_and_is_valid() -> None:
    body = small()

    assert wrong(moved(sample())) == []  # the oracle takes the example itself
    assert wrong(body) == []
    assert names_in(body) <= SMALL
    assert {"roepnaam", "geboortedatum", "jaargroep", "groep", "samengestelde_groepen", "leerkracht"} <= names_in(body)
    assert b"Hof" not in body
    assert b"2731" not in body


def test_official_example_becomes_the_lvs_set_without_digits_of_anybodys_number() -> None:
    body = bench("uwlr-lvs-set", "uwlr-2-2").run(moved(sample()))[0].body

    assert wrong(body) == []
    assert names_in(body) <= LVS
    assert {one.text for one in etree.fromstring(body).iter("{*}bsn_ondwnr-4")} == {"0000"}
    assert {one.text for one in etree.fromstring(body).iter("{*}geboortedatum")} == {"2006-01-01"}


def test_official_example_as_a_file_becomes_valid_edexml() -> None:
    body = bench("edexml-smalle-set", "edexml-2-1").run(sample())[0].body

    assert edexml_wrong(sample()) == []
    assert edexml_wrong(body) == []
    assert names_in(body) <= SMALL
    assert b"xsi" not in body


def test_ids_are_pseudonyms_wherever_they_are_referred_to() -> None:
    body = small()
    groups, crossing = keys_in(body, GROUPS), keys_in(body, CROSSING)

    assert len(groups) == 1  # in the four others no pupil is, whoever teaches them
    assert len(crossing) == 2
    assert not set(keys_in(moved(sample()), "*/*")) & set(keys_in(body, "*/*"))
    assert len(keys_in(body, f"{PUPILS}/groep")) == 1
    assert set(keys_in(body, f"{PUPILS}/groep")) <= set(groups)
    assert keys_in(body, "leerkrachten/leerkracht/groepen/groep") == []  # those are of the others
    assert len(set(keys_in(body, f"{PUPILS}/samengestelde_groepen/samengestelde_groep"))) == 2
    assert set(keys_in(body, f"{PUPILS}/samengestelde_groepen/samengestelde_groep")) <= set(crossing)
    assert set(keys_in(body, "leerkrachten/leerkracht/groepen/samengestelde_groep")) == set(crossing)


@pytest.mark.parametrize("path", [GROUPS, CROSSING, PUPILS, "leerkrachten/leerkracht"])
def test_order_says_nothing_of_the_administration(path: str) -> None:
    assert keys_in(small(), path) == sorted(keys_in(small(), path))


def test_name_of_a_crossing_group_is_the_same_for_all() -> None:
    found = etree.fromstring(small()).iterfind("{*}groepen/{*}samengestelde_groep/{*}naam")
    assert {one.text for one in found} == {"Groep"}


def test_withheld_pupil_is_not_there_and_the_rest_is() -> None:
    known = [replace(one, enrolments=()) if one.ids.get("las-key") == "00001" else one for one in people()]
    made, emission = bench("uwlr-smalle-set", "uwlr-2-2", known).run(moved(sample()))

    assert wrong(made.body) == []
    assert len(keys_in(made.body, PUPILS)) == 2
    ((_, reasons),) = emission.withheld
    assert reasons == (Reason.PUPIL_NOT_IN_SCOPE,)


def test_nobody_left_is_no_document_and_says_who_was_withheld() -> None:
    known = [replace(one, enrolments=()) for one in people()]
    made, emission = bench("uwlr-smalle-set", "uwlr-2-2", known).run(moved(sample()))

    assert (made.records, made.body) == (0, b"")
    assert len(emission.withheld) == 3  # without pupils there is no message, whoever teaches


def test_reference_to_a_group_that_did_not_leave_goes_too() -> None:
    """A name with a national number in it stays behind, and its group with it."""
    body = moved(sample()).replace(b"<naam>4B</naam>", b"<naam>133456785</naam>")
    known = [replace(one, numbers=frozenset({b"digest of 133456785"})) for one in people()]
    made, _ = bench("uwlr-smalle-set", "uwlr-2-2", known).run(body)

    assert b"133456785" not in made.body
    assert wrong(made.body) == []


def test_where_pupils_log_in_with_the_eck_id_it_fills_the_key_too() -> None:
    text = changed(
        answered("uwlr-smalle-set"),
        ("pseudonym: hmac", "pseudonym: eck-id"),
        (
            '          "leerlingen.leerling.@key":',
            (
                '          "leerlingen.leerling.@eckid":\n            reason: De leerling logt in met het ECK iD.\n'
                '          "leerlingen.leerling.@key":'
            ),
        ),
        (
            '          "leerkrachten.leerkracht.@key":',
            (
                '          "leerkrachten.leerkracht.@eckid":\n            reason: Een leerkracht ook.\n'
                '          "leerkrachten.leerkracht.@key":'
            ),
        ),
    )
    pupil, *others = people()
    known = [replace(pupil, ids={**pupil.ids, "eck-id": "https://ketenid.nl/x/1"}), *others]
    body = moved(sample()).replace(b'key="00001" eckid="', b'key="00001" title="')
    made, emission = bench("uwlr-smalle-set", "uwlr-2-2", known, text=text).run(body)

    (found,) = etree.fromstring(made.body).iter("{*}leerling")
    assert (found.get("key"), found.get("eckid"), len(found.attrib)) == ("https://ketenid.nl/x/1",) * 2 + (2,)
    assert {reasons for _, reasons in emission.withheld} == {(Reason.PUPIL_UNRESOLVED,)}

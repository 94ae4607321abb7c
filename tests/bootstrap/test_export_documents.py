"""`gateway export` in XML: UWLR of the demo's LVS, read item by item, one document for each location."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable

import pytest
from lxml import etree

from gateway.adapters.facts.store import Entered, enter
from gateway.bootstrap import acts, exports
from gateway.bootstrap.school import Refused, open_school
from gateway.core.facts import Restriction, RestrictionGround
from gateway.core.file_forms import Form
from gateway.transfer.filing import Wanted
from gateway.transfer.pages import Exported, Progress
from tests.bootstrap.test_exports import WHO, Exporting, Killed, edited, exporting, lvs, prepared
from tests.builders_uwlr import keys_in, wrong
from tests.simulators.persons import somebody

__all__ = ["exporting", "lvs", "prepared"]  # fixtures

NAME = "uwlr-smalle-set"
WANTED = Wanted("lvs", "uwlr-2-2", NAME, "methodetoetsen")
PEOPLE = ("leerlingen/leerling", "leerkrachten/leerkracht")


class Documents:
    """The smalle set by files, for these locations."""

    def __init__(self, exporting: Exporting, *locations: str) -> None:
        self.exporting = exporting
        recipient = exporting.directory / "recipients" / f"{NAME}.yaml"
        edited(recipient, "channel: api", "channel: sftp")
        lines = recipient.read_text().splitlines()
        at = lines.index("    locations:")
        after = next(n for n in range(at + 1, len(lines)) if not lines[n].startswith("      -"))
        lines[at:after] = ["    locations:", *(f"      - {name}" for name in locations)]
        recipient.write_text("\n".join(lines) + "\n")
        with open_school(exporting.directory) as school:
            acts.activate(school, NAME, somebody(), "afgesproken")

    def run(
        self,
        output: str = "uit.xml",
        watch: Callable[[Progress], None] = lambda _: None,
        *,
        container: str = "file",
        form: Form = Form.DOCUMENT,
        wanted: Wanted = WANTED,
    ) -> Exported:
        with open_school(self.exporting.directory) as school:
            order = exports.Order(wanted, form, self.exporting.folder / output, container=container)
            return exports.export(school, WHO, order, "toets", watch)[0]

    def killed(self, at: int, output: str) -> bool:
        """Whether a run was killed at this step."""
        steps = 0

        def watch(_: Progress) -> None:
            nonlocal steps
            steps += 1
            if steps == at:
                raise Killed

        try:
            self.run(output, watch)
        except Killed:
            return True
        return False

    def made(self, output: str = "uit.xml") -> bytes:
        return self.exporting.made(output)


@pytest.fixture
def noord(exporting: Exporting) -> Documents:
    return Documents(exporting, "noord")


def pupils(body: bytes) -> list[str]:
    return keys_in(body, PEOPLE[0])


def test_document_holds_everybody_once_in_the_order_of_their_pseudonyms(noord: Documents) -> None:
    exported = noord.run()

    body = noord.made()
    assert exported.stop is None
    assert exported.parts > 2
    for kind in (*PEOPLE, "groepen/groep", "groepen/samengestelde_groep"):
        found = keys_in(body, kind)
        assert found == sorted(set(found)) != []
    entries = noord.exporting.parts()
    assert sum(entry.get("released", 0) for entry in entries) == sum(len(keys_in(body, kind)) for kind in PEOPLE)
    assert entries[-1]["bytes"] == len(body)
    assert [entry["route"] for entry in entries[:1]] == ["POST /leerlinggegevens"]


@pytest.mark.skipif("STANDARDS_DIR" not in os.environ, reason="STANDARDS_DIR does not name the official files")
def test_document_is_valid_by_the_official_description(noord: Documents) -> None:
    noord.run()

    assert wrong(noord.made()) == []


def test_document_holds_only_what_was_granted(noord: Documents) -> None:
    noord.run()

    text = noord.made()
    for told in (b"achternaam", b"bsn", b"auteur", b"Roderhorst", b"emailadres", b"land", b"eckid", b"commentaar"):
        assert told not in text
    assert {one.text for one in etree.fromstring(text).iter("{*}roepnaam")} == {"-"}


def test_every_group_is_somebodys_and_every_reference_leads_somewhere(noord: Documents) -> None:
    noord.run()

    root = etree.fromstring(noord.made())
    groups = {str(one.get("key")) for one in root.iterfind("{*}groepen/*")}
    people = [*root.iterfind("{*}leerlingen/*"), *root.iterfind("{*}leerkrachten/*")]
    named = {str(one.get("key")) for person in people for one in person.iterfind(".//*[@key]")}
    assert named == groups


def test_run_killed_at_any_step_comes_to_the_same_document(noord: Documents) -> None:
    noord.run("een.xml")
    for at in (1, 4):  # before anything came, and between two parts
        assert noord.killed(at, f"{at}.xml")
        assert not (noord.exporting.folder / f"{at}.xml").exists()
        noord.run(f"{at}.xml")
        assert noord.made(f"{at}.xml") == noord.made("een.xml")

    with open_school(noord.exporting.directory) as school:
        assert acts.verify(school, None).ok


def test_restriction_set_while_it_runs_counts_for_whom_it_concerns(noord: Documents) -> None:
    noord.run("een.xml")
    last = pupils(noord.made("een.xml"))[-1]

    def watch(how_far: Progress) -> None:
        if how_far.doing == "writing" and not done:
            done.append(last)
            with open_school(noord.exporting.directory) as school:
                issue = school.world().issued(NAME, last, "pupil")
                assert issue is not None
                assert issue.owner is not None
            restrict(noord.exporting, issue.owner)

    done: list[str] = []
    exported = noord.run(watch=watch)

    assert exported.stop is None
    assert pupils(noord.made()) == pupils(noord.made("een.xml"))[:-1]


def restrict(exporting: Exporting, owner: bytes) -> None:
    with open_school(exporting.directory) as school:
        entered = Entered(owner, Restriction(ground=RestrictionGround.ACCURACY))
        enter(school.database, school.store_keys, school.told(somebody(), "bezwaar"), [entered])


def test_delivery_of_several_locations_is_a_zip_of_documents(exporting: Exporting) -> None:
    both = Documents(exporting, "noord", "zuid")
    with pytest.raises(Refused) as refused:
        both.run()
    assert "one location" in refused.value.problems[0]

    exported = both.run("uit.zip", container="zip")

    assert exported.stop is None
    with zipfile.ZipFile(exporting.folder / "uit.zip") as archive:
        found = {one.filename: archive.read(one) for one in archive.infolist()}
    schools = [etree.fromstring(one).findtext("{*}school/{*}dependancecode") for one in found.values()]
    assert (list(found), schools) == (["0001.xml", "0002.xml"], ["00", "01"])


@pytest.mark.parametrize(
    ("schema", "container", "form"),
    [
        ("uwlr-2-2", "folder", Form.DOCUMENT),
        ("uwlr-2-2", "zip", Form.DOCUMENT),
        ("edu-v-students", "folder", Form.ARRAY),
        ("edu-v-students", "zip", Form.TABLE),
    ],
)
def test_folder_and_zip_hold_what_the_schema_speaks(noord: Documents, schema: str, container: str, form: Form) -> None:
    with open_school(noord.exporting.directory) as school:
        assert exports.usual_form(school, schema, container) is form


def test_form_is_that_of_the_schema(noord: Documents) -> None:
    with pytest.raises(Refused) as of_xml:
        noord.run("uit.json", form=Form.ARRAY)
    with pytest.raises(Refused) as of_json:
        noord.run(wanted=Wanted("lvs", "edu-v-students", "toetsbureau", "papieren-toets"))
    told = [one.value.problems for one in (of_xml, of_json)]
    assert told == [["uwlr-2-2 is XML: --form xml"], ["edu-v-students is JSON: --form json, ndjson or csv"]]

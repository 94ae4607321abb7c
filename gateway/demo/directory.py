"""The directory of the demo school: made once from what ships, reused afterwards, never overwritten.

Holds gateway.yaml, schemas/ and recipients/ with the templates' questions answered; the key file stands beside the
directory. Leaves out: the database, credentials and processes (`bootstrap`, `cli.demo`).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from gateway.demo.oneroster import school_id
from gateway.demo.pushes import oins
from gateway.demo.receivers import DUO_PATH, TEST_PATH
from gateway.demo.school import MASTER, SITES, Site
from gateway.demo.somtoday import vestiging_id

ARTICLE = "Artikel 178 WPO, zoals een school het zou invullen"
OWN_SCHOOL = "01AB"  # BRIN of the demo school
NEXT_SCHOOL = "27XY"  # BRIN of the school where pupils of the demo go


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the demo listens on loopback."""

    gateway: int
    admin: int
    lvs: int


def make_directory(
    directory: Path,
    share: Path,
    ports: Ports,
    secret: str,
    today: date,
    answered: Callable[[str, Mapping[int | str, str | list[str]]], str],
) -> None:
    """Fill a new directory. `share` holds the shipped schemas/ and recipients/; `answered` fills in a template's
    questions; `secret` is the gateway's own secret at the LVS, kept beside the key, outside the directory."""
    directory.mkdir(parents=True)
    shutil.copytree(share / "schemas", directory / "schemas", ignore=shutil.ignore_patterns("json"))
    (directory / "recipients").mkdir()
    for template in sorted((share / "recipients").glob("*.yaml")):
        asked = template.read_text(encoding="utf-8")
        agreed = "\nagreement:" in asked  # whoever receives on a permit alone has none
        processor = "\nrole: processor\n" in asked
        given = answers(template.stem, today, agreed=agreed, processor=processor)
        if "\n      destination: " in asked:
            own = template.stem == "school-bb"
            given["deliveries.*.conditions.destination"] = OWN_SCHOOL if own else NEXT_SCHOOL
        if '\n      reference: "ASK:' in asked:
            given["deliveries.*.grondslag.reference"] = ARTICLE
        text = answered(asked, given)
        (directory / "recipients" / template.name).write_text(text, encoding="utf-8")
    (directory / "gateway.yaml").write_text(_settings(directory, ports, today), encoding="utf-8")
    secret_path(directory).touch(mode=0o600)
    secret_path(directory).write_text(secret + "\n", encoding="ascii")


def secret_path(directory: Path) -> Path:
    """The file with the gateway's secret at the demo LVS."""
    return directory.with_name(directory.name + ".lvs-secret")


def key_path(directory: Path) -> Path:
    """The key file, beside the directory so that a copy of the directory holds no key."""
    return directory.with_name(directory.name + ".key")


def _settings(directory: Path, ports: Ports, today: date) -> str:
    locations = "\n".join(_location(site.name, site.title, _ids(site)) for site in SITES)
    return f"""\
# The demo school. A real one looks the same; every setting is explained in docs/reference.md.
school: Demoschool
listen: 127.0.0.1:{ports.gateway}
admin: 127.0.0.1:{ports.admin}
database: sqlite:///gateway.db
key: file:../{key_path(directory).name}
workers: 2
policy:
  version: "1.0"
  in_force: {_before(today, 400)}
  instemming: {_before(today, 430)}
  evaluation: {_before(today, -300)}
organisation:
  master: ["{MASTER}"]
  locations:
{locations}
sources:
  lvs:
    url: http://127.0.0.1:{ports.lvs}
    schemas:
      - edu-v-students
      - edu-v-association
      - edu-v-results
      - oneroster-csv
      - oso-2019
      - duo-inschrijving-vo
      - eindtoets
      - eindtoets-resultaten
      - cijferlijst-csv
      - uwlr-2-2
      - uwlr-2-2-leerresultaten
      - edexml-2-1
    token:
      url: http://127.0.0.1:{ports.lvs}/oauth/token
      client_id: gateway
      client_secret: file:../{secret_path(directory).name}
    # how the gateway is known in messages of UWLR
    authorisation:
      key: file:../{secret_path(directory).name}
      code: gateway
      name: Demoschool
    roster:
      every: 5m
      stale_after: 72h
  # the same LVS for a learning environment that asks for itself (OneRoster); `identifier` holds the number of above
  oneroster:
    url: http://127.0.0.1:{ports.lvs}
    schemas: [oneroster]
    numbers: lvs
    token:
      url: http://127.0.0.1:{ports.lvs}/oauth/token
      client_id: gateway
      client_secret: file:../{secret_path(directory).name}
    roster:
      every: 5m
      stale_after: 72h
  # and as Somtoday Connect; `leerlingnummer` holds the number of above
  somtoday:
    url: http://127.0.0.1:{ports.lvs}
    schemas: [somtoday]
    numbers: lvs
    token:
      url: http://127.0.0.1:{ports.lvs}/oauth/token?organisation={MASTER}
      client_id: gateway
      client_secret: file:../{secret_path(directory).name}
    roster:
      every: 5m
      stale_after: 72h
# where pushes go: simulators beside the demo's LVS
endpoints:
  duo:
    url: http://127.0.0.1:{ports.lvs}{DUO_PATH}
  doorstroomtoets:
    url: http://127.0.0.1:{ports.lvs}{TEST_PATH}
# far above what a school needs, so that whoever tries the demo under load sees the gateway and not its limits
limits:
  rate_per_recipient_per_minute: 1000000
  rate_per_origin_per_minute: 1000000
  concurrency_per_recipient: 256
"""


def _before(today: date, days: int) -> str:
    return (today - timedelta(days=days)).isoformat()


def _ids(site: Site) -> frozenset[tuple[str, str]]:
    return (
        site.ids
        | {("OIN", oin) for oin in oins(site)}
        | {("sourcedId", school_id(site)), ("vestiging", vestiging_id(site))}
    )


def _location(name: str, title: str, ids: frozenset[tuple[str, str]]) -> str:
    listed = "\n".join(f'        - {{type: {kind}, id: "{value}"}}' for kind, value in sorted(ids))
    return f"    {name}:\n      title: {title}\n      ids:\n{listed}"


def answers(
    recipient: str, today: date, *, agreed: bool = True, processor: bool = True
) -> dict[int | str, str | list[str]]:
    """What a school fills in where a template asks: by dotted path, `*` for any delivery. `agreed`: there is an
    agreement to ask about; `processor`: and the recipient works on the school's behalf."""
    start, end = today - timedelta(days=30), today + timedelta(days=300)
    locations = ["noord"] if recipient in ("onderwijsassistent", "ocw") else ["noord", "zuid"]
    agreement: dict[int | str, str | list[str]] = {
        "agreement.signed": start.isoformat(),
        "agreement.starts": start.isoformat(),
        "agreement.until": end.isoformat(),
    }
    processing: dict[int | str, str | list[str]] = {
        "agreement.bijsluiter": f"Bijsluiter {recipient} 2026, https://{recipient}.example/bijsluiter",
        "deliveries.*.authorisation.by": "directeur",
        "deliveries.*.authorisation.date": start.isoformat(),
        "deliveries.*.authorisation.until": end.isoformat(),
    }
    return (
        (agreement if agreed else {})
        | (processing if agreed and processor else {})
        | {
            "contact": f"privacy@{recipient}.example",
            "deliveries.*.necessity.by": "privacy officer",
            "deliveries.*.necessity.date": start.isoformat(),
            "deliveries.*.locations.0": locations,
            "deliveries.*.until": end.isoformat(),
        }
    )

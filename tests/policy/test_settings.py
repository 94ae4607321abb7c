"""gateway.yaml and the environment: frozen values, or every problem at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from gateway.adapters.policy.settings_forms import LimitsForm
from gateway.adapters.policy.yaml_text import Problem
from gateway.settings import Limits, Secret, Settings, SettingsWrong, load, parse, read_secret
from tests.policy.shipped import changed, line_of, told

GATEWAY = """\
school: Voorbeeldschool
listen: 127.0.0.1:8080
admin: 127.0.0.1:8081
database: sqlite:///gateway.db
key: file:../school.key
workers: 2
proxies: []
policy: {version: "1.0", in_force: 2024-10-01, instemming: 2024-09-17, evaluation: 2026-10-01}
organisation:
  master: ["104A158"]
  locations:
    noord: {title: Noord, ids: [{type: V_ID, id: 01AB00}, {type: DD_ID, id: "12345"}]}
    zuid: {title: Zuid, ids: [{type: V_ID, id: 01AB01}]}
sources:
  lvs:
    url: https://lvs.example/edu-v/
    schemas: [edu-v-students, edu-v-association]
    token: {url: "https://lvs.example/token", client_id: gateway, client_secret: env:LVS_SECRET}
    roster: {every: 5m, stale_after: 72h}
    succeeds: null
limits: {body_bytes: 2000000, first_byte_seconds: 2.5}
"""
HERE = Path("/srv/school")


def right(text: str = GATEWAY, environment: Mapping[str, str] | None = None) -> Settings:
    found = parse(text, HERE, environment or {})
    assert isinstance(found, Settings), found
    return found


def wrong(text: str, environment: Mapping[str, str] | None = None) -> list[Problem]:
    found = parse(text, HERE, environment or {})
    assert isinstance(found, list)
    return found


def test_settings_are_what_the_file_says() -> None:
    found = right()

    assert (found.school, found.listen, found.admin) == ("Voorbeeldschool", ("127.0.0.1", 8080), ("127.0.0.1", 8081))
    assert found.policy.instemming == date(2024, 9, 17)
    assert found.organisation.locations["noord"].ids == {("V_ID", "01AB00"), ("DD_ID", "12345")}
    assert found.sources["lvs"].url == "https://lvs.example/edu-v"
    assert found.sources["lvs"].roster_every_seconds == 300
    assert found.sources["lvs"].roster_stale_after_seconds == 259_200


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ("{url: 'sftp://school@b.example/in'}", "sftp needs 'host_key' and 'identity'"),
        ("{url: 'sftp://school@b.example', host_key: ssh-ed25519 AAAA}", "sftp needs 'host_key' and 'identity'"),
        ("{url: 'https://b.example', identity: file:key}", "'host_key' and 'identity' belong to sftp"),
        (
            "{url: 'sftp://school@b.example', host_key: ssh-ed25519 AAAA, identity: env:KEY}",
            "a key stands in a file (file:PATH)",
        ),
        ("{url: 'http://b.example'}", "outside loopback an endpoint is https"),
    ],
)
def test_endpoint_that_could_be_another_is_refused(endpoint: str, message: str) -> None:
    text = f"{GATEWAY}endpoints:\n  bureau: {endpoint}\n"
    assert [one.message for one in wrong(text)] == [message]


def test_endpoint_over_sftp_knows_the_server_and_the_school() -> None:
    endpoint = "{url: 'sftp://school@b.example/in', host_key: ssh-ed25519 AAAA, identity: file:../sftp.key}"
    found = right(f"{GATEWAY}endpoints:\n  bureau: {endpoint}\n").endpoints["bureau"]
    assert found.sftp
    assert found.identity is not None
    assert found.identity.place.endswith("/sftp.key")


def test_source_without_url_is_not_called() -> None:
    text = changed(GATEWAY, ("    url: https://lvs.example/edu-v/\n", ""))
    assert [one.message for one in wrong(text)] == ["a source without 'url' is never called and needs no token"]
    (token,) = [line for line in text.splitlines(keepends=True) if line.startswith("    token:")]
    assert right(changed(text, (token, ""))).sources["lvs"].url is None


def test_paths_count_from_the_directory() -> None:
    found = right()

    assert found.database == "sqlite:////srv/school/gateway.db"
    assert found.key == Secret("file", "/srv/school.key")


def test_limit_that_is_not_named_has_its_default() -> None:
    limits = right().limits

    assert (limits.body_bytes, limits.first_byte_seconds) == (2_000_000, 2.5)
    assert limits.answer_bytes == Limits().answer_bytes == 16_000_000


def test_form_knows_every_limit() -> None:
    assert set(LimitsForm.model_fields) == set(Limits.__slots__)


def test_environment_goes_before_the_file() -> None:
    environment = {
        "GATEWAY_LISTEN": "127.0.0.1:9000",
        "GATEWAY_WORKERS": "4",
        "GATEWAY_LIMITS_DEPTH": "7",
        "GATEWAY_SOURCES_LVS_URL": "http://127.0.0.1:1",
        "GATEWAY_SOURCES_LVS_TOKEN_CLIENT_ID": "0123",
        "GATEWAY_SERVICE_HOST": "set by an orchestrator",
    }

    found = right(environment=environment)

    assert (found.listen, found.workers, found.limits.depth) == (("127.0.0.1", 9000), 4, 7)
    assert found.sources["lvs"].url == "http://127.0.0.1:1"
    assert found.sources["lvs"].token is not None
    assert found.sources["lvs"].token.client_id == "0123"


def test_wrong_value_of_the_environment_is_told_by_its_name() -> None:
    found = wrong(GATEWAY, {"GATEWAY_LIMITS_DEPTH": "geheim", "GATEWAY_LIMITS_DEEP": "1", "GATEWAY_LISTEN": "geheim"})

    assert {problem.file for problem in found} == {"GATEWAY_LIMITS_DEPTH", "GATEWAY_LIMITS_DEEP", "GATEWAY_LISTEN"}
    assert not any("geheim" in problem.message for problem in found)


@pytest.mark.parametrize(
    ("old", "new", "at", "rule"),
    [
        ("file:../school.key", "file:school.key", "key:", "N6"),
        ("file:../school.key", "file:/srv/school/keys/key", "key:", "N6"),
        ("file:../school.key", "c2VjcmV0", "key:", "form"),
        ("key: file:../school.key\n", "", "school:", "N6"),
        ("listen: 127.0.0.1:8080", "listen: 0.0.0.0:8080", "listen:", "R107"),
        ("admin: 127.0.0.1:8081", "admin: 10.0.0.1:8081", "admin:", "R107"),
        ("admin: 127.0.0.1:8081", "admin: 127.0.0.1:8080", "admin:", "form"),
        ("listen: 127.0.0.1:8080", "listen: 127.0.0.1", "listen:", "form"),
        ("listen: 127.0.0.1:8080", "listen: 127.0.0.1:80800", "listen:", "form"),
        ("workers: 2", "workers: 0", "workers:", "form"),
        ("workers: 2", "workers: twee", "workers:", "form"),
        ("every: 5m", "every: 300", "roster:", "form"),
        ("env:LVS_SECRET", "hunter2", "token:", "form"),
        ("succeeds: null", "succeeds: oud", "succeeds:", "form"),
        ("succeeds: null", "succeeds: lvs", "succeeds:", "form"),
        ("id: 01AB01", "id: 01AB00", "  locations:", "R68"),
        ("in_force: 2024-10-01, ", "", "policy:", "R118"),
        ("instemming: 2024-09-17", "instemming: gisteren", "policy:", "form"),
        ("body_bytes: 2000000", "body_megabytes: 2", "limits:", "form"),
        ("body_bytes: 2000000", "body_bytes: 0", "limits:", "form"),
        ("Voorbeeldschool", '"ASK: Welke school?"', "school:", "form"),
        ("https://lvs.example/edu-v/", "https://user:pass@lvs.example/", "url:", "form"),
        ("https://lvs.example/edu-v/", "ftp://lvs.example/", "url:", "form"),
        ("sqlite:///gateway.db", "mysql://x", "database:", "form"),
        ("proxies: []", "proxies: [overal]", "proxies:", "form"),
    ],
)
def test_gateway_file_with_one_mistake_is_refused_at_its_line(old: str, new: str, at: str, rule: str) -> None:
    text = changed(GATEWAY, (old, new))

    assert told(wrong(text)) == [(line_of(text, at), rule)]


def test_listening_outside_loopback_needs_the_proxy_that_ends_tls() -> None:
    text = changed(GATEWAY, ("127.0.0.1:8080", "0.0.0.0:8080"), ("proxies: []", "proxies: [10.0.0.0/8]"))

    assert str(right(text).proxies[0]) == "10.0.0.0/8"


def test_every_problem_is_told_at_once() -> None:
    text = changed(
        GATEWAY,
        ("workers: 2", "workers: 0"),
        ("file:../school.key", "file:school.key"),
        ("every: 5m", "every: 5"),
        ("V_ID, id: 01AB01", "V_ID, id: 01AB00"),
        ("proxies: []", "proxies: NO"),
    )

    assert [problem.line for problem in wrong(text)] == [5, 6, 7, 11, 19]


def test_secret_is_never_repeated() -> None:
    found = wrong(changed(GATEWAY, ("env:LVS_SECRET", "hunter2"), ("file:../school.key", "hunter2")))

    assert not any("hunter2" in str(problem) for problem in found)


def test_repr_shows_no_database_password() -> None:
    text = changed(GATEWAY, ("sqlite:///gateway.db", "postgresql://u:hunter2@db/gateway"))

    assert "hunter2" not in repr(right(text))


def test_directory_without_the_file_is_one_problem(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong) as raised:
        load(tmp_path, {})

    assert told(raised.value.problems) == [(1, "form")]


def test_file_that_is_not_text_is_one_problem(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_bytes(b"school: \xff\n")

    with pytest.raises(SettingsWrong) as raised:
        load(tmp_path, {})

    assert told(raised.value.problems) == [(1, "yaml")]


def test_failed_start_names_all_problems(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(changed(GATEWAY, ("workers: 2", "workers: 0\nx: 1")), encoding="utf-8")

    with pytest.raises(SettingsWrong, match=r"gateway.yaml:6: .*\ngateway.yaml:7: "):
        load(tmp_path, {})


def test_secret_is_read_from_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2\n", encoding="utf-8")

    assert read_secret(Secret("file", str(tmp_path / "secret")), {}) == "hunter2"
    assert read_secret(Secret("env", "LVS"), {"LVS": "hunter3"}) == "hunter3"


@pytest.mark.parametrize("secret", [Secret("file", "/nowhere/secret"), Secret("env", "LVS"), Secret("env", "EMPTY")])
def test_secret_that_is_not_there_is_an_error_that_names_the_place(secret: Secret) -> None:
    with pytest.raises(LookupError, match=secret.place):
        read_secret(secret, {"EMPTY": " "})

"""What a stranger may expect of the repository: the files are there, the versions agree, the exports are the
lock's, the floor of coverage never sank, and nothing names a machine or bends a test.

Leaves out what the documents say (test_docs) and what the layers are (test_architecture).
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.policy import yaml_text

ROOT = Path(__file__).parents[1]
PIN = re.compile(r"^([a-z0-9-]+)==([^ ;\\]+)", re.MULTILINE)
HASH = re.compile(r"sha256:[0-9a-f]{64}")
EXPORTS = ["requirements.txt", "requirements-dev.txt"]
LOCK = "uv.lock"
# Directories of someone's machine; a path of a container or of the system (/etc, /usr, /run) is not one.
MACHINE_PATH = re.compile(r"(?<![\w./-])/(home/(?!school)|root/|work/|Users/|opt/pypi/)")
REGISTRY_HOST = re.compile(r"(pypi|pythonhosted|npmjs)\.(org|com)")
# Written apart, or this file would name them itself.
PATCHES = re.compile("|".join(("monkey" + "patch", "unittest" + r"\.mock", "mock" + r"er\b")))
LATER = re.compile("|".join((r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b", r"\bXX" + r"X\b")))
SILENCED = re.compile("# (type: " + "ignore|no" + r"qa)(?P<code>(\[|: )[\w,-]+\]?)?(?P<reason>(  #| -) \w.*)?")
REQUIRED = [
    ".ci/run",
    "CHANGELOG.md",
    "Dockerfile",
    "LICENSE",
    "Makefile",
    "README.md",
    "docs/decisions/README.md",
    "docs/glossary.md",
    "docs/reference.md",
    "docs/vendor-guide.md",
    "publiccode.yml",
    "pyproject.toml",
    LOCK,
    *EXPORTS,
]


def git(*arguments: str) -> str:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def committed_texts() -> dict[str, str]:
    texts = {}
    for name in git("ls-files").splitlines():
        path = ROOT / name
        if path.is_file():
            texts[name] = path.read_text(encoding="utf-8")
    return texts


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def locked() -> dict[str, dict[str, Any]]:
    return {package["name"]: package for package in tomllib.loads((ROOT / LOCK).read_text())["package"]}


def floor(pyproject: str) -> int:
    found = re.search(r"^fail_under = (\d+)$", pyproject, re.MULTILINE)
    return int(found[1]) if found else 0


def sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("name", REQUIRED)
def test_required_file_is_there_and_not_empty(name: str) -> None:
    assert (ROOT / name).read_text().strip()


def test_versions_of_project_lock_changelog_and_publiccode_agree() -> None:
    version = project()["project"]["version"]
    changelog = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    publiccode = yaml_text.read((ROOT / "publiccode.yml").read_text(), "publiccode.yml").value

    assert changelog[0] == version
    assert locked()[project()["project"]["name"]]["version"] == version
    assert publiccode["softwareVersion"] == version


@pytest.mark.parametrize("name", EXPORTS)
def test_export_pins_are_the_locks_with_its_hashes(name: str) -> None:
    text = (ROOT / name).read_text()
    packages = locked()
    known = set(HASH.findall((ROOT / LOCK).read_text()))

    pins = dict(PIN.findall(text))

    assert pins == {pin: packages[pin]["version"] for pin in pins}
    assert set(HASH.findall(text)) <= known


@pytest.mark.parametrize(("name", "group"), [("requirements.txt", None), ("requirements-dev.txt", "dev")])
def test_export_holds_every_declared_dependency(name: str, group: str | None) -> None:
    declared = [*project()["project"]["dependencies"], *(project()["dependency-groups"][group] if group else [])]
    names = {re.split(r"[\[<>=]", line)[0] for line in declared}

    assert names <= set(dict(PIN.findall((ROOT / name).read_text())))


def test_lock_is_current() -> None:
    if shutil.which("uv") is None:
        pytest.skip("uv is not on this machine")
    command = ["uv", "lock", "--check", "--offline"]

    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stderr


def test_fuzzing_asks_for_what_is_declared_in_words_that_every_pip_knows() -> None:
    (declared,) = project()["dependency-groups"]["fuzz"]
    target = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nfuzz:")[2].partition("\n\n")[0]
    assert set(re.findall(r'"(atheris[^"]+)"', target)) == {declared.partition(";")[0].strip()}
    assert "--group" not in target  # pip 25 has it, and that of a new environment is older


def test_coverage_floor_never_sank() -> None:
    commits = git("log", "--format=%H", "-G", "fail_under", "--", "pyproject.toml").split()

    highest = max((floor(git("show", f"{commit}:pyproject.toml")) for commit in commits), default=0)

    assert floor((ROOT / "pyproject.toml").read_text()) >= highest


def test_committed_files_name_no_machine() -> None:
    named = [name for name, text in committed_texts().items() if MACHINE_PATH.search(text)]

    assert named == []


def test_committed_files_name_no_registry_but_the_lock() -> None:
    named = [name for name, text in committed_texts().items() if REGISTRY_HOST.search(text)]

    assert set(named) <= {LOCK}


def test_tests_patch_nothing() -> None:
    patched = [path.name for path in sources("tests") if PATCHES.search(path.read_text())]

    assert patched == []


def test_sources_leave_nothing_for_later() -> None:
    later = [
        str(path) for path in sources("gateway", "tests", "bench", "fuzz", "scripts") if LATER.search(path.read_text())
    ]

    assert later == []


def test_sources_silence_a_tool_only_by_code_and_with_a_reason() -> None:
    unexplained = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sources("gateway", "tests", "bench", "fuzz", "scripts")
        for number, (above, line) in enumerate(pairwise(["", *path.read_text().splitlines()]), 1)
        for found in SILENCED.finditer(line)
        if not found["code"] or not (found["reason"] or above.strip().startswith("#"))
    ]

    assert unexplained == []


def test_modules_say_what_they_hold() -> None:
    trees = {path: ast.parse(path.read_text()) for path in sources("gateway", "bench", "fuzz", "scripts")}

    silent = [str(path.relative_to(ROOT)) for path, tree in trees.items() if tree.body and not ast.get_docstring(tree)]

    assert silent == []


def test_licence_is_the_whole_eupl() -> None:
    text = (ROOT / "LICENSE").read_text()

    articles = [int(number) for number in re.findall(r"^(\d+)\.\w", text, re.MULTILINE)]

    assert text.startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2")
    assert articles == list(range(1, 16))
    assert "‘Compatible Licences’ according to Article 5 EUPL" in text


def test_publiccode_has_the_keys_that_the_standard_requires() -> None:
    document = yaml_text.read((ROOT / "publiccode.yml").read_text(), "publiccode.yml")
    value = document.value

    assert document.problems == []
    assert {
        "publiccodeYmlVersion",
        "name",
        "url",
        "platforms",
        "categories",
        "developmentStatus",
        "softwareType",
        "description",
        "legal",
        "maintenance",
        "localisation",
    } <= set(value)
    assert value["legal"]["license"] == project()["project"]["license"]
    assert value["maintenance"]["type"] in {"internal", "contract", "community", "none"}
    assert {"localisationReady", "availableLanguages"} <= set(value["localisation"])


@pytest.mark.parametrize("language", ["nl", "en"])
def test_publiccode_descriptions_keep_the_standards_lengths(language: str) -> None:
    value = yaml_text.read((ROOT / "publiccode.yml").read_text(), "publiccode.yml").value

    description = value["description"][language]

    assert len(description["shortDescription"]) <= 150
    assert 150 <= len(description["longDescription"]) <= 10_000
    assert description["features"]


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def test_image_last_stage_runs_as_a_numbered_user_without_rights() -> None:
    last = instructions()[max(i for i, (word, _) in enumerate(instructions()) if word == "FROM") :]

    users = [rest for word, rest in last if word == "USER"]

    assert len(users) == 1
    assert int(users[0].split(":")[0]) > 0


def test_image_is_built_from_hashed_pins_and_files_that_exist() -> None:
    copied = [rest.split()[:-1] for word, rest in instructions() if word == "COPY" and "--from" not in rest]
    installs = [rest for word, rest in instructions() if word == "RUN" and "-r requirements.txt" in rest]

    assert all((ROOT / name).exists() for names in copied for name in names)
    assert all("--require-hashes" in install for install in installs)
    assert installs


def test_image_names_a_version_and_asks_its_health_on_the_admin_port() -> None:
    bases = [rest.split()[0] for word, rest in instructions() if word == "FROM"]
    health = [rest for word, rest in instructions() if word == "HEALTHCHECK"]

    assert all(re.fullmatch(r"python:3\.\d+-slim", base) for base in bases)
    assert "/healthz" in health[0]


def test_build_script_is_executable_and_calls_make_test() -> None:
    path = ROOT / ".ci/run"

    assert path.stat().st_mode & 0o111
    assert "make test" in path.read_text()

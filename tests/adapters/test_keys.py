"""Keys: read strictly, derived apart, proved against the database, rotated at one stored moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.adapters.database import Database
from gateway.adapters.keys import (
    KeyMaterial,
    KeyRing,
    KeyUnusable,
    create_key_file,
    key_path,
    load_keys,
    new_material,
    next_version,
    parse,
    read_key,
    replace_key_file,
    rotate,
    with_version,
)
from gateway.adapters.register.acts import Act
from gateway.adapters.register.writer import verify_register
from gateway.adapters.store_keys import StoreKeys
from tests.simulators.database import fresh_database
from tests.simulators.drafts import NOW, an_act, seeded

KEY = new_material(seeded())
LINE = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OTHER = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = fresh_database(tmp_path)
    yield database
    database.close()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A school's directory; the key goes beside it."""
    directory = tmp_path / "school"
    directory.mkdir()
    return directory


def rotated(database: Database, overlap: timedelta | None, act: Act | None = None) -> KeyMaterial:
    material = with_version(load_material(database), next_version(database), seeded(2))
    rotate(database, material, overlap, act or an_act(1))
    return material


def load_material(database: Database) -> KeyMaterial:
    load_keys(database, KEY, NOW)
    return KEY


# -- the text ------------------------------------------------------------------------------------------


def test_parse_of_a_written_key_is_the_key() -> None:
    assert parse(KEY.text()) == KEY


def test_parse_of_one_line_with_semicolons_is_the_key() -> None:
    assert parse(f"store {LINE};1 {OTHER}").versions.keys() == {1}


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"store {LINE}",
        f"1 {LINE}",
        f"store {LINE}\n1 {LINE}",
        f"store {LINE}\n1 {OTHER}\n1 {OTHER}",
        f"store {LINE}\n01 {OTHER}",
        f"store {LINE}\n0 {OTHER}",
        f"store {LINE}\n-1 {OTHER}",
        f"store {LINE}\nx {OTHER}",
        f"store {LINE}\n1 {OTHER[:-4]}",
        f"store {LINE}\n1 {OTHER}AAAA",
        f"store {LINE}\n1 not-base64-é",
        f"store {LINE}\n1",
    ],
)
def test_parse_of_anything_else_is_refused_without_a_value(text: str) -> None:
    with pytest.raises(KeyUnusable) as refused:
        parse(text)

    assert LINE[:8] not in str(refused.value)
    assert OTHER[:8] not in str(refused.value)


def test_repr_of_keys_shows_none(database: Database) -> None:
    shown = repr(KEY) + repr(load_keys(database, KEY, NOW)) + repr(StoreKeys(KEY.store))

    assert all(str(key) not in shown and key.hex() not in shown for key in (KEY.store, *KEY.versions.values()))


# -- where it is ---------------------------------------------------------------------------------------


def test_key_file_is_read_back_and_only_its_owner_reads_it(place: Path) -> None:
    path = key_path("file:../school.key", place)
    create_key_file(path, KEY)

    assert read_key("file:../school.key", place, {}) == KEY
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_key_file_that_others_can_reach_is_refused(place: Path, mode: int) -> None:
    create_key_file(place.parent / "school.key", KEY)
    (place.parent / "school.key").chmod(mode)

    with pytest.raises(KeyUnusable, match="owner"):
        read_key("file:../school.key", place, {})


def test_key_file_is_never_overwritten_by_a_new_one(place: Path) -> None:
    create_key_file(place.parent / "school.key", KEY)

    with pytest.raises(FileExistsError):
        create_key_file(place.parent / "school.key", KEY)


def test_key_file_that_is_replaced_stays_private(place: Path) -> None:
    path = place.parent / "school.key"
    create_key_file(path, KEY)
    replace_key_file(path, with_version(KEY, 2, seeded(2)))

    assert read_key("file:../school.key", place, {}).versions.keys() == {1, 2}
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(list(place.parent.iterdir())) == 2


@pytest.mark.parametrize(
    "source", ["file:school.key", "file:sub/../school.key", "file:./x", "school.key", "vault:x", "file:"]
)
def test_key_source_inside_the_directory_or_unknown_is_refused(place: Path, source: str) -> None:
    with pytest.raises(KeyUnusable):
        read_key(source, place, {})


def test_key_file_inside_the_directory_by_a_link_is_refused(place: Path) -> None:
    create_key_file(place / "hidden", KEY)
    (place.parent / "school.key").symlink_to(place / "hidden")

    with pytest.raises(KeyUnusable, match="inside"):
        read_key("file:../school.key", place, {})


def test_key_file_that_is_not_there_is_refused(place: Path) -> None:
    with pytest.raises(KeyUnusable):
        read_key("file:../school.key", place, {})


def test_key_in_the_environment_is_read(place: Path) -> None:
    assert read_key("env:KEY", place, {"KEY": KEY.text()}) == KEY
    with pytest.raises(KeyUnusable):
        read_key("env:OTHER", place, {"KEY": KEY.text()})


# -- store keys ----------------------------------------------------------------------------------------


def test_sealed_value_opens_only_in_its_row_and_with_its_key() -> None:
    keys = StoreKeys(KEY.store)
    sealed = keys.seal(b"value", b"row")

    assert keys.open(sealed, b"row") == b"value"
    for other, row, text in (
        (keys, b"other", sealed),
        (StoreKeys(bytes(32)), b"row", sealed),
        (keys, b"row", sealed[:-1] + bytes([sealed[-1] ^ 1])),
    ):
        with pytest.raises(ValueError, match="does not open"):
            other.open(text, row)


def test_sealed_values_that_are_equal_look_different_in_two_rows() -> None:
    keys = StoreKeys(KEY.store)

    assert keys.seal(b"value", b"one")[:16] != keys.seal(b"value", b"two")[:16]


def test_look_up_values_do_not_run_together() -> None:
    keys = StoreKeys(KEY.store)

    assert len({keys.look_up("a", "b", "cd"), keys.look_up("a", "bc", "d"), keys.look_up("ab", "", "cd")}) == 3


# -- the keys of a database ----------------------------------------------------------------------------


def test_first_load_starts_version_one_now(database: Database) -> None:
    ring = load_keys(database, KEY, NOW)

    assert (ring.current.number, ring.current.started, ring.current.resolves_until) == (1, NOW, None)
    assert load_keys(database, KEY, NOW + timedelta(days=9)).current.started == NOW


def test_domain_keys_differ_by_domain_and_version(database: Database) -> None:
    """N6."""
    material = rotated(database, timedelta(days=1))
    ring = load_keys(database, material, NOW)

    keys = {ring.domain_key(domain, version) for domain in ("noord", "zuid") for version in (1, 2)}
    assert len(keys) == 4
    assert ring.domain_key("noord", 1) is ring.domain_key("noord", 1)


@pytest.mark.parametrize(
    "other",
    [
        KeyMaterial(bytes(32), KEY.versions),
        KeyMaterial(KEY.store, {1: bytes(32)}),
        KeyMaterial(KEY.store, {2: KEY.versions[1]}),
        KeyMaterial(KEY.store, {}),
    ],
    ids=["store", "version", "number", "missing"],
)
def test_load_with_another_key_is_refused(database: Database, other: KeyMaterial) -> None:
    load_keys(database, KEY, NOW)

    with pytest.raises(KeyUnusable):
        load_keys(database, other, NOW)


def test_load_after_rotation_without_the_new_key_is_refused(database: Database) -> None:
    rotated(database, timedelta(days=1))

    with pytest.raises(KeyUnusable, match="`2`"):
        load_keys(database, KEY, NOW)


def ring_after(database: Database, overlap: timedelta | None) -> KeyRing:
    return load_keys(database, rotated(database, overlap), NOW)


def test_rotation_starts_a_version_at_the_moment_of_the_act(database: Database) -> None:
    ring = ring_after(database, timedelta(days=30))

    assert (ring.current.number, ring.current.started) == (2, NOW)
    assert database.versioned().versions.keys == 3  # adopted, rotated


def test_rotation_lets_the_old_version_resolve_until_the_overlap_ends(database: Database) -> None:
    ring = ring_after(database, timedelta(days=30))

    assert ring.resolving(NOW + timedelta(days=30, microseconds=-1)) == (2, 1)
    assert ring.resolving(NOW + timedelta(days=30)) == (2,)


def test_rotation_after_compromise_has_no_overlap_for_any_version(database: Database) -> None:
    material = rotated(database, timedelta(days=300))
    material = with_version(material, 3, seeded(3))
    rotate(database, material, None, an_act(2))

    assert load_keys(database, material, NOW).resolving(NOW) == (3,)


def test_rotation_leaves_the_overlap_of_earlier_versions_as_it_was(database: Database) -> None:
    material = rotated(database, timedelta(days=300))
    material = with_version(material, 3, seeded(3))
    rotate(database, material, timedelta(days=1), an_act(2))

    assert load_keys(database, material, NOW).resolving(NOW + timedelta(days=2)) == (3, 1)


def test_rotation_without_the_new_key_in_the_file_changes_nothing(database: Database) -> None:
    load_keys(database, KEY, NOW)
    with pytest.raises(KeyUnusable):
        rotate(database, KEY, None, an_act(1))

    assert load_keys(database, KEY, NOW).resolving(NOW) == (1,)
    assert verify_register(database).count == 0


def test_rotation_stands_in_the_register(database: Database) -> None:
    rotated(database, None)

    found = verify_register(database)
    assert (found.ok, found.count) == (True, 1)


def test_version_that_is_in_the_file_already_is_kept() -> None:
    twice = with_version(with_version(KEY, 2, seeded(2)), 2, seeded(3))

    assert twice == with_version(KEY, 2, seeded(2))

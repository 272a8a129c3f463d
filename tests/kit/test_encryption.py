"""The data keys and what they encrypt: made once, private, changed under the eyes of every process, never guessed."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest

from recobra.kit import keys
from recobra.kit.encryption import (
    Undecryptable,
    decrypt_bytes,
    decrypt_text,
    encrypt_bytes,
    encrypt_text,
    find_key_id,
    is_encrypted,
)

SECRET = "cuenta 191-0012345678-0-99"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("RECOBRA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("RECOBRA_KEYS_DIR", str(tmp_path / "keys"))
    (tmp_path / "data").mkdir()
    return tmp_path / "keys"


def test_a_value_opens_in_its_place_alone():
    value = encrypt_text(SECRET, context="a.b:1")
    assert SECRET not in value
    assert decrypt_text(value, context="a.b:1") == SECRET
    assert encrypt_text(SECRET, context="a.b:1") != value, "another nonce"
    with pytest.raises(Undecryptable):
        decrypt_text(value, context="a.b:2")
    assert (encrypt_text("", context="a"), decrypt_text("", context="a")) == ("", "")


def test_one_altered_sign_anywhere_is_refused():
    value = encrypt_text("ñ", context="a.b")
    for place in range(len(value)):
        sign = "A" if value[place] != "A" else "B"
        with pytest.raises(Undecryptable):
            decrypt_text(value[:place] + sign + value[place + 1 :], context="a.b")
    for stranger in ("x", "gAAAAABf", "enc1.", "enc1.00000000.AAAA", value[:-8]):
        with pytest.raises(Undecryptable):
            decrypt_text(stranger, context="a.b")


def test_a_long_text_is_packed_and_still_opens_in_its_place_alone():
    text = ("Estimada señora: su cuenta venció. " * 20).encode()
    value = encrypt_bytes(text, context="a.b:1", packs=True)
    assert value.startswith("enc2.")
    assert len(value) < len(text) / 2
    assert is_encrypted(value)
    assert decrypt_bytes(value, context="a.b:1") == text
    for altered, place in ((value, "a.b:2"), (value.replace("enc2.", "enc1."), "a.b:1")):
        with pytest.raises(Undecryptable):
            decrypt_bytes(altered, context=place)
    with pytest.raises(Undecryptable):
        decrypt_text(encrypt_text("corto", context="a").replace("enc1.", "enc2."), context="a")
    assert encrypt_bytes(b"corto", context="a", packs=True).startswith("enc1."), "packing a short one saves nothing"


@pytest.mark.parametrize(
    "text", ["enc1.", "enc1.00000000", "enc1.0000000g.AAAA", "enc3.00000000.AAAA", "enc1.00000000.A A"]
)
def test_what_people_write_is_not_taken_for_a_value(text):
    assert not is_encrypted(text)


def test_the_first_key_is_made_once_and_only_its_owner_reads_it(folder):
    first = keys.read_key_ring()
    assert keys.read_key_ring() is first
    assert (folder / keys.DATA_KEYS).stat().st_mode & 0o777 == 0o600
    assert len(first.current.secret) == 32
    assert base64.b64encode(first.current.secret).decode() not in repr(first)


def test_a_new_key_encrypts_at_once_and_earlier_ones_still_open(folder, now):
    old = encrypt_text(SECRET, context="a")
    new = keys.add_key(now=now)
    assert find_key_id(encrypt_text(SECRET, context="a")) == new.id
    assert decrypt_text(old, context="a") == SECRET
    keys.retire_keys(frozenset({find_key_id(old)}), now=now + timedelta(days=1))
    assert keys.read_key_ring().keys[1].retired_at == now + timedelta(days=1)
    assert decrypt_text(old, context="a") == SECRET
    keys.destroy_keys(frozenset(key.id for key in keys.read_key_ring().keys))
    assert [key.id for key in keys.read_key_ring().keys] == [new.id], "the one that encrypts stays"
    with pytest.raises(Undecryptable, match="not of this installation"):
        decrypt_text(old, context="a")
    assert (folder / keys.DATA_KEYS).stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in folder.iterdir()) == ["data-keys", "data-keys.lock"], "nothing is left aside"


@pytest.mark.parametrize("text", ["", "one two\n", "a 2026-01-01 - AAAA\n", "a x - AAAA\n"])
def test_a_file_that_is_none_is_refused_without_a_word_of_it(folder, text):
    folder.mkdir()
    (folder / keys.DATA_KEYS).write_text(text)
    with pytest.raises(keys.KeysUnsuitable) as refused:
        keys.read_key_ring()
    assert "AAAA" not in str(refused.value)


@pytest.mark.parametrize("name", keys.KEY_FILES)
def test_keys_left_behind_in_the_data_directory_are_never_made_anew(folder, tmp_path, name):
    (tmp_path / "data" / name).write_text("x")
    with pytest.raises(keys.KeysUnsuitable, match="move"):
        keys.find_key_file(name)
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_says_so(folder, now):
    keys.read_key_ring()
    (folder / "data-keys.lock").mkdir()
    with pytest.raises(keys.KeysUnsuitable, match="cannot be written"):
        keys.add_key(now=now)


def test_the_key_of_links_is_renewed_and_the_earlier_ones_count(folder):
    first = keys.read_secret_keys()
    keys.renew_secret_key()
    second = keys.read_secret_keys()
    assert second[1:] == first
    for _time in range(keys.SECRET_KEYS_KEPT + 2):
        keys.renew_secret_key()
    assert len(keys.read_secret_keys()) == keys.SECRET_KEYS_KEPT + 1
    assert (folder / keys.SECRET_KEY).stat().st_mode & 0o777 == 0o600

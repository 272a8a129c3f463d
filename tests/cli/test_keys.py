"""Keys by command: what there is, a new one while everything goes on, and links that outlive theirs."""

from __future__ import annotations

from recobra.config import settings


def test_keys_are_listed_rotated_and_listed_again(recobra, home):
    before = recobra("keys", "list", "--json").document
    (first,) = before["keys"]
    assert (first["state"], before["unreadable"], before["folder"]) == ("encrypts", 0, str(home))
    assert before["files"]["data-keys"] == "0600"
    rotated = recobra("keys", "rotate", "--json")
    assert (rotated.code, rotated.document["retired"]) == (0, [first["id"]])
    after = {key["id"]: key["state"] for key in recobra("keys", "list", "--json").document["keys"]}
    assert after == {rotated.document["key"]: "encrypts", first["id"]: "retired"}


def test_the_key_of_links_is_renewed_and_the_former_one_counts(recobra, home, monkeypatch):
    recobra("keys", "list")
    former = (home / "secret-key").read_text().split()
    renewed = recobra("keys", "rotate", "--signing", "--json")
    assert (renewed.code, renewed.document["earlier"]) == (0, len(former))
    monkeypatch.setenv("RECOBRA_KEYS_DIR", str(home))
    monkeypatch.delenv("RECOBRA_SECRET_KEY")
    assert settings._read_secret_key_fallbacks() == former
    assert settings._read_secret_key() not in former


def test_a_key_of_links_that_is_given_is_renewed_where_it_is_given(recobra):
    refused = recobra("keys", "rotate", "--signing", RECOBRA_SECRET_KEY="de-la-empresa")
    assert (refused.code, "RECOBRA_SECRET_KEY_FALLBACKS" in refused.reason) == (1, True)


def test_a_line_for_a_vault_is_drawn(recobra):
    line = recobra("keys", "draw", "--json").document["line"]
    assert [len(part) for part in line.split()][::3] == [8, 44]


def test_a_key_left_behind_stops_every_command(recobra, home, tmp_path):
    recobra("keys", "list")
    refused = recobra("db", "status", RECOBRA_KEYS_DIR=str(tmp_path))
    assert (refused.code, "still in the data directory" in refused.reason) == (1, True)

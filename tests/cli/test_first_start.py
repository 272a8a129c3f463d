"""Two first starts at once agree on the secret key and on the password of the demonstration."""

from __future__ import annotations

import runpy
import threading

import pytest

from recobra.cli import demo
from recobra.config import settings

STARTS = 24


def at_once(read):
    """Let many starts read at the same moment; return what each got."""
    gate, got = threading.Barrier(STARTS), []

    def start():
        gate.wait()
        got.append(read())

    starts = [threading.Thread(target=start) for _ in range(STARTS)]
    for each in starts:
        each.start()
    for each in starts:
        each.join()
    return got


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("RECOBRA_DATA_DIR", str(tmp_path))
    for name in ("RECOBRA_SECRET_KEY", "RECOBRA_KEYS_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("read", "name"),
    [(demo._demo_password, "demo-password"), (settings._read_secret_key, "secret-key")],
    ids=["password", "key"],
)
def test_first_starts_at_once_agree(home, read, name):
    got = at_once(read)
    assert len(got) == STARTS
    assert len(set(got)) == 1
    assert len(got[0]) >= 12
    assert [path.name for path in home.iterdir()] == [name], "nothing is left aside"
    assert (home / name).stat().st_mode & 0o777 == 0o600
    assert read() == got[0], "the next start finds it"


def test_a_key_that_is_given_is_not_kept(home, monkeypatch):
    monkeypatch.setenv("RECOBRA_SECRET_KEY", "de-la-empresa")
    assert settings._read_secret_key() == "de-la-empresa"
    assert not list(home.iterdir())


def test_earlier_keys_are_given_beside_the_new_one(home, monkeypatch):
    monkeypatch.setenv("RECOBRA_DATABASE_URL", "postgresql://localhost/cobranzas")
    monkeypatch.setenv("RECOBRA_SECRET_KEY", "c")
    monkeypatch.setenv("RECOBRA_SECRET_KEY_FALLBACKS", "b a")
    read = runpy.run_path(settings.__file__)
    assert (read["SECRET_KEY"], read["SECRET_KEY_FALLBACKS"]) == ("c", ["b", "a"])

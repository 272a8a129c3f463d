"""A backup is whole and closed, and a restore into an empty directory proves itself or leaves nothing."""

from __future__ import annotations

import stat
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import x25519

from recobra.config import settings as product_settings
from recobra.installation import container

from .conftest import database_addresses

MAPPING = """
account: {external_id: cuenta}
debtor: {external_id: cliente, name: nombre}
instalment: {due_date: vence}
balance: saldo
portfolio:
  name: Consumo Sur
  industry: CONSUMER
  country: PE
  currency: PEN
  time_zone: America/Lima
  creditor: {code: SUR, name: Banco Sur, payment_instructions: Cuenta 191-7700112233}
"""
FILE = "cuenta;cliente;nombre;vence;saldo\n01;C1;Rosa Quispe;2026-10-01;1234,50\n02;C2;José Peña;2026-10-01;200,00\n"
PHRASE = "una frase bien larga"
ACCOUNT = b"7700112233"


@pytest.fixture(scope="module", autouse=True)
def _fast():
    """Let passphrases be stretched with less work."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(container, "_SCRYPT_N", 1 << 10)
        yield


@pytest.fixture(scope="module")
def office(new_installation, recobra, url_of, tmp_path_factory):
    """An installation from an earlier version: a portfolio, a file, letter and evidence keys, a seal of its journal."""
    folder = tmp_path_factory.mktemp("office")
    home = new_installation()
    (folder / "mapeo.yaml").write_text(MAPPING, encoding="utf-8")
    (folder / "cartera.csv").write_text(FILE, encoding="utf-8")
    (folder / "frase").write_text(PHRASE + "\n", encoding="utf-8")
    loaded = recobra(
        *("intake", "load", folder / "cartera.csv", "--portfolio", "SUR-1", "--mapping", folder / "mapeo.yaml"), at=home
    )
    assert loaded.code == 0, loaded.err
    assert recobra("evidence", "certificate", "--output", folder / "cert.pem", at=home).code == 0
    assert recobra("journal", "seal", at=home).code == 0
    with psycopg.connect(url_of(home), autocommit=True) as server:
        server.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('sessions', '0001_initial', now())")
    (home / "files" / "attachments").mkdir(parents=True, exist_ok=True)
    (home / "files" / "attachments" / "recibo.pdf").write_bytes(b"%PDF recibo")
    return home


@pytest.fixture(scope="module")
def backup(office, recobra, tmp_path_factory):
    """Its backup, closed with a passphrase and a public key; the private key lies beside it."""
    folder = tmp_path_factory.mktemp("backup")
    private = x25519.X25519PrivateKey.generate()
    encoding = serialization.Encoding.PEM
    (folder / "publica.pem").write_bytes(
        private.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    (folder / "privada.pem").write_bytes(
        private.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "frase").write_text(PHRASE + "\n", encoding="utf-8")
    made = recobra(
        *("backup", folder / "todo.recobra", "--public-key", folder / "publica.pem"),
        *("--passphrase-file", folder / "frase", "--json"),
        at=office,
    )
    assert made.code == 0, made.err
    assert made.document["missing"] == 0
    return folder


@pytest.fixture
def target(tmp_path, empty_database_url):
    """An empty directory and an empty database."""
    return {"RECOBRA_DATA_DIR": str(tmp_path / "nueva"), **database_addresses(empty_database_url)}


@pytest.fixture
def new_home(tmp_path):
    return tmp_path / "nueva"


@pytest.fixture
def restore(recobra, target, backup):
    def run(file=backup / "todo.recobra", **environment):
        given = {**target, **environment}
        return recobra("restore", file, "--passphrase-file", backup / "frase", "--json", **given)

    return run


def aging(recobra, **where):
    return recobra("report", "aging", "--as-of", "2026-11-23", "--json", **where).document["rows"]


def test_a_backup_is_private_and_shows_nothing(backup):
    file = backup / "todo.recobra"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    content = file.read_bytes()
    assert not [word for word in (ACCOUNT, b"Quispe", b"recibo", b"PRIVATE", b"journal") if word in content]
    assert sorted(path.name for path in backup.iterdir() if "todo" in path.name) == ["todo.recobra"]


def test_a_restore_gives_back_everything_and_proves_it(recobra, restore, office, target, new_home, monkeypatch):  # noqa: PLR0917
    restored = restore()
    assert restored.code == 0, restored.err
    assert (restored.document["journal_ok"], restored.document["missing"]) == (True, [])
    home = new_home
    assert (home / "files" / "attachments" / "recibo.pdf").read_bytes() == b"%PDF recibo"
    assert {(home / name).stat().st_mode & 0o777 for name in ("data-keys", "secret-key", "evidence-key.pem")} == {0o600}
    assert (home / "evidence-key.pem").read_bytes() == (office / "evidence-key.pem").read_bytes()
    # A cut that came before the backup is named after the restore too.
    kept = [(place / "journal-seals.jsonl").read_text().splitlines()[0] for place in (office, home)]
    assert kept[0] == kept[1]
    assert not (home / "restore-unfinished").exists()
    assert aging(recobra, **target) == aging(recobra, at=office)
    listed = recobra("keys", "list", "--json", **target).document
    assert (listed["unreadable"], listed["keys"][0]["values"] > 0) == (0, True)
    # What was sent and asked for after the backup is not known: nothing leaves until a person says so.
    stopped = recobra("dispatch", "--once", **target)
    assert (stopped.code, "contact resume" in stopped.reason) == (1, True)
    asked = recobra("contact", "resume", **target)
    assert (asked.code, restored.document["made_at"][:10] in asked.reason, "--yes" in asked.reason) == (1, True, True)
    with psycopg.connect(target["RECOBRA_DATABASE_URL"]) as server:
        (kind,) = server.execute("SELECT kind FROM journal_entry ORDER BY id DESC LIMIT 1").fetchone()
        assert kind == "backup.restored"
        assert server.execute("SELECT status FROM installation_backuprun").fetchall() == [("DONE",)]
    assert recobra("contact", "resume", "--yes", "--json", **target).document == {"cancelled": 0}
    assert recobra("dispatch", "--once", "--json", **target).document["leased"] == 0
    assert "not stopped" in recobra("contact", "resume", **target).reason
    # The links of messages that have left are of the same key.
    monkeypatch.delenv("RECOBRA_SECRET_KEY")
    monkeypatch.setenv("RECOBRA_KEYS_DIR", str(home))
    restored_key = product_settings._read_secret_key()
    monkeypatch.setenv("RECOBRA_KEYS_DIR", str(office))
    assert restored_key == product_settings._read_secret_key()


def test_a_restore_is_opened_by_the_private_key_too_and_keeps_keys_outside(recobra, target, new_home, backup, tmp_path):
    outside = tmp_path / "llaves"
    words = ("restore", backup / "todo.recobra", "--private-key", backup / "privada.pem", "--json")
    restored = recobra(*words, RECOBRA_KEYS_DIR=str(outside), **target)
    assert restored.code == 0, restored.err
    assert (outside / "data-keys").exists()
    assert not (new_home / "data-keys").exists()


def left_over(target):
    """Return what is left in the directory and the database."""
    home = Path(target["RECOBRA_DATA_DIR"])
    left = {path.name for path in home.iterdir()} - {"static", "cache", "tmp"} if home.exists() else set()
    with psycopg.connect(target["RECOBRA_DATABASE_URL"]) as server:
        objects = server.execute(
            "SELECT name FROM (SELECT oid, relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " UNION ALL SELECT oid, proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " UNION ALL SELECT oid, typname FROM pg_type WHERE typnamespace = 'public'::regnamespace"
            " AND typelem = 0) AS object (oid, name)"
            " WHERE NOT EXISTS (SELECT FROM pg_depend WHERE objid = oid AND deptype = 'e')"
        ).fetchall()
    return left | {name for (name,) in objects}


@pytest.mark.parametrize("part", [0.0, 0.002, 0.5, 0.999])
def test_a_flipped_byte_is_refused_and_leaves_nothing(restore, target, backup, tmp_path, part):
    content = bytearray((backup / "todo.recobra").read_bytes())
    content[int(part * len(content))] ^= 1
    (tmp_path / "roto.recobra").write_bytes(content)
    refused = restore(tmp_path / "roto.recobra")
    assert refused.code == 1
    assert any(word in refused.reason for word in ("damaged", "no backup"))
    assert left_over(target) == set()
    assert not Path(target["RECOBRA_DATA_DIR"]).exists()


def test_what_cannot_be_proved_is_taken_back(restore, target, recobra):
    refused = restore(RECOBRA_SECRET_KEY="la-llave-de-otra-instalacion")
    assert (refused.code, "links of messages already sent are dead" in refused.reason) == (1, True)
    assert left_over(target) == set()
    assert restore().code == 0, "and the same directory takes it once that is mended"
    again = restore()
    assert (again.code, "not empty" in again.reason) == (1, True)
    assert aging(recobra, **target)


def test_a_wrong_passphrase_and_a_file_that_is_none_are_told_apart(recobra, target, backup, tmp_path):
    (tmp_path / "otra").write_text("otra frase muy larga\n")
    words = ("restore", backup / "todo.recobra", "--passphrase-file", tmp_path / "otra")
    assert "another passphrase" in recobra(*words, **target).reason
    assert "no backup" in recobra("restore", tmp_path / "otra", "--passphrase-file", tmp_path / "otra", **target).reason
    assert not Path(target["RECOBRA_DATA_DIR"]).exists()


def test_a_restore_that_was_cut_off_stops_every_command(recobra, target, new_home):
    new_home.mkdir()
    (new_home / "restore-unfinished").write_text("todo.recobra\n")
    refused = recobra("db", "status", **target)
    assert (refused.code, "cut off" in refused.reason) == (1, True)


def test_a_backup_without_a_lock_or_a_folder_leaves_no_file(recobra, office, backup, tmp_path):
    (tmp_path / "corta").write_text("corta\n")
    for words in ((), ("--passphrase-file", tmp_path / "corta"), ("--public-key", backup / "frase")):
        assert recobra("backup", tmp_path / "x.recobra", *words, at=office).code == 1
    refused = recobra("backup", tmp_path / "no" / "x.recobra", "--passphrase-file", backup / "frase", at=office)
    assert (refused.code, "does not exist" in refused.reason) == (1, True)
    assert not [path for path in tmp_path.iterdir() if "recobra" in path.name]


@pytest.fixture
def later(recobra, office, url_of, backup, tmp_path):
    """A backup of a version to come."""
    with psycopg.connect(url_of(office), autocommit=True) as server:
        server.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('portfolio', '9999_later', now())")
        made = recobra("backup", tmp_path / "b.recobra", "--passphrase-file", backup / "frase", at=office)
        server.execute("DELETE FROM django_migrations WHERE name = '9999_later'")
    assert made.code == 0, made.err
    return tmp_path / "b.recobra"


def test_a_backup_of_a_newer_version_is_refused(later, restore, target):
    refused = restore(later)
    assert (refused.code, "newer version" in refused.reason) == (1, True)
    assert left_over(target) == set()

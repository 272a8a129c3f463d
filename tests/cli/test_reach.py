"""Links lead to where the installation is reached, and nothing leaves while they would lead nowhere."""

from __future__ import annotations

import pytest

OUTSIDE = {"RECOBRA_SMTP_URL": "smtp://mail.example.com:25"}
REACHED = {"RECOBRA_MAIL_FROM": "cobranzas@example.com", "RECOBRA_PUBLIC_URL": "https://pagos.example.com"}


@pytest.mark.parametrize("missing", sorted(REACHED))
def test_nothing_is_sent_with_an_address_of_this_machine(recobra, missing):
    given = {name: value for name, value in REACHED.items() if name != missing}
    ended = recobra("dispatch", "--once", **OUTSIDE, **given)
    assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)
    assert missing in ended.reason


def test_a_finished_installation_and_a_relay_on_this_machine_may_send(recobra):
    assert recobra("dispatch", "--once", **OUTSIDE, **REACHED).code == 0
    assert recobra("dispatch", "--once", RECOBRA_SMTP_URL="smtp://127.0.0.1:25").code == 0


def test_commands_speak_english_unless_spanish_is_asked_for(recobra, tmp_path):
    words = ("payments", "load", tmp_path / "no.csv", "--portfolio", "NADIE")
    assert "There is no portfolio «NADIE»." in recobra(*words).reason
    assert "No existe" in recobra(*words, RECOBRA_LANGUAGE="es").reason
    assert recobra("schema", "nada", RECOBRA_LANGUAGE="es").reason.startswith("recobra: No existe el documento «nada»;")
    aging = ("report", "aging", "--portfolio", "NADIE")
    assert "No existe la cartera «NADIE»; existen: todavía ninguna." in recobra(*aging, RECOBRA_LANGUAGE="es").reason
    (tmp_path / "mapeo.yaml").write_text("account: [", encoding="utf-8")
    mapped = ("intake", "load", "a.csv", "--portfolio", "X", "--mapping", tmp_path / "mapeo.yaml")
    assert "mapeo.yaml no es YAML: " in recobra(*mapped, RECOBRA_LANGUAGE="es").reason
    # Also what is refused before anything is opened.
    assert "No existe el archivo no.dump." in recobra("db", "restore", "no.dump", RECOBRA_LANGUAGE="es").reason
    assert "No existe el usuario «nadie»." in recobra("user", "change", "nadie", RECOBRA_LANGUAGE="es").reason
    assert "en or es was expected" in recobra(*words, RECOBRA_LANGUAGE="fr").reason

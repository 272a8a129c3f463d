"""Evidence at the command door: written, found valid, refused when altered, and checked with the certificate alone."""

from __future__ import annotations

import psycopg
import pytest


@pytest.fixture(scope="module")
def debtor(database_url):
    """A debtor of one creditor, written straight into the tables of the installation."""
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO portfolio_creditor (code, name, tax_id, complaint_contact, payment_instructions)"
            " VALUES ('PRUEBA', 'Banco de Prueba', '', '', '')"
        )
        connection.execute(
            "INSERT INTO portfolio_debtor (creditor_id, external_id, kind, name, national_id_kind, national_id, country,"
            " subdivision, time_zone) SELECT id, 'D-77', 'PERSON', 'Rosa', '', '', 'PE', '', '' FROM portfolio_creditor"
            " WHERE code = 'PRUEBA'"
        )
    return "D-77"


@pytest.mark.parametrize("form", ["pdf", "json"])
def test_what_is_exported_is_valid_until_a_byte_changes(recobra, debtor, tmp_path, form):
    file = tmp_path / f"evidence.{form}"
    made = recobra("evidence", "export", "--debtor", debtor, "--output", file, "--json")
    assert made.code == 0, made.err
    assert recobra("evidence", "verify", file, "--json").document["finding"] == "valid"
    file.write_bytes(file.read_bytes().replace(b"recobra", b"recobrA", 1) + b" ")
    altered = recobra("evidence", "verify", file, "--json")
    assert (altered.code, altered.document["finding"]) == (1, "altered")
    assert altered.document["where"]


def test_who_has_the_certificate_alone_can_check(recobra, new_installation, debtor, tmp_path):
    file, certificate = tmp_path / "evidence.json", tmp_path / "cert.pem"
    assert recobra("evidence", "export", "--debtor", debtor, "--output", file).code == 0
    assert recobra("evidence", "certificate", "--output", certificate).code == 0
    assert b"PRIVATE" not in certificate.read_bytes()
    elsewhere = new_installation()
    stranger = recobra("evidence", "verify", file, "--json", at=elsewhere)
    assert stranger.document["finding"] == "unknown_signer"
    assert recobra("evidence", "verify", file, "--certificate", certificate, at=elsewhere).code == 0


def test_a_file_of_another_kind_is_refused(recobra, debtor, tmp_path):
    assert "should end in" in recobra("evidence", "export", "--debtor", debtor, "--output", tmp_path / "x.doc").reason
    assert recobra("evidence", "export", "--debtor", "nobody", "--output", tmp_path / "x.pdf").code == 1

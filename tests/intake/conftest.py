"""One small file, its mapping, and how Darío loads it."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date, timedelta

import psycopg
import pytest

from recobra.intake import operations
from recobra.payments import operations as payments
from tests import databases
from tests.people import acting

TODAY = date(2026, 11, 23)
MAPPING = {
    "account": {"external_id": "prestamo", "product": "producto"},
    "debtor": {"external_id": "cliente", "name": "nombre", "national_id": "dni"},
    "phones": ["telefono"],
    "emails": ["correo"],
    "address": {"street": "direccion", "city": "ciudad"},
    "instalment": {"due_date": "vencimiento"},
    "balance": "saldo",
}
HEADER = "prestamo;producto;cliente;nombre;dni;telefono;correo;direccion;ciudad;vencimiento;saldo"
FILE = f"""{HEADER}
0001;Préstamo;C1;Rosa Quispe;45678901;987 654 321;ROSA@Example.com;Av. Grau 1;Lima;01/10/2026;1.234,50
0002;tarjeta;C1;Rosa Quispe;45678901;987654321;rosa@example.com;Av. Grau 1;Lima;30/09/2026;10,00
0003;prestamo;C2;José Peña;;;;;;;99
"""
SHORT = {"account": {"external_id": "cuenta"}, "balance": "saldo", "instalment": {"due_date": "vence"}}


@pytest.fixture
def load(company, now, tmp_path):
    """Load a text (or a ready file) into the company's portfolio."""

    def load(given=FILE, *, mapping=MAPPING, as_of=TODAY, **more):
        path = given
        if isinstance(given, str | bytes):
            path = tmp_path / "cartera.csv"
            path.write_bytes(given.encode() if isinstance(given, str) else given)
        return operations.load_file(
            path=path, portfolio_code=company.code, mapping=mapping, as_of=as_of, actor=acting("dario", now=now), **more
        )

    return load


@pytest.fixture
def busy():
    """Hold a portfolio's lock on another connection, as a load that runs elsewhere does."""

    @contextmanager
    def busy(portfolio):
        with psycopg.connect(databases.url_of(), autocommit=True) as other:
            other.execute("SELECT pg_advisory_lock(hashtext('intake'), %s)", [portfolio.pk])
            yield
            other.execute("SELECT pg_advisory_unlock_all()")  # a closed connection lets go only some time later

    return busy


@pytest.fixture
def day(load):
    """Load {account: balance} as the file of a day in November."""

    def day(number, balances, *, options=None, **more):
        text = "cuenta;vence;saldo\n" + "".join(f"{name};01/10/2026;{saldo}\n" for name, saldo in balances.items())
        mapping = SHORT | {"options": {"decimal": "point", **(options or {})}}
        return load(text, mapping=mapping, as_of=date(2026, 11, number), **more)

    return day


@pytest.fixture
def bank(company, now, tmp_path):
    """Load rows (account, amount, day of November, reference) as a file of payments."""

    def bank(*rows):
        path = tmp_path / "pagos.csv"
        lines = [f"{account};{amount};2026-11-{day};{reference}" for account, amount, day, reference in rows]
        path.write_text("\n".join(["cuenta;monto;fecha;referencia", *lines]))
        actor = acting("ana", now=now + timedelta(days=5))
        answer = payments.load_file(path=path, portfolio_code=company.code, actor=actor)
        assert answer["rejected"] == 0
        return answer

    return bank

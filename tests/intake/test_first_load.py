"""A simple file becomes a portfolio."""

from datetime import date

import pytest

from recobra.intake import operations
from recobra.portfolio.models import Account, ContactPoint, Debtor, Instalment, Posting

MAPPING = {
    "account": {"external_id": "prestamo", "product": "producto"},
    "debtor": {"external_id": "cliente", "name": "nombre", "national_id": "dni"},
    "phones": ["telefono"], "emails": ["correo"],
    "address": {"street": "direccion", "city": "ciudad"},
    "instalment": {"due_date": "vencimiento"},
    "balance": "saldo",
}  # fmt: skip
FILE = """prestamo;producto;cliente;nombre;dni;telefono;correo;direccion;ciudad;vencimiento;saldo
0001;Préstamo;C1;Rosa Quispe;45678901;987 654 321;ROSA@Example.com;Av. Grau 1;Lima;01/10/2026;1.234,50
0002;tarjeta;C1;Rosa Quispe;45678901;987654321;rosa@example.com;Av. Grau 1;Lima;30/09/2026;10,00
0003;prestamo;C2;José Peña;;;;;;;99
"""


@pytest.fixture
def load(company, now, tmp_path):
    def load(text=FILE, *, mapping=MAPPING, as_of=date(2026, 11, 23), **more):
        path = tmp_path / "cartera.csv"
        path.write_text(text, encoding="utf-8")
        return operations.load_file(
            path=path, file_name="cartera.csv", portfolio_code=company.code, mapping=mapping, as_of=as_of,
            actor="dario", now=now, **more,
        )  # fmt: skip

    return load


def test_a_file_becomes_accounts_debtors_points_and_postings(load):
    figures = load()
    assert {name: figures[name] for name in ("rows", "accepted", "rejected", "created", "amount_minor", "held")} == {
        "rows": 3, "accepted": 3, "rejected": 0, "created": 3, "amount_minor": 134350, "held": False,
    }  # fmt: skip
    rosa = Debtor.objects.get(external_id="C1")
    assert (rosa.name, rosa.national_id_kind, rosa.national_id_valid) == ("Rosa Quispe", "PE_DNI", True)
    assert set(rosa.points.values_list("kind", "value", "line", "valid")) == {
        ("PHONE", "+51987654321", "MOBILE", True), ("EMAIL", "rosa@example.com", "", True),
        ("ADDRESS", "Av. Grau 1, Lima", "", True),
    }  # fmt: skip
    loan = Account.objects.get(external_id="0001")
    assert (loan.product, loan.status, loan.debtor) == ("LOAN", "OPEN", rosa)
    assert list(Posting.objects.filter(account=loan).values_list("kind", "concept", "amount_minor", "value_date")) == [
        ("CHARGE", "PRINCIPAL", 123450, date(2026, 11, 23))
    ]
    assert Instalment.objects.get(account=loan).due_date == date(2026, 10, 1)


def test_missing_data_is_accepted_and_counted_as_work(load):
    assert load()["gaps"] == {
        "no_contact_point": 1, "no_due_date": 1, "no_national_id": 1, "invalid_national_id": 0, "no_name": 0,
    }  # fmt: skip
    assert not ContactPoint.objects.filter(debtor__external_id="C2").exists()

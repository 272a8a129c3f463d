"""Two people are one only where the creditor gives them the same customer number, or the same national id."""

import pytest

from recobra.portfolio.models import Account, ContactPoint, Debtor, Party

from .conftest import SHORT

PARTIES = SHORT | {
    "debtor": {"external_id": "cliente", "name": "nombre", "national_id": "dni"},
    "phones": ["telefono"],
    "parties": [{"part": "GUARANTOR", "name": "aval", "national_id": "dni_aval", "phone": "tel_aval"}],
}
HEADER = "cuenta;vence;saldo;cliente;nombre;dni;telefono;aval;dni_aval;tel_aval\n"


def _phones(name):
    return list(ContactPoint.objects.filter(debtor__name=name, kind="PHONE").values_list("value", flat=True))


def test_a_guarantor_whose_id_is_the_customer_number_of_another_person_stays_apart(load):
    load(
        f"{HEADER}A;;1;45678901;Rosa Quispe;;911111111;;;\nB;;1;C2;José Peña;;922222222;Luz Ríos;45678901;933333333\n",
        mapping=PARTIES,
    )
    assert (Debtor.objects.count(), Party.objects.get().debtor.name) == (3, "Luz Ríos")
    assert (_phones("Rosa Quispe"), _phones("Luz Ríos")) == (["+51911111111"], ["+51933333333"])


def test_a_debtor_without_number_stays_apart_from_the_one_who_has_the_account_or_id_as_number(load):
    rows = (
        "100;;1;200;Rosa Quispe;;911111111;;;\n"
        "200;;1;;José Peña;;922222222;;;\n"
        "300;;1;45678901;Luz Ríos;;933333333;;;\n"
        "400;;1;;Iván Soto;45678901;944444444;;;\n"
    )
    assert load(HEADER + rows, mapping=PARTIES)["accepted"] == 4
    owners = dict(Account.objects.values_list("external_id", "debtor__name"))
    assert owners == {"100": "Rosa Quispe", "200": "José Peña", "300": "Luz Ríos", "400": "Iván Soto"}
    assert set(Debtor.objects.values_list("external_id", flat=True)) == {
        "200",
        "account:200",
        "45678901",
        "id:45678901",
    }


@pytest.mark.parametrize("number", ["id:45678901", "account:B", "party:B:1", "number:id:45678901"])
def test_no_customer_number_looks_like_a_derived_key(load, number):
    rows = f"A;;1;{number};Rosa Quispe;;;;;\nB;;1;;José Peña;;;;;\nC;;1;;Luz Ríos;45678901;;;;\nD;;1;X;Iván;;;Aval;;\n"
    load(HEADER + rows, mapping=PARTIES)
    assert Debtor.objects.count() == 5


def test_guarantors_without_id_are_people_of_their_account(load):
    load(f"{HEADER}A;;1;C1;Rosa;;;Luz;;\nB;;1;C2;José;;;Luz;;\n", mapping=PARTIES)
    keys = Debtor.objects.filter(name="Luz").values_list("external_id", flat=True)
    assert set(keys) == {"party:A:1", "party:B:1"}


def test_a_person_of_one_national_id_is_one_over_accounts_and_loads(load):
    rows = "A;;1;;José Peña;45678901;;Luz Ríos;10203040;\nB;;1;;José Peña;45.678.901;;Luz Ríos;10203040;\n"
    load(HEADER + rows, mapping=PARTIES)
    load(HEADER + rows.replace(";1;", ";2;"), mapping=PARTIES)
    assert set(Debtor.objects.values_list("external_id", flat=True)) == {"id:45678901", "id:10203040"}

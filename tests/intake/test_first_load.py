"""A simple file becomes a portfolio."""

from datetime import date

from recobra.portfolio.models import Account, ContactPoint, Debtor, Instalment, Posting


def test_a_file_becomes_accounts_debtors_points_and_postings(load):
    figures = load()
    assert {name: figures[name] for name in ("rows", "accepted", "rejected", "created", "amount_minor", "held")} == {
        "rows": 3,
        "accepted": 3,
        "rejected": 0,
        "created": 3,
        "amount_minor": 134350,
        "held": False,
    }
    rosa = Debtor.objects.get(external_id="C1")
    assert (rosa.name, rosa.national_id_kind, rosa.national_id_valid) == ("Rosa Quispe", "PE_DNI", True)
    assert set(rosa.points.values_list("kind", "value", "line", "valid")) == {
        ("PHONE", "+51987654321", "MOBILE", True),
        ("EMAIL", "rosa@example.com", "", True),
        ("ADDRESS", "Av. Grau 1, Lima", "", True),
    }
    loan = Account.objects.get(external_id="0001")
    assert (loan.product, loan.status, loan.debtor) == ("LOAN", "OPEN", rosa)
    assert list(Posting.objects.filter(account=loan).values_list("kind", "concept", "amount_minor", "value_date")) == [
        ("CHARGE", "PRINCIPAL", 123450, date(2026, 11, 23))
    ]
    assert Instalment.objects.get(account=loan).due_date == date(2026, 10, 1)


def test_missing_data_is_accepted_and_counted_as_work(load):
    assert load()["gaps"] == {
        "no_contact_point": 1,
        "no_due_date": 1,
        "no_national_id": 1,
        "invalid_national_id": 0,
        "no_name": 0,
    }
    assert not ContactPoint.objects.filter(debtor__external_id="C2").exists()

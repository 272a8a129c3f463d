"""Two debtors are one only where a valid document or a customer number proves it."""

import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recobra.intake import operations
from recobra.intake.load import last_load
from recobra.intake.models import Load
from recobra.journal.models import Entry
from recobra.payments import operations as payments
from recobra.payments.models import Payment
from recobra.portfolio.models import Account, ContactPoint, Debtor, Hold, Party, Portfolio
from recobra.tabular import identity, stand_ins
from tests.people import acting

MAPPING = {
    "account": {"external_id": "factura"},
    "debtor": {"name": "nombre", "national_id": "documento"},
    "instalment": {"due_date": "vence"},
    "balance": "saldo",
    "emails": ["correo"],
}
HEADER = "factura;documento;nombre;vence;saldo;correo\n"
NUMBERED = MAPPING | {"debtor": {"external_id": "documento", "name": "nombre"}}


def _rows(*documents, names="ABCDEFGH"):
    return HEADER + "".join(
        f"N{n};{document};{names[n]};2026-11-01;{n + 1};{names[n].lower()}@x.example\n"
        for n, document in enumerate(documents)
    )


def _in_country(company, country):
    Portfolio.objects.filter(pk=company.pk).update(country=country)


@pytest.mark.parametrize(
    ("country", "document"),
    [
        ("MX", "XAXX010101000"),
        ("MX", "XEXX-010101-000"),
        ("PE", "S/N"),
        ("PE", "sin documento"),
        ("PE", "00000000"),
        ("PE", "20512333798"),
        ("PE", "4567890"),
        ("EC", "9999999999999"),
        ("EC", "9999999999"),
        ("CO", "222222222222"),
        ("CL", "66.666.666-6"),
        ("CL", "55555555-5"),
        ("AR", "55-00000212-6"),
        ("PY", "44444401-7"),
        ("BO", "99003"),
        ("GT", "C/F"),
        ("XK", "1234567"),
    ],
)
def test_what_proves_nobody_joins_nobody(load, company, country, document):
    _in_country(company, country)
    figures = load(_rows(document, document), mapping=MAPPING)
    assert figures["accepted"] == Debtor.objects.count() == 2
    assert set(Debtor.objects.values_list("external_id", flat=True)) == {"account:N0", "account:N1"}
    mails = ContactPoint.objects.values_list("debtor__name", "value")
    assert set(mails) == {("A", "a@x.example"), ("B", "b@x.example")}


def test_what_was_no_identity_is_counted_and_listed(load):
    figures = load(_rows("S/N", "00000000", "20512333798", "45678901", ""), mapping=MAPPING)
    assert figures["identities"] == {
        "stand_in": {"count": 2, "lines": [2, 3]},
        "invalid": {"count": 1, "lines": [4]},
        "doubtful": {"count": 0, "lines": []},
    }
    # What stands for no document is not kept as one, so nobody is asked for it.
    assert list(Debtor.objects.filter(name__in="AB").values_list("national_id", flat=True)) == ["", ""]


@pytest.mark.parametrize("number", ["S/N", "0", "000", "-.-", "N/A", "no tiene"])
def test_a_customer_number_that_says_there_is_none_joins_nobody(load, number):
    load(_rows(number, number), mapping=NUMBERED)
    assert Debtor.objects.count() == 2


def test_a_stand_in_mapped_as_document_and_number_joins_nobody(load):
    mapping = MAPPING | {"debtor": {"external_id": "documento", "name": "nombre", "national_id": "documento"}}
    load(_rows("11111111", "11111111", "45678901", "45678901"), mapping=mapping)
    assert Debtor.objects.count() == 3


def test_a_document_gets_back_the_zeros_that_it_lost_where_they_do_not_count(load):
    load(_rows("05678901", "5678901", "678901"), mapping=MAPPING | {"options": {"id_zeros": "strip"}})
    debtors = set(Debtor.objects.values_list("national_id", "national_id_valid"))
    assert debtors == {("05678901", True), ("00678901", True)}


def test_guarantors_with_a_stand_in_are_people_of_their_account(load):
    mapping = MAPPING | {"parties": [{"part": "GUARANTOR", "name": "nombre", "national_id": "documento"}]}
    load(_rows("S/N", "S/N", "20512333797", "20512333797"), mapping=mapping)
    assert set(Party.objects.values_list("debtor__external_id", flat=True)) == {
        "party:N0:1",
        "party:N1:1",
        "id:20512333797",
    }


def test_a_doubtful_document_joins_only_with_the_same_name(load, company):
    _in_country(company, "EC")
    rows = _rows("1793999990001", "1793999990001", "1793999990001", names=["Sol S.A.", "SOL SA", "Luna"])
    figures = load(rows, mapping=MAPPING)
    assert (Debtor.objects.count(), figures["identities"]["doubtful"]["count"]) == (2, 3)
    assert figures["gaps"]["invalid_national_id"] == 0


def test_a_company_of_ecuador_is_not_wrong_for_its_check_digit(load, company):
    _in_country(company, "EC")
    figures = load(_rows("1793999990001", "0993888870001", "1712345670001"), mapping=MAPPING)
    assert figures["gaps"]["invalid_national_id"] == 1


def test_kinds_are_known_by_the_names_that_people_use_and_others_refused(load):
    mapping = MAPPING | {
        "debtor": {"national_id": "documento", "name": "nombre", "national_id_kind": {"value": "D.N.I."}}
    }
    load(_rows("45678901", "45678901"), mapping=mapping)
    debtor = Debtor.objects.get()
    assert (debtor.national_id_kind, debtor.national_id_valid) == ("PE_DNI", True)
    mapping["debtor"]["national_id_kind"] = {"value": "carta"}
    (error,) = load(_rows("45678901"), mapping=mapping)["errors"][0]["errors"]
    assert (error["target"], error["code"]) == ("debtor.national_id_kind", "kind")


def test_the_same_figures_of_another_kind_are_another_person(load):
    mapping = MAPPING | {
        "debtor": {"national_id": "documento", "name": "nombre", "national_id_kind": "correo"},
        "emails": [],
    }
    load(f"{HEADER}N1;45678901;A;;1;DNI\nN2;45678901;B;;1;pasaporte\n", mapping=mapping)
    assert Debtor.objects.count() == 2


def test_two_portfolios_with_the_same_account_number_are_two_debtors(load, company, now, tmp_path):
    load(_rows("S/N"), mapping=MAPPING)
    other = Portfolio.objects.get(pk=company.pk)
    other.pk, other.code = None, "OTRA"
    other.save()
    path = tmp_path / "otra.csv"
    for _again in range(2):
        path.write_text(_rows("S/N", names="Z"), encoding="utf-8")
        operations.load_file(
            path=path, portfolio_code="OTRA", mapping=MAPPING, as_of=now.date(), actor=acting("dario", now=now)
        )
        load(_rows("S/N"), mapping=MAPPING)
    owners = set(Account.objects.values_list("debtor__external_id", "debtor__name"))
    assert owners == {("account:N0", "A"), (f"account@{other.pk}:N0", "Z")}


def _forget_that_ids_were_judged():
    """Make the only load one of an earlier version, whose fingerprints are no longer those of its rows."""
    done = Load.objects.get()
    del done.figures["identities"]
    done.save()
    shutil.rmtree(last_load.folder(done.portfolio_id))


def _join_as_before(key, names):
    """Join all debtors into one with the given key, as earlier versions did."""
    mixed = Debtor.objects.order_by("pk").first()
    others = Debtor.objects.exclude(pk=mixed.pk)
    ContactPoint.objects.update(debtor=mixed)
    Account.objects.update(debtor=mixed)
    others.delete()
    Debtor.objects.filter(pk=mixed.pk).update(external_id=key, name=names, national_id=key.removeprefix("id:"))
    _forget_that_ids_were_judged()
    return mixed


def test_the_next_load_parts_whom_an_earlier_version_joined(load, now):
    rows = _rows("S/N", "S/N")
    load(rows, mapping=MAPPING)
    mixed = _join_as_before("id:SN", "A")
    pause = {"starts_on": now.date(), "author": "x", "created_at": now}
    Hold.objects.create(debtor=mixed, reason="ILLNESS", **pause)
    Hold.objects.create(debtor=mixed, account=Account.objects.get(external_id="N1"), reason="DISPUTE", **pause)
    ContactPoint.objects.filter(value="a@x.example").update(opted_out_at=now)
    payments.record_payment(
        portfolio_id=Account.objects.first().portfolio_id,
        debtor_id=mixed.pk,
        account_id=Account.objects.get(external_id="N1").pk,
        amount_minor=1,
        paid_date=now.date(),
        reference="R1",
        actor=acting("ana", now=now),
    )
    figures = load(rows, mapping=MAPPING)
    assert Payment.objects.get(reference="R1").debtor.external_id == "account:N1"
    assert (figures["created"], figures["payments"], Account.objects.count()) == (0, 0, 2)
    owners = dict(Account.objects.values_list("external_id", "debtor__external_id"))
    assert owners == {"N0": "account:N0", "N1": "account:N1"}
    live = ContactPoint.objects.filter(retired_at=None).values_list("debtor__external_id", "value", "opted_out_at")
    assert set(live) == {("account:N0", "a@x.example", now), ("account:N1", "b@x.example", None)}
    holds = set(Hold.objects.exclude(debtor=mixed).values_list("debtor__external_id", "reason"))
    assert holds == {("account:N0", "ILLNESS"), ("account:N1", "ILLNESS"), ("account:N1", "DISPUTE")}
    entry = Entry.objects.get(kind="debtor.parted")
    assert (entry.debtor_id, entry.payload["accounts"]) == (mixed.pk, 2)
    again = load(rows, mapping=MAPPING)
    assert (again["updated"], Debtor.objects.count(), Entry.objects.filter(kind="debtor.parted").count()) == (0, 3, 1)


def test_who_leaves_a_mixed_debtor_brings_back_nothing_that_was_refused(load, company, now):
    rows = _rows("S/N", "S/N")
    load(rows, mapping=MAPPING)
    _join_as_before("id:SN", "A")
    heir = Debtor.objects.create(creditor=company.creditor, external_id="account:N0", name="A", country="PE")
    refused = {"opted_out_at": now, "consent": False, "denied_for": ["email"]}
    ContactPoint.objects.create(debtor=heir, kind="EMAIL", value="a@x.example", valid=True, **refused)
    ContactPoint.objects.exclude(debtor=heir).update(consent=True, granted_for=["email"])
    load(rows, mapping=MAPPING)
    assert Account.objects.get(external_id="N0").debtor == heir
    point = heir.points.get()
    assert (point.opted_out_at, point.consent, point.granted_for, point.denied_for) == (now, False, [], ["email"])


def test_a_debtor_of_one_account_keeps_its_history(load):
    load(_rows("20512333798"), mapping=MAPPING)
    only = _join_as_before("id:20512333798", "A")
    load(_rows("20512333798", "20512333798"), mapping=MAPPING)
    assert Account.objects.get(external_id="N0").debtor == only
    assert set(Debtor.objects.values_list("external_id", flat=True)) == {"account:N0", "account:N1"}


def test_a_mixed_guarantor_is_parted_too(load):
    mapping = MAPPING | {"parties": [{"part": "GUARANTOR", "name": "nombre", "national_id": "documento"}]}
    rows = _rows("S/N", "S/N")
    load(rows, mapping=mapping)
    guarantors = list(Debtor.objects.filter(external_id__startswith="party:"))
    Party.objects.update(debtor=guarantors[0])
    guarantors[1].delete()
    Debtor.objects.filter(pk=guarantors[0].pk).update(external_id="id:SN")
    _forget_that_ids_were_judged()
    load(rows, mapping=mapping)
    parts = dict(Party.objects.values_list("account__external_id", "debtor__external_id"))
    assert parts == {"N0": "party:N0:1", "N1": "party:N1:1"}


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(identity.KINDS)), st.sampled_from("0123456789"), st.integers(5, 14))
def test_one_figure_repeated_proves_nobody_in_any_country(country, figure, length):
    for kind in identity.KINDS[country]:
        assert identity.judge(country, kind.code, figure * length) == identity.STAND_IN


@pytest.mark.parametrize("country", sorted(stand_ins.BY_COUNTRY))
def test_every_stand_in_names_its_source(country):
    assert all(source for _pattern, source in stand_ins.BY_COUNTRY[country])

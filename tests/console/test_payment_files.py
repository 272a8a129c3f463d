"""Payments from a file on screen: its columns are chosen, it is tried, and its mapping is there the next day."""

import io
from datetime import date

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile

from recobra.access.models import Scope
from recobra.payments.models import Payment, PaymentMapping
from tests import receivables

STATEMENT = """Banco de Prueba;;;
contrato n;abonado;día;op
F-1;100,00;{day};OP-1
F-9;5,00;{day};OP-2
"""


@pytest.fixture
def client(at_desk, company):
    person = receivables.debtor(company, "Rosa")
    receivables.account(company, person, "F-1", (date(2026, 10, 1), 80_000))
    return at_desk("bruno")


def send(client, day):
    file = SimpleUploadedFile("banco.csv", STATEMENT.format(day=day).encode(), content_type="text/csv")
    return client.post("/pagos/archivo/", {"portfolio": "PE-CONSUMO", "file": file})["Location"]


def test_a_bank_file_is_mapped_tried_and_recorded(client):
    assert 'href="/pagos/archivo/"' in client.get("/cargas/").content.decode()
    address = send(client, "10 de octubre de 2026")
    columns = ("account", "amount", "date", "reference")
    form = {f"column-{at}": target for at, target in enumerate(columns)} | {"name": "banco", "fila": "2"}
    tried = client.post(address, form | {"do": "try"})
    assert tried.context["result"]["accepted"] == 1
    assert not Payment.objects.exists()
    done = client.post(address, form | {"do": "load"}).content.decode()
    assert "Pagos registrados" in done
    assert "F-9" in done  # the row without its account
    payment = Payment.objects.get()
    assert (payment.amount_minor, payment.paid_date, payment.reference) == (10_000, date(2026, 10, 10), "OP-1")
    assert PaymentMapping.objects.get().name == "banco"

    next_day = client.get(send(client, "11/10/2026"))
    assert next_day.context["preview"].header_line == 2
    assert [target for _header, target in next_day.context["chosen"]] == list(columns)


def test_a_choice_without_an_amount_is_refused_in_words(client):
    address = send(client, "2026-10-10")
    answer = client.post(address, {"column-0": "account", "do": "try", "fila": "2"})
    assert "amount" in answer.content.decode()
    assert not Payment.objects.exists()


def test_a_file_is_opened_by_who_sent_it_alone_and_while_the_portfolio_is_theirs(client, at_desk, cast):
    address = send(client, "2026-10-10")
    for form in ({"do": "try"}, {"do": "load"}):
        assert at_desk("carla").post(address, form).status_code == 404
    assert client.get(address).status_code == 200
    Scope.objects.filter(user=cast["bruno"]).delete()
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("page", ["/pagos/archivo/", "/cargas/nueva/"])
def test_a_sheet_that_holds_no_table_costs_no_second_upload(client, page):
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        book.add_worksheet("Abonos").write_column(0, 0, ("contrato", "F-1"))
        book.add_worksheet("Notas")
    file = SimpleUploadedFile("banco.xlsx", content.getvalue())
    address = client.post(page, {"portfolio": "PE-CONSUMO", "file": file})["Location"]
    assert client.get(address, {"hoja": "Notas"})["Location"] == address
    assert [header for header, _target in client.get(address).context["chosen"]] == ["contrato"]


def test_who_may_load_no_files_may_send_no_payments(at_desk, company):
    assert at_desk("hilda").get("/pagos/archivo/").status_code == 403

"""Cartera: what a search finds, what filters leave, and that pages never lose or repeat a row."""

import re
from datetime import timedelta
from io import BytesIO

import openpyxl
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from recobra.access.models import SavedView
from recobra.console import spreadsheet
from recobra.insight.queries import receivables
from recobra.insight.queries.receivables import AccountFilters
from recobra.intake.models import Mapping
from recobra.kit import clock
from recobra.portfolio.models import Account, Debtor, Portfolio
from recobra.strategy.models import AccountState

from .test_countries import text


def found(user, **conditions):
    return [row.number for row in receivables.accounts_page(user, AccountFilters(**conditions), clock.now()).rows]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("PR-1001", ["PR-1001"]),
        ("pr-1001", ["PR-1001"]),
        ("CLI-0002", ["PR-1002"]),
        ("45678912", ["PR-1001"]),
        ("4567", ["PR-1001"]),
        ("maria quispe", ["PR-1001"]),
        ("ÑAHUI", ["PR-1001"]),
        ("nunez", ["PR-1002"]),
        ("987 654 321", ["PR-1001"]),
        ("+51 987 654", ["PR-1001"]),
        ("persona3@correo.example", ["PR-1003"]),
        ("andina s.a.c.", ["PR-1003"]),
        ("100%", []),
        ("nadie", []),
        ("'; DROP TABLE portfolio_debtor; --", []),
    ],
)
def test_a_search_finds_by_number_name_document_phone_and_mail(world, cast, text, numbers):
    assert found(cast["ana"], text=text) == numbers


@pytest.mark.parametrize(
    ("conditions", "numbers"),
    [
        ({}, ["PR-1003", "PR-1004", "PR-1002", "PR-1001", "PR-1005"]),
        ({"sort": "oldest"}, ["PR-1004", "PR-1003", "PR-1002", "PR-1001", "PR-1005"]),
        ({"sort": "recent"}, ["PR-1001", "PR-1002", "PR-1003", "PR-1004", "PR-1005"]),
        ({"sort": "balance"}, ["PR-1003", "PR-1005", "PR-1004", "PR-1002", "PR-1001"]),
        ({"stage": "EXTRAJUDICIAL"}, ["PR-1003", "PR-1004"]),
        ({"bucket": "not_due"}, ["PR-1005"]),
        ({"at_least": 1000, "at_most": 3000}, ["PR-1004", "PR-1002"]),
        ({"status": "PAID"}, []),
        ({"portfolio": "OTRA"}, []),
    ],
)
def test_filters_and_order(world, cast, conditions, numbers):
    AccountState.objects.filter(account=world.accounts["José"]).update(overdue_minor=130_000, balance_minor=210_000)
    assert found(cast["carla"], **conditions) == numbers


def test_what_accounts_lack_is_a_list_that_leads_to_the_debtor(at_desk, world, cast):
    """María has all that is needed, José no contract, Pedro neither a document nor a day; of Lucía nothing is valid."""
    accounts = world.accounts
    # Nobody lacks what no file of the portfolio says.
    assert found(cast["ana"], missing="contract") == []
    Mapping.objects.create(
        portfolio=accounts["José"].portfolio,
        name="consumo",
        version=1,
        document={"account": {"external_id": "cuenta", "contract": "contrato"}, "balance": "saldo"},
        created_at=clock.now(),
        created_by="ana",
    )
    Account.objects.exclude(pk=accounts["José"].pk).update(contract="K-1")
    world.debtors["Lucía"].points.update(valid=False)
    accounts["Pedro"].instalments.update(due_date=None)
    expected = {
        "document": ["PR-1005"],
        "contract": ["PR-1002"],
        "contact": ["PR-1004"],
        "due_date": ["PR-1005"],
        "any": ["PR-1004", "PR-1002", "PR-1005"],
        "nothing": ["PR-1003", "PR-1001"],
    }
    assert {lack: found(cast["ana"], missing=lack) for lack in expected} == expected
    assert found(cast["zoe"], missing="any") == []
    # Before the first cycle too.
    AccountState.objects.all().delete()
    assert {lack: sorted(found(cast["ana"], missing=lack)) for lack in expected} == {
        lack: sorted(numbers) for lack, numbers in expected.items()
    }
    page = at_desk("ana").get("/cartera/", {"missing": "document"}).content.decode()
    assert f"/ficha/{world.debtors['Pedro'].pk}/" in page
    assert "Sin documento de identidad válido, Sin fecha de vencimiento" in page
    file = at_desk("ana").get(f"/ficha/{world.debtors['Pedro'].pk}/").content.decode()
    assert "Sin fecha de vencimiento</span>" in file
    answer = at_desk("carla").get("/cartera/exportar.csv?missing=contract")
    head, row = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert (head.rsplit(";", 1)[1], row.rsplit(";", 1)[1]) == ("Qué le falta", "Sin contrato")
    Account.objects.update(status="PAID")
    assert found(cast["ana"], missing="any") == []


def test_debts_near_prescription_are_found_in_time(at_desk, world, cast):
    """In Peru after ten years: José's debt in 30 days, Lucía's yesterday, Comercial Andina's in 91."""
    today = clock.today("America/Lima")
    for name, days in {"José": 30, "Lucía": -1, "Comercial": 91}.items():
        due = (today + timedelta(days=days)).replace(year=(today + timedelta(days=days)).year - 10)
        AccountState.objects.filter(account=world.accounts[name]).update(oldest_due_date=due)
        world.accounts[name].instalments.filter(number="1").update(due_date=due)
    assert found(cast["ana"], near_limitation=True) == ["PR-1002"]
    page = text(at_desk("ana").get("/cartera/", {"near": "1"}))
    assert "Prescribe el" in page
    assert "Prescribe el" in text(at_desk("ana").get(f"/ficha/{world.debtors['Lucía'].pk}/"))
    counted = text(at_desk("carla").get("/datos/"))
    assert "Prescriben en 90 días o menos 1" in counted
    assert "Sin contrato No se pide: ningún mapeo de la cartera nombra el contrato" in counted
    AccountState.objects.all().delete()
    assert found(cast["ana"], near_limitation=True) == ["PR-1002"]
    Portfolio.objects.update(country="UY")  # whose law's file names no years
    assert found(cast["ana"], near_limitation=True) == []


@pytest.mark.parametrize("sort", receivables.SORTS)
def test_pages_give_every_account_once_with_ties_and_accounts_not_yet_classified(world, cast, sort):
    creditor = world.portfolio.creditor
    for order in range(23):
        debtor = Debtor.objects.create(creditor=creditor, external_id=f"T-{order}", name="Tomás Torres", country="PE")
        account = Account.objects.create(
            portfolio=world.portfolio, debtor=debtor, external_id=f"T-{order}", product="LOAN"
        )
        if order % 2:
            AccountState.objects.create(
                account=account,
                portfolio_id=world.portfolio.pk,
                debtor_id=debtor.pk,
                balance_minor=0,
                overdue_minor=0,
                bucket="not_due",
                stage="PREVENTIVE",
                segment="",
                stage_since=clock.now().date(),
            )
    seen, after = [], ""
    while True:
        page = receivables.accounts_page(cast["ana"], AccountFilters(sort=sort, after=after), clock.now(), size=4)
        seen += [row.account_id for row in page.rows]
        after = page.following
        if not after:
            break
    assert len(seen) == len(set(seen)) == Account.objects.count() == page.count


def test_a_cursor_from_elsewhere_is_no_way_in(at_desk, world):
    client = at_desk("ana")
    for cursor in ("x:y", "1;drop:1", "9:", "new:abc", "2026-01-01:3", "5:99999999999999999999"):
        assert client.get("/cartera/", {"after": cursor}).status_code == 200


def test_a_search_that_finds_one_debtor_opens_the_file(at_desk, world):
    answer = at_desk("ana").get("/cartera/", {"q": "nunez", "go": "1"})
    assert answer["Location"] == f"/ficha/{world.debtors['José'].pk}/"


def test_htmx_gets_the_table_alone(at_desk, world):
    answer = at_desk("ana").get("/cartera/", headers={"HX-Request": "true"})
    assert "<html" not in answer.content.decode()
    assert "PR-1001" in answer.content.decode()


def test_a_view_is_kept_replaced_and_forgotten_by_its_owner_only(at_desk, world, cast):
    ana, bruno = at_desk("ana"), at_desk("bruno")
    ana.post("/cartera/vistas/", {"name": "Tempranos", "query": "stage=ADMINISTRATIVE&after=5:5"})
    ana.post("/cartera/vistas/", {"name": "Tempranos", "query": "bucket=early_30&after=5:5"})
    (view,) = SavedView.objects.all()
    assert (view.user, view.query) == (cast["ana"], "bucket=early_30")
    assert "Tempranos" in ana.get("/cartera/").content.decode()
    assert "Tempranos" not in bruno.get("/cartera/").content.decode()
    bruno.post(f"/cartera/vistas/{view.pk}/borrar/")
    assert SavedView.objects.exists()
    ana.post(f"/cartera/vistas/{view.pk}/borrar/")
    assert not SavedView.objects.exists()


def test_the_spreadsheet_holds_numbers_and_no_formulas(at_desk, world):
    Debtor.objects.filter(pk=world.debtors["María"].pk).update(name="=HYPERLINK(1)")
    answer = at_desk("carla").get("/cartera/exportar.xlsx?q=PR-1001")
    sheet = openpyxl.load_workbook(BytesIO(b"".join(answer.streaming_content))).active
    head, row = sheet.iter_rows(values_only=True)
    assert head[7] == "Vencido"
    assert row[2] == "=HYPERLINK(1)"
    assert sheet["C2"].data_type == "s"
    assert row[7] == 450.5


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/cartera/exportar.xlsx", "Cartera"),
        ("/auditoria/exportar.xlsx", "Auditoría"),
        ("/alcance/xlsx/", "Alcance"),
        ("/cumplimiento/informe.xlsx?pais=PE&mes=2026-11", "Cumplimiento PE 2026-11"),
    ],
)
def test_a_sheet_bears_the_name_of_the_list_that_it_holds(at_desk, world, address, name):
    answer = at_desk("carla").get(address)
    content = b"".join(answer.streaming_content if answer.streaming else [answer.content])
    assert openpyxl.load_workbook(BytesIO(content)).sheetnames == [name]


def test_a_name_that_no_spreadsheet_takes_is_made_one():
    file = BytesIO()
    spreadsheet.write_xlsx(file, iter([["Nombre"], ["Ana"]]), name="Cartera [2026/11]: 'todo' lo que se debe y más")
    (name,) = openpyxl.load_workbook(file).sheetnames
    assert name == "Cartera  2026 11    todo  lo qu"


def test_a_text_that_looks_like_a_formula_is_made_harmless_in_csv():
    file = BytesIO()
    assert spreadsheet.write_csv(file, iter([["Nombre"], ["=1+1"], ["@x"], ["Ana"]])) == 3
    assert file.getvalue().decode("utf-8-sig").splitlines() == ["Nombre", "'=1+1", "'@x", "Ana"]


def test_an_export_gives_every_account_once_and_counts_none(world, cast):
    conditions = receivables.AccountFilters(sort="balance")
    with CaptureQueriesContext(connection) as asked:
        rows = list(receivables.all_accounts(cast["ana"], conditions, clock.now(), size=2))
    assert [row.number for row in rows] == [
        row.number for row in receivables.accounts_page(cast["ana"], conditions, clock.now()).rows
    ]
    assert len(rows) == 5
    assert not [each["sql"] for each in asked if "count(" in each["sql"].lower()]


@pytest.mark.parametrize(
    ("text", "indexes"),
    [
        ("PR-1001", ["account_once_per_portfolio", "debtor_once_per_creditor", "debtor_national_id_search"]),
        ("+51 987 654", ["contact_point_once"]),
        ("persona3@correo.example", ["contact_point_once"]),
    ],
)
def test_a_search_reads_no_table_of_millions_from_end_to_end(world, cast, text, indexes):
    plan = explained(lambda: found(cast["ana"], text=text), containing=" UNION ")
    assert not re.findall(r"Seq Scan on portfolio_(?:debtor|contactpoint|account)\b", plan), plan
    for name in indexes:
        # Sought by its columns, not read through.
        assert re.search(rf"Index (?:Only )?Scan (?:using|on) {name}\b[^\n]*\n\s+Index Cond: .*(?:~|LIKE|=)", plan), (
            plan
        )


def test_the_list_by_overdue_amount_goes_along_its_index(world, cast):
    plan = explained(lambda: found(cast["ana"]), containing="head.sort_value")
    assert "state_by_overdue" in plan, plan


def explained(work, *, containing):
    """Return the plan of the query that some work makes, where no table is so small that it is read whole."""
    with CaptureQueriesContext(connection) as asked:
        work()
    (query,) = [each["sql"] for each in asked if containing in each["sql"]]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {query.replace('%', '%%')}", [])
        lines = [line for (line,) in cursor.fetchall()]
        transaction.set_rollback(True)
    return "\n".join(lines)

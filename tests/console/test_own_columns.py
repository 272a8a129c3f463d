"""Columns of a portfolio's own: chosen while a file is loaded, and then known wherever accounts are."""

import json
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from recobra.kit import clock
from recobra.messaging import operations as messaging
from recobra.messaging.models import Template
from recobra.messaging.templates.render import render
from recobra.portfolio import own_columns
from recobra.portfolio.models import Account, Portfolio
from recobra.portfolio.own_columns import OwnColumn
from recobra.portfolio.statement import fetch_statements
from recobra.strategy import operations as strategy
from recobra.strategy import schedule
from recobra.strategy.models import AccountState, StrategyVersion
from recobra.strategy.policies import policies_in_force
from recobra.strategy.queries import rule_catalogue
from tests.console.following import work_off
from tests.people import acting

from .test_countries import text
from .test_loads import choices

HEAD = "Nro préstamo;Cliente;DNI;Vencimiento;Saldo;Plan;Puntaje;Límite;Alta;VIP;Sexo"
ROWS = """L-1;Persona 1;40000001;15/01/2026;100,50;Plan Oro;720;2.000,00;03/02/2020;sí;F
L-2;Persona 2;40000002;15/02/2026;200,50;Plan Plata;;150,50;;no;M
L-3;Persona 3;40000003;15/03/2026;300,50;;7,5;;;quizás;
"""
OWN = {
    "Plan": "attribute.text",
    "Puntaje": "attribute.integer",
    "Límite": "attribute.money",
    "Alta": "attribute.date",
    "VIP": "attribute.boolean",
    "Sexo": "attribute.text",
}


def load(client, head=HEAD, rows=ROWS, *, own=OWN, do="load", **more):
    """Upload a file, say what its columns are and let a worker load it; return the answer."""
    file = SimpleUploadedFile("cartera.csv", f"{head}\n{rows}".encode(), content_type="text/csv")
    address = client.post("/cargas/nueva/", {"portfolio": "PE-CONSUMO", "file": file})["Location"]
    headers = [header for header, _target in client.get(address).context["chosen"]]
    posted = choices(client, address)
    for at, header in enumerate(headers):
        if header in own:
            posted |= {f"column-{at}": own[header], f"label-{at}": header}
    answer = client.post(address, posted | more | {"do": do})
    if do == "load":
        work_off()
    return answer


def segment_by_account(portfolio, now):
    """Publish a strategy whose segments read own columns, run the cycle, and return the segment of each account."""
    strategy.ensure_ready_made(actor=acting("dario", now=now))
    document = StrategyVersion.objects.get(code="consumo", status="PUBLISHED").document
    document["segments"] = [
        {"key": "oro", "name": "Oro", "rule": "attr_limite >= 2000 and attr_vip", "unknown": "no"},
        {"key": "plata", "name": "Plata", "rule": "attr_plan = 'Plan Plata'", "unknown": "no"},
        {"key": "resto", "name": "Resto", "rule": "balance >= 0"},
    ]
    for step in document["steps"]:
        step.pop("segments", None)
    version = strategy.save_draft(document=document, actor=acting("carla", now=now))
    StrategyVersion.objects.filter(code="consumo").exclude(pk=version.pk).update(status="RETIRED")
    StrategyVersion.objects.filter(pk=version.pk).update(status="PUBLISHED")
    strategy.assign_strategy(portfolio_id=portfolio.pk, code="consumo", actor=acting("dario", now=now))
    strategy.run_cycle(as_of=schedule.today(now), actor=acting("dario", now=now))
    return dict(AccountState.objects.values_list("account__external_id", "segment"))


def find_in_list(client):
    """Return the accounts that the list finds by own columns, as they are typed in Peru."""
    queries = ("plan&own_value=oro", "limite&own_value=2,000", "limite&own_value=2.000", "puntaje", "vip&own_value=no")
    queries += ("alta&own_value=03/02/2020", "sexo&own_value=F")
    return {
        query: [row.number for row in client.get(f"/cartera/?own={query}").context["page"].rows] for query in queries
    }


@pytest.mark.django_db(transaction=True)
def test_what_a_file_brings_is_known_to_lists_rules_messages_and_the_page_of_the_debtor(at_desk, company):
    bruno, carla = at_desk("bruno"), at_desk("carla")
    load(bruno)
    first = Account.objects.get(external_id="L-1")
    assert first.attributes == {
        "plan": "Plan Oro",
        "puntaje": 720,
        "limite": 200_000,
        "alta": "2020-02-03",
        "vip": True,
        "sexo": "F",
    }
    # What is no value of its type is left out and said; the debt is not.
    third = Account.objects.get(external_id="L-3")
    assert (third.attributes["puntaje"], third.attributes["vip"], third.attributes["plan"]) == (None, None, None)

    # The page of the debtor shows them in the country's writing; who may not see documents, nothing private.
    shown = text(carla.get(f"/ficha/{first.debtor_id}/"))
    for value in ("Plan Plan Oro", "Límite S/ 2,000.00", "Puntaje 720", "VIP Sí", "Sexo F"):
        assert value in shown
    assert "Sexo" not in text(at_desk("ana").get(f"/ficha/{first.debtor_id}/"))

    # The list: the column is shown and filtered by, and goes out with the export.
    assert find_in_list(carla) == {
        "plan&own_value=oro": ["L-1"],
        "limite&own_value=2,000": ["L-1"],
        "limite&own_value=2.000": [],
        "puntaje": ["L-1"],
        "vip&own_value=no": ["L-2"],
        "alta&own_value=03/02/2020": ["L-1"],
        "sexo&own_value=F": [],
    }
    page = text(carla.get("/cartera/?own=limite"))
    assert ("S/ 150.50" in page, "Sexo" in page) == (True, False)
    exported = b"".join(carla.get("/cartera/exportar.csv").streaming_content).decode("utf-8-sig").splitlines()
    assert exported[0].endswith("Alta;Límite;Plan;Puntaje;VIP")
    assert [line.partition(";2020-02-03;")[2] for line in exported if "L-1" in line] == ["2000.00;Plan Oro;720;Sí"]

    # Rules: amounts in major units, the unknown is said, the protected is no column.
    catalogue = rule_catalogue()
    assert (catalogue["attr_limite"].type, "attr_sexo" in catalogue) == ("money", False)
    answer = carla.post("/estrategias/regla/", {"field": "x", "x-rule": "attr_limite >= 2000", "x-unknown": "no"})
    assert "Límite desde 2.000" in text(answer)
    assert segment_by_account(company, clock.now()) == {"L-1": "oro", "L-2": "plata", "L-3": "resto"}

    # The next file: its saved mapping knows the columns, and another type is refused in words.
    load(bruno, own={}, rows=ROWS.replace("Plan Oro", "Plan Diamante"))
    first.refresh_from_db()
    assert first.attributes["plan"] == "Plan Diamante"
    assert "«Plan» es texto" in text(load(bruno, own={"Plan": "attribute.number"}, do="try"))

    # Its page says what reads it, and keeps its type while something does; another column may change.
    index = f"/columnas/{company.pk}/"
    assert "estrategia «Crédito de consumo», versión" in text(carla.get(index))
    refused = carla.post(f"{index}limite/", {"label": "Límite", "type": "text", "stand_in": ""})
    assert (refused.status_code, "Está en uso" in refused.content.decode()) == (422, True)
    form = {"label": "Puntaje interno", "type": "text", "stand_in": "su puntaje"}
    moved = text(carla.post(f"{index}puntaje/", {"type": "boolean", "do": "try"}))
    assert "0 valores se conservan, 1 no se pueden leer" in moved
    assert carla.post(f"{index}puntaje/", form).status_code == 302
    first.refresh_from_db()
    assert first.attributes["puntaje"] == "720"
    assert carla.post(f"{index}puntaje/", form | {"type": "money"}).status_code == 302
    first.refresh_from_db()
    assert first.attributes["puntaje"] == 72_000

    # A message names it, with what stands in where it is not known.
    messaging.ensure_library(actor=acting("library", now=clock.now()))
    template = Template.objects.filter(code="recordatorio", channel="sms").first()
    check = reverse("console:template-reading", args=[template.pk])
    parts = {"field": "x", "subject": "", "html": "", "text": f"{template.text} {{{{ propia_puntaje }}}}"}
    assert "propia_puntaje" not in text(carla.post(check, parts))
    assert "propia_sexo" in text(carla.post(check, parts | {"text": "{{ propia_sexo }}"}))
    assert messages_of(template, "puntaje") == {"L-1": "S/ 720.00", "L-2": "su puntaje", "L-3": "su puntaje"}


def messages_of(template, name):
    """Return by account what a message whose text is an own column says."""
    template.text = f"{{{{ propia_{name} }}}}"
    said = {}
    for account in Account.objects.select_related("debtor__creditor", "portfolio"):
        statement = fetch_statements({account.debtor_id: schedule.today(clock.now())})[account.debtor_id]
        message = render(
            template,
            statement,
            day=schedule.today(clock.now()),
            country=account.portfolio.country,
            debtor_name=account.debtor.name,
            creditor=account.debtor.creditor,
            sender="",
            reference="R",
            unsubscribe_url="https://recobra.example/b",
            statement_url="https://recobra.example/d",
        )
        said[account.external_id] = message.text.strip().replace("\xa0", " ")
    return said


def test_a_name_that_two_portfolios_declare_otherwise_is_read_as_the_first_declared_it(company, db):
    """Where it is of another type a rule knows no value, so an amount is never taken for a number of something else."""
    now = clock.now()
    other = Portfolio.objects.create(
        creditor=company.creditor,
        code="CL-1",
        name="Chile",
        industry="CONSUMER",
        country="CL",
        currency="CLP",
        time_zone="America/Santiago",
    )
    day = {"name": "tope", "label": "Tope"}
    own_columns.declare_columns(
        portfolio_id=other.pk, columns=[OwnColumn(type="money", **day)], actor=acting("dario", now=now)
    )
    later = acting("dario", now=now.replace(year=now.year + 1))
    own_columns.declare_columns(portfolio_id=company.pk, columns=[OwnColumn(type="integer", **day)], actor=later)
    column = own_columns.rule_columns()["tope"]
    assert (column.type, column.portfolio_ids, column.elsewhere) == ("money", (other.pk,), (company.pk,))
    # The same whichever portfolios are decided for.
    for ids in (None, [company.pk], [other.pk]):
        assert policies_in_force(ids, day=date(2026, 11, 24)).attributes["tope"] == column
    assert json.loads(json.dumps(Portfolio.objects.get(pk=other.pk).attributes))["tope"]["type"] == "money"

"""Inicio: figures that add up, in the portfolio's own day and money."""

from datetime import timedelta

import pytest
from django.db.models import Sum
from django.urls import reverse

from recobra.console.guard import may_open
from recobra.console.templatetags import console
from recobra.insight.queries import board
from recobra.kit import clock
from recobra.kit.declarations import declared
from recobra.messaging.models import Contact
from recobra.payments.operations import record_payment, reverse_payment
from recobra.portfolio.models import Account, Debtor, Instalment, Portfolio, Posting
from recobra.strategy.alarms import alarm_rules
from recobra.strategy.models import AccountState, Alarm
from recobra.workbench.models import Task
from recobra_core.stages.limits import DEFAULT_BUCKETS
from tests.people import acting

from .test_countries import text


def test_the_buckets_add_up_to_the_outstanding_with_what_is_not_due_and_not_classified(world, cast):
    debtor = Debtor.objects.create(creditor=world.portfolio.creditor, external_id="N", name="Nuevo", country="PE")
    account = Account.objects.create(portfolio=world.portfolio, debtor=debtor, external_id="N-1", product="LOAN")
    instalment = Instalment.objects.create(account=account, due_date=clock.now().date())
    Posting.objects.create(
        account=account,
        instalment=instalment,
        kind="CHARGE",
        concept="PRINCIPAL",
        amount_minor=77_700,
        value_date=clock.now().date(),
        booked_at=clock.now(),
    )
    states = AccountState.objects.aggregate(total=Sum("balance_minor"))["total"]
    ageing = board.ageing_by_bucket([world.portfolio], DEFAULT_BUCKETS)
    amounts = {row.bucket: row.amount_minor for row in ageing.rows}
    assert ageing.total_minor == sum(amounts.values()) == states + 77_700
    assert amounts["new"] == 77_700
    assert amounts["not_due"] == states - ageing.overdue_minor
    assert amounts["late"] == 260_075


def test_cash_counts_by_the_day_of_payment_and_forgets_what_was_reversed(world, now):
    def pay(amount_minor, days_ago, reference):
        return record_payment(
            portfolio_id=world.portfolio.pk,
            debtor_id=world.debtors["Comercial"].pk,
            amount_minor=amount_minor,
            paid_date=(now - timedelta(days=days_ago)).date(),
            reference=reference,
            actor=acting("ana", now=now),
        )

    world.payment.delete()
    pay(10_000, 0, "hoy")
    pay(2_000, 1, "ayer, que fue domingo")
    pay(300, 22, "el día 1")
    pay(40, 23, "el mes pasado")
    reverse_payment(payment_id=pay(5, 0, "devuelto").pk, reason="Cheque sin fondos", actor=acting("bruno", now=now))
    cash = board.cash_received([world.portfolio], now)
    assert (cash.today_minor, cash.week_minor, cash.month_minor) == (10_000, 10_000, 12_300)
    assert sum(amount for _day, amount in cash.days) == 12_340
    assert len(cash.days) == board.CHART_DAYS


def test_what_is_owed_by_age_and_what_came_in_stand_on_the_start_page_at_once(at_desk, world):
    ana = at_desk("ana")
    before = text(ana.get("/"))
    for said in (
        "Pendiente S/ 19,251.25",
        "Vencido S/ 14,151.25",
        "Pre mora (por vencer) 1",
        "Mora tardía 91 o más 1 S/ 2,600.75",
        "Hoy S/ 0.00",
    ):
        assert said in before, said
    paid = {"amount_minor": "450.50", "paid_date": str(clock.today("America/Lima")), "reference": "OP-9"}
    address = f"/ficha/{world.debtors['María'].pk}/pagos/nuevo/"
    assert ana.post(address, paid | {"account": world.accounts["María"].pk}).status_code == 302
    assert "Hoy S/ 450.50" in text(ana.get("/"))


def test_today_is_the_portfolios_own_day(world, now):
    midnight_in_lima_is_near = now.replace(hour=4)
    assert board.cash_received([world.portfolio], midnight_in_lima_is_near).days[-1][0] == now.date() - timedelta(
        days=1
    )


def test_the_plan_counts_contacts_by_what_became_of_them_and_tasks(world):
    plan = board.plan_of_today([world.portfolio], clock.now())
    assert (plan.contacts, plan.due, plan.sent, plan.tasks_open, plan.tasks_late) == (1, 1, 0, 1, 0)


def test_currencies_are_never_added(at_desk, world, company):
    Portfolio.objects.create(
        creditor=company.creditor,
        code="CL-SERVICIOS",
        name="Servicios Chile",
        industry="SERVICES",
        country="CL",
        currency="CLP",
        time_zone="America/Santiago",
    )
    client = at_desk("carla")
    assert "S/\xa019,251.25" in client.get("/?moneda=PEN").content.decode()
    chile = client.get("/?moneda=CLP").content.decode()
    assert "S/" not in chile.split('id="cash-title"')[1]
    assert "CLP0" in chile.replace("\xa0", "") or "$0" in chile.replace("\xa0", "")


def test_the_board_opens_on_the_currency_in_which_most_accounts_owe(at_desk, world, company):
    company.creditor.portfolios.create(
        code="AA-CHILE",
        name="AA Chile",
        industry="SERVICES",
        country="CL",
        currency="CLP",
        time_zone="America/Santiago",
    )
    assert at_desk("carla").get("/").context["chosen"] == "PEN"


def test_the_blocked_of_today_lead_to_their_messages(at_desk, world):
    Contact.objects.filter(status="DUE").update(status="BLOCKED", reason="no_calls")
    page = at_desk("bruno").get("/").content.decode()
    assert "<dt>Bloqueados</dt>" in page
    assert 'href="/mensajes/?estado=BLOCKED">1</a>' in page


def test_an_installation_without_portfolios_shows_its_alarms_too(at_desk, company):
    company.delete()
    Alarm.objects.create(portfolio=None, kind="backup", text="x", raised_at=clock.now())
    assert at_desk("dario").get("/")["Location"] == "/puesta-en-marcha/"
    page = at_desk("dario").get("/puesta-en-marcha/").content.decode()
    assert "Abrir la cartera" in page
    assert "Requiere atención" in page


def test_alarms_of_the_installation_go_to_who_sees_all_of_it(world, cast):
    Alarm.objects.create(portfolio=None, kind="dispatcher", text="x", raised_at=clock.now())
    assert [len(board.alarms_for(cast[name])) for name in ("carla", "ana", "zoe")] == [2, 1, 0]


def test_an_alarm_says_how_urgent_it_is_and_leads_to_where_it_is_mended_if_one_may_go_there(at_desk, world):
    Alarm.objects.filter(portfolio=world.portfolio).update(kind="stale_load")
    Alarm.objects.create(portfolio=world.portfolio, kind="uncertain", text="x", raised_at=clock.now())
    page = at_desk("carla").get("/").content.decode()
    assert page.count("Urgente</span>") == 1
    assert 'href="/cargas/"' in page
    assert 'href="/mensajes/inciertos/">x</a>' in page


def test_every_declared_alarm_leads_to_a_screen_that_asks_for_a_right(cast):
    rules = alarm_rules()
    assert len(rules) == len(list(declared("alarm_rules", "ALARMS"))), "a code stands twice"
    unseen = []
    for code, rule in rules.items():
        if not any(may_open(cast[name], reverse(rule.page)) for name in ("bruno", "carla", "dario")):
            unseen.append(code)
    assert unseen == []


@pytest.mark.parametrize("name", ["ana", "bruno", "carla", "dario", "hilda"])
def test_everybody_has_a_board_in_spanish(at_desk, world, name):
    page = at_desk(name).get("/").content.decode()
    assert "La última carga es más antigua de lo que la cartera permite" in page
    assert "cartera-2026-11-20.csv" in page


@pytest.mark.parametrize(
    ("country", "written"),
    [
        ("PE", "El archivo tiene 12,000 cuentas; la cartera tiene 900 abiertas."),
        ("CL", "El archivo tiene 12.000 cuentas; la cartera tiene 900 abiertas."),
    ],
)
def test_counts_are_written_as_the_place_of_the_page_writes_them(country, written):
    place = Portfolio(country=country, currency="PEN", time_zone="America/Lima")
    assert console.figures("El archivo tiene 12000 cuentas; la cartera tiene 900 abiertas.", place) == written
    assert console.number({"place": place, "country": "CL"}, 12_000) in written
    assert console.figures("del 2026-11-20, por 1234.50", place) == "del 2026-11-20, por 1234.50"


def test_what_is_paid_today_and_which_tasks_are_late_stand_on_the_start_page(at_desk, world):
    client, today = at_desk("ana"), clock.today("America/Lima")
    Task.objects.filter(pk=world.task.pk).update(due_date=today - timedelta(days=1))
    form = {
        "account": world.accounts["Comercial"].pk,
        "amount_minor": "1,234.50",
        "paid_date": str(today),
        "reference": "R-1",
    }
    client.post(f"/ficha/{world.debtors['Comercial'].pk}/pagos/nuevo/", form)
    page = client.get("/").content.decode().replace("\xa0", " ")
    assert "<dt>Hoy</dt><dd>S/ 1,234.50</dd>" in page
    assert "<dt>Tareas por hacer</dt><dd>1<small>1 atrasada" in page, page.partition("Tareas por hacer")[2][:80]
    assert "<dt>Vencido</dt><dd>S/ 14,151.25</dd>" in page


@pytest.mark.parametrize(
    ("name", "said"), [("hilda", "Un administrador abre la primera"), ("bruno", "Pida a un administrador")]
)
def test_who_sees_all_is_not_sent_to_an_administrator_where_nothing_was_loaded(at_desk, company, name, said):
    company.delete()
    assert said in text(at_desk(name).get("/"))
    assert said in text(at_desk(name).get("/alcance/"))

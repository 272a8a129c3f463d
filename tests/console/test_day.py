"""A day of the company as its people see it: what is planned, barred, sent, answered, proved and late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from recobra.conversations import operations as conversations
from recobra.journal.seal import seal_journal
from recobra.kit import clock
from recobra.messaging import operations as messaging
from recobra.messaging.models import Contact, MailboxMessage
from recobra.portfolio import setup
from recobra.portfolio.models import ContactPoint, Instalment
from recobra.strategy import operations as strategy
from recobra.strategy.alarms import check_installation
from recobra.strategy.models import AccountState, CycleRun
from tests import receivables
from tests.console.following import work_off
from tests.people import acting

from .test_countries import text
from .test_reach import indicators

MONDAY = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
DAY = timedelta(days=1)
STALE = "La última carga es más antigua de lo que la cartera permite"
LATE = "Hay mensajes que no se pudieron enviar en su día."
UNSEALED = "Hay hechos de la bitácora sin sello desde hace horas"
NEAR = "Hay deudas próximas a prescribir."
UNREACHABLE = "Hay deudores con deuda vencida y sin forma de contactarlos."


@pytest.fixture
def at(clock_at):
    """Let the doors read a clock that stands, at first on a Monday at ten in Lima: `at(moment)`."""
    clock_at(MONDAY)
    return clock_at


@pytest.fixture
def followed(at, company):
    """The company under the ready-made consumer strategy, with a load of today and nobody in it yet."""
    now = clock.now()
    messaging.ensure_library(actor=acting("library", now=now))
    strategy.ensure_ready_made(actor=acting("dario", now=now))
    strategy.assign_strategy(portfolio_id=company.pk, code="consumo", actor=acting("dario", now=now))
    receivables.fresh_load(company, as_of=now.date(), now=now)
    return company


def owes(portfolio, name, *, days, amount_minor=50_000, **more):
    """Write somebody whose only document fell due so many days before that Monday."""
    person = receivables.debtor(portfolio, name, **more)
    due = MONDAY.date() - timedelta(days)
    return receivables.account(portfolio, person, f"L-{name.split()[0]}", (due, amount_minor)).debtor


def run_cycle():
    """Run the cycle of the day that the clock shows, as the morning does."""
    now = clock.now()
    return strategy.run_cycle(as_of=(now - timedelta(hours=5)).date(), actor=acting("system", now=now))


def pay(client, debtor, amount):
    """Record a payment of today to a debtor's only account."""
    form = {"account": debtor.accounts.get().pk, "amount_minor": amount, "paid_date": "2026-11-23", "reference": "OP-7"}
    assert client.post(f"/ficha/{debtor.pk}/pagos/nuevo/", form).status_code == 302


def read(client, address):
    return text(client.get(address))


@pytest.mark.django_db(transaction=True)
def test_who_is_late_is_written_to_first_by_the_machine_and_its_arrival_is_proved(at_desk, followed):
    rosa = owes(followed, "Rosa Quispe", days=20)
    carla = at_desk("carla")
    carla.post("/ciclo/correr/", {"day": MONDAY.date().isoformat()})
    work_off()
    assert "Rosa Quispe Consumo Perú Planificado — Correo recordatorio-firme" in read(carla, "/mensajes/")
    assert "Correo planificado para el 23 nov 2026, 07:00" in read(carla, f"/ficha/{rosa.pk}/")
    assert messaging.dispatch_once(actor=acting("dispatch", now=clock.now()))["sent"] == 1
    sent = Contact.objects.get()
    letter = MailboxMessage.objects.get(contact_public_id=str(sent.public_id))
    carla.post(f"/mensajes/buzon/{letter.pk}/recibo/", {"became": "READ"})
    page = read(carla, f"/mensajes/{sent.pk}/")
    for said in (
        "Estimado/a Rosa Quispe",
        "L-Rosa/1: S/ 500.00, venció el 3/11/26",
        "Enviado 23 nov 2026, 10:00",
        "Mensaje entregado",
        "rosa.quispe@example.com",
    ):
        assert said in page, said
    assert "Contactos planificados 1 Enviados 1" in read(carla, "/")
    proof = carla.post(f"/ficha/{rosa.pk}/constancia/descargar/", {"forma": "json"}).content.decode()
    assert all(said in proof for said in ("contact.sent", "contact.delivered", "Estimado/a Rosa Quispe"))


@pytest.mark.django_db(transaction=True)
def test_who_read_and_paid_counts_in_the_result_of_the_plan(at_desk, followed, at):
    rosa, _luis = owes(followed, "Rosa Quispe", days=20), owes(followed, "Luis Paredes", days=20)
    run_cycle()
    assert messaging.dispatch_once(actor=acting("dispatch", now=clock.now()))["sent"] == 2
    letter = MailboxMessage.objects.get(recipients="rosa.quispe@example.com")
    ana = at_desk("ana")
    ana.post(f"/mensajes/buzon/{letter.pk}/recibo/", {"became": "READ"})
    at(MONDAY + timedelta(hours=1))
    pay(ana, rosa, "500.00")
    shown = indicators(ana)
    assert {name: shown[name] for name in ("Conocimiento del saldo", "Conversión", "Al día")} == {
        "Conocimiento del saldo": "1 de 2",
        "Conversión": "1 de 2",
        "Al día": "1 de 2",
    }
    assert "Monto pagado S/ 500.00" in read(ana, "/alcance/")


@pytest.mark.django_db(transaction=True)
def test_each_debtor_gets_its_own_name_and_amount(at_desk, followed):
    people = {"Rosa Quispe": 50_000, "Luis Paredes": 61_050, "Inés Soto": 7_300}
    for name, amount_minor in people.items():
        owes(followed, name, days=20, amount_minor=amount_minor)
    run_cycle()
    assert messaging.dispatch_once(actor=acting("dispatch", now=clock.now()))["sent"] == 3
    ana, seen = at_desk("ana"), {}
    for sent in Contact.objects.select_related("debtor"):
        seen[sent.debtor.name] = read(ana, f"/mensajes/{sent.pk}/")
    for name, amount_minor in people.items():
        assert f"Estimado/a {name}" in seen[name]
        assert f"Total vencido: S/ {amount_minor / 100:.2f}" in seen[name]
        assert not [other for other in people if other != name and other in seen[name]]


@pytest.mark.django_db(transaction=True)
def test_a_notice_speaks_of_what_falls_due_and_a_claim_of_what_is_overdue(at_desk, followed):
    owes(followed, "Rosa Quispe", days=-5)
    owes(followed, "Luis Paredes", days=20)
    run_cycle()
    notice, claim = (Contact.objects.get(debtor__name=name) for name in ("Rosa Quispe", "Luis Paredes"))
    assert messaging.dispatch_once(actor=acting("dispatch", now=clock.now()))["sent"] == 2
    ana = at_desk("ana")
    of_notice, of_claim = (read(ana, f"/mensajes/{each.pk}/") for each in (notice, claim))
    assert "Cuentas de las que habló Cuenta Por vencer L-Rosa S/ 500.00" in of_notice
    assert "venció el" not in of_notice
    assert "Cuentas de las que habló Cuenta Vencido L-Luis S/ 500.00" in of_claim
    assert "venció el 3/11/26" in of_claim


def test_a_notice_that_comes_after_the_due_date_is_not_sent(at_desk, followed, at):
    owes(followed, "Rosa Quispe", days=-1)
    run_cycle()
    notice = Contact.objects.get()
    at(MONDAY + 2 * DAY)
    assert messaging.dispatch_once(actor=acting("dispatch", now=clock.now()))["sent"] == 0
    page = read(at_desk("ana"), f"/mensajes/{notice.pk}/")
    assert "Anulado" in page
    assert "Ya no se debe nada de lo que el mensaje menciona." in page


def test_a_large_debt_is_given_to_a_person(at_desk, followed):
    large = owes(followed, "Comercial Andina", days=25, amount_minor=2_000_000)
    small = owes(followed, "Rosa Quispe", days=25)
    run_cycle()
    ana = at_desk("ana")
    work = "Tareas abiertas Llamar para conocer la situación y ofrecer un plan de pago Para el 25 nov 2026"
    assert work in read(ana, f"/ficha/{large.pk}/")
    assert "Tareas abiertas" not in read(ana, f"/ficha/{small.pk}/")
    assert {each.debtor_id for each in Contact.objects.filter(status="DUE")} == {large.pk, small.pk}


def test_who_cannot_be_reached_is_looked_for_in_words(at_desk, followed):
    rosa = owes(followed, "Rosa Quispe", days=20, email=None)
    run_cycle()
    shown = read(at_desk("ana"), f"/ficha/{rosa.pk}/")
    assert "Tareas abiertas Buscar un teléfono, correo o dirección del deudor Para el 25 nov 2026" in shown
    assert "no_point" not in shown


def test_alarms_come_and_go_with_their_cause(at_desk, followed, at):
    rosa = owes(followed, "Rosa Quispe", days=20, email=None)
    old = owes(followed, "Olga Vieja", days=3_600)  # in Peru a debt is prescribed after ten years
    bruno = at_desk("bruno")
    run_cycle()
    shown = read(bruno, "/")
    assert UNREACHABLE in shown
    assert NEAR in shown
    assert STALE not in shown
    AccountState.objects.filter(debtor_id=old.pk).update(oldest_due_date=MONDAY.date())
    Instalment.objects.filter(account__debtor=old).update(due_date=MONDAY.date())
    ContactPoint.objects.create(debtor=rosa, kind="EMAIL", value="rosa@correo.example", valid=True)
    at(MONDAY + 5 * DAY)
    run_cycle()
    shown = read(bruno, "/")
    assert UNREACHABLE not in shown
    assert NEAR not in shown
    assert STALE in shown
    assert not Contact.objects.filter(status="DUE").exists()


def test_a_claim_that_missed_its_day_raises_an_alarm(at_desk, followed, at):
    owes(followed, "Rosa Quispe", days=20)
    run_cycle()
    carla = at_desk("carla")
    assert "No después de 23 nov 2026, 20:00" in read(carla, f"/mensajes/{Contact.objects.get().pk}/")
    assert LATE not in read(carla, "/")
    at(MONDAY + timedelta(hours=19))
    run_cycle()
    assert LATE in read(carla, "/")


def test_facts_without_a_seal_for_hours_raise_an_alarm_until_they_are_sealed(at_desk, followed, at):
    owes(followed, "Rosa Quispe", days=20)
    run_cycle()
    carla = at_desk("carla")
    for moment, is_shown in ((MONDAY, False), (MONDAY + timedelta(hours=1), False), (MONDAY + DAY, True)):
        at(moment)
        check_installation(actor=acting("system", now=clock.now()))
        assert (UNSEALED in read(carla, "/")) is is_shown, moment
    seal_journal(now=clock.now())
    check_installation(actor=acting("system", now=clock.now()))
    assert UNSEALED not in read(carla, "/")


@pytest.mark.django_db(transaction=True)
def test_a_promise_made_to_the_bot_is_waited_for_and_then_looked_after(at_desk, followed):
    rosa = owes(followed, "Rosa Quispe", days=20, national_id="40115678")
    letter, ana = written_by_whatsapp(rosa), at_desk("ana")
    for said in ("¿cuánto debo?", "5678", "pago todo el viernes", "sí"):
        talk = ana.post(f"/mensajes/buzon/{letter.pk}/responder/", {"text": said, "key": "k"})
        conversations.answer_waiting(actor=acting("bot", now=clock.now()))
    shown = read(ana, talk.url)
    assert "A la fecha, su saldo vencido con Banco Sur es de S/ 500.00." in shown
    assert "Quedó anotado su compromiso de pago: S/ 500.00 el viernes, 27 de noviembre de 2026." in shown
    file = read(ana, f"/ficha/{rosa.pk}/")
    assert "En pausa: Promesa de pago. No se contacta a nadie hasta el 29 nov 2026." in file
    assert "Tareas abiertas Ver si llegó el pago prometido Para el 30 nov 2026" in file
    assert "Pago prometido : S/ 500.00 para el 27 nov 2026" in file


def written_by_whatsapp(debtor):
    """Write a message of this morning that the debtor got by WhatsApp, and its copy in the mailbox."""
    now = clock.now()
    point = ContactPoint.objects.create(debtor=debtor, kind="PHONE", value="+51987654321", valid=True)
    sent = Contact.objects.create(
        debtor=debtor,
        portfolio=debtor.accounts.get().portfolio,
        point=point,
        channel="whatsapp",
        template_code="recordatorio",
        status="SENT",
        planned_for=now.date(),
        planned_at=now,
        due_at=now,
        zones="America/Lima",
        handed_over_at=now,
        sent_at=now,
        address=point.value,
        provider_reference="sandbox-1",
    )
    return MailboxMessage.objects.create(
        channel="whatsapp",
        received_at=now,
        contact_public_id=str(sent.public_id),
        sender="Banco Sur",
        recipients=point.value,
        subject="Hola",
        raw=b"Subject: Hola\r\n\r\nBuenos dias.",
    )


def test_a_payment_takes_back_what_was_planned_and_says_so(at_desk, followed):
    rosa = owes(followed, "Rosa Quispe", days=20)
    run_cycle()
    ana = at_desk("ana")
    pay(ana, rosa, "500.00")
    assert "Rosa Quispe Consumo Perú Anulado" in read(ana, "/mensajes/")
    file = read(ana, f"/ficha/{rosa.pk}/")
    assert "Qué sigue Ya no se debe nada." in file
    assert "Contacto planificado anulado" in file


def tiles(client):
    """Return the figures of the newest run that a user sees: planned, blocked, tasks, changes of stage."""
    figures = client.get("/ciclo/").context["figures"]
    return figures.contacts_planned, figures.contacts_blocked, figures.tasks_created, figures.transitions


def test_a_supervisor_sees_the_figures_of_the_cycle_in_his_portfolios_alone(at_desk, followed):
    owes(followed, "Rosa Quispe", days=20)
    other = setup.open_portfolio(
        creditor=followed.creditor,
        code="PE-OTRA",
        name="Otra",
        industry="CONSUMER",
        country="PE",
        currency="PEN",
        time_zone="America/Lima",
        actor=acting("dario", now=clock.now()),
    )
    strategy.assign_strategy(portfolio_id=other.pk, code="consumo", actor=acting("dario", now=clock.now()))
    receivables.fresh_load(other, as_of=clock.now().date(), now=clock.now())
    for name in ("Luz Ana", "Ema Rojas"):
        owes(other, name, days=20)
    run_cycle()
    assert tiles(at_desk("carla"))[0] == 3
    bruno = at_desk("bruno")
    assert tiles(bruno)[0] == 1
    assert [each.contacts_planned for each in bruno.get("/ciclo/").context["runs"]] == [1]
    assert not bruno.get("/ciclo/").context["sees_all"]


@pytest.mark.django_db(transaction=True)
def test_a_planned_day_is_taken_back_on_the_page_of_the_cycle(at_desk, followed):
    owes(followed, "Rosa Quispe", days=20)
    run_cycle()
    carla = at_desk("carla")
    run = CycleRun.objects.get()
    address = f"/ciclo/{run.pk}/deshacer/"
    assert address in carla.get("/ciclo/").content.decode()
    assert "Contactos que se anulan 1" in read(carla, address)
    assert carla.post(address).status_code == 302
    assert "Pedido: empieza" in read(carla, "/ciclo/")
    work_off()
    assert "El plan de este día fue deshecho." in read(carla, "/ciclo/")
    assert Contact.objects.get().status == "CANCELLED"
    # There is nothing left to take back, and the page says so.
    assert "no está planificado" in text(carla.get(address, follow=True))
    assert at_desk("hilda").post(address).status_code == 403

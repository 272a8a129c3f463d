"""The debtor's file: what it says, and what people may do in it."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.utils.formats import date_format

from recobra.console import labels, masks, narrative, reasons
from recobra.insight.queries import debtor_file, timeline
from recobra.journal.facts import declared_kinds
from recobra.journal.labels import FACTS
from recobra.journal.operations import record_fact
from recobra.kit import clock
from recobra.messaging import models as messaging
from recobra.messaging.facts import ContactFailed
from recobra.payments import models as payments
from recobra.payments.models import Payment
from recobra.portfolio import models as portfolio
from recobra.portfolio.models import Hold
from recobra_core.law import SENTENCES
from tests import receivables
from tests.people import acting

from .test_countries import text

FAILED = ContactFailed(channel="sms", step="", reason="")


def address(world, name, rest=""):
    return f"/ficha/{world.debtors[name].pk}/{rest}"


def payment(**changes):
    return {
        "account": "",
        "amount_minor": "100.00",
        "paid_date": str(clock.today("America/Lima")),
        "reference": "R-1",
    } | changes


def test_balances_come_from_the_ledger_and_not_from_the_last_cycle(world, cast):
    file = debtor_file.debtor_file_for(cast["ana"], world.debtors["José"].pk, clock.now())
    (total,) = file.totals
    assert (total.balance_minor, total.overdue_minor) == (180_000, 100_000)
    assert (file.overdue_days, file.stage) == (45, "ADMINISTRATIVE")


def test_the_file_shows_what_is_owed_since_when_what_was_paid_and_what_was_said(at_desk, world):
    ana = at_desk("ana")
    jose, maria = (text(ana.get(address(world, name))) for name in ("José", "María"))
    due = text_of_day(clock.today("America/Lima") - timedelta(days=45))
    for said in (
        "Vencido PEN S/ 1,000.00",
        "Deuda total PEN S/ 1,800.00",
        "Días de mora 45",
        "PR-1002 Préstamo",
        f"1 {due} S/ 1,300.00 S/ 1,000.00 45",
        "S/ 300.00",
        "OP-0001",
    ):
        assert said in jose, said
    for said in (
        "Vencido PEN S/ 450.50",
        "Segmento minorista",
        "Mensaje enviado",
        "+51987654321 válido calidad 80/100",
    ):
        assert said in maria, said


def test_what_was_paid_too_much_is_shown_as_money_in_hand(at_desk, world):
    ana = at_desk("ana")
    assert "Saldo a favor" not in text(ana.get(address(world, "María")))
    form = payment(account=world.accounts["María"].pk, amount_minor="5,000.00")
    assert ana.post(address(world, "María", "pagos/nuevo/"), form).status_code == 302
    file = text(ana.get(address(world, "María")))
    assert "Deuda total PEN S/ 0.00 Saldo a favor PEN S/ 3,349.50 Días" in file


@pytest.mark.parametrize(
    ("product", "said"),
    [("LOAN", "Préstamo"), ("CARD", "Tarjeta"), ("SERVICE", "Servicio"), ("INVOICE", "Factura")],
)
def test_each_kind_of_debt_is_called_by_its_name(at_desk, world, product, said):
    portfolio.Account.objects.filter(pk=world.accounts["María"].pk).update(product=product)
    assert f"PR-1001 {said} · Consumo Perú" in text(at_desk("ana").get(address(world, "María")))


def text_of_day(day):
    return date_format(day, "j M Y").lower()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"amount_minor": "100,5"}, "Escriba el monto así: 1,234.50."),
        ({"amount_minor": "1.005"}, "Escriba el monto así: 1,234.50."),
        ({"amount_minor": "-5"}, "El monto debe ser mayor que cero."),
        ({"amount_minor": "1e5"}, "Escriba el monto así: 1,234.50."),
        ({"amount_minor": "NaN"}, "Escriba el monto así: 1,234.50."),
        ({"amount_minor": ""}, "Este campo es obligatorio."),
        ({"paid_date": "30/02/2026"}, "Introduzca una fecha válida."),
        ({"paid_date": "2999-01-01"}, "Un pago no puede tener fecha futura ni anterior al año 1900."),
        ({"paid_date": "1200-01-01"}, "Un pago no puede tener fecha futura ni anterior al año 1900."),
        ({"reference": "OP-0001"}, "Ya existe un pago con la referencia «OP-0001»."),
        ({"account": "999999"}, "999999 no es una de las opciones disponibles."),
        (
            {"amount_minor": "99999999999999"},
            "El monto es mayor de lo que se puede registrar: revise la cifra.",
        ),
    ],
)
def test_a_payment_that_cannot_be_taken_says_why_and_keeps_what_was_typed(at_desk, world, changes, said):
    form = payment(account=world.accounts["José"].pk) | changes
    answer = at_desk("ana").post(address(world, "José", "pagos/nuevo/"), form)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page
    assert 'value="R-1"' in page or "reference" in changes
    assert Payment.objects.count() == 1


def test_a_payment_is_read_in_the_countrys_format(at_desk, world):
    form = payment(account=world.accounts["José"].pk, amount_minor="1,000.50")
    answer = at_desk("ana").post(address(world, "José", "pagos/nuevo/"), form)
    assert answer["Location"] == address(world, "José")
    assert Payment.objects.get(reference="R-1").amount_minor == 100_050


def test_a_hold_needs_an_account_for_a_disputed_amount(at_desk, world):
    form = {"account": "", "reason": "DISPUTE", "starts_on": "2026-11-23", "disputed_minor": "50.00"}
    answer = at_desk("ana").post(address(world, "Pedro", "pausas/nueva/"), form)
    assert answer.status_code == 422
    assert "Un monto en disputa debe ser positivo y de una sola cuenta." in answer.content.decode()
    form["account"] = world.accounts["Pedro"].pk
    assert at_desk("ana").post(address(world, "Pedro", "pausas/nueva/"), form).status_code == 302
    assert Hold.objects.get(reason="DISPUTE").disputed_minor == 5_000
    # Whoever got no answer sends the form again.
    repeated = at_desk("ana").post(address(world, "Pedro", "pausas/nueva/"), form)
    assert (repeated.status_code, Hold.objects.filter(reason="DISPUTE").count()) == (422, 1)
    assert "Esta misma pausa ya está puesta." in repeated.content.decode()


def test_a_hold_of_another_debtor_is_not_lifted_through_this_one(at_desk, world):
    at_desk("bruno").post(address(world, "María", f"pausas/{world.hold.pk}/levantar/"))
    world.hold.refresh_from_db()
    assert world.hold.lifted_at is None


def test_what_comes_next_is_said_in_words(at_desk, world):
    client = at_desk("ana")
    assert "En pausa: Enfermedad o dificultad." in client.get(address(world, "Lucía")).content.decode()
    assert "Correo planificado para el" in client.get(address(world, "María")).content.decode()
    assert "No hay nada planificado." in client.get(address(world, "Pedro")).content.decode()


def test_the_history_goes_back_page_by_page_without_losing_anything(at_desk, world):
    debtor, start = world.debtors["Pedro"], clock.now() - timedelta(days=90)
    with transaction.atomic():
        for order in range(60):
            at = start + timedelta(hours=order)
            dispatch = acting("dispatch", now=at)
            record_fact(FAILED, actor=dispatch, debtor_id=debtor.pk, portfolio_id=world.portfolio.pk)
    client, seen = at_desk("ana"), 0
    answer = client.get(address(world, "Pedro"))
    while True:
        seen += len(answer.context["events"])
        following = answer.context["following"]
        if not following:
            break
        answer = client.get(address(world, "Pedro", f"historia/?antes={following}"), headers={"HX-Request": "true"})
        assert "<html" not in answer.content.decode()
    assert seen == 60


def test_facts_of_a_portfolio_out_of_scope_are_left_out_of_the_history(at_desk, world):
    with transaction.atomic():
        dispatch = acting("dispatch", now=clock.now())
        record_fact(FAILED, actor=dispatch, debtor_id=world.debtors["Pedro"].pk, portfolio_id=10**9)
    assert at_desk("ana").get(address(world, "Pedro")).context["events"] == []


def test_a_message_is_shown_exactly_as_it_was_sent_and_never_as_markup(at_desk, world):
    world.sent.body = "<script>alert(1)</script> Estimada María"
    world.sent.save()
    page = at_desk("ana").get(address(world, "María", f"mensajes/{world.sent.pk}/")).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; Estimada María" in page


def test_every_reason_of_the_gate_is_in_the_catalogue():
    assert set(SENTENCES.values()) == set(reasons.GATE)


@pytest.mark.parametrize(
    ("family", "choices"),
    [
        ("account", portfolio.Account.Status),
        ("product", portfolio.Account.Product),
        ("hold", portfolio.Hold.Reason),
        ("posting", portfolio.Posting.Kind),
        ("concept", portfolio.Concept),
        ("contact", messaging.Contact.Status),
        ("channel", portfolio.Channel),
        ("source", payments.Payment.Source),
        ("point", portfolio.ContactPoint.Kind),
    ],
)
def test_every_code_has_a_word_and_a_tone(family, choices):
    assert set(labels.LABELS[family]) == set(choices.values)


def test_a_kind_of_fact_and_an_actor_that_nobody_named_show_as_they_are():
    assert (narrative.fact_label("new.kind"), narrative.icon_of("new.kind"), narrative.actor_label("ana")) == (
        "new.kind",
        "notes",
        "ana",
    )


@pytest.mark.parametrize(
    ("value", "masked"),
    [("45678912", "•••••912"), ("123", "•••"), ("", "")],
)
def test_documents_are_masked(value, masked):
    assert masks.mask_document(value) == masked


@pytest.mark.parametrize(
    ("text", "document", "masked"),
    [
        ("40000296", "40000296", "•••••296"),
        ("DNI 40.000.296", "40000296", "DNI •••••••296"),
        ("PR-40000296-1", "40000296", "PR-•••••296-1"),
        ("0040000296", "40000296", "00•••••296"),
        ("12345678k", "12.345.678-K", "••••••78k"),
        ("CLI-0007", "40000296", "CLI-0007"),
        ("123", "123", "•••"),
        ("PR-1234", "123", "PR-1234"),
        ("40000296", "", "40000296"),
    ],
)
def test_a_document_is_masked_wherever_it_stands(text, document, masked):
    assert masks.mask_document_in(text, document) == masked


@pytest.mark.parametrize(("name", "sees"), [("ana", False), ("carla", True)])
def test_a_document_that_is_the_number_of_customer_and_account_is_masked_too(at_desk, world, name, sees):
    account = world.accounts["María"]
    debtor = account.debtor
    document = debtor.national_id
    portfolio.Debtor.objects.filter(pk=debtor.pk).update(external_id=document)
    portfolio.Account.objects.filter(pk=account.pk).update(external_id=f"{document}-1")
    pages = [f"/ficha/{debtor.pk}/", f"/ficha/{debtor.pk}/cuentas/{account.pk}/", f"/cartera/?q={debtor.name}"]
    pages += [f"/ficha/{debtor.pk}/pagos/nuevo/", f"/ficha/{debtor.pk}/pausas/nueva/"]
    for address in pages:
        page = at_desk(name).get(address, follow=True)
        assert page.status_code == 200, address
        assert (document in page.content.decode()) == sees, address


def test_contact_data_is_masked_beyond_use():
    assert masks.mask_contact("maria.nahui@correo.example") == "m•••@correo.example"
    assert masks.mask_contact("+51987654321") == "+51•••••21"
    assert masks.mask_contact("123") == "•••"


def test_of_a_guarantor_it_is_not_said_that_a_debt_was_settled(at_desk, world):
    company = world.portfolio.creditor
    guarantor = portfolio.Debtor.objects.create(
        creditor=company, external_id="CLI-9001", name="Elena Avalista", country="PE"
    )
    portfolio.Party.objects.create(account=world.accounts["María"], debtor=guarantor, part="GUARANTOR")
    page = at_desk("ana").get(f"/ficha/{guarantor.pk}/").content.decode()
    assert "Ya no se debe nada." not in page
    assert "figura en cuentas de otros" in page


def test_a_hold_on_the_whole_debtor_is_told_in_the_hour_of_the_debtors_own_portfolio(world, cast):
    portfolio.Portfolio.objects.create(
        creditor=world.portfolio.creditor,
        code="AA-CHILE",
        name="AA Servicios Chile",
        industry="SERVICES",
        country="CL",
        currency="CLP",
        time_zone="America/Santiago",
    )
    found, _following = timeline.debtor_events(cast["carla"], world.debtors["Lucía"])
    (placed,) = [each for each in found if each.entry.kind == "hold.placed"]
    assert placed.entry.portfolio_id is None
    assert placed.place == world.portfolio


def test_a_payment_says_what_it_cancelled_only_where_something_was_planned(at_desk, world):
    client = at_desk("ana")
    said = {}
    for name in ("María", "José"):
        form = payment(account=world.accounts[name].pk, reference=f"R-{name}")
        said[name] = client.post(address(world, name, "pagos/nuevo/"), form, follow=True).content.decode()
    assert "Pago registrado. Se anuló lo que estaba planificado" in said["María"]
    assert "Pago registrado." in said["José"]
    assert "Se anuló" not in said["José"]


def test_the_kind_of_document_is_said_as_people_call_it(at_desk, world):
    world.debtors["Comercial"].__class__.objects.filter(pk=world.debtors["Comercial"].pk).update(
        national_id_kind="PE_RUC"
    )
    page = at_desk("carla").get(address(world, "Comercial")).content.decode()
    assert "RUC 20512345678" in page
    assert "PE_RUC" not in page


def test_an_opt_out_is_told_on_the_debtors_day(at_desk, world):
    late = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)
    world.debtors["María"].points.filter(kind="PHONE").update(opted_out_at=late)
    page = at_desk("ana").get(address(world, "María")).content.decode()
    assert "20 nov 2026, 22:30" in page


def test_the_words_and_the_looks_of_facts_cover_the_same_kinds():
    assert set(narrative.LOOKS) == set(FACTS) | set(declared_kinds())


def test_the_file_shows_each_promise_with_what_became_of_it(at_desk, world):
    ana, now = at_desk("ana"), clock.now()
    account = world.accounts["Lucía"].pk
    lucia = world.debtors["Lucía"]  # owes 2,600.75 and has paid nothing
    receivables.promise(world.portfolio, lucia, now - timedelta(days=20))
    receivables.promise(world.portfolio, lucia, now - timedelta(days=4), amount_minor=20_000)
    ana.post(address(world, "Lucía", "pagos/nuevo/"), payment(amount_minor="150.00", account=account))
    page = text(ana.get(address(world, "Lucía"))).replace("\xa0", " ")
    card = page.partition("Promesas de pago")[2]
    assert "Pendiente S/ 200.00" in card
    assert "Pagado: S/ 150.00 · falta S/ 50.00" in card
    assert "Incumplida S/ 100.00" in card
    ana.post(address(world, "Lucía", "pagos/nuevo/"), payment(amount_minor="50.00", reference="R-2", account=account))
    assert "Cumplida S/ 200.00" in text(ana.get(address(world, "Lucía"))).replace("\xa0", " ")


def test_the_ledger_shows_the_balance_after_each_movement(at_desk, world):
    account = world.accounts["José"]
    file = at_desk("ana").get(address(world, "José")).content.decode()
    assert f"/cuentas/{account.pk}/" in file
    page = at_desk("ana").get(address(world, "José", f"cuentas/{account.pk}/")).content.decode().replace("\xa0", " ")
    rows = [re.findall(r'class="num[^"]*">([^<]*)<', row) for row in page.partition("<tbody>")[2].split("</tr>")]
    assert [row for row in rows if row] == [
        ["S/ 1,300.00", "S/ 1,300.00"],
        ["S/ 800.00", "S/ 2,100.00"],
        ["-S/ 300.00", "S/ 1,800.00"],
    ]


def test_the_history_tells_what_the_machine_and_the_people_did(at_desk, world):
    ana, maria = at_desk("ana"), address(world, "María")
    ana.post(f"{maria}tareas/{world.task.pk}/cerrar/", {"outcome": "taken_back"})
    world.task.refresh_from_db()
    assert world.task.status == "OPEN", "that a plan was taken back is nothing that a person says of a task"
    ana.post(f"{maria}tareas/{world.task.pk}/cerrar/", {"outcome": "will_pay"})
    ana.post(f"{maria}pagos/nuevo/", payment(account=world.accounts["María"].pk))
    ana.post(
        f"{maria}pausas/nueva/", {"account": "", "reason": "ILLNESS", "starts_on": str(clock.today("America/Lima"))}
    )
    history = " ".join(re.sub(r"<[^>]+>", " ", ana.get(maria).content.decode().partition('id="timeline"')[2]).split())
    history = history.replace("\xa0", " ")
    told = [
        "Pausa aplicada : Enfermedad o dificultad",
        "Pago recibido : S/ 100.00",
        "Tarea cerrada : Llamar a María",
        "Dice que pagará",
        "Mensaje enviado : «Su cuota venció»",
    ]
    assert [each for each in told if each not in history] == [], history
    assert "Contacto planificado anulado" in history


def test_of_countless_numbers_and_accounts_the_first_are_shown(at_desk, company):
    person = receivables.debtor(company, "Una Sola", email=None)
    portfolio.Account.objects.bulk_create(
        portfolio.Account(portfolio=company, debtor=person, external_id=f"F-{n}", product="LOAN") for n in range(203)
    )
    portfolio.ContactPoint.objects.bulk_create(
        portfolio.ContactPoint(debtor=person, kind="EMAIL", value=f"una{n}@sur.example", valid=True) for n in range(103)
    )
    page = at_desk("carla").get(f"/ficha/{person.pk}/").content.decode()
    assert "Se muestran las 200 cuentas más atrasadas de 203" in page
    assert "Se muestran los primeros 100 de 103" in page
    assert len(set(re.findall(r"una\d+@sur\.example", page))) == 100

"""What messages bring, on screen: figures with their meaning, narrowed, told apart and taken out."""

import io
import re
from datetime import timedelta

import pytest
from django.utils.translation import gettext, override
from openpyxl import load_workbook

from recobra.journal.models import Entry
from recobra.kit import clock
from recobra.messaging.models import Contact, Template
from recobra.payments.models import Payment
from recobra.portfolio.models import Portfolio
from recobra.strategy import schedule
from recobra.workbench.models import Visit
from recobra_core.kpi import contacts as kpi
from tests import receivables


@pytest.fixture
def answered(world):
    """María read her message and paid for it; it cost 12 céntimos."""
    now = clock.now()
    Contact.objects.filter(pk=world.sent.pk).update(
        read_at=now, delivered_at=now, local_date=world.sent.planned_for, price_micros=120_000, price_currency="PEN"
    )
    Payment.objects.create(
        portfolio=world.portfolio,
        debtor=world.debtors["María"],
        amount_minor=45_050,
        received_at=now,
        source="FILE",
        paid_date=schedule.today(now),
        reference="OP-9",
        actor="ana",
    )
    return world


def body(client, address="/alcance/"):
    return client.get(address).content.decode()


def test_ana_reads_the_funnel_with_intervals_and_what_each_figure_means(at_desk, answered):
    shown = body(at_desk("ana"))
    assert "Embudo" in shown
    for key in ("read", "paid", "acknowledgement", "on_time", "errors", "coverage"):
        with override("es"):
            assert gettext(kpi.KPIS[key].says) in shown
    assert "20.7" in shown  # Wilson for one of one: 20.7 % … 100 %
    assert "S/\xa0450.50" in shown
    assert "S/\xa00.27" in shown  # 12 céntimos for 450.50 are 0.27 for 1,000


def indicators(client, address="/alcance/"):
    """Return what stands beside each indicator on the page, as `3 de 4`."""
    rows = re.findall(
        r'<tr><th scope="row"><span class="strong">(.*?)</span>.*?<td.*?>(.*?)</td>', body(client, address)
    )
    return {name: re.sub(r"<[^>]+>|\s+", " ", told).replace("  ", " ").strip() for name, told in rows}


def test_what_was_planned_is_set_beside_what_was_done(at_desk, world):
    """Of the plan one message was sent, one blocked, one failed and one taken back."""
    mine = world.sent
    Contact.objects.filter(status="DUE").delete()
    Contact.objects.filter(pk=mine.pk).update(local_date=mine.planned_for)
    for name, status in (("José", "CANCELLED"), ("Lucía", "BLOCKED"), ("Comercial", "FAILED")):
        Contact.objects.create(
            debtor=world.debtors[name],
            portfolio=world.portfolio,
            channel="email",
            template_code="recordatorio",
            status=status,
            reason="payment",
            planned_for=mine.planned_for,
            planned_at=mine.planned_at,
            due_at=mine.due_at,
            zones="America/Lima",
        )
    shown = indicators(at_desk("bruno"))
    assert {name: shown[name] for name in ("Enviados", "Cumplimiento del plan", "A tiempo")} == {
        "Enviados": "1 de 4",
        "Cumplimiento del plan": "1 de 3",
        "A tiempo": "1 de 3",
    }


def test_the_funnel_has_every_step_from_sent_to_paid(at_desk, answered):
    now, message = clock.now(), answered.sent
    Contact.objects.filter(pk=message.pk).update(clicked_at=now, replied_at=now)
    Contact.objects.filter(status="DUE").delete()
    receivables.promise(answered.portfolio, message.debtor, now)
    shown = indicators(at_desk("ana"))
    steps = ("Enviados", "Entregados", "Leídos", "Con clic", "Respondidos", "Con promesa", "Con pago")
    assert {step: shown[step] for step in steps} == dict.fromkeys(steps, "1 de 1")


def test_a_price_below_a_cent_shows_its_decimals_and_a_sum_those_of_the_currency(at_desk, answered):
    Contact.objects.filter(pk=answered.sent.pk).update(price_micros=7_900, price_currency="USD")
    carla = at_desk("carla")
    shown = body(carla).replace("\xa0", " ")
    assert "USD 0.0079" in shown
    assert "USD 0.01<" in shown
    file = carla.get("/alcance/xlsx/?por=cartera").content
    rows = load_workbook(io.BytesIO(file), read_only=True).active.iter_rows(values_only=True)
    assert next(row[2:4] for row in rows if row[1] == "Costo (USD)") == (0.01, 1)


def test_every_indicator_is_said_in_spanish():
    with override("es"):
        for each in kpi.KPIS.values():
            assert gettext(each.name) != each.name
            assert gettext(each.says) != each.says


def test_what_cannot_be_read_counts_as_not_asked(at_desk, answered):
    asked = at_desk("ana").get("/alcance/?desde=ayer&hasta=9999-12-31&ventana=x&por=y&moneda=ZZZ&cartera=nada")
    assert (asked.status_code, asked.context["filters"].window, asked.context["filters"].by) == (200, 7, "canal")
    assert asked.context["filters"].to_day == schedule.today(clock.now())


def test_a_portfolio_and_a_country_that_do_not_go_together_show_the_portfolio_alone(at_desk, answered, company):
    Portfolio.objects.create(
        creditor=company.creditor,
        code="EC-OTRA",
        name="Otra",
        industry="CONSUMER",
        country="EC",
        currency="PEN",
        time_zone="America/Guayaquil",
    )
    shown = at_desk("carla").get("/alcance/?cartera=EC-OTRA&pais=PE").context
    assert [each.code for each in shown["filters"].portfolios] == ["EC-OTRA"]
    assert (shown["total"].planned, shown["picked"]) == (0, {"cartera": "EC-OTRA", "pais": ""})


def test_another_channel_or_other_days_show_nothing_of_this_message(at_desk, answered):
    ana = at_desk("ana")
    assert ana.get("/alcance/?canal=email").context["total"].sent == 1
    assert ana.get("/alcance/?canal=sms").context["total"].planned == 0
    assert "No se planificó ningún mensaje" in body(ana, "/alcance/?desde=2020-01-01&hasta=2020-02-01")


@pytest.mark.parametrize(
    ("asked", "covered"),
    [
        ("", 2),
        ("canal=email", 1),
        ("canal=sms", 1),
        ("plantilla=recordatorio", 1),
        ("plantilla=aviso", 1),
        ("cartera=PE-CONSUMO", 2),
        ("cartera=PE-OTRA", 0),
        ("canal=email&plantilla=aviso", 0),
    ],
)
def test_coverage_follows_the_filters(at_desk, answered, company, asked, covered):
    """Of four who owe, María and José are the lower half: she got an e-mail, he an SMS of another template."""
    other = Portfolio.objects.create(
        creditor=company.creditor,
        code="PE-OTRA",
        name="Otra",
        industry="CONSUMER",
        country="PE",
        currency="PEN",
        time_zone="America/Lima",
    )
    mine = answered.sent
    Contact.objects.create(
        debtor=answered.debtors["José"],
        portfolio=answered.portfolio,
        channel="sms",
        template_code="aviso",
        status="SENT",
        planned_for=mine.planned_for,
        planned_at=mine.planned_at,
        due_at=mine.due_at,
        handed_over_at=mine.handed_over_at,
        local_date=mine.planned_for,
        zones="America/Lima",
    )
    carla, address = at_desk("carla"), f"/alcance/?{asked}"
    total = carla.get(address).context["total"]
    assert (total.small, total.covered) == (0 if other.code in asked else 2, covered)
    if covered:
        assert indicators(carla, address)["Cobertura de deudores pequeños"] == f"{covered} de 2"


@pytest.mark.parametrize("by", ["canal", "plantilla", "variante", "paso", "cartera", "pais"])
def test_messages_are_told_apart(at_desk, answered, by):
    shown = at_desk("bruno").get(f"/alcance/?por={by}")
    names = {"canal": "Correo", "cartera": "Consumo Perú", "pais": "PE", "paso": "Sin ninguno"}
    assert [name for name, _counts, _lines in shown.context["rows"]] == [names.get(by, "recordatorio")]


def test_the_figures_leave_the_house_with_a_record(at_desk, answered):
    answer = at_desk("carla").get("/alcance/xlsx/?por=cartera")
    rows = list(load_workbook(io.BytesIO(answer.content), read_only=True).active.iter_rows(values_only=True))
    read = next(row for row in rows if row[0] == "Consumo Perú" and row[1] == "Leídos")
    assert read[2:4] == (1, 1)
    assert round(read[5], 4) == 0.2065
    assert Entry.objects.filter(kind="export.made", payload__what="reach").exists()


def test_a_gestora_of_another_portfolio_sees_none_of_it(at_desk, answered, cast, company):
    other = Portfolio.objects.create(
        creditor=company.creditor,
        code="PE-OTRA",
        name="Otra",
        industry="CONSUMER",
        country="PE",
        currency="PEN",
        time_zone="America/Lima",
    )
    cast["bruno"].scopes.all().delete()
    cast["bruno"].scopes.create(portfolio_code=other.code)
    assert at_desk("bruno").get("/alcance/").context["total"].planned == 0
    assert "found" not in at_desk("zoe").get("/alcance/").context


def test_the_page_of_a_template_compares_its_variants(at_desk, world):
    template, day = world.sent.template, schedule.today(clock.now()) - timedelta(20)
    other = Template.objects.get(pk=template.pk)
    other.pk, other.variant = None, "B"
    other.save()
    for name, used in (("José", template), ("Lucía", other)):
        Contact.objects.create(
            debtor=world.debtors[name],
            portfolio=world.portfolio,
            channel="email",
            template_code="recordatorio",
            template=used,
            variant=used.variant,
            status="SENT",
            planned_for=day,
            planned_at=clock.now(),
            due_at=clock.now(),
            handed_over_at=clock.now(),
            local_date=day,
            zones="America/Lima",
        )
    shown = body(at_desk("carla"), f"/mensajes/plantillas/{template.pk}/")
    assert "Resultado por variante" in shown
    assert "Aún no alcanza" in shown


def test_who_was_met_in_person_and_who_was_the_wrong_person_are_counted_apart(at_desk, world):
    ana, now = at_desk("ana"), clock.now()
    Contact.objects.filter(pk=world.sent.pk).update(local_date=world.sent.planned_for)
    visit = Visit.objects.create(contact=world.sent, area="PE-LIM 15001", route_date=schedule.today(now))
    ana.post(f"/visitas/{visit.pk}/", {"resultado": "MET", "nota": "Abrió ella"})
    assert ana.get("/alcance/").context["total"].right_party == 1
    phone = world.debtors["María"].points.get(kind="PHONE")
    form = {"act": "NOT_ME", "said": "Contestó otra señora"}
    ana.post(f"/ficha/{phone.debtor_id}/voluntad/{phone.pk}/anotar/", form)
    shown = body(ana)
    for said in ("Contacto con el titular", "Otra persona</dt><dd>1</dd>"):
        assert said in shown, said
    wishes = ana.get(f"/ficha/{phone.debtor_id}/voluntad/").content.decode()
    assert "en silencio" in wishes


def test_what_was_typed_stays_out_of_the_journal(at_desk, world):
    hilda = at_desk("hilda")
    hilda.get("/alcance/xlsx/", {"canal": "sms", "plantilla": "Rosa Quispe 45678912", "otra": "x" * 500})
    asked = {"quien": "Rosa Quispe", "hecho": "Rosa", "cartera": "Rosa", "desde": "2026-11-01"}
    b"".join(hilda.get("/auditoria/exportar.csv", asked).streaming_content)
    b"".join(hilda.get("/auditoria/exportar.csv", {"quien": "hilda"}).streaming_content)
    reach, audit, own = (entry.fact().conditions for entry in Entry.objects.filter(kind="export.made").order_by("pk"))
    assert set(reach) == {"desde", "hasta", "cartera", "moneda", "canal", "ventana", "por"}
    assert audit == {"quien": "given", "desde": "2026-11-01"}
    assert own == {"quien": "hilda"}

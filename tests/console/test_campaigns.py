"""Campaigns on screen: written, tried, launched, paused, ended, and read as a result."""

import re
from datetime import timedelta

import pytest
from django.db.models import F

from recobra.journal.models import Entry
from recobra.kit import clock
from recobra.messaging.models import Contact, Provider, Template
from recobra.payments.models import Payment
from recobra.strategy import schedule
from recobra.strategy.models import Campaign, CampaignMember
from tests import receivables
from tests.console.following import follow

from .test_countries import text


@pytest.fixture
def lent(world):
    follow(world, clock.now())
    Template.objects.update(status="APPROVED")
    Contact.objects.update(planned_for=F("planned_for") - timedelta(20), local_date=F("local_date") - timedelta(20))
    return world


def fields(world, **changes):
    today = schedule.today(clock.now())
    return {
        "name": "Verano sin deudas",
        "code": "verano",
        "portfolio": world.portfolio.pk,
        "template": "recordatorio",
        "channel_1": "email",
        "channel_2": "",
        "channel_3": "",
        "starts_on": today.isoformat(),
        "ends_on": (today + timedelta(9)).isoformat(),
        "budget": "",
        "budget_currency": "PEN",
        "control": "0",
        "group-rule": "overdue > 0",
    } | changes


def page(client, address):
    return client.get(address, headers={"HX-Request": "true"}).content.decode()


def test_bruno_writes_a_campaign_and_sees_what_it_would_do(at_desk, lent):
    bruno = at_desk("bruno")
    answer = bruno.post("/campanas/nueva/", fields(lent))
    assert answer.url == "/campanas/verano/previa/"
    assert "saldo vencido" in bruno.get("/campanas/verano/").content.decode()
    tried = page(bruno, "/campanas/verano/previa/")
    assert "Día por día" in tried
    assert "No se conoce el precio de un mensaje por Correo" in tried
    assert re.search(r"Lanzar: \d mensaje", tried)
    assert not Contact.objects.filter(campaign_id__isnull=False).exists()


def test_nobody_launches_or_writes_over_what_another_person_saved_meanwhile(at_desk, lent):
    bruno, carla = at_desk("bruno"), at_desk("carla")
    bruno.post("/campanas/nueva/", fields(lent))
    marks = [_mark(page(bruno, address)) for address in ("/campanas/verano/previa/", "/campanas/verano/editar/")]
    carla.post("/campanas/verano/editar/", fields(lent, **{"group-rule": "overdue > 100000"}))
    refused = bruno.post("/campanas/verano/lanzar/", {"seen": marks[0]}, follow=True).content.decode()
    assert "Vea otra vez su ensayo previo" in refused
    answer = bruno.post("/campanas/verano/editar/", fields(lent, name="De Bruno", seen=marks[1]))
    assert answer.status_code == 422
    assert "Este borrador cambió mientras usted escribía" in answer.content.decode()
    campaign = Campaign.objects.get()
    assert (campaign.status, campaign.rule, campaign.name) == ("DRAFT", "overdue > 100000", "Verano sin deudas")
    bruno.post("/campanas/verano/editar/", fields(lent, name="De Bruno", seen=_mark(answer.content.decode())))
    bruno.post("/campanas/verano/lanzar/", {"seen": _mark(page(bruno, "/campanas/verano/previa/"))})
    campaign.refresh_from_db()
    assert (campaign.status, campaign.name) == ("RUNNING", "De Bruno")


def _mark(text):
    return re.search(r'name="seen" value="([^"]+)"', text)[1]


def test_it_is_launched_paused_resumed_and_ended_from_its_page(at_desk, lent):
    bruno = at_desk("bruno")
    bruno.post("/campanas/nueva/", fields(lent))
    bruno.post("/campanas/verano/lanzar/")
    campaign = Campaign.objects.get()
    assert campaign.status == "RUNNING"
    assert CampaignMember.objects.filter(campaign=campaign).exists()
    shown = bruno.get("/campanas/verano/").content.decode()
    assert "Pausar" in shown
    assert "No hay grupo de control" in shown
    bruno.post("/campanas/verano/pausar/")
    assert not Contact.objects.filter(campaign_id=campaign.pk, status="DUE").exists()
    assert "En pausa" in bruno.get("/campanas/").content.decode()
    bruno.post("/campanas/verano/reanudar/")
    bruno.post("/campanas/verano/terminar/")
    campaign.refresh_from_db()
    assert (campaign.status, campaign.reason) == ("ENDED", "by_hand")
    assert "La terminó una persona" in bruno.get("/campanas/verano/").content.decode()
    assert bruno.get("/campanas/verano/editar/").url == "/campanas/verano/"


def test_what_is_wrong_is_said_and_nothing_is_kept(at_desk, lent):
    bruno = at_desk("bruno")
    answer = bruno.post("/campanas/nueva/", fields(lent, **{"group-rule": "mora > 3"}))
    assert answer.status_code == 422
    assert "mora" in answer.content.decode()
    assert bruno.post("/campanas/nueva/", fields(lent, code="nueva")).status_code == 422
    assert bruno.post("/campanas/nueva/", fields(lent, control="95")).status_code == 422
    assert not Campaign.objects.exists()


def test_the_rule_is_said_in_words_and_built_from_conditions(at_desk, lent):
    bruno = at_desk("bruno")
    said = bruno.post("/campanas/regla/", {"field": "group", "group-rule": "dpd > 30"}).content.decode()
    assert "días de mora" in said
    assert "/campanas/regla/" in said
    rows = {
        "field": "group",
        "rows": "1",
        "group-row-0-column": "dpd",
        "group-row-0-operator": ">",
        "group-row-0-value": "30",
    }
    assert "dpd &gt; 30" in bruno.post("/campanas/regla/", rows).content.decode()


def test_conditions_that_were_not_used_count_and_are_kept_after_an_error(at_desk, lent):
    bruno = at_desk("bruno")
    rows = {
        "group-rule": "",
        "group-shown": "",
        "group-row-0-column": "overdue",
        "group-row-0-operator": ">",
        "group-row-0-value": "10.50",
    }
    refused = bruno.post("/campanas/nueva/", fields(lent, name="") | rows)
    assert (refused.status_code, refused.context["member"]["rule"]) == (422, "overdue > 10.50")
    assert bruno.post("/campanas/nueva/", fields(lent) | rows).status_code == 302
    assert Campaign.objects.get().rule == "overdue > 10.50"
    counted = bruno.post("/campanas/regla/cuentas/", rows | {"field": "group", "portfolio": lent.portfolio.pk})
    assert counted.context["totals"][0]["accounts"] > 0


def test_a_budget_is_written_as_the_country_does_and_survives_the_form(at_desk, lent):
    now = clock.now()
    Provider.objects.create(
        code="correo",
        channel="email",
        kind="smtp",
        name="Correo",
        enabled=True,
        price_micros=100_000,
        price_currency="PEN",
        created_at=now,
        created_by="dario",
    )
    bruno = at_desk("bruno")
    for odd in ("0001-01-01", "XYZ", "pen"):
        assert bruno.post("/campanas/nueva/", fields(lent, budget="10", budget_currency=odd)).status_code == 422
    bruno.post("/campanas/nueva/", fields(lent, budget="1,250.50"))
    assert Campaign.objects.get().budget_minor == 125_050
    assert 'value="1,250.5"' in bruno.get("/campanas/verano/editar/").content.decode()
    bruno.post("/campanas/verano/editar/", fields(lent, budget="1,250.5", name="Otoño"))
    assert (Campaign.objects.get().budget_minor, Campaign.objects.get().name) == (125_050, "Otoño")
    assert "El presupuesto alcanza" in page(bruno, "/campanas/verano/previa/")


def _mail_at(price_micros, currency, **changes):
    return Provider.objects.create(
        **{
            "code": "correo",
            "channel": "email",
            "kind": "smtp",
            "name": "Correo",
            "enabled": True,
            "price_micros": price_micros,
            "price_currency": currency,
            "created_at": clock.now(),
            "created_by": "dario",
        }
        | changes
    )


def _on_its_way(lent, **changes):
    """María has had a message of the campaign for 10.00; José waits."""
    bruno, now = "bruno", clock.now()
    campaign = Campaign.objects.get()
    sent = lent.sent
    sent.campaign_id, sent.price_micros, sent.price_currency = campaign.pk, 10_000_000, "PEN"
    sent.save()
    Campaign.objects.update(**{"status": "RUNNING", "launched_at": now, "launched_by": bruno, **changes})
    for name, contact in (("María", sent), ("José", None)):
        CampaignMember.objects.create(
            campaign=campaign,
            debtor_id=lent.debtors[name].pk,
            arm="TREATED",
            joined_at=now,
            contact_id=contact and contact.pk,
            reason="" if contact else "budget",
        )


def test_a_campaign_that_its_budget_ended_says_so_and_what_was_spent(at_desk, lent):
    _mail_at(10_000_000, "PEN")
    bruno = at_desk("bruno")
    bruno.post("/campanas/nueva/", fields(lent, budget="15"))
    _on_its_way(lent, status="ENDED", reason="budget", ended_at=clock.now())
    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", bruno.get("/campanas/verano/").content.decode()))
    assert "Lo que queda del presupuesto no paga otro mensaje." in shown
    assert "El presupuesto no alcanza." in shown
    assert "S/ 10.00 de S/ 15.00." in shown


def test_a_message_below_a_cent_is_shown_with_its_decimals_before_the_launch(at_desk, lent):
    _mail_at(7_900, "USD")
    _mail_at(3_000, "USD", code="barato", rank=200)
    bruno = at_desk("bruno")
    bruno.post("/campanas/nueva/", fields(lent, budget="5", budget_currency="USD"))
    tried = page(bruno, "/campanas/verano/previa/").replace("\xa0", " ")
    assert "USD 0.0079" in tried
    assert re.search(r"<dt>Costo</dt><dd>USD 0\.0[1-9]</dd>", tried)


def test_money_of_another_currency_bars_the_launch_and_is_shown_apart_afterwards(at_desk, lent):
    abroad = _mail_at(50_000, "USD", code="respaldo", rank=900)
    _mail_at(10_000_000, "PEN")
    bruno = at_desk("bruno")
    bruno.post("/campanas/nueva/", fields(lent, budget="50"))
    tried = page(bruno, "/campanas/verano/previa/")
    assert "hay mensajes que se pagan en una moneda distinta de PEN: Correo (USD)." in tried
    assert "Lanzar" not in tried
    bruno.post("/campanas/verano/lanzar/")
    assert Campaign.objects.get().status == "DRAFT"
    abroad.delete()
    _on_its_way(lent)
    assert "No sale nada hasta que se corrija esto" not in bruno.get("/campanas/verano/").content.decode()
    Contact.objects.filter(pk=lent.sent.pk).update(price_micros=5_000_000, price_currency="USD")
    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", bruno.get("/campanas/verano/").content.decode()))
    assert "No sale nada hasta que se corrija esto:" in shown
    assert "hay mensajes enviados que se pagaron en USD." in shown
    assert re.search(r"S/ 0.00 \+ \S*\s?5.00 de S/ 50.00", shown)


def test_a_campaign_is_compared_with_its_control_group(at_desk, lent):
    """Of ten who were written to six paid 200.00, of ten who were not two paid 100.00."""
    bruno, now = at_desk("bruno"), clock.now() - timedelta(days=20)
    bruno.post("/campanas/nueva/", fields(lent, control="50"))
    Campaign.objects.update(status="RUNNING", launched_at=now, launched_by="bruno")
    campaign = Campaign.objects.get()
    for n in range(20):
        debtor = receivables.debtor(lent.portfolio, f"Deudor {n}")
        CampaignMember.objects.create(
            campaign=campaign, debtor_id=debtor.pk, arm="TREATED" if n < 10 else "CONTROL", joined_at=now
        )
        if n < 6 or 10 <= n < 12:
            Payment.objects.create(
                portfolio=lent.portfolio,
                debtor=debtor,
                amount_minor=20_000 if n < 6 else 10_000,
                received_at=now,
                paid_date=schedule.today(now),
                source="FILE",
                reference=f"C-{n}",
                actor="ana",
            )
    shown = text(bruno.get("/campanas/verano/"))
    assert "Pagada 6 · 60.0 % 2 · 20.0 % 40.0 % -2.3 % … 67.3 % Aún no alcanza para afirmarlo" in shown
    assert "Monto pagado S/ 1,200.00 S/ 200.00" in shown


def test_the_list_of_the_barred_leaves_the_house_with_a_record(at_desk, lent):
    at_desk("bruno").post("/campanas/nueva/", fields(lent))
    answer = at_desk("carla").get("/campanas/verano/previa/lista.csv")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0] == "Deudor;Motivo;Artículo"
    assert any("pausa" in line for line in lines[1:])
    assert Entry.objects.filter(kind="export.made", payload__conditions__campaign="verano").exists()


def test_zoe_sees_no_campaign(at_desk, lent):
    at_desk("bruno").post("/campanas/nueva/", fields(lent))
    assert at_desk("hilda").get("/campanas/verano/").status_code == 200
    for address in ("/campanas/", "/campanas/verano/"):
        assert at_desk("zoe").get(address).status_code in {403, 404}


def _findings(tried):
    """Return the lines of the linter's part of a pre-flight, as they are read."""
    block = tried.partition('id="words-title"')[2].partition("</section>")[0]
    return [" ".join(re.sub(r"<[^>]+>", " ", line).split()) for line in re.findall(r"<li.*?</li>", block, re.DOTALL)]


def test_what_the_law_says_of_the_words_is_said_once_in_words_and_only_of_the_country(at_desk, lent):
    bruno = at_desk("bruno")
    for country in ("", "MX"):
        Template.objects.create(
            code="apremio",
            version=1,
            channel="email",
            country=country,
            name="Apremio",
            subject="Último aviso",
            text=f"Último aviso. {'Su deuda irá al buró.' if country else ''}",
            html="<p>Último aviso.</p>",
            status="APPROVED",
            created_at=clock.now(),
            created_by="carla",
        )
    bruno.post("/campanas/nueva/", fields(lent, template="apremio"))
    lines = _findings(page(bruno, "/campanas/verano/previa/"))
    assert lines
    assert len(lines) == len(set(lines))
    shown = "\n".join(lines)
    assert "No dice quién es el acreedor." in shown
    assert "«Último aviso»" in shown.replace("« ", "«").replace(" »", "»")
    assert "Correo" in lines[0]
    assert not any(raw in shown for raw in ("{", "severity", "buró", "MX", "México"))


def test_a_message_is_named_after_the_general_written_template_and_none_is_chosen_beforehand(at_desk, lent):
    family = [
        ("ivr", "", "", "Llamada"),
        ("email", "MX", "", "Abono (México)"),
        ("email", "", "EMPATHETIC", "Abono cercano"),
        ("sms", "", "", "Abono"),
    ]
    for channel, country, tone, name in family:
        Template.objects.create(
            code="abono",
            version=1,
            channel=channel,
            country=country,
            tone=tone,
            name=name,
            subject="",
            text="…",
            html="",
            status="APPROVED",
            created_at=clock.now(),
            created_by="carla",
        )
    shown = at_desk("bruno").get("/campanas/nueva/").content.decode()
    offered = shown.partition('name="template"')[2].partition("</select>")[0]
    assert re.search(r'<option value="abono">Abono \(Correo, Llamada automática, SMS\)</option>', offered)
    assert not any(country in offered for country in ("México", "Chile", "Paraguay"))
    assert '<option value="" selected>' in offered
    assert at_desk("bruno").post("/campanas/nueva/", fields(lent, template="")).status_code == 422

"""The pages of the law: who may be contacted now, what the law says and said, and the month."""

from __future__ import annotations

import re
from html import unescape
from zoneinfo import ZoneInfo

import pytest

from recobra.kit import clock
from recobra.messaging.models import Contact
from recobra.portfolio.models import Portfolio
from recobra_core.law import load_countries
from recobra_core.law.description import translate_text

from .following import follow


def text(answer):
    """Return what is read on a page: without its tags, spaces as one."""
    body = re.sub(r"<script.*?</script>", " ", answer.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).replace("&nbsp;", " ")


def test_all_countries_are_listed_those_with_portfolios_first(at_desk, world):
    page = text(at_desk("ana").get("/paises/"))
    assert page.index("¿A quién se puede contactar ahora?") < page.index("Perú") < page.index("Argentina")
    body = at_desk("ana").get("/paises/").content.decode()
    assert {code for code in load_countries() if f'/paises/{code}/"' in body} == set(load_countries())


@pytest.mark.parametrize("code", ["PE", "MX", "BR", "CO", "CL", "AR", "US"])
def test_the_page_of_a_country_names_hours_articles_and_how_sure_they_are(at_desk, world, code):
    page = text(at_desk("hilda").get(f"/paises/{code}/"))
    for heading in (
        "Cuántas veces",
        "Horarios",
        "Qué debe decir un mensaje",
        "Qué está prohibido",
        "Prescripción",
        "Sanciones",
    ):
        assert heading in page


def test_every_country_has_a_page_and_a_month(at_desk, world):
    desk = at_desk("hilda")
    for code in load_countries():
        assert desk.get(f"/paises/{code}/").status_code == 200, code
        assert desk.get(f"/paises/{code}/calendario/").status_code == 200, code


@pytest.mark.parametrize("code", ["BO", "EC", "MX", "PE"])
def test_the_article_that_opens_or_closes_a_channel_now_is_told_in_the_readers_language(at_desk, world, code):
    page = text(at_desk("ana").get(f"/paises/{code}/"))
    sources = {rule.source for rule in load_countries()[code].rules}
    foreign = {each for each in sources if translate_text(each, language="es") != each}
    assert foreign
    assert [each for each in foreign if each in unescape(page)] == []


def test_peru_is_told_as_its_law_says(at_desk, world):
    page = text(at_desk("ana").get("/paises/PE/"))
    assert "07:00– 20:00" in page
    assert "Ley 29571" in page
    assert "INDECOPI" in page


def test_the_law_is_told_as_of_the_day_that_is_asked_for(at_desk, world):
    answer = at_desk("ana").get("/paises/CO/?dia=2020-01-15")
    page = text(answer)
    assert "Es la ley al 15 ene 2020, no la de hoy." in page
    assert "¿A quién se puede contactar ahora?" not in page
    assert [row for row in answer.context["hours"] if "Ley 2300" in row.law.source] == []
    assert [row for row in at_desk("ana").get("/paises/CO/").context["hours"] if "Ley 2300" in row.law.source]


def test_the_contacts_that_wait_today_stand_beside_the_hours(at_desk, world):
    follow(world, clock.now())
    now = clock.now()
    planned = Contact.objects.filter(status="DUE").first()
    planned.planned_for = clock.today("America/Lima")
    planned.due_at = now
    planned.save(update_fields=["planned_for", "due_at"])
    rows = at_desk("ana").get("/paises/PE/").context["open"]
    waiting = {row["channel"]: row["waiting"] for row in rows}
    assert waiting[planned.channel] == 1
    assert sum(waiting.values()) == 1
    assert sum(row["waiting"] for row in at_desk("zoe").get("/paises/PE/").context["open"]) == 0


def test_an_unknown_country_is_not_found(at_desk, world):
    assert at_desk("ana").get("/paises/XX/").status_code == 404
    assert at_desk("ana").get("/paises/XX/calendario/").status_code == 404


def test_the_month_says_why_a_day_is_closed(at_desk, world):
    page = text(at_desk("ana").get("/paises/PE/calendario/?mes=2026-12&canal=call"))
    assert "Inmaculada Concepción" in page
    assert "diciembre" in page
    weeks = at_desk("ana").get("/paises/PE/calendario/?mes=2026-12&canal=call").context["weeks"]
    days = [cell for week in weeks for cell in week if cell]
    assert [len(week) for week in weeks] == [7] * len(weeks)
    assert (len(days), days[0].opens, days[7].day.reason) == (31, "07:00", "holiday")


def test_holidays_are_named_in_a_language_of_the_country_and_not_of_the_server(at_desk, world, monkeypatch):
    monkeypatch.setenv("LANGUAGE", "en_US")
    page = text(at_desk("ana").get("/paises/BR/calendario/?mes=2026-11&canal=sms"))
    assert "Dia Nacional de Zumbi e da Consciência Negra" in page
    assert "Black Awareness" not in page


def test_months_follow_each_other_over_the_year(at_desk, world):
    page = at_desk("ana").get("/paises/BR/calendario/?mes=2026-12&canal=sms&lugar=BR-SP")
    assert "mes=2027-01" in page.content.decode()
    assert "mes=2026-11" in page.content.decode()
    assert "São Paulo" in text(page)
    assert at_desk("ana").get("/paises/BR/calendario/?mes=nunca&canal=paloma&lugar=XX").status_code == 200


def test_the_company_says_what_a_breach_may_cost_where_the_law_names_no_amount(at_desk, world):
    dario, today = at_desk("dario"), clock.now().astimezone(ZoneInfo("America/La_Paz")).date()
    page = text(dario.get("/paises/BO/"))
    assert "Horario y días — — nadie dio una cifra todavía" in page
    typed = {"breach": "hours", "amount_minor": "5.000,50", "holds_from": f"{today}", "reason": ""}
    refused = text(dario.post("/paises/BO/costo/", typed))
    assert "Este campo es obligatorio" in refused
    kept = dario.post("/paises/BO/costo/", typed | {"reason": "Directorio, acta 7"}, follow=True)
    assert "los incidentes desde su día se valoran con él" in text(kept)
    page = text(dario.get("/paises/BO/"))
    assert "Horario y días Bs5.000,50" in page
    assert "Directorio, acta 7" in page
    Portfolio.objects.filter(pk=world.portfolio.pk).update(country="BO")
    breach = {"tipo": "BREACH", "pais": "BO", "falta": "hours", "descripcion": "Se llamó a las 23:00."}
    assert at_desk("bruno").post("/incidentes/registrar/", breach).status_code == 302
    assert "Horario y días hasta 5.000,5 BOB La empresa decide" in text(dario.get("/incidentes/"))

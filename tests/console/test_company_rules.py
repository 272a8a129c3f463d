"""Company rules on screen: written in a form, refused with the article where they loosen, kept with their history."""

from __future__ import annotations

from datetime import timedelta

import pytest

from recobra.journal.models import Entry
from recobra.kit import clock
from recobra.messaging.models import Contact
from recobra.policy import company_rules as operations
from recobra.policy.models import HouseRule
from recobra.portfolio.models import Portfolio
from recobra_core import law

from .test_countries import text

WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
OFFICE_HOURS = {f"r0-{day}-opens": "09:00" for day in WORKDAYS} | {f"r0-{day}-closes": "18:00" for day in WORKDAYS}
SOFT = {
    "code": "trato-suave",
    "portfolio": "PE-CONSUMO",
    "n": "1",
    "r0-channels": ["call", "sms"],
    "r0-limits_hours": "on",
    **OFFICE_HOURS,
    "r0-closed_days": "24/12/2026 2026-12-31",
    "r0-holidays": "on",
    "r0-cap-n": ["1", "2"],
    "r0-cap-per": ["day", "clear_days"],
    "r0-cap-scope": ["all", "channel"],
    "r0-no_work": "on",
    "r0-age": "1000",
}


@pytest.fixture
def soft(at_desk, world):
    answer = at_desk("carla").post("/reglas/nueva/", SOFT)
    assert answer.status_code == 302, text(answer)
    return HouseRule.objects.get()


def test_a_rule_is_written_in_a_form_and_judges_at_once(at_desk, world, soft):
    assert (soft.code, soft.version, soft.portfolio) == ("trato-suave", 1, world.portfolio)
    found = operations.company_rules_in_force([world.portfolio.pk])
    (rule,) = found.rules_by_name[found.name_by_portfolio[world.portfolio.pk]].rules
    assert rule.channels == ("call", "sms")
    assert [window and (window.opens, window.closes) for window in rule.windows] == [(540, 1080)] * 5 + [None] * 2
    assert {day.isoformat() for day in rule.closed_days} == {"2026-12-24", "2026-12-31"}
    assert rule.open_on_holidays is False
    assert [(cap.n, cap.per, cap.scope) for cap in rule.caps] == [(1, "day", "all"), (2, "clear_days", "channel")]
    assert (rule.workplace, rule.max_debt_age_days) == ((), 1000)


def test_the_list_says_a_rule_in_words(at_desk, soft):
    page = text(at_desk("ana").get("/reglas/"))
    assert "Llamada, SMS: lunes a viernes de 09:00 a 18:00" in page
    assert "cerrado el 24 dic 2026, 31 dic 2026" in page
    assert "Consumo Perú" in page


def test_what_the_form_shows_of_a_rule_is_what_it_saves_again(at_desk, soft):
    answer = at_desk("carla").get(f"/reglas/{soft.pk}/editar/")
    (rule_form,) = answer.context["forms"]
    assert rule_form["rule"]["week"] == [("09:00", "18:00")] * 5 + [("", "")] * 2
    again = {name: value for name, value in SOFT.items() if name not in {"code", "portfolio"}}
    at_desk("carla").post(f"/reglas/{soft.pk}/editar/", again)
    first, second = HouseRule.objects.order_by("version")
    assert (first.document, second.version) == (second.document, 2)
    assert first.retired_at is not None
    page = text(at_desk("ana").get(f"/reglas/{second.pk}/"))
    assert "versión 1" in page
    assert "versión 2" in page


def test_what_loosens_the_law_is_refused_beside_the_field_with_the_article(at_desk, world):
    early = {**SOFT, "r0-mon-opens": "06:00", "r0-cap-n": ["5"], "r0-cap-per": ["day"], "r0-cap-scope": ["all"]}
    answer = at_desk("carla").post("/reglas/nueva/", early)
    assert answer.status_code == 422
    assert not HouseRule.objects.exists()
    (rule_form,) = answer.context["forms"]
    (hours,) = [each for each in rule_form["loosened"]["windows"] if "62.b" in each["article"]]
    assert (hours["what"], hours["channels"]) == ("window_wider", ["Llamada"])
    assert {each["what"] for each in rule_form["loosened"]["caps"]} == {"cap_higher"}
    assert "El horario es más amplio que el de la ley. Ley 29571" in text(answer)
    assert 'value="06:00"' in answer.content.decode(), "what was typed stays"


def test_the_place_of_a_mistake_is_right_also_behind_an_empty_rule(at_desk, world):
    early = {name.replace("r0-", "r1-"): value for name, value in SOFT.items()}
    answer = at_desk("carla").post("/reglas/nueva/", {**early, "n": "2", "r1-mon-opens": "06:00"})
    (rule_form,) = answer.context["forms"]
    assert "windows" in rule_form["loosened"]


def test_visits_are_opened_where_the_law_leaves_them_and_refused_where_not(at_desk, world):
    form = {"code": "visitas", "portfolio": "PE-CONSUMO", "n": "0", "visits": "on"}
    answer = at_desk("carla").post("/reglas/nueva/", form)
    assert answer.status_code == 302
    assert operations.company_rules_in_force([world.portfolio.pk]).rules_by_name["visitas.1"].visits_open
    barred = next(code for code in law.load_countries() if _visits_barred(code))
    Portfolio.objects.create(
        creditor=world.portfolio.creditor,
        code="OTRA",
        name="Otra",
        industry="CONSUMER",
        country=barred,
        currency="USD",
        time_zone=law.load_countries()[barred].time_zones[0],
    )
    answer = at_desk("carla").post("/reglas/nueva/", {**form, "code": "mas", "portfolio": "OTRA"})
    assert answer.status_code == 422
    assert answer.context["company"]["visits"][0]["what"] == "channel_opened"


def _visits_barred(code):
    house = law.read_company_rules({"name": "x", "visits": "open", "rules": []})
    return bool(law.find_loosenings(house, country=code))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"r0-mon-opens": "19:00"}, "windows"),
        ({"r0-mon-closes": ""}, "windows"),
        ({"r0-closed_days": "mañana"}, "closed_days"),
        ({"r0-cap-n": ["0", "x"]}, "caps"),
        ({"r0-age": "siempre"}, "age"),
    ],
)
def test_what_cannot_be_read_is_said_beside_its_field(at_desk, world, wrong, field):
    answer = at_desk("carla").post("/reglas/nueva/", {**SOFT, **wrong})
    assert answer.status_code == 422
    assert set(answer.context["errors"][0]) == {field}
    assert not HouseRule.objects.exists()


def test_a_rule_that_asks_nothing_is_not_kept(at_desk, world):
    answer = at_desk("carla").post("/reglas/nueva/", {"code": "nada", "portfolio": "", "n": "1", "r0-channels": "sms"})
    assert answer.status_code == 422
    assert at_desk("carla").post("/reglas/nueva/", {"code": "nada", "portfolio": "", "n": "0"}).status_code == 422
    assert not HouseRule.objects.exists()


def test_a_name_is_used_once(at_desk, soft):
    answer = at_desk("carla").post("/reglas/nueva/", SOFT)
    assert answer.status_code == 422
    assert "Ya hay una regla con este nombre" in text(answer)
    assert HouseRule.objects.count() == 1


def test_another_rule_is_added_without_losing_what_was_typed(at_desk, world):
    answer = at_desk("carla").post("/reglas/nueva/", {**SOFT, "add": "1"})
    assert answer.status_code == 200
    assert len(answer.context["forms"]) == 2
    assert answer.context["forms"][0]["rule"]["age"] == "1000"
    assert not HouseRule.objects.exists()


def test_the_preview_shows_todays_hours_and_who_would_have_to_wait(at_desk, world):
    now = clock.now()
    planned = Contact.objects.filter(status="DUE").first()
    planned.planned_for, planned.due_at = clock.today("America/Lima"), now + timedelta(minutes=1)
    planned.save(update_fields=["planned_for", "due_at"])
    bar = {"n": "1", "portfolio": "PE-CONSUMO", "r0-channels": [planned.channel], "r0-never": "on"}
    answer = at_desk("carla").post("/reglas/previa/", bar)
    (change,) = [each for _country, each in answer.context["changes"] if each.channel == planned.channel]
    assert (change.waiting, change.outside) == (1, 1)
    assert change.by_rule.reason
    others = [each for _country, each in answer.context["changes"] if each.channel != planned.channel]
    assert {each.by_rule == each.by_law for each in others if each.channel != "visit"} == {True}
    assert not HouseRule.objects.exists()


def test_a_rule_is_taken_out_of_force_and_its_history_stays(at_desk, soft):
    at_desk("carla").post(f"/reglas/{soft.pk}/retirar/")
    soft.refresh_from_db()
    assert soft.retired_at is not None
    assert operations.company_rules_in_force().name_by_portfolio == {}
    assert "trato-suave" in text(at_desk("ana").get("/reglas/"))


def test_rules_of_portfolios_that_are_not_hers_are_nothing_to_a_gestora(at_desk, world):
    other = Portfolio.objects.create(
        creditor=world.portfolio.creditor,
        code="PE-OTRA",
        name="Servicios Perú",
        industry="CONSUMER",
        country="PE",
        currency="PEN",
        time_zone="America/Lima",
    )
    at_desk("carla").post("/reglas/nueva/", {**SOFT, "portfolio": ""})
    at_desk("carla").post("/reglas/nueva/", {**SOFT, "code": "ajena", "portfolio": other.code})
    theirs = HouseRule.objects.get(code="ajena")
    page = text(at_desk("ana").get("/reglas/"))
    assert "trato-suave" in page
    assert "todas las carteras" in page
    assert "ajena" not in page
    assert at_desk("ana").get(f"/reglas/{theirs.pk}/").status_code == 404
    assert at_desk("ana").get("/reglas/nueva/").status_code == 403


def test_nobody_makes_a_rule_for_a_portfolio_that_does_not_exist(at_desk, world):
    assert at_desk("carla").post("/reglas/nueva/", {**SOFT, "portfolio": "PE-NADA"}).status_code == 403
    assert not HouseRule.objects.exists()


OFTEN = {"code": "frecuencia", "portfolio": "PE-CONSUMO", "n": "1", "r0-channels": "sms"} | {
    "r0-cap-n": "4",
    "r0-cap-per": "day",
    "r0-cap-scope": "channel",
}


def test_a_caution_of_ours_is_decided_with_a_reason_and_the_journal_says_so(at_desk, world):
    answer = at_desk("carla").post("/reglas/nueva/", OFTEN)
    assert answer.status_code == 422
    assert "Es una cautela nuestra, no ley" in text(answer)
    reason = "El directorio lo aprobó en su sesión 12."
    assert at_desk("carla").post("/reglas/nueva/", {**OFTEN, "decision": reason}).status_code == 302
    rule = HouseRule.objects.get()
    (decided,) = Entry.objects.filter(kind="house_rule.caution_decided")
    assert (decided.actor, decided.payload["cautions"]) == ("carla", ["PE/default/cap-1", "PE/default/cap-2"])
    assert "directorio" not in str(decided.payload)
    assert reason in text(at_desk("ana").get(f"/reglas/{rule.pk}/"))
    again = at_desk("carla").get(f"/reglas/{rule.pk}/editar/")
    assert again.context["shape"]["decision"] == reason


def test_no_reason_opens_the_law(at_desk, world):
    early = {**SOFT, "r0-mon-opens": "06:00", "decision": "Lo pide el negocio."}
    assert at_desk("carla").post("/reglas/nueva/", early).status_code == 422
    assert not HouseRule.objects.exists()


def test_what_is_not_done_in_a_stage_is_written_in_the_form(at_desk, world):
    form = {"code": "etapas", "portfolio": "PE-CONSUMO", "n": "1", "r0-channels": "whatsapp", "r0-stages": "JUDICIAL"}
    answer = at_desk("carla").post("/reglas/nueva/", form)
    assert set(answer.context["errors"][0]) == {"stages", "channels"}
    assert at_desk("carla").post("/reglas/nueva/", {**form, "r0-never": "on"}).status_code == 302
    assert "WhatsApp (Judicial): no se usa" in text(at_desk("ana").get("/reglas/"))
    found = operations.company_rules_in_force([world.portfolio.pk])
    (rule,) = found.rules_by_name[found.name_by_portfolio[world.portfolio.pk]].rules
    assert (rule.stages, rule.never, rule.roles) == (("JUDICIAL",), True, None)

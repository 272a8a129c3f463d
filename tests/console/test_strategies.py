"""Strategies on screen: read in words, written as a draft, put in force, tried before."""

import re
from datetime import timedelta
from html import unescape

import pytest
import yaml
from django.urls import reverse
from django.utils import translation

from recobra.console.screens.strategies import form
from recobra.journal.models import Entry
from recobra.kit import clock
from recobra.messaging.models import Contact
from recobra.portfolio.models import Account, Portfolio
from recobra.strategy import jobs, schedule
from recobra.strategy import operations as strategy
from recobra.strategy.models import Assignment, CycleRun, StrategyVersion
from recobra.strategy.operations import StrategyRefused
from recobra_core.decide import Strategy, ready
from tests.console.editor import EDIT, fields
from tests.console.following import follow
from tests.people import acting

from .test_countries import text


@pytest.fixture
def followed(world):
    follow(world, clock.now())
    return world


@pytest.mark.parametrize("code", ready.CODES)
def test_a_document_survives_the_fields_of_the_editor(code):
    document = ready.load_strategy(code).to_document()
    again = form.to_document(form.from_document(document))
    assert Strategy.parse(again) == Strategy.parse(document)


def test_the_list_says_what_is_in_force_and_who_follows_it(at_desk, followed):
    page = at_desk("bruno").get("/estrategias/").content.decode()
    assert "Crédito de consumo" in page
    assert "Consumo Perú" in page


def test_a_version_is_read_in_words_with_its_schedule(at_desk, followed):
    page = at_desk("bruno").get("/estrategias/consumo/").content.decode()
    assert "A los 3 días de mora, enviar «recordatorio»" in page
    assert "5 días antes" in page
    assert "Tras un pago: 3 días sin acciones" in page


def test_carla_saves_a_draft_and_what_is_in_force_stays(at_desk, followed):
    client = at_desk("carla")
    answer = client.post(EDIT, fields(client) | {"name": "Consumo firme", "do": "save"})
    assert answer.status_code == 302
    draft = StrategyVersion.objects.get(code="consumo", status="DRAFT")
    assert (draft.number, draft.document["name"], draft.created_by) == (2, "Consumo firme", "carla")
    assert StrategyVersion.objects.get(code="consumo", status="PUBLISHED").document["name"] == "Crédito de consumo"
    notice = client.get(EDIT).content.decode()
    assert '<a href="/estrategias/consumo/v2/publicar/">Publicar</a>' in notice
    assert '/estrategias/consumo/comparar/?de=1&amp;a=2">Comparar</a>' in notice
    in_force = client.get("/estrategias/consumo/v1/").content.decode()
    assert "Publicar el borrador" in in_force


def test_every_problem_is_said_at_once_with_its_place(at_desk, followed):
    client = at_desk("carla")
    posted = fields(client) | {"steps-3-days": "tres", "steps-4-template": "", "segments-0-rule": "balanse > 1"}
    answer = client.post(EDIT, posted | {"do": "save"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Paso 4 «Recordatorio amable»" in page
    assert "Paso 5 «Recordatorio con opciones de pago»" in page
    assert "Segmento 1 «Monto alto»" in page
    assert "¿Quiso decir «balance»?" in page
    assert not StrategyVersion.objects.filter(code="consumo", status="DRAFT").exists()


@pytest.mark.parametrize(("language", "said"), [("en", "code: found «7»"), ("es", "code: se encontró «7»")])
def test_problems_are_said_in_the_language_of_the_screen(followed, language, said):
    with translation.override(language), pytest.raises(StrategyRefused) as refused:
        strategy.save_draft(document={"code": 7}, actor=acting("carla", now=clock.now()))
    assert refused.value.problems[0].startswith(said)


def test_steps_are_added_moved_and_removed_before_anything_is_kept(at_desk, followed):
    client = at_desk("carla")
    posted = fields(client)
    names = [step["name"] for step in client.get(EDIT).context["shape"]["steps"]]
    moved = client.post(EDIT, posted | {"do": "down-steps:0"}).context["shape"]["steps"]
    assert [step["name"] for step in moved[:2]] == [names[1], names[0]]
    added = client.post(EDIT, posted | {"do": "add-steps"}).context["shape"]["steps"]
    assert len(added) == len(names) + 1
    left = client.post(EDIT, posted | {"do": "remove-steps:0"}).context["shape"]["steps"]
    assert [step["name"] for step in left] == names[1:]
    assert not StrategyVersion.objects.filter(status="DRAFT").exists()


def test_two_writers_do_not_overwrite_one_another_unknowingly(at_desk, followed):
    carla, dario = at_desk("carla"), at_desk("dario")
    of_carla = fields(carla)
    dario.post(EDIT, fields(dario) | {"name": "La de Darío", "do": "save"})
    answer = carla.post(EDIT, of_carla | {"name": "La de Carla", "do": "save"})
    assert answer.status_code == 409
    assert "dario guardó este borrador mientras usted escribía" in answer.content.decode()
    assert StrategyVersion.objects.get(code="consumo", status="DRAFT").document["name"] == "La de Darío"


def test_yaml_is_taken_and_a_bad_line_is_named(at_desk, followed):
    client = at_desk("carla")
    document = ready.load_strategy("consumo").to_document() | {"name": "Por YAML"}
    answer = client.post(EDIT + "yaml/", {"text": yaml.safe_dump(document, allow_unicode=True), "seen": ""})
    assert answer.status_code == 302
    assert StrategyVersion.objects.get(code="consumo", status="DRAFT").document["name"] == "Por YAML"
    seen = re.search(r'name="seen" value="([^"]*)"', client.get(EDIT + "yaml/").content.decode())[1]
    answer = client.post(EDIT + "yaml/", {"text": "code: consumo\nname: [", "seen": seen})
    assert (answer.status_code, "Línea 3, documento: " in answer.content.decode()) == (422, True)


def test_a_rule_is_judged_while_it_is_typed(at_desk, followed):
    client = at_desk("carla")
    ask = {"field": "steps-0", "steps-0-rule": "dpd > 30 and balanse > 5", "steps-0-unknown": "no"}
    verdict = client.post("/estrategias/regla/", ask).context["verdict"]
    assert (verdict.place, "¿Quiso decir «balance»?" in verdict.error) == (14, True)
    verdict = client.post("/estrategias/regla/", ask | {"steps-0-rule": "dpd > 30"}).context["verdict"]
    assert verdict.words
    assert [(row.column, row.operator, row.values) for row in verdict.rows] == [("dpd", ">", ("30",))]


def test_conditions_become_the_text_of_the_rule(at_desk, followed):
    rows = {
        "field": "segments-0",
        "rows": "1",
        "segments-0-unknown": "no",
        "segments-0-row-0-column": "dpd",
        "segments-0-row-0-operator": "between",
        "segments-0-row-0-value": "1; 30",
        "segments-0-row-1-column": "stage",
        "segments-0-row-1-operator": "=",
        "segments-0-row-1-value": "ADMINISTRATIVE",
    }
    answer = at_desk("carla").post("/estrategias/regla/", rows)
    assert answer.context["member"]["rule"] == "dpd between 1 and 30 and stage = 'ADMINISTRATIVE'"


def conditions(prefix, *rows):
    """Return rows of conditions as the builder posts them."""
    posted = {}
    for at, (column, operator, value) in enumerate(rows):
        posted |= {
            f"{prefix}-row-{at}-column": column,
            f"{prefix}-row-{at}-operator": operator,
            f"{prefix}-row-{at}-value": value,
        }
    return posted


def test_conditions_make_a_rule_that_the_product_takes(at_desk, followed):
    """The builder says itself what the unknown means, and reads amounts as the country writes them."""
    carla = at_desk("carla")
    rows = {"field": "x", "rows": "1", "x-unknown": "", "place": followed.portfolio.pk}
    built = carla.post(
        "/estrategias/regla/", rows | conditions("x", ("overdue", ">=", "2,000"), ("dpd", "between", "31; 90"))
    )
    member = built.context["member"]
    assert member["rule"] == "overdue >= 2000 and dpd is not null and dpd between 31 and 90"
    assert not member["verdict"].error
    # The guard is no row of its own, and what is shown is what was typed.
    assert [(row.column, row.values) for row in member["verdict"].rows] == [
        ("overdue", ("2,000",)),
        ("dpd", ("31", "90")),
    ]
    assert "Sin dato: no aplica" in text(built)
    # «2.000» is no amount in Peru: it is refused, not taken for two soles; in Chile it is two thousand.
    refused = carla.post("/estrategias/regla/", rows | conditions("x", ("overdue", ">=", "2.000")))
    assert "«2.000» no es un valor de «saldo vencido»: escríbalo así: 1,234.50" in text(refused)
    assert refused.context["member"]["verdict"].rows[0].values == ("2.000",)
    Portfolio.objects.filter(pk=followed.portfolio.pk).update(country="CL", currency="CLP")
    chilean = carla.post("/estrategias/regla/", rows | conditions("x", ("overdue", ">=", "2.000")))
    assert chilean.context["member"]["rule"] == "overdue >= 2000"
    # The example in the field itself, and that of the error, are rules.
    page = carla.get(EDIT).content.decode()
    example = unescape(re.search(r'placeholder="(dpd[^"]*)"', page)[1])
    for rule in (example, "balance > 1000"):
        answer = carla.post("/estrategias/regla/", {"field": "x", "x-rule": rule, "x-unknown": ""})
        assert not answer.context["verdict"].error, rule


def test_conditions_that_were_typed_count_without_being_used_and_survive_an_error(at_desk, followed):
    carla = at_desk("carla")
    posted = fields(carla)
    shown = posted["segments-0-rule"]
    typed = posted | {"segments-0-shown": shown} | conditions("segments-0", ("overdue", ">=", "2,500.50"))
    # An error elsewhere: the conditions are still there.
    kept = carla.post(EDIT, typed | {"steps-3-days": "tres", "do": "save"})
    assert kept.status_code == 422
    assert kept.context["shape"]["segments"][0]["rule"] == "overdue >= 2500.50"
    # A condition that cannot be read is kept too, and nothing is saved.
    wrong = typed | conditions("segments-0", ("overdue", ">=", "mucho"))
    answer = carla.post(EDIT, wrong | {"do": "save"})
    assert (answer.status_code, 'value="mucho"' in answer.content.decode()) == (422, True)
    assert not StrategyVersion.objects.filter(code="consumo", status="DRAFT").exists()
    # A text that was edited after its conditions were shown says more than they do.
    text_wins = typed | {"segments-0-rule": "balance > 7"}
    carla.post(EDIT, text_wins | {"do": "save"})
    draft = StrategyVersion.objects.get(code="consumo", status="DRAFT")
    assert draft.document["segments"][0]["rule"] == "balance > 7"


def test_a_segment_that_nothing_reaches_is_marked(at_desk, followed):
    carla = at_desk("carla")
    posted = fields(carla) | {"segments": 3}
    for at, (name, rule) in enumerate(
        (("Alto", "overdue >= 2000"), ("General", "balance >= 0"), ("Nuevo", "overdue >= 5000 and stage = 'JUDICIAL'"))
    ):
        posted |= {f"segments-{at}-key": "", f"segments-{at}-name": name, f"segments-{at}-rule": rule}
        posted[f"segments-{at}-unknown"] = ""
    page = carla.post(EDIT, posted | {"do": "show"})
    assert [each["verdict"].covered_by for each in page.context["shape"]["segments"]] == ["", "", "Alto"]
    assert "pertenece a «Alto», más arriba" in text(page)


def test_a_rule_is_counted_beside_it_with_the_accounts_that_owe_most(at_desk, followed):
    carla = at_desk("carla")
    rule = {"field": "x", "x-rule": "overdue > 0", "x-unknown": "no", "strategy": "consumo"}
    answer = carla.post("/estrategias/regla/cuentas/", rule)
    (total,) = answer.context["totals"]
    overdue = [row.overdue_minor for row in answer.context["examples"]]
    assert (total["accounts"], total["overdue_minor"]) == (len(overdue), sum(overdue))
    assert overdue == sorted(overdue, reverse=True)
    nobody = carla.post("/estrategias/regla/cuentas/", rule | {"x-rule": "overdue > 99999999"})
    assert "Ninguna cuenta cumple la regla hoy" in text(nobody)


def test_it_is_counted_whom_a_version_would_touch_and_nothing_is_written(at_desk, followed):
    answer = at_desk("bruno").get("/estrategias/consumo/v1/alcance/")
    by_step = {(row["name"], row["channel"]): row["debtors"] for row in answer.context["by_step"]}
    assert by_step["Aviso de gestión extrajudicial", "email"] == 1
    assert sum(row["accounts"] for row in answer.context["by_segment"]) == 5
    assert not StrategyVersion.objects.filter(status="DRAFT").exists()


def test_a_segment_may_be_of_who_was_contacted_or_left_in_peace(at_desk, followed):
    """María has had a message within 30 days, Lucía is on hold; the other three are of the segment for the rest."""
    Contact.objects.filter(pk=followed.sent.pk).update(local_date=followed.sent.planned_for)
    client = at_desk("carla")
    posted = fields(client) | {
        "segments-0-name": "Ya contactados",
        "segments-0-rule": "contacts_30d >= 1 and stage = 'ADMINISTRATIVE'",
        "segments-1-name": "En pausa",
        "segments-1-rule": "held",
    }
    shown = text(client.post(EDIT + "alcance/", posted))
    for said in ("Ya contactados 1 1", "En pausa 1 1", "General 3 3"):
        assert said in shown, said


def test_a_segment_may_be_of_when_the_debt_began(at_desk, followed):
    Account.objects.filter(pk=followed.accounts["María"].pk).update(opened_date="2024-05-01")
    client = at_desk("carla")
    posted = fields(client) | {
        "segments-0-name": "Antiguos",
        "segments-0-rule": "opened_date < '2025-01-01'",
        "segments-0-unknown": "no",
    }
    assert "Antiguos 1 1 S/ 450.50" in text(client.post(EDIT + "alcance/", posted))


def test_steps_may_repeat_and_follow_an_event(at_desk, followed):
    client, document = at_desk("carla"), ready.load_strategy("consumo").to_document()
    document["steps"].append(
        {
            "key": "tras-respuesta",
            "name": "Seguimiento",
            "when": {"after_event": "reply", "days": 4},
            "repeat": {"every_days": 5, "max": 3},
            "do": {"send": "recordatorio", "by": ["email"]},
        }
    )
    answer = client.post(EDIT + "yaml/", {"text": yaml.safe_dump(document, allow_unicode=True), "seen": ""})
    assert answer.status_code == 302
    shown = text(client.get("/estrategias/consumo/v2/"))
    assert "A los 4 días de una respuesta, enviar «recordatorio»" in shown
    assert "cada 5 días, 3 veces como máximo" in shown
    assert "Tras un hecho, sin día fijo: Seguimiento" in shown


def test_the_cycle_of_the_morning_comes_by_itself(at_desk, followed, monkeypatch):
    client = at_desk("carla")
    day = schedule.today(clock.now())
    monkeypatch.setattr(clock, "now", lambda: schedule.cycle_starts_at(day) - timedelta(minutes=1))
    assert "El próximo empieza solo:" in text(client.get("/ciclo/"))
    jobs.run_morning_cycle(0)
    assert not CycleRun.objects.exists()
    monkeypatch.setattr(clock, "now", lambda: schedule.cycle_starts_at(day) + timedelta(minutes=1))
    jobs.run_morning_cycle(0)
    shown = text(client.get("/ciclo/"))
    assert "Hecho" in shown
    assert "Por el sistema" in shown


def test_publishing_asks_once_with_the_number_of_accounts(at_desk, followed):
    client = at_desk("carla")
    client.post(EDIT, fields(client) | {"name": "Consumo firme", "do": "save"})
    address = reverse("console:strategy-publish", args=["consumo", 2])
    assert "5 cuentas abiertas siguen esta estrategia." in client.get(address).content.decode()
    assert StrategyVersion.objects.get(code="consumo", number=2).status == "DRAFT"
    assert client.post(address).status_code == 302
    standing = dict(StrategyVersion.objects.filter(code="consumo").values_list("number", "status"))
    assert standing == {1: "RETIRED", 2: "PUBLISHED"}
    fact = Entry.objects.filter(kind="strategy.published").latest("id")
    assert (fact.actor, fact.payload["number"]) == ("carla", 2)
    page = client.get("/estrategias/consumo/comparar/").content.decode()
    assert "Nombre: antes «Crédito de consumo»; ahora «Consumo firme»." in page


def test_a_version_is_retired_only_after_asking(at_desk, followed):
    client = at_desk("dario")
    address = reverse("console:strategy-retire", args=["consumo", 1])
    assert "No se contacta a nadie de estas carteras" in client.get(address).content.decode()
    client.post(address)
    assert StrategyVersion.objects.get(code="consumo", number=1).status == "RETIRED"


def test_nobody_publishes_or_retires_what_another_person_saved_since_it_was_looked_at(at_desk, followed):
    carla, dario = at_desk("carla"), at_desk("dario")
    carla.post(EDIT, fields(carla) | {"name": "Consumo firme", "do": "save"})
    publish, retire = (reverse(f"console:strategy-{what}", args=["consumo", 2]) for what in ("publish", "retire"))
    seen = {address: _mark(carla, address) for address in (publish, retire)}
    dario.post(EDIT, fields(dario) | {"name": "Consumo suave", "do": "save"})
    for address in (publish, retire):
        page = carla.post(address, {"seen": seen[address]}, follow=True).content.decode()
        assert "Esta versión cambió mientras tanto" in page
        assert StrategyVersion.objects.get(code="consumo", number=2).status == "DRAFT"
    # What is put aside as a draft may be in force by now.
    seen = {address: _mark(carla, address) for address in (publish, retire)}
    dario.post(publish, {"seen": _mark(dario, publish)})
    carla.post(retire, {"seen": seen[retire]})
    assert StrategyVersion.objects.get(code="consumo", number=2).status == "PUBLISHED"


def _mark(client, address):
    return re.search(r'name="seen" value="([^"]+)"', client.get(address).content.decode())[1]


def test_a_new_strategy_starts_from_one_of_the_product(at_desk, followed):
    client = at_desk("carla")
    client.post("/estrategias/nueva/", {"code": "mayoristas", "name": "Mayoristas", "base": "lista:facturas"})
    draft = StrategyVersion.objects.get(code="mayoristas")
    assert (draft.status, draft.document["name"]) == ("DRAFT", "Mayoristas")
    answer = client.post("/estrategias/nueva/", {"code": "consumo", "name": "Otra", "base": "lista:facturas"})
    assert answer.status_code == 422


def test_a_portfolio_changes_strategy(at_desk, followed):
    at_desk("carla").post("/estrategias/asignar/", {"portfolio": "PE-CONSUMO", "strategy": "servicios"})
    assert Assignment.objects.get().strategy_code == "servicios"


def test_the_plan_is_a_document_with_objective_resources_and_days(at_desk, followed):
    page = at_desk("hilda").get("/estrategias/consumo/v1/plan/").content.decode()
    for said in (
        "Objetivo",
        "Consumo Perú (PE, PEN)",
        "Plantillas",
        "recordatorio-firme",
        "Cronograma por día de mora",
    ):
        assert said in page


def test_bruno_reads_and_may_not_write(at_desk, followed):
    client = at_desk("bruno")
    page = client.get("/estrategias/consumo/").content.decode()
    assert "Editar" not in page
    assert client.get(EDIT).status_code == 403
    assert client.post(reverse("console:strategy-publish", args=["consumo", 1])).status_code == 403


def test_the_fields_as_they_stand_are_counted_too(at_desk, followed):
    client = at_desk("carla")
    posted = fields(client) | {
        "segments": 4,
        "segments-3-name": "Saldos chicos",
        "segments-3-rule": "balance < 500",
        "segments-3-key": "",
        "segments-3-unknown": "",
    }
    answer = client.post(EDIT + "alcance/", posted)
    assert "reach_problems" not in answer.context
    assert sum(row["accounts"] for row in answer.context["by_segment"]) == 5

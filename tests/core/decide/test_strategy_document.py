"""A strategy is read whole: what is right comes back equal, what is wrong is said all at once."""

from copy import deepcopy

import pytest

from recobra_core.decide import ready
from recobra_core.decide.description import describe_step, describe_stops, diff_strategies
from recobra_core.decide.steps import AtDpd, Send, Task
from recobra_core.decide.strategy import Strategy, list_templates
from recobra_core.documents import DocumentError
from recobra_core.rules import ACCOUNT_COLUMNS, Column

DOCUMENT = {
    "code": "corta",
    "name": "Estrategia corta",
    "stops": {"payment": 3, "promise": None},
    "segments": [{"key": "alto", "name": "Alto", "rule": "balance > 1000"}],
    "steps": [
        {
            "key": "recordatorio-1",
            "name": "Primer recordatorio",
            "when": {"dpd": 5},
            "do": {"send": "recordatorio-1", "by": ["email", "sms"]},
        },
        {
            "key": "llamar",
            "name": "Llamar",
            "when": {"after_step": "recordatorio-1", "days": 1},
            "until": 90,
            "rule": "debtor_overdue > 500",
            "segments": ["alto"],
            "stages": ["ADMINISTRATIVE", "EXTRAJUDICIAL"],
            "repeat": {"every_days": 7, "max": 3},
            "min_amount": "100.50",
            "do": {"task": "llamada", "title": "Llamar", "due_in_days": 2, "queue": "telefonica"},
        },
    ],
}


def changed(path, value):
    document = deepcopy(DOCUMENT)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return document


def problems(document):
    with pytest.raises(DocumentError) as refusal:
        Strategy.parse(document)
    return refusal.value.faults


@pytest.mark.parametrize("document", [DOCUMENT, *(ready.load_strategy(code).to_document() for code in ready.CODES)])
def test_a_document_goes_and_comes_back(document):
    strategy = Strategy.parse(document)
    assert Strategy.parse(strategy.to_document()) == strategy


def test_what_was_written_is_kept():
    assert Strategy.parse(DOCUMENT).to_document() == DOCUMENT


@pytest.mark.parametrize(
    ("path", "value", "place", "expected"),
    [
        (["code"], "Con Espacios", "code", "minúsculas"),
        (["name"], "", "name", "un texto"),
        (["stops"], {"payment": -1}, "stops.payment", "de 0 a"),
        (["stops"], {"pago": 3}, "stops.pago", "payment"),
        (["segments", 0, "rule"], "balanse > 1000", "segments[0].rule", "¿Quiso decir «balance»?"),
        (["segments", 0, "rule"], "dpd > 30", "segments[0].rule", "coalesce(dpd, 0)"),
        (["segments", 0, "key"], "none", "segments[0].key", "reservada"),
        (["segments"], DOCUMENT["segments"] * 2, "segments[1].key", "una sola vez"),
        (["steps"], [], "steps", "al menos un paso"),
        (["steps"], "recordatorio", "steps", "una lista"),
        (["steps", 0, "when"], {"dpd": "5"}, "steps[0].when.dpd", "un número entero"),
        (["steps", 0, "when"], {"dpd": True}, "steps[0].when.dpd", "un número entero"),
        (["steps", 0, "when"], {"day": 5}, "steps[0].when", "dpd, after_step, after_event"),
        (["steps", 0, "when"], {"after_step": "llamar", "days": 3}, "steps[0].when.after_step", "anterior"),
        (["steps", 1, "when", "days"], 0, "steps[1].when.days", "de 1 a"),
        (["steps", 0, "when"], {"after_event": "visit", "days": 3}, "steps[0].when.after_event", "payment"),
        (["steps", 1, "until"], "90", "steps[1].until", "un número entero"),
        (["steps", 0, "until"], 4, "steps[0].until", "desde el 5"),
        (["steps", 0, "do"], {"call": "x"}, "steps[0].do", "send, task, stage, hold"),
        (["steps", 0, "do", "by"], [], "steps[0].do.by", "una lista de canales"),
        (["steps", 0, "do", "by"], ["fax"], "steps[0].do.by[0]", "email"),
        (["steps", 0, "do"], {"stage": "PREVENTIVE"}, "steps[0].do.stage", "ADMINISTRATIVE"),
        (["steps", 0, "do"], {"hold": "pausa", "days": 0}, "steps[0].do.days", "de 1 a"),
        (["steps", 1, "rule"], "debtor_overdue >", "steps[1].rule", "una regla válida"),
        (["steps", 1, "unknown"], "maybe", "steps[1].unknown", "yes (sí) o no"),
        (["steps", 1, "segments"], ["bajo"], "steps[1].segments[0]", "alto"),
        (["steps", 1, "repeat"], {"every_days": 0, "max": 2}, "steps[1].repeat.every_days", "de 1 a"),
        (["steps", 1, "min_amount"], "mucho", "steps[1].min_amount", "un importe"),
        (["steps", 1, "min_amount"], "-1", "steps[1].min_amount", "un importe"),
        (["steps", 1, "key"], "recordatorio-1", "steps[1].key", "una sola vez"),
        (["steps", 1, "when_"], 1, "steps[1].when_", "when"),
    ],
)
def test_a_fault_is_named_with_its_place(path, value, place, expected):
    (problem, *_) = [problem for problem in problems(changed(path, value)) if problem.path == place]
    assert expected in problem.message("es")


def test_every_fault_is_told_not_only_the_first():
    document = changed(["code"], None) | {"stops": {"reply": "dos"}}
    document["steps"][1]["rule"] = "saldo ><"
    assert [problem.path for problem in problems(document)] == ["code", "stops.reply", "steps[1].rule"]
    assert problems(document)[0].message("en").startswith("code: found nothing; expected a key")


@pytest.mark.parametrize("document", [None, [], "texto", 3])
def test_something_that_is_no_document_is_refused(document):
    assert "un grupo de campos" in problems(document)[0].message("es")


def test_a_notice_cannot_go_on_after_the_due_date():
    document = changed(["steps", 0, "when"], {"dpd": -5})
    document["steps"][0]["until"] = 10
    assert "un aviso termina al vencer" in problems(document)[0].message("es")


def test_the_portfolio_own_attributes_can_be_used():
    document = changed(["segments", 0, "rule"], "attr_zone = 'norte'")
    zone = Column(name="attr_zone", type="text", nullable=False, label_en="zone", label_es="zona")
    strategy = Strategy.parse(document, catalogue=ACCOUNT_COLUMNS.extend([zone]))
    assert strategy.segments[0].rule.columns == {"attr_zone"}
    assert problems(document)[0].path == "segments[0].rule"


def test_the_bare_words_of_yaml_are_understood():
    document = changed(["segments", 0], {"key": "alto", "name": "Alto", "rule": "dpd > 30", "unknown": False})
    assert Strategy.parse(document).segments[0].rule.unknown == "no"


def test_a_step_says_itself():
    first, second = Strategy.parse(DOCUMENT).steps
    assert describe_step(first) == (
        "A los 5 días de mora, enviar «recordatorio-1» por el primer canal disponible: correo, SMS"
    )
    assert describe_step(first, lang="en") == (
        "At 5 days past due, send «recordatorio-1» by the first available channel: e-mail, SMS"
    )
    assert describe_step(second).startswith(
        "A 1 día de «recordatorio-1», crear la tarea «Llamar» con plazo de 2 días, cola telefonica; "
        "hasta los 90 días de mora; segmentos: alto; etapas: administrativa, extrajudicial; "
        "desde un importe de 100.50; si "
    )
    assert describe_step(second).endswith("; cada 7 días, 3 veces como máximo")
    assert describe_step(second, lang="en").endswith("; every 7 days, 3 times at most")


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ({"dpd": -1}, "1 día antes del vencimiento, "),
        ({"dpd": 0}, "El día del vencimiento, "),
        ({"after_event": "promise", "days": 2}, "A los 2 días de una promesa, "),
        ({"after_event": "reply", "days": 0}, "El mismo día de una respuesta, "),
    ],
)
def test_each_moment_has_its_words(when, words):
    assert describe_step(Strategy.parse(changed(["steps", 0, "when"], when)).steps[0]).startswith(words)


def test_what_stops_it_is_said():
    said = describe_stops(Strategy.parse(DOCUMENT))
    assert said == ["Tras un pago: 3 días sin acciones", "Tras una promesa: hasta que se levante la suspensión"]


def test_equal_versions_have_no_differences():
    assert diff_strategies(Strategy.parse(DOCUMENT), Strategy.parse(deepcopy(DOCUMENT))) == []


def test_the_differences_are_told_step_by_step():
    document = changed(["steps", 0, "when"], {"dpd": 7})
    document["stops"]["payment"] = 5
    document["steps"][1] = {
        "key": "etapa",
        "name": "Pase",
        "when": {"dpd": 60},
        "do": {"stage": "EXTRAJUDICIAL"},
    }
    changes = diff_strategies(Strategy.parse(DOCUMENT), Strategy.parse(document))
    assert [change.place for change in changes] == ["stops", "recordatorio-1", "etapa", "llamar"]
    assert "antes «A los 5 días de mora" in changes[1].sentence
    assert "ahora «A los 7 días de mora" in changes[1].sentence
    assert changes[2].sentence == "Paso «Pase» agregado: A los 60 días de mora, pasar a la etapa extrajudicial."
    assert changes[3].sentence.startswith("Paso «Llamar» eliminado: ")


def test_a_new_order_is_a_difference():
    document = deepcopy(DOCUMENT)
    document["steps"][1]["when"] = {"dpd": 9}
    turned = document | {"steps": document["steps"][::-1]}
    (change,) = diff_strategies(Strategy.parse(document), Strategy.parse(turned), lang="en")
    assert change == ("order", "Steps: new order: Llamar, Primer recordatorio.")


@pytest.mark.parametrize("code", ready.CODES)
class TestReadyMade:
    def test_it_goes_from_before_the_due_date_to_the_fourth_month(self, code):
        days = [step.when.days for step in ready.load_strategy(code).steps if isinstance(step.when, AtDpd)]
        assert days == sorted(days)
        assert days[0] in range(-5, 0)
        assert days[-1] == 120

    def test_it_sends_the_templates_that_are_shipped(self, code):
        assert list_templates(ready.load_strategy(code)) == {
            "aviso-preventivo",
            "aviso-vencimiento",
            "recordatorio",
            "recordatorio-firme",
            "aviso-extrajudicial",
        }

    def test_going_to_court_is_always_a_person_decision(self, code):
        strategy = ready.load_strategy(code)
        assert isinstance(strategy.steps[-1].do, Task)
        assert "JUDICIAL" not in [step.do.columns()["action"] for step in strategy.steps]

    def test_notices_come_before_the_due_date_and_claims_after(self, code):
        for step in ready.load_strategy(code).steps:
            if isinstance(step.do, Send):
                announces = step.do.template in {"aviso-preventivo", "aviso-vencimiento"}
                assert step.message_class == ("notice" if announces else "claim")

    def test_every_step_says_itself_in_both_languages(self, code):
        for step in ready.load_strategy(code).steps:
            assert len({describe_step(step, lang="es"), describe_step(step, lang="en")}) == 2


def test_an_unknown_ready_made_strategy_names_the_ones_there_are():
    with pytest.raises(KeyError, match="consumo, servicios, facturas"):
        ready.load_strategy("hipotecario")

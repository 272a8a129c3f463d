"""Day after day: each step once, missed days caught up, repetitions counted."""

from datetime import date, timedelta

import pytest
from tests.core.decide import builders
from tests.core.decide.builders import read

from recobra_core.decide import ready
from recobra_core.decide.due import due_steps

DUE_DATE = date(2026, 9, 1)


def stage_after(steps, stage):
    moved = [row["action"] for row in steps if row["track"] == "stage"]
    return moved[0] if moved else stage


@pytest.fixture
def run(engine):
    """Run a strategy on one unpaid account on some days; return what fired on each, as (dpd, step, occurrence)."""

    def running(strategy, days):
        firings, fired, stage = [], [], "PREVENTIVE"
        for dpd in days:
            today = DUE_DATE + timedelta(dpd)
            account = {"dpd": dpd, "cycle_date": DUE_DATE, "stage": stage, "segment": "monto-alto"}
            tables = builders.accounts(engine, [account]), builders.firings(engine, firings)
            steps = read(engine, due_steps(*tables, strategy, as_of=today))
            firings += [{**step, "fired_on": today} for step in steps]
            fired += [(dpd, step["step_key"], step["occurrence"]) for step in steps]
            stage = stage_after(steps, stage)
        return fired

    return running


WHOLE_ROAD = [
    (-5, "aviso-preventivo", 1),
    (0, "aviso-vencimiento", 1),
    (1, "etapa-administrativa", 1),
    (3, "recordatorio", 1),
    (10, "recordatorio", 2),
    (18, "recordatorio-firme", 1),
    (20, "llamada-monto-alto", 1),
    (30, "recordatorio-firme", 2),
    (42, "recordatorio-firme", 3),
    (61, "etapa-extrajudicial", 1),
    (65, "aviso-extrajudicial", 1),
    (80, "revision-sin-respuesta", 1),
    (120, "decision-judicial", 1),
]


def test_an_account_nobody_pays_walks_the_whole_road(run):
    assert run(ready.load("consumo"), range(-8, 130)) == WHOLE_ROAD


def test_running_every_day_twice_changes_nothing(run):
    days = [day for day in range(-8, 50) for _ in range(2)]
    assert run(ready.load("consumo"), days) == [fired for fired in WHOLE_ROAD if fired[0] < 50]


def test_a_missed_day_is_caught_up_on_the_next(run):
    days = [day for day in range(-8, 30) if day not in {-5, 3, 18}]
    assert run(ready.load("consumo"), days) == [
        (-4, "aviso-preventivo", 1),
        (0, "aviso-vencimiento", 1),
        (1, "etapa-administrativa", 1),
        (4, "recordatorio", 1),
        (11, "recordatorio", 2),
        (19, "recordatorio-firme", 1),
        (20, "llamada-monto-alto", 1),
    ]


@pytest.mark.parametrize("code", ready.CODES)
def test_one_day_brings_at_most_one_message(run, code):
    templates = {step.key for step in ready.load(code).steps if step.message_class}
    messages = [dpd for dpd, step, _ in run(ready.load(code), range(-8, 130, 1)) if step in templates]
    assert len(messages) == len(set(messages)) > 5

"""Day after day: each step once, missed days caught up, repetitions counted."""

from datetime import date, timedelta

import ibis
import pytest
from tests import extent
from tests.core.decide import builders
from tests.core.decide.builders import read

from recobra_core.decide import ready
from recobra_core.decide.due import find_due_steps

DUE_DATE = date(2026, 9, 1)


def stage_after(steps, stage):
    moved = [row["action"] for row in steps if row["track"] == "stage"]
    return moved[0] if moved else stage


@pytest.fixture
def run():
    """Run a strategy on one unpaid account on some days; return what fired on each, as (dpd, step, occurrence)."""

    engine = ibis.duckdb.connect()

    def running(strategy, days):
        firings, fired, stage = [], [], "PREVENTIVE"
        for dpd in days:
            today = DUE_DATE + timedelta(dpd)
            account = {"dpd": dpd, "cycle_date": DUE_DATE, "stage": stage, "segment": "monto-alto"}
            tables = builders.accounts(engine, [account]), builders.firings(engine, firings)
            steps = read(engine, find_due_steps(*tables, strategy, as_of=today))
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


AROUND = extent.choose(daily=(-1, 0), whole=(-1, 0, 1))
LAST_TWICE = extent.choose(daily=10, whole=20)
DAYS = sorted({dpd + around for dpd, _, _ in WHOLE_ROAD for around in AROUND})


def test_an_account_nobody_pays_walks_the_whole_road(run):
    assert run(ready.load_strategy("consumo"), DAYS) == WHOLE_ROAD


def test_running_a_day_twice_changes_nothing(run):
    days = [day for day in DAYS if day < LAST_TWICE for _ in range(2)]
    assert run(ready.load_strategy("consumo"), days) == [fired for fired in WHOLE_ROAD if fired[0] < LAST_TWICE]


def test_a_missed_day_is_caught_up_on_the_next(run):
    assert run(ready.load_strategy("consumo"), [-6, -4, 0, 1, 2, 4, 10, 11, 17, 19, 20]) == [
        (-4, "aviso-preventivo", 1),
        (0, "aviso-vencimiento", 1),
        (1, "etapa-administrativa", 1),
        (4, "recordatorio", 1),
        (11, "recordatorio", 2),
        (19, "recordatorio-firme", 1),
        (20, "llamada-monto-alto", 1),
    ]

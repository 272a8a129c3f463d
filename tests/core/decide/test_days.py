"""Day after day: each step once, missed days caught up, repetitions counted."""

from datetime import date, timedelta

import duckdb
import pytest
from tests import extent
from tests.core.decide.builders import ORDINARY_ACCOUNT, PORTFOLIO, arrow_table

from recobra.kit import engine
from recobra_core.decide import ready
from recobra_core.decide.due import find_due_steps
from recobra_core.decide.tables import FIRINGS

DUE_DATE = date(2026, 9, 1)


def stage_after(steps, stage):
    moved = [row["action"] for row in steps if row["track"] == "stage"]
    return moved[0] if moved else stage


@pytest.fixture(scope="module")
def find_due():
    """Give the steps of «consumo» that are due on a day, by a statement compiled for every day, as the product's are."""
    steps = find_due_steps(
        engine.source_table("accounts", PORTFOLIO),
        engine.source_table("firings", FIRINGS),
        ready.load_strategy("consumo"),
        as_of=engine.AS_OF,
    )
    statement = engine.compile_statement("due", steps)

    def due(account, firings, *, as_of):
        accounts = arrow_table([{**ORDINARY_ACCOUNT, **account}], PORTFOLIO)
        engine.register_tables(duck, {"accounts": accounts, "firings": arrow_table(firings, FIRINGS)})
        engine.set_as_of(duck, as_of)
        return engine.run_statements(duck, [statement])["due"].to_pylist()

    with duckdb.connect() as duck:
        yield due


@pytest.fixture
def run(find_due):
    """Run «consumo» on one unpaid account on some days; return what fired on each, as (dpd, step, occurrence)."""

    def running(days):
        firings, fired, stage = [], [], "PREVENTIVE"
        for dpd in days:
            today = DUE_DATE + timedelta(dpd)
            account = {"dpd": dpd, "cycle_date": DUE_DATE, "stage": stage, "segment": "monto-alto"}
            steps = find_due(account, firings, as_of=today)
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


AROUND = extent.choose(daily=(0,), whole=(-1, 0, 1))
LAST_TWICE = extent.choose(daily=10, whole=20)
# Day by day the days around the first steps only: of the others those on which something happens.
DAYS = sorted({dpd + around for dpd, _, _ in WHOLE_ROAD for around in (AROUND if dpd > 3 else (-1, 0, 1))})


def test_an_account_nobody_pays_walks_the_whole_road(run):
    assert run(DAYS) == WHOLE_ROAD


def test_running_a_day_twice_changes_nothing(run):
    days = [day for day in DAYS if day < LAST_TWICE for _ in range(2)]
    assert run(days) == [fired for fired in WHOLE_ROAD if fired[0] < LAST_TWICE]


def test_a_missed_day_is_caught_up_on_the_next(run):
    assert run([-6, -4, 0, 1, 2, 4, 10, 11, 17, 19, 20]) == [
        (-4, "aviso-preventivo", 1),
        (0, "aviso-vencimiento", 1),
        (1, "etapa-administrativa", 1),
        (4, "recordatorio", 1),
        (11, "recordatorio", 2),
        (19, "recordatorio-firme", 1),
        (20, "llamada-monto-alto", 1),
    ]

"""The same day on DuckDB and on Spark, row by row, over three portfolios with the ready-made strategies."""

import ibis
import pytest
from tests.core.daily.deciding import KEYS, Desk, decide, differences
from tests.core.daily.portfolio import AS_OF, CHANNELS_OPEN, POLICIES, write_portfolio

ACCOUNTS = 50_000
WITHOUT_ROWS = {"step_holds"}
"""No ready-made strategy sets a hold; the cases of `daily_cases.yaml` do, on both engines."""


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("facts")
    write_portfolio(folder, accounts=ACCOUNTS)
    return folder


@pytest.fixture
def facts_of_few(tmp_path_factory):
    folder = tmp_path_factory.mktemp("few")
    write_portfolio(folder, accounts=200)
    return folder


def decided(engine, facts, folder):
    return decide(Desk(engine=engine, facts=facts, decided=folder), POLICIES, as_of=AS_OF, channels_open=CHANNELS_OPEN)


# Planning the statements is most of the work for Spark, and slower still on a busy machine.
@pytest.mark.timeout(1200)
@pytest.mark.spark
def test_fifty_thousand_accounts_are_decided_alike(spark, facts, tmp_path_factory):
    on_duckdb = decided(ibis.duckdb.connect(), facts, tmp_path_factory.mktemp("duckdb"))
    on_spark = decided(spark, facts, tmp_path_factory.mktemp("spark"))
    assert differences(on_duckdb, on_spark) == []
    assert on_duckdb["classified"].num_rows == ACCOUNTS
    assert all(on_duckdb[name].num_rows > 50 for name in KEYS.keys() - WITHOUT_ROWS)


def test_one_row_decided_otherwise_would_be_found(facts_of_few, tmp_path):
    day = decided(ibis.duckdb.connect(), facts_of_few, tmp_path)
    stages = day["classified"]["stage"].to_pylist()
    stages[7] = "JUDICIAL" if stages[7] != "JUDICIAL" else "PREVENTIVE"
    place = day["classified"].column_names.index("stage")
    other = day | {"classified": day["classified"].set_column(place, "stage", [stages])}
    (found,) = differences(day, other)
    assert found.startswith("classified (8,):")
    assert differences(day, day | {"due": day["due"].slice(1)}) != []

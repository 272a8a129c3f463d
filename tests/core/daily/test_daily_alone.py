"""Whom it concerns decides, not who else is read: one debtor alone, a few or all, in whatever order the rows come."""

import ibis
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from tests import extent
from tests.core.daily.deciding import KEYS, Desk, decide, differences
from tests.core.daily.portfolio import AS_OF, CHANNELS_OPEN, POLICIES, write_portfolio

ACCOUNTS = 400
COMPANY_WIDE = {"portfolios", "templates", "openings", "caps"}


@pytest.fixture(scope="module")
def duckdb():
    return ibis.duckdb.connect()


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("facts")
    write_portfolio(folder, accounts=ACCOUNTS)
    return folder


@pytest.fixture(scope="module")
def everybody(duckdb, facts, tmp_path_factory):
    return decided(duckdb, facts, tmp_path_factory.mktemp("all"))


def decided(engine, facts, folder):
    day = decide(Desk(engine=engine, facts=facts, decided=folder), POLICIES, as_of=AS_OF, channels_open=CHANNELS_OPEN)
    # A number within the day's plan, which has no meaning outside it.
    return {
        name: t.drop_columns(["candidate_id"]) if "candidate_id" in t.column_names else t for name, t in day.items()
    }


def of(table, debtors):
    """The rows about some debtors; two accounts belong to each (see `write_portfolio`)."""
    if "debtor_id" in table.column_names:
        return table.filter(pc.is_in(table["debtor_id"], pa.array(debtors)))
    owned = [account for debtor in debtors for account in (2 * debtor - 1, 2 * debtor)]
    return table.filter(pc.is_in(table["account_id"], pa.array(owned)))


def part_of(facts, folder, debtors):
    for path in facts.glob("*.parquet"):
        table = pq.read_table(path)
        table = table if path.stem in COMPANY_WIDE else of(table, debtors)
        pq.write_table(table.take(pa.array(range(table.num_rows - 1, -1, -1), pa.int64())), folder / path.name)
    return folder


DEBTORS = {
    "one alone": [64],
    "every tenth": range(1, ACCOUNTS // 2 + 1, 10),
    "all, the other way round": range(1, ACCOUNTS // 2 + 1),
}


@pytest.mark.parametrize("part", extent.choose(daily=list(DEBTORS)[:2], whole=list(DEBTORS)))
def test_a_part_is_decided_as_it_is_among_all(duckdb, facts, everybody, tmp_path_factory, part):
    debtors = list(DEBTORS[part])
    part_facts = part_of(facts, tmp_path_factory.mktemp("part"), debtors)
    alone = decided(duckdb, part_facts, tmp_path_factory.mktemp("alone"))
    among_all = {name: of(everybody[name], debtors) for name in KEYS}
    assert differences(alone, among_all) == []
    assert alone["classified"].num_rows == 2 * len(debtors)
    assert alone["due"].num_rows > 0

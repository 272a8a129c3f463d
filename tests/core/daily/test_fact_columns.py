"""Fact columns: what is declared for rules is in the row of every account, and nothing else has to be told."""

import ibis
import pytest
from tests.core.daily.stories import AS_OF, POLICIES
from tests.core.daily.tables import FACTS

from recobra_core.decide.daily import DayFacts, build_account_facts, classify_accounts
from recobra_core.rules import ACCOUNT_COLUMNS, FACT_COLUMNS, FactColumn

_IBIS = {"integer": "int64", "money": "int64", "number": "float64", "text": "string", "date": "date"}
VISITS = FactColumn(
    name="visits",
    type="integer",
    nullable=False,
    label_en="visits",
    label_es="visitas",
    table="column_visits",
    otherwise=0,
)


def empty_facts(**more):
    return DayFacts(**{name: ibis.table(schema, name=name) for name, schema in FACTS.items()}, more=more)


def test_every_declared_column_is_in_the_row_of_an_account_with_its_type():
    rows = classify_accounts(build_account_facts(empty_facts(), as_of=AS_OF), POLICIES, as_of=AS_OF)
    types = {column.stored_as: str(rows.schema()[column.stored_as]) for column in ACCOUNT_COLUMNS.values()}
    assert types == {column.stored_as: _IBIS.get(column.type, column.type) for column in FACT_COLUMNS}


def test_a_column_that_is_read_elsewhere_joins_with_what_nobody_has():
    visits = ibis.memtable([{"debtor_id": 1, "visits": 3}], schema={"debtor_id": "int64", "visits": "int64"})
    rows = build_account_facts(empty_facts(column_visits=visits), as_of=AS_OF, more_columns=[VISITS])
    assert rows.schema()["visits"] == ibis.dtype("int64")


def test_it_must_be_said_what_an_account_without_a_row_gets():
    with pytest.raises(ValueError, match="nullable exactly where"):
        FactColumn(name="visits", type="integer", nullable=False, label_en="v", label_es="v", table="column_visits")

"""Ageing of any day, straight from the ledger, by open instalment or document."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import ibis

from recobra.kit import engine
from recobra.payments.owed import read_open_items
from recobra.portfolio.snapshot import Scope
from recobra_core.kpi import compute_ageing
from recobra_core.stages import Limits


def ageing_on_day(*, portfolio_ids: Sequence[int], limits: Limits, as_of: date) -> list[dict[str, Any]]:
    """Return bucket, from_days, to_days, accounts, debtors, amount_minor of portfolios of one currency.

    The rows add up to the amount outstanding on the day less the money in hand, by everything known today.
    """
    items = read_open_items(Scope(portfolio_ids=portfolio_ids), as_of=as_of)
    with engine.open_duckdb() as duck:
        backend = ibis.duckdb.from_connection(duck)
        table = backend.create_table("items", items, temp=True)
        rows: list[dict[str, Any]] = compute_ageing(table, as_of=as_of, limits=limits).to_pyarrow().to_pylist()
    return rows

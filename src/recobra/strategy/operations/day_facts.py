"""Facts of a day: read from the database as the core's tables, and stored as the day's snapshot."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection
from pyarrow import parquet

from recobra.kit.database import data_dir
from recobra.messaging import snapshot as contact_snapshot
from recobra.payments.owed import read_open_items
from recobra.policy.company_rules import RulesInForce
from recobra.portfolio import snapshot as portfolio_snapshot
from recobra.portfolio.read_column import ReadColumn
from recobra.portfolio.snapshot import Scope
from recobra.strategy import snapshot
from recobra_core.decide.daily.facts import LAST_CONTACT_DAYS
from recobra_core.law import zones_for
from recobra_core.money import exponent_of

FactReaders = Mapping[str, Callable[[], pa.Table]]
"""Functions that read the tables of a day, by their names."""


def read_facts(
    scope: Scope,
    *,
    as_of: date,
    contactable: frozenset[int],
    columns: Iterable[ReadColumn],
    company_rules: RulesInForce,
) -> dict[str, pa.Table]:
    """Return the tables of `fact_readers`, by name."""
    readers = fact_readers(scope, as_of=as_of, contactable=contactable, columns=columns, company_rules=company_rules)
    return {name: read() for name, read in readers.items()}


def fact_readers(
    scope: Scope,
    *,
    as_of: date,
    contactable: frozenset[int],
    columns: Iterable[ReadColumn],
    company_rules: RulesInForce,
) -> FactReaders:
    """Return what reads the tables of `recobra_core.decide.daily.DayFacts` within a scope.

    `contactable` are the portfolios that follow a strategy and whose data are fresh enough to contact anybody.
    `columns` are the fact columns that rules read beside the core's (`Policies.columns_read`), each a table more.
    """
    caps = contact_snapshot.caps_in_force(frozenset(company_rules.rules_by_name.items()), day=as_of)
    # As far back as the caps count, and as the rules of a strategy ask for the last contact.
    since = min(contact_snapshot.history_start(caps, day=as_of), as_of - timedelta(LAST_CONTACT_DAYS))
    return {
        "accounts": partial(portfolio_snapshot.read_accounts, scope),
        "items": partial(_read_items, scope, as_of=as_of),
        "debtors": partial(_read_debtors, scope),
        "portfolios": partial(_read_portfolios, scope, company_rules, contactable),
        "points": partial(portfolio_snapshot.read_contact_points, scope),
        "holds": partial(portfolio_snapshot.read_holds, scope, as_of=as_of),
        "events": partial(snapshot.read_events, scope, as_of=as_of),
        "history": partial(contact_snapshot.contact_history, debtor_ids=scope.debtor_ids, since=since),
        "states": partial(snapshot.read_states, scope),
        "firings": partial(snapshot.read_firings, scope, as_of=as_of),
        "planned": partial(snapshot.read_contacted_debtors, scope, as_of=as_of),
        **{column.table: partial(column.read, scope, as_of=as_of) for column in columns},
    }


def snapshots_folder() -> Path:
    """Return the folder of all snapshots, each named after its day."""
    return data_dir() / "lake" / "snapshots"


def snapshot_folder(as_of: date) -> Path:
    """Return the folder of a day's snapshot, from which the arrears portfolio (Cartera de Mora) can be reproduced."""
    return snapshots_folder() / f"as_of={as_of.isoformat()}"


def write_snapshot(readers: FactReaders, *, as_of: date) -> dict[str, Path]:
    """Read the tables into the Parquet files of a day's snapshot; return the files by name.

    Two are read beside each other, over two connections. Inside a transaction, where another connection would not see
    what this one has written, they are read one after the other.
    """
    folder = snapshot_folder(as_of)
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: folder / f"{name}.parquet" for name in readers}
    tasks: deque[Callable[[], None]] = deque(partial(_copy_table, read, files[name]) for name, read in readers.items())
    if connection.in_atomic_block:
        _run_tasks(tasks)
    else:
        with ThreadPoolExecutor(max_workers=1) as pool:
            beside = pool.submit(_run_tasks_beside, tasks)
            _run_tasks(tasks)
            beside.result()
    # What Arrow keeps for its next table is what DuckDB needs now.
    pa.default_memory_pool().release_unused()
    return files


def _copy_table(read: Callable[[], pa.Table], path: Path) -> None:
    """Read a table and write it to a file; it leaves memory before the next one is read."""
    write_table(read(), path=path)


def _run_tasks(tasks: deque[Callable[[], None]]) -> None:
    """Take tasks and run them until none is left; two threads may do so at once, and an error ends both."""
    while True:
        try:
            task = tasks.popleft()
        except IndexError:
            return
        try:
            task()
        except BaseException:
            tasks.clear()  # nobody wants the others any more
            raise


def _run_tasks_beside(tasks: deque[Callable[[], None]]) -> None:
    """Run tasks in a thread of its own, whose connection ends with it."""
    try:
        _run_tasks(tasks)
    finally:
        connection.close()


def write_table(table: pa.Table, *, path: Path) -> None:
    """Write one Parquet file."""
    # Renamed when it is whole: a reader never sees half a table.
    partial = path.with_suffix(".partial")
    parquet.write_table(table, partial, compression="zstd", compression_level=1)
    partial.replace(path)


def _read_items(scope: Scope, *, as_of: date) -> pa.Table:
    """Return what is open on each instalment less the money in hand, by account."""
    return read_open_items(scope, as_of=as_of).drop_columns(["debtor_id", "portfolio_id"])


def _read_debtors(scope: Scope) -> pa.Table:
    """Return the debtors with the time zones in which each may live, as one text (`zones_for`)."""
    debtors = portfolio_snapshot.read_debtors(scope)
    # A million debtors live in a few hundred distinct places: each is looked up once.
    keys = ["country", "subdivision", "time_zone"]
    places = debtors.select(keys).group_by(keys).aggregate([])
    zones = []
    for place in places.to_pylist():
        subdivision = place["subdivision"] or None
        stated_zone = place["time_zone"] or None
        zones.append(zones_for(country=place["country"], subdivision=subdivision, stated_zone=stated_zone))
    joined = debtors.join(places.append_column("zones", pa.array(zones, pa.string())), keys=keys)
    return joined.drop_columns(["time_zone"])


def _read_portfolios(scope: Scope, rules: RulesInForce, contactable: frozenset[int]) -> pa.Table:
    """Return the portfolios with the currency's exponent, whether one may be contacted, and its company rules."""
    portfolios = portfolio_snapshot.read_portfolios(scope)
    portfolio_ids = portfolios["portfolio_id"].to_pylist()
    exponents = [exponent_of(currency) for currency in portfolios["currency"].to_pylist()]
    active = pc.is_in(portfolios["portfolio_id"], pa.array(sorted(contactable), pa.int64()))
    rule_names = [rules.name_by_portfolio.get(portfolio_id, "") for portfolio_id in portfolio_ids]
    table = portfolios.drop_columns(["creditor_id", "default_zone"])
    table = table.append_column("currency_exponent", pa.array(exponents, pa.int64()))
    table = table.append_column("active", active)
    return table.append_column("house", pa.array(rule_names, pa.string()))

"""Facts of a day: read from the database as the core's tables, and stored as the day's snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from recobra.kit.database import data_dir
from recobra.messaging import snapshot as contact_snapshot
from recobra.policy.company_rules import RulesInForce
from recobra.portfolio import snapshot as portfolio_snapshot
from recobra.portfolio.read_column import ReadColumn
from recobra.portfolio.snapshot import Scope
from recobra.strategy import snapshot
from recobra_core.decide.daily.facts import LAST_CONTACT_DAYS
from recobra_core.law import zones_for
from recobra_core.money import exponent_of

Tables = Mapping[str, pa.Table]


def read_facts(
    scope: Scope,
    *,
    as_of: date,
    contactable: frozenset[int],
    columns: Iterable[ReadColumn],
    company_rules: RulesInForce,
) -> dict[str, pa.Table]:
    """Return the tables of `recobra_core.decide.daily.DayFacts` within a scope, by name.

    `contactable` are the portfolios that follow a strategy and whose data are fresh enough to contact anybody.
    `columns` are the fact columns that rules read beside the core's (`Policies.columns_read`), each a table more.
    """
    caps = contact_snapshot.caps_in_force(frozenset(company_rules.rules_by_name.items()), day=as_of)
    # As far back as the caps count, and as the rules of a strategy ask for the last contact.
    since = min(contact_snapshot.history_start(caps, day=as_of), as_of - timedelta(LAST_CONTACT_DAYS))
    return {
        "accounts": portfolio_snapshot.read_accounts(scope),
        "items": portfolio_snapshot.read_open_items(scope, as_of=as_of).drop_columns(["debtor_id", "portfolio_id"]),
        "debtors": _add_zones(portfolio_snapshot.read_debtors(scope)),
        "portfolios": _add_policies(portfolio_snapshot.read_portfolios(scope), company_rules, contactable),
        "points": portfolio_snapshot.read_contact_points(scope),
        "holds": portfolio_snapshot.read_holds(scope, as_of=as_of),
        "events": snapshot.read_events(scope, as_of=as_of),
        "history": contact_snapshot.contact_history(debtor_ids=scope.debtor_ids, since=since),
        "states": snapshot.read_states(scope),
        "firings": snapshot.read_firings(scope, as_of=as_of),
        "planned": snapshot.read_contacted_debtors(scope, as_of=as_of),
        **{column.table: column.read(scope, as_of=as_of) for column in columns},
    }


def snapshot_folder(as_of: date) -> Path:
    """Return the folder of a day's snapshot, from which the arrears portfolio (Cartera de Mora) can be reproduced."""
    return data_dir() / "lake" / "snapshots" / f"as_of={as_of.isoformat()}"


def write_snapshot(tables: Tables, *, as_of: date) -> Path:
    """Write the tables as Parquet files; return their folder."""
    folder = snapshot_folder(as_of)
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        write_table(table, path=folder / f"{name}.parquet")
    return folder


def write_table(table: pa.Table, *, path: Path) -> None:
    """Write one Parquet file."""
    # Renamed when it is whole: a reader never sees half a table.
    partial = path.with_suffix(".partial")
    parquet.write_table(table, partial, compression="zstd", compression_level=1)
    partial.replace(path)


def _add_zones(debtors: pa.Table) -> pa.Table:
    """Add the time zones in which each debtor may live, as one text (`zones_for`)."""
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


def _add_policies(portfolios: pa.Table, rules: RulesInForce, contactable: frozenset[int]) -> pa.Table:
    """Add the currency's exponent, whether the portfolio may be contacted, and the name of its company rules."""
    portfolio_ids = portfolios["portfolio_id"].to_pylist()
    exponents = [exponent_of(currency) for currency in portfolios["currency"].to_pylist()]
    active = pc.is_in(portfolios["portfolio_id"], pa.array(sorted(contactable), pa.int64()))
    rule_names = [rules.name_by_portfolio.get(portfolio_id, "") for portfolio_id in portfolio_ids]
    table = portfolios.drop_columns(["creditor_id", "default_zone"])
    table = table.append_column("currency_exponent", pa.array(exponents, pa.int64()))
    table = table.append_column("active", active)
    return table.append_column("house", pa.array(rule_names, pa.string()))

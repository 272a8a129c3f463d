"""Facts of each account on a day, side by side."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import ibis
import ibis.expr.types as ir

from recobra_core.days import AsOf
from recobra_core.rules import FACT_COLUMNS, FactColumn
from recobra_core.rules.account_columns import cast_sum
from recobra_core.stages import compute_arrears

LAST_CONTACT_DAYS = 35
"""How far back `last_contact_on` is looked for at least; a contact before that may not be known."""


@dataclass(frozen=True, kw_only=True)
class DayFacts:
    """The tables of a snapshot.

    accounts: account_id, debtor_id, portfolio_id, product, opened_date and attr_… columns; only open accounts.
    items: account_id, due_date (nullable), open_minor, one row per open instalment.
    debtors: debtor_id, creditor_id, debtor_kind, country, subdivision, zones ('' or null where not known).
    portfolios: portfolio_id, portfolio (code), currency, currency_exponent, active (may be contacted today),
        and house (id of the company rules) where there are any.
    points: contact_point_id, debtor_id, kind (PHONE, EMAIL, ADDRESS), line, valid, opted_out, consent, quality,
        and, where they are known, place ('', personal, work, other_person) and the lists of channels that do not
        reach it (unusable_for), that were authorised (granted_for) and denied (denied_for) one by one, and the
        channel that the debtor prefers (preferred_channel).
    holds: debtor_id, account_id (null: all), reason, disputed_minor (null: everything).
    events: debtor_id, last_payment_on, payments_90d, last_promise_on, last_dispute_on, last_reply_on.
    history: the gate's HISTORY; states: account_id, stage, stage_since, cycle_date, overdue_minor, bucket, segment,
    balance_minor, oldest_due_date, next_due_date as last written. firings: account_id, strategy_code, step_key,
    cycle_date, occurrence, fired_on. planned: debtor_id, channel of the contacts of this day already made.
    more: the tables of fact columns that are declared outside the core, by the `table` that they name.
    """

    accounts: ir.Table
    items: ir.Table
    debtors: ir.Table
    portfolios: ir.Table
    points: ir.Table
    holds: ir.Table
    events: ir.Table
    history: ir.Table
    states: ir.Table
    firings: ir.Table
    planned: ir.Table
    more: Mapping[str, ir.Table] = field(default_factory=dict)


def build_account_facts(facts: DayFacts, *, as_of: AsOf, more_columns: Iterable[FactColumn] = ()) -> ir.Table:
    """Return one row per open account with the columns of the rule catalogue that need no limits or strategy.

    `more_columns` are those declared outside the core, whose tables `facts.more` holds. Adds creditor_id, zones, the
    state last written (`was_…`) and the latest events. An account without open instalments owes nothing: balance 0 and
    no due date.
    """
    arrears = compute_arrears(facts.items, as_of=as_of)
    accounts = facts.accounts.inner_join(facts.portfolios.drop("active"), "portfolio_id")
    accounts = accounts.left_join(arrears, "account_id").drop("account_id_right")
    accounts = accounts.mutate(
        balance_minor=cast_sum(accounts.balance_minor.fill_null(0)),
        overdue_minor=cast_sum(accounts.overdue_minor.fill_null(0)),
    )
    accounts = accounts.inner_join(facts.debtors, "debtor_id")

    # The state last written, under names of its own: `was_stage` beside the stage of today.
    last_columns = {f"was_{name}": facts.states[name] for name in facts.states.columns if name != "account_id"}
    last_states = facts.states.select("account_id", **last_columns)
    accounts = accounts.left_join(last_states, "account_id").drop("account_id_right")

    accounts = accounts.left_join(facts.events, "debtor_id").drop("debtor_id_right")
    accounts = _add_holds(accounts, facts.holds)
    columns = [*FACT_COLUMNS, *more_columns]
    accounts = _join_columns(accounts, columns, tables_to_join(facts, as_of=as_of), as_of=as_of)

    by_debtor = accounts.group_by("debtor_id").agg(accounts_of_debtor=accounts.count().cast("int64"))
    # What a debtor owes in another currency cannot be added to it.
    by_currency = accounts.group_by("debtor_id", "currency").agg(
        debtor_overdue_minor=cast_sum(accounts.overdue_minor.sum())
    )
    accounts = accounts.inner_join(by_debtor, "debtor_id")
    accounts = accounts.inner_join(by_currency, ["debtor_id", "currency"])
    computed = {
        column.stored_as: column.compute(accounts, as_of) for column in columns if column.compute and not column.table
    }
    return accounts.mutate(**computed)


def tables_to_join(facts: DayFacts, *, as_of: AsOf) -> dict[str, ir.Table]:
    """Return the tables that a fact column may name: those of the facts and two narrowed ones.

    `usable_points` are the points that may be used, `past_contacts` the history up to the day.
    """
    # Contacts planned for later days do not count yet.
    past_contacts = facts.history.filter(facts.history.local_date <= as_of)
    return {
        "items": facts.items,
        "points": facts.points,
        "usable_points": facts.points.filter(facts.points.valid & ~facts.points.opted_out),
        "holds": facts.holds,
        "past_contacts": past_contacts,
        **facts.more,
    }


def _join_columns(
    accounts: ir.Table, columns: Iterable[FactColumn], tables: Mapping[str, ir.Table], *, as_of: AsOf
) -> ir.Table:
    """Add the columns that are read from other tables, and `last_contact_on`; each table is joined once."""
    by_table: dict[tuple[str, str], list[FactColumn]] = {}
    for column in columns:
        if column.table:
            by_table.setdefault((column.table, column.key), []).append(column)
    for (name, key), members in by_table.items():
        rows = tables[name]
        aggregates = {column.stored_as: column.compute(rows, as_of) for column in members if column.compute}
        # Due steps count from it, so it comes with the contacts that rules ask about.
        if (name, key) == ("past_contacts", "debtor_id"):
            aggregates["last_contact_on"] = rows.local_date.max()
        if aggregates:
            rows = rows.group_by(key).agg(**aggregates)
        otherwise = {column.stored_as: column.otherwise for column in members if column.otherwise is not None}
        accounts = _left_join(accounts, rows, key, **otherwise)
    return accounts


def _left_join(accounts: ir.Table, other: ir.Table, key: str, **otherwise: object) -> ir.Table:
    """Join by a key; `otherwise` holds the values of accounts that have no row."""
    joined = accounts.left_join(other, key).drop(f"{key}_right")
    filled = {name: joined[name].fill_null(value) for name, value in otherwise.items()}
    return joined.mutate(**filled)


def _add_holds(accounts: ir.Table, holds: ir.Table) -> ir.Table:
    """Add `held`, its reason and the disputed amount.

    A dispute about a part of what is overdue, or of the balance while nothing is, leaves the rest in strategy.
    """
    # A hold of the debtor covers all accounts; one of an account may dispute a part only.
    whole = holds.filter(holds.account_id.isnull())
    of_debtor = whole.group_by("debtor_id").agg(debtor_hold=whole.reason.min())
    single = holds.filter(holds.account_id.notnull())
    of_account = single.group_by("account_id").agg(
        account_hold=single.reason.min(where=single.disputed_minor.isnull()),
        disputed_minor=cast_sum(single.disputed_minor.sum()),
    )
    accounts = accounts.left_join(of_debtor, "debtor_id").drop("debtor_id_right")
    accounts = _left_join(accounts, of_account, "account_id", disputed_minor=0)
    at_stake = (accounts.overdue_minor > 0).ifelse(accounts.overdue_minor, accounts.balance_minor)
    is_all_disputed = (accounts.disputed_minor > 0) & (accounts.disputed_minor >= at_stake)
    reason = accounts.debtor_hold.coalesce(
        accounts.account_hold, is_all_disputed.ifelse("DISPUTE", ibis.null("string"))
    )
    return accounts.mutate(held=reason.notnull(), hold_reason=reason).drop("debtor_hold", "account_hold")

"""The portfolio as the database knows it, fetched only as far as the file makes it necessary."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
from django.db import connection

from recobra.intake.load_context import LoadContext
from recobra.intake.models import Load
from recobra.intake.relations import KnownDebtors, People
from recobra.kit import tables
from recobra.portfolio.models import Portfolio
from recobra.tabular.workspace import Relation, Workspace

IN_FLIGHT: Final = 100_000  # ids that a transaction still open during the last load may have taken
_ACCOUNTS: Final = pa.schema(
    [("id", pa.int64()), ("account", pa.string()), ("debtor_id", pa.int64()), ("status", pa.string())]
)
_KEYS: Final = pa.schema([("id", pa.int64()), ("key", pa.string()), ("is_party", pa.bool_())])
_DOCUMENTS: Final = pa.schema([("key", pa.string()), ("national_id", pa.string()), ("kind", pa.string())])
_DEBTORS: Final = pa.schema([("id", pa.int64()), ("key", pa.string()), ("own", pa.string()), ("joined_id", pa.int64())])
_JOINS: Final = pa.schema([("join_id", pa.int64()), ("joined_id", pa.int64()), ("kept_id", pa.int64())])
# Who was joined first with one who was joined himself comes through both joins.
_FIND_JOINS: Final = """
    WITH joined AS (
        SELECT id, joined_into_id FROM portfolio_debtor WHERE joined_into_id IS NOT NULL AND creditor_id = %s
    )
    SELECT unmade.id, joined.id, joined.joined_into_id FROM joined
    JOIN portfolio_debtorjoin unmade ON unmade.joined_id = joined.id WHERE unmade.parted_at IS NULL
    UNION
    SELECT unmade.id, joined.id, joined.joined_into_id FROM joined
    JOIN portfolio_joinedrow came ON came.model = 'portfolio.Debtor' AND came.row_id = joined.id
    JOIN portfolio_debtorjoin unmade ON unmade.id = came.join_id WHERE unmade.parted_at IS NULL
    """
_WHO_STAYS: Final = (
    "SELECT coalesce(debtor.joined_into_id, debtor.id), people.key, people.own, "
    "CASE WHEN debtor.joined_into_id IS NOT NULL THEN debtor.id END FROM intake_people people "
    "JOIN portfolio_debtor debtor ON debtor.creditor_id = %s"
)
# Accounts that came by a join say nothing of where the key is from.
_HOME_OF_JOINED: Final = """
    SELECT home FROM (
        SELECT made.joined_home AS home, 0 AS place FROM portfolio_debtorjoin made
        WHERE made.joined_id = debtor.id AND made.parted_at IS NULL
        UNION ALL
        SELECT made.kept_home, made.id FROM portfolio_debtorjoin made
        WHERE made.kept_id = debtor.id AND made.parted_at IS NULL
    ) homes ORDER BY place LIMIT 1
    """
# A debtor known by the number of an account is the debtor of the portfolio that came first.
_FOREIGN: Final = """
    SELECT debtor.id, people.key, people.own, NULL FROM intake_people people
    JOIN portfolio_debtor debtor ON debtor.external_id = people.key AND debtor.creditor_id = %s
    CROSS JOIN LATERAL (
        SELECT named.portfolio_id FROM (
            SELECT account.id, account.portfolio_id FROM portfolio_account account WHERE account.debtor_id = debtor.id
            UNION ALL
            SELECT account.id, account.portfolio_id FROM portfolio_party party
            JOIN portfolio_account account ON account.id = party.account_id WHERE party.debtor_id = debtor.id
        ) named
        ORDER BY named.id LIMIT 1
    ) first
    WHERE people.own IS NOT NULL AND first.portfolio_id <> %s
    """
_FOREIGN_WITH_JOINS: Final = f"""
    SELECT id, key, own, NULL FROM (
        SELECT debtor.id, people.key, people.own, coalesce(({_HOME_OF_JOINED}), (
            SELECT named.portfolio_id FROM (
                SELECT account.id, account.portfolio_id FROM portfolio_account account
                WHERE account.debtor_id = debtor.id
                UNION ALL
                SELECT account.id, account.portfolio_id FROM portfolio_party party
                JOIN portfolio_account account ON account.id = party.account_id WHERE party.debtor_id = debtor.id
            ) named
            ORDER BY named.id LIMIT 1
        )) AS home
        FROM intake_people people
        JOIN portfolio_debtor debtor ON debtor.external_id = people.key AND debtor.creditor_id = %s
        WHERE people.own IS NOT NULL
    ) known
    WHERE home <> %s
    """
_LEDGER: Final = pa.schema(
    [
        ("account_id", pa.int64()),
        ("instalment_id", pa.int64()),
        ("number", pa.string()),
        ("due", pa.date32()),
        ("concept", pa.string()),
        ("amount_minor", pa.int64()),
    ]
)


def fetch_accounts(context: LoadContext, duck: Workspace) -> Relation:
    """Return every account of the portfolio: id, account, debtor_id, status."""
    query = "SELECT id, external_id, debtor_id, status FROM portfolio_account WHERE portfolio_id = %s"
    return duck.create_from_arrow("known_accounts", tables.fetch(query, [context.portfolio.pk], _ACCOUNTS))


def fetch_debtor_keys(context: LoadContext, duck: Workspace, accounts: Relation) -> Relation:
    """Return the key of every debtor of the creditor, as the rows of this portfolio have it: key, is_own.

    `is_own`: whether he owes in this portfolio, whose accounts these are, or answers for one who does.
    """
    query = """
        SELECT
            coalesce(joined_into_id, id),
            CASE WHEN external_id LIKE '%%@%%' THEN regexp_replace(external_id, %s, '\\1:') ELSE external_id END,
            coalesce(joined_into_id, id) IN (
                SELECT party.debtor_id FROM portfolio_party party
                JOIN portfolio_account account ON account.id = party.account_id WHERE account.portfolio_id = %s
            )
        FROM portfolio_debtor WHERE creditor_id = %s
        """
    portfolio = context.portfolio
    parameters = [f"^(account|party)@{portfolio.pk}:", portfolio.pk, portfolio.creditor_id]
    debtors = duck.create_from_arrow("creditors_debtors", tables.fetch(query, parameters, _KEYS))
    keys = duck.create(
        "debtor_keys",
        f"SELECT key, is_party OR id IN (SELECT debtor_id FROM {accounts}) AS is_own FROM {debtors}",
    )
    duck.drop(debtors)
    return keys


def fetch_documents(context: LoadContext, duck: Workspace, keys: Relation) -> Relation:
    """Return the debtors of the portfolio who are known by a valid document alone: key, national_id, kind.

    `keys` are those of `fetch_debtor_keys`.
    """
    query = (
        "SELECT external_id, national_id, national_id_kind FROM portfolio_debtor "
        "WHERE creditor_id = %s AND national_id_valid AND national_id <> '' AND external_id LIKE 'id:%%'"
    )
    documents = duck.create_from_arrow(
        "known_documents", tables.fetch(query, [context.portfolio.creditor_id], _DOCUMENTS)
    )
    return duck.create(documents, f"SELECT * FROM {documents} WHERE key IN (SELECT key FROM {keys} WHERE is_own)")


def fetch_touched_accounts(duck: Workspace, previous: Load) -> Relation:
    """Return the accounts (id) whose ledger got postings beside those of the last load."""
    query = "SELECT DISTINCT account_id FROM portfolio_posting WHERE id > %s AND load_id IS DISTINCT FROM %s"
    last_seen = int(previous.figures.get("last_posting", 0)) - IN_FLIGHT
    rows = tables.fetch(query, [last_seen, previous.pk], pa.schema([("id", pa.int64())]))
    return duck.create_from_arrow("touched_accounts", rows)


def last_posting_id() -> int:
    """Return the highest posting id there is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM portfolio_posting")
        (highest,) = cursor.fetchone()
    return int(highest)


def copy_to_temporary(duck: Workspace, table: str, columns: str, query: str) -> None:
    """Copy a query's rows to PostgreSQL as a temporary table that ends with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL client_min_messages = warning; DROP TABLE IF EXISTS {table}")
        cursor.execute(f"CREATE TEMP TABLE {table} ({columns}) ON COMMIT DROP")
        duck.copy_to_postgres(table, query)
        # Nobody analyses temporary tables; unanalysed they would be joined row by row.
        cursor.execute(f"ANALYZE {table}")


def fetch_ledger(duck: Workspace, name: str, *, accounts: str) -> Relation:
    """Return what each instalment of some accounts owes by concept; `accounts` is a query of their ids.

    Columns: account_id, instalment_id, number, due, concept, amount_minor. An instalment without postings has one row
    without a concept.
    """
    copy_to_temporary(duck, "intake_wanted", "account_id bigint", f"SELECT * FROM ({accounts}) AS wanted (account_id)")
    query = """
        SELECT
            instalment.account_id,
            instalment.id,
            instalment.number,
            instalment.due_date,
            posting.concept,
            sum(posting.amount_minor)::bigint
        FROM intake_wanted wanted
        JOIN portfolio_instalment instalment ON instalment.account_id = wanted.account_id
        LEFT JOIN portfolio_posting posting
            ON posting.account_id = wanted.account_id AND posting.instalment_id = instalment.id
        GROUP BY instalment.account_id, instalment.id, instalment.number, instalment.due_date, posting.concept
        """
    return duck.create_from_arrow(name, tables.fetch(query, [], _LEDGER))


def fetch_debtors(context: LoadContext, duck: Workspace, people: People) -> KnownDebtors:
    """Return the debtors of the creditor that the file names, over all portfolios.

    Account numbers are a portfolio's own: a key made of one that another portfolio has already is `taken`, and this
    portfolio's debtor has one with the portfolio in it. The key of who was joined with another leads to who stays.
    """
    creditor_id = context.portfolio.creditor_id
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM portfolio_debtor WHERE creditor_id = %s)", [creditor_id])
        (has_debtors,) = cursor.fetchone()
    if not has_debtors:
        known = duck.create_from_arrow("known_debtors", _DEBTORS.empty_table())
        return KnownDebtors(
            known,
            duck.create_from_arrow("debtor_joins", _JOINS.empty_table()),
            duck.create_empty("taken_keys", "key VARCHAR, own VARCHAR"),
        )
    joins = duck.create_from_arrow("debtor_joins", tables.fetch(_FIND_JOINS, [creditor_id], _JOINS))
    own = f"regexp_replace(key, '^(account|party):', '\\1@{context.portfolio.pk}:')"
    copy_to_temporary(
        duck, "intake_people", "key text, own text", f"SELECT key, nullif({own}, key) AS own FROM {people.debtors}"
    )
    query = f"{_WHO_STAYS} AND debtor.external_id = people.key"
    known = duck.create_from_arrow("known_debtors", tables.fetch(query, [creditor_id], _DEBTORS))
    if Portfolio.objects.filter(creditor=creditor_id).count() == 1:
        return KnownDebtors(known, joins, duck.create_empty("taken_keys", "key VARCHAR, own VARCHAR"))
    foreign_query = _FOREIGN_WITH_JOINS if duck.count(joins) else _FOREIGN
    foreign = duck.create_from_arrow(
        "foreign_debtors", tables.fetch(foreign_query, [creditor_id, context.portfolio.pk], _DEBTORS)
    )
    taken = duck.create("taken_keys", f"SELECT key, own FROM {foreign}")
    duck.execute(f"DELETE FROM {known} WHERE key IN (SELECT key FROM {taken})")
    owned = f"{_WHO_STAYS} AND debtor.external_id = people.own"
    duck.append_arrow(known, tables.fetch(owned, [creditor_id], _DEBTORS))
    return KnownDebtors(known, joins, taken)

"""Writes of a load into the tables of the portfolio, set by set, inside the caller's transaction."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
from django.db import connection

from recobra.intake.load import retired_points
from recobra.intake.load.compare import concept_sql
from recobra.intake.load.current_state import copy_to_temporary, fetch_ledger
from recobra.intake.load.retired_points import FRESH, SUPERSEDED
from recobra.intake.load_context import LoadContext
from recobra.intake.relations import AlikeNumbers, AssignedIds, CheckedRows, FileRows, LedgerDifferences, People
from recobra.intake.stage.people import is_party_named, party_key
from recobra.kit import tables
from recobra.kit.statistics import refresh_after_commit
from recobra.tabular.sql_text import literal
from recobra.tabular.workspace import Relation, Workspace

_ERROR: Final = "json_object('column', col, 'code', code, 'params', json(params), 'value', value, 'target', target)"
_IDS: Final = pa.schema([("id", pa.int64())])


def insert_debtors(context: LoadContext, duck: Workspace, people: People, ids: AssignedIds, *, load_id: int) -> None:
    """Insert debtors that the creditor did not have."""
    duck.copy_to_postgres(
        "portfolio_debtor",
        f"""
        SELECT
            known.id,
            {context.portfolio.creditor_id} AS creditor_id,
            known.external_id,
            kind,
            coalesce(name, '') AS name,
            coalesce(national_id_kind, '') AS national_id_kind,
            coalesce(national_id, '') AS national_id,
            national_id_valid,
            '{context.portfolio.country}' AS country,
            coalesce(subdivision, '') AS subdivision,
            coalesce(time_zone, '') AS time_zone,
            {load_id} AS load_id
        FROM {people.debtors} JOIN {ids.debtors} known USING (key)
        WHERE new
        ORDER BY known.id
        """,
    )


def update_debtors(context: LoadContext, duck: Workspace, people: People, ids: AssignedIds) -> Relation:
    """Update known debtors and return those that changed (id); an empty cell leaves what is known."""
    # Without a column for it the kind is a guess, which must not replace what is known.
    kind = "kind" if "debtor.kind" in context.document.fields else "NULL::VARCHAR AS kind"
    copy_to_temporary(
        duck,
        "intake_debtor",
        "id bigint, name text, kind text, national_id_kind text, national_id text, national_id_valid boolean, "
        "subdivision text, time_zone text",
        f"""
        -- Who was joined with another keeps the name and document of the own key.
        SELECT
            coalesce(joined_id, known.id) AS id,
            name,
            {kind},
            national_id_kind,
            national_id,
            national_id_valid,
            subdivision,
            time_zone
        FROM {people.debtors} JOIN {ids.debtors} known USING (key)
        WHERE NOT new
        """,
    )
    # Kind and validity belong to the national id, so they change only with it.
    values = {
        "name": "coalesce(stated.name, debtor.name)",
        "kind": "coalesce(stated.kind, debtor.kind)",
        "national_id_kind": (
            "CASE WHEN stated.national_id IS NULL THEN debtor.national_id_kind ELSE stated.national_id_kind END"
        ),
        "national_id": "coalesce(stated.national_id, debtor.national_id)",
        "national_id_valid": (
            "CASE WHEN stated.national_id IS NULL THEN debtor.national_id_valid ELSE stated.national_id_valid END"
        ),
        "subdivision": "coalesce(stated.subdivision, debtor.subdivision)",
        "time_zone": "coalesce(stated.time_zone, debtor.time_zone)",
    }
    return duck.create_from_arrow(
        "changed_debtors", _update_changed("portfolio_debtor", "debtor", values, source="intake_debtor")
    )


def insert_contact_points(
    context: LoadContext, duck: Workspace, people: People, ids: AssignedIds, *, load_id: int
) -> Relation:
    """Insert contact points, in the order of the file's row, and return the known debtors who got one more (id).

    Of equally good ones the first is written to. What staff took out of use stays so, unless the mapping says that a
    later file counts.
    """
    points = f"""
        SELECT
            known.id AS debtor_id,
            kind,
            value,
            coalesce(line, '') AS line,
            'LOAD' AS source,
            valid,
            {FRESH} AS quality,
            {load_id} AS load_id
        FROM {people.points} JOIN {ids.debtors} known USING (key)
        """
    duck.copy_to_postgres("portfolio_contactpoint", f"{points} WHERE new ORDER BY known.id, place")
    copy_to_temporary(
        duck,
        "intake_point",
        "debtor_id bigint, kind text, value text, line text, source text, valid boolean, quality smallint, "
        "load_id bigint",
        f"{points} WHERE NOT new ORDER BY known.id, place",
    )
    columns = "debtor_id, kind, value, line, source, valid, quality, load_id"
    added_points = _fetch_ids(
        f"""
        WITH added AS (
            INSERT INTO portfolio_contactpoint ({columns})
            SELECT {columns} FROM intake_point
            ON CONFLICT (debtor_id, kind, value) DO NOTHING
            RETURNING debtor_id, kind
        ),
        -- A corrected e-mail comes before the one it corrects: that one may be somebody else's.
        superseded AS (
            UPDATE portfolio_contactpoint point SET quality = {SUPERSEDED} FROM added
            WHERE point.debtor_id = added.debtor_id AND point.kind = added.kind
                AND point.source = 'LOAD' AND point.quality > {SUPERSEDED}
                AND (point.debtor_id, point.kind, point.value) NOT IN (
                    SELECT debtor_id, kind, value FROM intake_point
                )
        )
        SELECT debtor_id FROM added
        """
    )
    refresh_after_commit("portfolio_contactpoint", rows=added_points.num_rows)
    retired_points.retire_other_spellings()
    if context.document.options.corrections == "file":
        added_points = pa.concat_tables([added_points, retired_points.use_again(context, load_id=load_id)])
    return duck.create_from_arrow("changed_points", added_points)


def upsert_accounts(context: LoadContext, duck: Workspace, ids: AssignedIds, *, load_id: int) -> Relation:
    """Insert new accounts, update known ones and return those that changed (id)."""
    status = "CASE WHEN amount_minor = 0 THEN 'PAID' ELSE 'OPEN' END"
    duck.copy_to_postgres(
        "portfolio_account",
        f"""
        SELECT
            id,
            {context.portfolio.pk} AS portfolio_id,
            debtor_id,
            account AS external_id,
            product,
            {status} AS status,
            opened AS opened_date,
            coalesce(contract, '') AS contract,
            attributes,
            {load_id} AS load_id
        FROM {ids.accounts}
        WHERE new
        ORDER BY id
        """,
    )
    # A file does not undo a write-off.
    copy_to_temporary(
        duck,
        "intake_account",
        "id bigint, debtor_id bigint, product text, status text, opened date, contract text, attributes jsonb",
        f"""
        SELECT
            id,
            debtor_id,
            stated_product AS product,
            CASE WHEN status = 'WRITTEN_OFF' THEN status ELSE {status} END AS status,
            opened,
            contract,
            attributes
        FROM {ids.accounts}
        WHERE NOT new
        """,
    )
    values = {
        "debtor_id": "stated.debtor_id",
        "product": "coalesce(stated.product, account.product)",
        "status": "stated.status",
        "opened_date": "coalesce(stated.opened, account.opened_date)",
        "contract": "coalesce(stated.contract, account.contract)",
        # Attributes that the file leaves out stay.
        "attributes": "account.attributes || stated.attributes",
    }
    return duck.create_from_arrow(
        "changed_accounts", _update_changed("portfolio_account", "account", values, source="intake_account")
    )


def upsert_instalments(duck: Workspace, differences: LedgerDifferences, *, load_id: int) -> Relation:
    """Insert new instalments, move the due dates that changed and return the accounts of the moved ones (id)."""
    duck.copy_to_postgres(
        "portfolio_instalment",
        f"SELECT id, account_id, number, due AS due_date, {load_id} AS load_id, line "
        f"FROM {differences.instalments} WHERE new ORDER BY id",
    )
    moved = f"SELECT id, due FROM {differences.instalments} WHERE moved"
    copy_to_temporary(duck, "intake_due", "id bigint, due date", moved)
    accounts = _fetch_ids(
        """
        UPDATE portfolio_instalment instalment SET due_date = stated.due
        FROM intake_due stated
        WHERE instalment.id = stated.id
        RETURNING instalment.account_id
        """
    )
    return duck.create_from_arrow("moved_instalments", accounts)


def move_sources(duck: Workspace, differences: LedgerDifferences, changed: Relation, *, load_id: int) -> None:
    """Point the instalments of changed accounts (id) to their rows in this file; of the others nothing is new."""
    copy_to_temporary(
        duck,
        "intake_source",
        "id bigint, line bigint",
        f"SELECT id, line FROM {differences.instalments} WHERE NOT new AND account_id IN (SELECT id FROM {changed})",
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE portfolio_instalment instalment SET load_id = %s, line = source.line FROM intake_source source "
            "WHERE instalment.id = source.id",
            [load_id],
        )


def post_charges(context: LoadContext, duck: Workspace, differences: LedgerDifferences, *, load_id: int) -> None:
    """Post the amounts by which debts grew as charges, and shifts between concepts as adjustments.

    A lower balance is a payment, which `infer_payments` finds, unless the mapping takes it for an adjustment: then it
    is posted here too.
    """
    posted_here = "" if context.document.options.lower_balance == "adjustment" else "WHERE delta > 0 OR shift"
    file_date = f"DATE '{context.as_of}'"
    duck.copy_to_postgres(
        "portfolio_posting",
        f"""
        SELECT
            account_id,
            instalment_id,
            CASE WHEN shift OR delta < 0 THEN 'ADJUSTMENT' ELSE 'CHARGE' END AS kind,
            concept,
            delta AS amount_minor,
            -- A charge takes effect when its document was issued, but never after the day of the file.
            least(coalesce(issued, {file_date}), {file_date}) AS value_date,
            {literal(context.actor.now.isoformat())} AS booked_at,
            {load_id} AS load_id
        FROM {differences.deltas}
        {posted_here}
        ORDER BY account_id
        """,
    )


def realign_concepts(context: LoadContext, duck: Workspace, differences: LedgerDifferences, *, load_id: int) -> None:
    """Move amounts of paying accounts to the concepts of the file, where the waterfall split the payment otherwise."""
    paying_accounts = f"SELECT DISTINCT account_id FROM {differences.deltas} WHERE delta < 0 AND NOT shift"
    # Where no account has two places for a payment, the waterfall had nothing to choose.
    if context.document.options.lower_balance != "payment" or not _has_choice(duck, differences, paying_accounts):
        return
    ledger = fetch_ledger(duck, "ledger_after_payments", accounts=paying_accounts)
    duck.copy_to_postgres(
        "portfolio_posting",
        f"""
        -- What each place should owe: as the file says, and as before where the file may have meant it elsewhere.
        WITH expected AS (
            SELECT account_id, number, concept, amount_minor FROM (
                SELECT account_id, number, concept, amount_minor FROM {differences.stated}
                UNION ALL
                SELECT account_id, number, concept, amount_minor FROM {differences.unread}
            ) SEMI JOIN {ledger} USING (account_id)
        ),
        -- What it owes now that the waterfall has applied the payment.
        owed AS (
            SELECT
                account_id,
                number,
                any_value(instalment_id) AS instalment_id,
                {concept_sql(context)} AS concept,
                sum(amount_minor)::BIGINT AS amount_minor
            FROM {ledger}
            WHERE concept IS NOT NULL
            GROUP BY ALL
        ), differences AS (
            SELECT
                account_id,
                coalesce(owed.instalment_id, instalment.id) AS instalment_id,
                concept,
                coalesce(expected.amount_minor, 0) - coalesce(owed.amount_minor, 0) AS amount_minor
            FROM expected
            FULL JOIN owed USING (account_id, number, concept)
            LEFT JOIN {differences.instalments} instalment USING (account_id, number)
        )
        SELECT
            account_id,
            instalment_id,
            'ADJUSTMENT' AS kind,
            concept,
            amount_minor,
            DATE '{context.as_of}' AS value_date,
            {literal(context.actor.now.isoformat())} AS booked_at,
            {load_id} AS load_id
        FROM differences
        WHERE amount_minor <> 0
        ORDER BY account_id
        """,
    )


def _has_choice(duck: Workspace, differences: LedgerDifferences, accounts: str) -> bool:
    """Return whether one of the accounts (a query of `account_id`) owes in several instalments or concepts."""
    (count,) = duck.fetch_row(
        f"""
        WITH places AS (
            SELECT account_id, number, concept FROM {differences.stated}
            UNION SELECT account_id, number, concept FROM {differences.owed}
            UNION SELECT account_id, number, concept FROM {differences.unread}
        ), accounts_with_a_choice AS (
            SELECT account_id FROM places GROUP BY account_id HAVING count(*) > 1
        )
        SELECT count(*) FROM accounts_with_a_choice SEMI JOIN ({accounts}) asked USING (account_id)
        """
    )
    return bool(count)


def mark_gone_accounts(context: LoadContext, duck: Workspace, gone_accounts: Relation, *, is_doubtful: bool) -> None:
    """Set the status of accounts that the file no longer names, as the mapping says.

    `is_doubtful`: some row did not say which account it means, so nothing is settled and the account is missing.
    """
    statuses = {"paid": "MISSING" if is_doubtful else "PAID", "recalled": "RECALLED", "missing": "MISSING"}
    status = statuses.get(context.document.options.gone)
    if status is None or not duck.count(gone_accounts):
        return
    copy_to_temporary(duck, "intake_gone", "id bigint", f"SELECT id FROM {gone_accounts}")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE portfolio_account account SET status = %s FROM intake_gone gone "
            "WHERE account.id = gone.id AND account.status <> %s",
            [status, status],
        )


def link_parties(context: LoadContext, duck: Workspace, checked: CheckedRows, ids: AssignedIds) -> None:
    """Link co-debtors and guarantors to their accounts, each once."""
    queries = []
    for position, party in enumerate(context.document.parties):
        queries.append(
            f"""
            SELECT accounts.id AS account_id, debtors.id AS debtor_id, '{party.part}' AS part
            FROM (
                SELECT account, {party_key(position)} AS key
                FROM {checked.good} WHERE {is_party_named(position)}
            ) named
            JOIN {ids.accounts} accounts USING (account)
            JOIN {ids.debtors} debtors ON debtors.key = named.key
            """
        )
    if not queries:
        return
    copy_to_temporary(duck, "intake_party", "account_id bigint, debtor_id bigint, part text", " UNION ".join(queries))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO portfolio_party (account_id, debtor_id, part) SELECT account_id, debtor_id, part "
            "FROM intake_party ON CONFLICT (account_id, debtor_id, part) DO NOTHING"
        )
        refresh_after_commit("portfolio_party", rows=cursor.rowcount)


def insert_rejected_rows(duck: Workspace, file: FileRows, checked: CheckedRows, *, load_id: int) -> None:
    """Insert every rejected row as it came, by column name, with all of its errors."""
    named_cells = ", ".join(f"{literal(name)}, cells[{n}]" for n, name in enumerate(file.headers, start=1))
    columns = ", ".join(f"c{n}" for n in range(len(file.headers)))
    duck.copy_to_postgres(
        "intake_rejectedrow",
        f"""
        WITH rejected AS (
            SELECT line, [{columns}] AS cells FROM {checked.wrong}
            -- Broken rows do not fit the columns, so they have their cells as JSON.
            UNION ALL SELECT line, from_json(cells, '["VARCHAR"]') FROM {file.broken}
        ), errors AS (
            SELECT line, list({_ERROR}) AS errors FROM {checked.errors} GROUP BY line
        )
        SELECT
            {load_id} AS load_id,
            line,
            CAST(json_object({named_cells}) AS VARCHAR) AS row,
            CAST(to_json(errors.errors) AS VARCHAR) AS errors
        FROM rejected JOIN errors USING (line)
        ORDER BY line
        """,
    )


def insert_warnings(duck: Workspace, file: FileRows, checked: CheckedRows, *, load_id: int) -> None:
    """Insert the warnings of a load and what was set aside: one row for each kind, with all the lines it is about."""
    duck.copy_to_postgres(
        "intake_loadwarning",
        f"""
        SELECT
            {load_id} AS load_id,
            code,
            col AS "column",
            '{{' || array_to_string(list_sort(list(line)), ',') || '}}' AS lines
        FROM (
            SELECT line, col, code FROM {checked.warnings}
            UNION ALL SELECT line, '', 'aside_' || code FROM {file.aside}
        ) GROUP BY code, col ORDER BY code, col
        """,
    )


def insert_alike_rows(duck: Workspace, alike: AlikeNumbers, *, load_id: int) -> None:
    """Insert the rows of a held load whose numbers are like others, each with what a person must decide."""
    duck.copy_to_postgres(
        "intake_rejectedrow",
        f"""
        SELECT {load_id} AS load_id, line, '{{}}' AS row, CAST(to_json(list({_ERROR})) AS VARCHAR) AS errors
        FROM {alike.rows} GROUP BY line ORDER BY line
        """,
    )


def _update_changed(table: str, alias: str, values: dict[str, str], *, source: str) -> pa.Table:
    """Update the rows of a table that differ from a temporary one, and return their ids.

    `values`: SQL for the new value of each column, in which `alias` is the row of the table and `stated` that of
    `source`. Rows that stay the same are not written: at each load that is nearly all of a million.
    """
    columns = ", ".join(values)
    current = ", ".join(f"{alias}.{column}" for column in values)
    new = ", ".join(values.values())
    return _fetch_ids(
        f"""
        UPDATE {table} {alias} SET ({columns}) = ROW ({new})
        FROM {source} stated
        WHERE {alias}.id = stated.id AND ({current}) IS DISTINCT FROM ({new})
        RETURNING {alias}.id
        """
    )


def _fetch_ids(statement: str) -> pa.Table:
    """Execute a statement of PostgreSQL that returns ids and return them (id)."""
    return tables.fetch(statement, [], _IDS)

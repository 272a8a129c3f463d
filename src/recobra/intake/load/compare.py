"""Comparison of a file with the portfolio: what is new, changed, unchanged, gone, and what each account now owes."""

from __future__ import annotations

import pyarrow as pa

from recobra.intake.load_context import LoadContext
from recobra.intake.relations import (
    AssignedIds,
    CheckedRows,
    ExaminedFile,
    FileChanges,
    FileRows,
    KnownAccounts,
    KnownDebtors,
    LedgerDifferences,
    People,
    RowKeys,
    StatedDebts,
)
from recobra.tabular.sql_text import literal
from recobra.tabular.workspace import Relation, Workspace


def find_changed_rows(
    context: LoadContext, duck: Workspace, file: FileRows, keys: RowKeys, known: KnownAccounts
) -> FileChanges:
    """Return the rows to parse; left out are those as in the last load whose account nobody touched since."""
    # An account that was recalled or missing is back, so its row must be read even if it says the same as before.
    unchanged = duck.create(
        "unchanged_accounts",
        f"""
        WITH untouched AS (
            SELECT account FROM {known.accounts}
            WHERE status IN ('OPEN', 'PAID', 'WRITTEN_OFF') AND id NOT IN (SELECT id FROM {known.touched})
        )
        SELECT account, previous.amount_minor
        FROM {keys.accounts}
        JOIN {known.previous} previous USING (account, print)
        JOIN untouched USING (account)
        """,
    )
    changed = duck.create(
        "changed_rows",
        f"SELECT line FROM {keys.rows} WHERE account IS NULL OR account NOT IN (SELECT account FROM {unchanged})",
    )
    present = duck.create(
        "present_accounts",
        f"""
        SELECT DISTINCT account FROM (
            SELECT account FROM {keys.rows}
            UNION ALL SELECT {_account_of_broken_row(context, file)} FROM {file.broken}
            -- A row that is hidden says nothing of its account, and so not that it is gone.
            UNION ALL SELECT {_account_of_broken_row(context, file)} FROM {file.aside} WHERE code = 'hidden'
        )
        WHERE account <> ''
        """,
    )
    return FileChanges(changed, unchanged, present)


def _account_of_broken_row(context: LoadContext, file: FileRows) -> str:
    """Return SQL for the account that a broken row names, if its cells are where the header has them."""
    columns = context.document.fields["account.external_id"].columns
    first_column = columns[0] if columns else ""
    position = file.columns.positions.get(first_column, 0)
    return f"trim(cells->>'$[{position}]')"


def count_unidentified_rows(context: LoadContext, duck: Workspace, examined: ExaminedFile) -> int:
    """Return how many rows do not say, or not surely, which account they mean."""
    file = examined.file
    (count,) = duck.fetch_row(
        f"""
        SELECT
            (SELECT count(*) FROM {examined.keys.rows} WHERE account IS NULL)
            + (SELECT count(DISTINCT line) FROM {examined.checked.errors} WHERE {_hides_account(context, file)})
            -- A broken row is sure only where it names an account that exists.
            + (
                SELECT count(*) FROM {file.broken}
                WHERE coalesce({_account_of_broken_row(context, file)}, '') NOT IN (
                    SELECT account FROM {examined.known.accounts}
                )
            )
        """
    )
    return int(count)


def _hides_account(context: LoadContext, file: FileRows) -> str:
    """Return SQL for whether an error is that of an account's number of which figures are missing."""
    column = literal(file.columns.label(context.document.fields["account.external_id"]))
    return f"col = {column} AND code IN ('scientific', 'digits_lost', 'cell_error', 'cell_formula', 'text_error')"


def collect_stated_debts(
    context: LoadContext, duck: Workspace, keys: RowKeys, changes: FileChanges, checked: CheckedRows
) -> StatedDebts:
    """Return what the good rows say is owed; accounts with a rejected row lose their fingerprint in `keys`."""
    amounts = duck.create(
        "stated_amounts",
        " UNION ALL ".join(
            f"SELECT account, number, line, '{concept}' AS concept, "
            f"CAST(d_{concept} * {10**context.decimals} AS BIGINT) AS amount_minor, due, issued FROM {checked.good}"
            for concept in context.document.amount_sources()
        ),
    )
    names = {
        "debtor": "debtor",
        "product": "product",
        "stated_product": "product" if "account.product" in context.document.fields else "NULL",
        "contract": "contract",
        "opened": "opened",
        "attributes": "attributes",
    }
    if context.has_several_rows:
        # Of the rows of an account, that of its first instalment speaks for all of them.
        columns = ", ".join(f"arg_min({source}, {context.row_order}) AS {name}" for name, source in names.items())
        query = f"SELECT account, {columns} FROM {checked.good} GROUP BY account"
    else:
        columns = ", ".join(f"{source} AS {name}" for name, source in names.items())
        query = f"SELECT account, {columns} FROM {checked.good}"
    accounts = duck.create("stated_accounts", query)
    with_rejected_row = (
        f"SELECT account FROM {keys.rows} JOIN {checked.rejected} USING (line) WHERE account IS NOT NULL"
    )
    accepted = duck.create(
        "accepted_accounts",
        f"""
        SELECT account, sum(amount_minor)::BIGINT AS amount_minor FROM {amounts} GROUP BY account
        UNION ALL
        SELECT account, amount_minor FROM {changes.unchanged} WHERE account NOT IN ({with_rejected_row})
        """,
    )
    if context.has_several_rows:
        # Only some rows of these accounts were accepted: without a fingerprint they are read again tomorrow.
        duck.execute(f"DELETE FROM {keys.accounts} WHERE account IN ({with_rejected_row})")
    return StatedDebts(amounts, accounts, accepted)


def assign_ids(
    duck: Workspace,
    known: KnownAccounts,
    known_debtors: KnownDebtors,
    stated: StatedDebts,
    people: People,
    *,
    first_account: int,
    first_debtor: int,
) -> AssignedIds:
    """Return the ids of known debtors and accounts, and number the new ones from the first free id."""
    debtors = duck.create(
        "debtor_ids",
        f"""
        SELECT key, id, false AS new, NULL::VARCHAR AS external_id, joined_id FROM {known_debtors.debtors}
        UNION ALL
        SELECT
            key,
            {first_debtor} - 1 + row_number() OVER () AS id,
            true AS new,
            coalesce(own, key) AS external_id,
            NULL AS joined_id
        FROM (SELECT key FROM {people.debtors} ANTI JOIN {known_debtors.debtors} USING (key))
        LEFT JOIN {known_debtors.taken} USING (key)
        """,
    )
    columns = "stated.*, debtor.id AS debtor_id, accepted.amount_minor"
    joined = f"""
        {stated.accounts} stated
        JOIN {debtors} debtor ON debtor.key = stated.debtor
        JOIN {stated.accepted} accepted ON accepted.account = stated.account
        """
    accounts = duck.create(
        "account_ids",
        f"""
        SELECT {columns}, known.id AS id, false AS new, known.status
        FROM {joined} JOIN {known.accounts} known ON known.account = stated.account
        UNION ALL
        SELECT {columns}, {first_account} - 1 + row_number() OVER () AS id, true AS new, NULL AS status
        FROM {joined} ANTI JOIN {known.accounts} known ON known.account = stated.account
        """,
    )
    return AssignedIds(debtors, known_debtors.joins, accounts)


def find_gone_accounts(context: LoadContext, duck: Workspace, known: KnownAccounts, changes: FileChanges) -> Relation:
    """Return the open accounts that the file does not name: id, account, debtor_id, status."""
    options = context.document.options
    if options.partial:
        return duck.create("gone_accounts", f"SELECT * FROM {known.accounts} WHERE false")
    # An account that is missing already can only become paid or recalled.
    statuses = ["OPEN"] if options.gone in {"missing", "keep"} else ["OPEN", "MISSING"]
    listed = ", ".join(literal(status) for status in statuses)
    return duck.create(
        "gone_accounts",
        f"SELECT * FROM {known.accounts} WHERE status IN ({listed}) "
        f"AND account NOT IN (SELECT account FROM {changes.present})",
    )


def match_instalments(
    duck: Workspace, checked: CheckedRows, ids: AssignedIds, ledger: Relation, *, first_instalment: int
) -> Relation:
    """Return the instalments in the file (account_id, number, due, line, id, new, moved), new ones numbered."""
    known = duck.create(
        "known_instalments",
        "SELECT account_id, number, any_value(instalment_id) AS id, "
        f"any_value(due) AS due FROM {ledger} GROUP BY account_id, number",
    )
    stated = duck.create(
        "stated_instalments",
        f"SELECT account.id AS account_id, good.number, good.due, good.line "
        f"FROM {checked.good} good JOIN {ids.accounts} account USING (account)",
    )
    # A row without a due date says nothing about it, so it moves none.
    return duck.create(
        "instalment_ids",
        f"""
        SELECT
            stated.*,
            known.id AS id,
            false AS new,
            stated.due IS NOT NULL AND stated.due IS DISTINCT FROM known.due AS moved
        FROM {stated} stated JOIN {known} known USING (account_id, number)
        UNION ALL
        SELECT
            stated.*,
            {first_instalment} - 1 + row_number() OVER () AS id,
            true AS new,
            false AS moved
        FROM {stated} stated ANTI JOIN {known} known USING (account_id, number)
        """,
    )


def compare_with_ledger(
    context: LoadContext,
    duck: Workspace,
    examined: ExaminedFile,
    ids: AssignedIds,
    *,
    ledger: Relation,
    instalments: Relation,
) -> LedgerDifferences:
    """Return by how much the file differs from the ledger, per instalment and concept.

    A shift between concepts of one instalment that adds up to nothing is marked `shift`: no money came in.
    """
    stated = duck.create(
        "stated_by_concept",
        "SELECT account.id AS account_id, stated.number, stated.concept, stated.amount_minor, stated.issued "
        f"FROM {examined.stated.amounts} stated JOIN {ids.accounts} account USING (account)",
    )
    owed = duck.create(
        "owed_by_concept",
        f"""
        SELECT
            account_id,
            number,
            any_value(instalment_id) AS instalment_id,
            {concept_sql(context)} AS concept,
            sum(amount_minor)::BIGINT AS amount_minor
        FROM {ledger}
        WHERE concept IS NOT NULL AND account_id IN (SELECT id FROM {ids.accounts})
        GROUP BY ALL
        """,
    )
    unread = _set_unread_aside(context, duck, examined, ids, owed=owed, stated=stated)
    deltas = duck.create(
        "ledger_deltas",
        f"""
        WITH deltas AS (
            SELECT
                account_id,
                number,
                coalesce(owed.instalment_id, instalment.id) AS instalment_id,
                concept,
                stated.issued,
                coalesce(stated.amount_minor, 0) - coalesce(owed.amount_minor, 0) AS delta
            FROM {stated} stated
            FULL JOIN {owed} owed USING (account_id, number, concept)
            LEFT JOIN {instalments} instalment USING (account_id, number)
        )
        SELECT *, sum(delta) OVER (PARTITION BY account_id, number) = 0 AS shift
        FROM deltas WHERE delta <> 0
        """,
    )
    return LedgerDifferences(instalments, stated, owed, unread, deltas)


def _set_unread_aside(
    context: LoadContext, duck: Workspace, examined: ExaminedFile, ids: AssignedIds, *, owed: Relation, stated: Relation
) -> Relation:
    """Move the instalments about which the file may not have said everything from `owed` to a relation of their own.

    The file may have meant them in a rejected row, or left them to another part of it: taken as no longer owed, they
    would look like a payment.
    """
    doubtful_accounts = f"SELECT id FROM {ids.accounts}"
    if not context.document.options.partial:
        doubtful_accounts += f"""
            WHERE account IN (
                SELECT account FROM {examined.keys.rows} JOIN {examined.checked.rejected} USING (line)
                UNION ALL
                SELECT {_account_of_broken_row(context, examined.file)} FROM {examined.file.broken}
            )"""
    unread = duck.create(
        "unread_by_concept",
        f"""
        SELECT account_id, number, concept, amount_minor FROM {owed}
        WHERE account_id IN ({doubtful_accounts})
            AND (account_id, number) NOT IN (SELECT (account_id, number) FROM {stated})
        """,
    )
    duck.execute(f"DELETE FROM {owed} WHERE (account_id, number) IN (SELECT (account_id, number) FROM {unread})")
    return unread


def concept_sql(context: LoadContext) -> str:
    """Return SQL for the concept of a ledger amount, as far as the file can tell concepts apart."""
    return "'PRINCIPAL'" if context.document.one_amount else "concept"


def infer_payments(
    context: LoadContext,
    duck: Workspace,
    ids: AssignedIds,
    differences: LedgerDifferences,
    *,
    gone_accounts: Relation,
    ledger: Relation,
    load_id: int,
    settle_gone: bool,
) -> pa.Table:
    """Return the payments behind lower balances and settled accounts (columns of `payments.operations.record.ROWS`).

    `settle_gone`: whether accounts that the file no longer names may count as paid, where the mapping says so.
    """
    options = context.document.options
    queries = []
    if options.lower_balance == "payment":
        queries.append(
            f"""
            SELECT account_id, -sum(delta) AS amount
            FROM {differences.deltas} WHERE delta < 0 AND NOT shift GROUP BY account_id
            """
        )
    if options.gone == "paid" and settle_gone:
        queries.append(
            f"""
            SELECT ledger.account_id, sum(ledger.amount_minor) AS amount
            FROM {ledger} ledger JOIN {gone_accounts} gone ON gone.id = ledger.account_id
            GROUP BY ledger.account_id HAVING sum(ledger.amount_minor) > 0
            """
        )
    no_payments = "SELECT 0::BIGINT AS account_id, 0 AS amount WHERE false"
    payments = " UNION ALL ".join(queries) or no_payments
    # Load and account make the reference, so that the same payment is never inferred twice.
    return duck.fetch_arrow(
        f"""
        WITH accounts AS (
            SELECT id, account, debtor_id FROM {ids.accounts}
            UNION ALL SELECT id, account, debtor_id FROM {gone_accounts}
        )
        SELECT
            accounts.debtor_id,
            payments.account_id,
            payments.amount::BIGINT AS amount_minor,
            DATE '{context.as_of}' AS paid_date,
            '{load_id}:' || accounts.account AS reference
        FROM ({payments}) payments JOIN accounts ON accounts.id = payments.account_id
        ORDER BY payments.account_id
        """
    )

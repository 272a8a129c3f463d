"""Balances that do not show a payment on record yet: what it paid is no new debt."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pyarrow as pa

from recobra.intake.load.compare import concept_sql
from recobra.intake.load.current_state import copy_to_temporary
from recobra.intake.load_context import LoadContext
from recobra.intake.relations import AssignedIds, ExaminedFile, LedgerDifferences
from recobra.kit import tables
from recobra.tabular.sql_text import literal
from recobra.tabular.workspace import Relation, Workspace

UNSEEN_DAYS: Final = 5  # so long a payment may take from the bank into the creditor's books
_CONTRADICTED_DAYS: Final = 60  # an older payment was shown by files since
_PAID: Final = pa.schema(
    [
        ("account_id", pa.int64()),
        ("number", pa.string()),
        ("concept", pa.string()),
        ("paid_date", pa.date32()),
        ("amount_minor", pa.int64()),
    ]
)


def leave_unseen_out(
    context: LoadContext,
    duck: Workspace,
    examined: ExaminedFile,
    ids: AssignedIds,
    differences: LedgerDifferences,
    *,
    ledger: Relation,
) -> Relation:
    """Take what payments on record explain out of the growth of debts; return the accounts (id, code of the warning).

    A file says nothing of a payment of a later day than its own. Where an account owes exactly what it would owe
    without its newest payments, the file does not show them yet, and they stand until they are older than UNSEEN_DAYS.
    Otherwise the file is believed. Rows of both kinds are warned of; where payments stand, the next load reads them
    again.
    """
    found = duck.create_empty("unseen_payments", "id BIGINT, code VARCHAR")
    paid = _fetch_payments(context, duck, differences)
    if not duck.count(paid):
        return found
    _find_newest_payments(duck, examined, differences, paid)
    recent = f"DATE '{context.as_of - timedelta(days=UNSEEN_DAYS)}'"
    duck.execute(
        f"INSERT INTO {found} SELECT account_id, "
        f"CASE WHEN since >= {recent} THEN 'payment_unseen' ELSE 'payment_contradicted' END FROM explained"
    )
    unseen = f"SELECT id FROM {found} WHERE code = 'payment_unseen'"
    duck.execute(f"DELETE FROM {differences.deltas} WHERE account_id IN ({unseen})")
    _leave_later_out(context, duck, differences, paid, found)
    # Beside what the file owes more than the one before, it grew by what was paid.
    duck.execute(
        f"""
        INSERT INTO {found}
        SELECT known.id, 'payment_contradicted'
        FROM {examined.known.accounts} known
        JOIN {examined.known.previous} before USING (account)
        JOIN {examined.stated.accepted} stated USING (account)
        JOIN (SELECT account_id, sum(delta) AS grown FROM {differences.deltas} GROUP BY account_id) deltas
            ON deltas.account_id = known.id
        WHERE known.id IN (SELECT account_id FROM {paid}) AND known.id NOT IN (SELECT id FROM {found})
            AND stated.amount_minor - before.amount_minor < grown AND grown > 0
        """
    )
    column = examined.file.columns.label(next(iter(context.document.amount_sources().values())))
    duck.execute(
        f"INSERT INTO {examined.checked.warnings} SELECT line, {literal(column)}, code "
        f"FROM {differences.instalments} JOIN {found} found ON found.id = account_id"
    )
    # Whether they are paid is what the ledger says.
    duck.execute(
        f"UPDATE {ids.accounts} SET amount_minor = owed.amount_minor FROM ("
        f"SELECT account_id, sum(amount_minor)::BIGINT AS amount_minor FROM {ledger} GROUP BY account_id) owed "
        f"WHERE id = owed.account_id AND id IN ({unseen})"
    )
    # Without a fingerprint the next load reads the account whatever it says.
    duck.execute(
        f"DELETE FROM {examined.keys.accounts} "
        f"WHERE account IN (SELECT account FROM {examined.known.accounts} WHERE id IN ({unseen}))"
    )
    return found


def _fetch_payments(context: LoadContext, duck: Workspace, differences: LedgerDifferences) -> Relation:
    """Return what payments that stand paid of accounts that grew: account_id, number, concept, paid_date, amount_minor.

    A payment that a load inferred is what a file showed. Older ones than _CONTRADICTED_DAYS are left out.
    """
    grown = f"SELECT DISTINCT account_id FROM {differences.deltas} WHERE delta > 0 AND instalment_id IS NOT NULL"
    (count,) = duck.fetch_row(f"SELECT count(*) FROM ({grown})")
    if not count:
        return duck.create_from_arrow("paid_by_place", _PAID.empty_table())
    copy_to_temporary(duck, "intake_grown", "account_id bigint", grown)
    query = """
        SELECT posting.account_id, instalment.number, posting.concept, payment.paid_date,
            -sum(posting.amount_minor)::bigint
        FROM intake_grown grown
        JOIN portfolio_posting posting ON posting.account_id = grown.account_id
        JOIN payments_payment payment ON payment.id = posting.payment_id
        JOIN portfolio_instalment instalment ON instalment.id = posting.instalment_id
        WHERE payment.source <> 'INFERRED' AND payment.reversed_at IS NULL AND payment.paid_date >= %s
        GROUP BY posting.account_id, instalment.number, posting.concept, payment.paid_date"""
    since = context.as_of - timedelta(days=_CONTRADICTED_DAYS)
    paid = duck.create_from_arrow("paid_by_place", tables.fetch(query, [since], _PAID))
    return duck.create(
        paid,
        f"SELECT account_id, number, {concept_sql(context)} AS concept, paid_date, "
        f"sum(amount_minor)::BIGINT AS amount_minor FROM {paid} GROUP BY ALL HAVING sum(amount_minor) <> 0",
    )


def _find_newest_payments(
    duck: Workspace, examined: ExaminedFile, differences: LedgerDifferences, paid: Relation
) -> None:
    """Create `explained` (account_id, since): accounts that grew by their payments since a day, place by place.

    What says more than the file before is new debt, and an instalment that is new or due on another day is another
    bill, which may cost the same.
    """
    duck.create(
        "explained",
        f"""
        WITH grown AS (
            SELECT account_id, number, concept, delta FROM {differences.deltas}
            WHERE account_id NOT IN (SELECT account_id FROM {differences.instalments} WHERE new OR moved)
                AND account_id NOT IN (
                    SELECT id FROM {examined.known.accounts} JOIN {examined.known.previous} before USING (account)
                    JOIN {examined.stated.accepted} stated USING (account)
                    WHERE stated.amount_minor > before.amount_minor
                )
        ), days AS (
            SELECT DISTINCT account_id, paid_date AS since FROM {paid} SEMI JOIN grown USING (account_id)
        ), paid_since AS (
            SELECT account_id, since, number, concept, sum(amount_minor) AS paid
            FROM days JOIN {paid} USING (account_id) WHERE paid_date >= since GROUP BY ALL
        ), grown_since AS (
            SELECT account_id, since, number, concept, delta FROM days JOIN grown USING (account_id)
        )
        SELECT account_id, max(since) AS since FROM (
            SELECT account_id, since
            FROM grown_since FULL JOIN paid_since USING (account_id, since, number, concept)
            GROUP BY account_id, since
            HAVING bool_and(coalesce(delta, 0) = coalesce(paid, 0))
        ) GROUP BY account_id
        """,
    )


def _leave_later_out(
    context: LoadContext, duck: Workspace, differences: LedgerDifferences, paid: Relation, found: Relation
) -> None:
    """Take payments of days after the file's off the growth where every place grew by as much or more."""
    later = duck.create(
        "paid_later",
        f"""
        SELECT account_id, number, concept, sum(amount_minor)::BIGINT AS paid FROM {paid}
        WHERE paid_date > DATE '{context.as_of}' AND account_id NOT IN (SELECT account_id FROM explained)
        GROUP BY ALL
        """,
    )
    duck.execute(
        f"""
        DELETE FROM {later} WHERE account_id IN (
            SELECT account_id FROM {later} LEFT JOIN {differences.deltas} USING (account_id, number, concept)
            WHERE coalesce(delta, 0) < paid
        )
        """
    )
    duck.execute(f"INSERT INTO {found} SELECT DISTINCT account_id, 'payment_unseen' FROM {later}")
    duck.execute(
        f"UPDATE {differences.deltas} deltas SET delta = deltas.delta - later.paid FROM {later} later "
        "WHERE deltas.account_id = later.account_id AND deltas.number = later.number AND deltas.concept = later.concept"
    )
    duck.execute(f"DELETE FROM {differences.deltas} WHERE delta = 0")

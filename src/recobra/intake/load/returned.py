"""Lower balances that count a payment which proved void since: they are no new money."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

import pyarrow as pa
from django.db import connection

from recobra.intake.load_context import LoadContext
from recobra.intake.relations import ExaminedFile, LedgerDifferences
from recobra.kit import tables
from recobra.portfolio.models import Portfolio
from recobra.tabular.workspace import Relation, Workspace

_RETURNED: Final = pa.schema([("account_id", pa.int64()), ("amount_minor", pa.int64())])


def leave_returned_out(
    context: LoadContext,
    duck: Workspace,
    examined: ExaminedFile,
    differences: LedgerDifferences,
    *,
    gone_accounts: Relation,
    ledger: Relation,
) -> list[int]:
    """Take the accounts out of the comparison whose lower balance a reversed payment explains; return their ids.

    Nobody who wrote the file could know of the reversal. Such an account owes what the ledger says, and is read again
    at the next load.
    """
    money = _read_returned_money(context.portfolio, as_of=context.as_of)
    if not money.num_rows:
        return []
    returned = duck.create_from_arrow("returned_money", money)
    rows = duck.fetch_all(
        f"""
        WITH missing AS (
            SELECT account_id, -sum(delta) AS amount_minor FROM {differences.deltas}
            WHERE delta < 0 AND NOT shift GROUP BY account_id
            UNION ALL
            SELECT account_id, sum(amount_minor) FROM {ledger}
            WHERE account_id IN (SELECT id FROM {gone_accounts}) GROUP BY account_id
        )
        SELECT account_id FROM missing JOIN {returned} returned USING (account_id)
        WHERE missing.amount_minor BETWEEN 1 AND returned.amount_minor
        """
    )
    ids = [account_id for (account_id,) in rows]
    if not ids:
        return []
    listed = ", ".join(map(str, ids))
    # Without a fingerprint the next load reads the account whatever it says.
    duck.execute(
        f"DELETE FROM {examined.keys.accounts} "
        f"WHERE account IN (SELECT account FROM {examined.known.accounts} WHERE id IN ({listed}))"
    )
    duck.execute(f"DELETE FROM {differences.deltas} WHERE account_id IN ({listed})")
    duck.execute(f"DELETE FROM {gone_accounts} WHERE id IN ({listed})")
    return ids


def reopen_returned(account_ids: list[int]) -> None:
    """Open accounts that the file called paid for a payment that came back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE portfolio_account SET status = 'OPEN' WHERE id = ANY(%s) AND status = 'PAID'", [account_ids]
        )


def _read_returned_money(portfolio: Portfolio, *, as_of: date) -> pa.Table:
    """Return by account the payments up to a day that were reversed on it or later (schema _RETURNED).

    Who wrote a balance on that day may still have counted them. What a load had inferred was no payment of its own.
    """
    begins_at = datetime.combine(as_of, time.min, ZoneInfo(portfolio.time_zone))
    query = """
        SELECT posting.account_id, sum(posting.amount_minor)::bigint
        FROM payments_payment payment
        -- Postings are found by their account.
        JOIN portfolio_account account
            ON account.debtor_id = payment.debtor_id AND account.portfolio_id = payment.portfolio_id
        JOIN portfolio_posting posting
            ON posting.account_id = account.id AND posting.payment_id = payment.id AND posting.reverses_id IS NOT NULL
        WHERE payment.portfolio_id = %s AND payment.source <> 'INFERRED'
            AND payment.paid_date <= %s AND payment.reversed_at >= %s
        GROUP BY posting.account_id"""
    return tables.fetch(query, [portfolio.pk, as_of, begins_at], _RETURNED)

"""Lower balances that count a payment which proved void since: they tell of no new money."""

from __future__ import annotations

from django.db import connection

from recobra.intake.load_context import LoadContext
from recobra.intake.relations import ExaminedFile, LedgerDifferences
from recobra.payments.snapshot import read_returned_money
from recobra.tabular.workspace import Relation, Workspace


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
    money = read_returned_money(context.portfolio, as_of=context.as_of)
    if not money.num_rows:
        return []
    returned = duck.create_from_arrow("returned_money", money)
    rows = duck.fetch_all(
        f"""
        WITH missing AS (
            SELECT account_id, -sum(delta) AS amount_minor FROM {differences.deltas} GROUP BY account_id
            UNION ALL
            SELECT account_id, sum(amount_minor) FROM {ledger}
            WHERE account_id IN (SELECT id FROM {gone_accounts}) GROUP BY account_id
        )
        SELECT account_id FROM missing JOIN {returned} returned USING (account_id)
        WHERE missing.amount_minor BETWEEN 1 AND returned.amount_minor
        """
    )
    ids = [account_id for (account_id,) in rows]
    listed = ", ".join(map(str, ids)) or "NULL"
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

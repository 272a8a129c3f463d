"""Earlier contacts as an Arrow table; the nightly plan and the last check before sending read the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pyarrow as pa

from recobra.kit import tables

HISTORY = pa.schema(
    [
        ("creditor_id", pa.int64()),
        ("debtor_id", pa.int64()),
        ("account_id", pa.int64()),
        ("channel", pa.string()),
        ("local_date", pa.date32()),
        ("reached", pa.bool_()),
    ]
)


def contact_history(debtor_ids: Sequence[int] | None, *, since: date) -> pa.Table:
    """Return what was handed over since a local day (schema HISTORY), of some debtors or of all.

    A contact speaks about everything overdue, so its account is null.
    """
    # What is uncertain, or being sent at this moment, counts: the debtor may have got it. Where nobody said that the
    # debtor was not reached, he or she was. Answers to the debtor are no contacts of ours.
    narrowed = "" if debtor_ids is None else "AND c.debtor_id = ANY(%s)"
    query = f"""SELECT d.creditor_id, c.debtor_id, NULL, c.channel, c.local_date, coalesce(c.reached, true)
        FROM messaging_contact c JOIN portfolio_debtor d ON d.id = c.debtor_id
        WHERE c.handed_over_at IS NOT NULL AND c.status IN ('SENT', 'UNCERTAIN', 'LEASED')
            AND c.purpose <> 'REPLY'
            AND c.local_date >= %s {narrowed}"""
    return tables.fetch(query, [since] if debtor_ids is None else [since, list(debtor_ids)], HISTORY)

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


# Uncertain contacts and those being sent count, because the debtor may get them. A contact counts as reached unless it
# is known that the debtor was not. Answers to the debtor are left out: they are no contacts that we began.
_CONTACTS_SINCE = """
    SELECT debtor.creditor_id, contact.debtor_id, NULL, contact.channel, contact.local_date,
        coalesce(contact.reached, true)
    FROM messaging_contact contact JOIN portfolio_debtor debtor ON debtor.id = contact.debtor_id
    WHERE contact.handed_over_at IS NOT NULL AND contact.status IN ('SENT', 'UNCERTAIN', 'LEASED')
        AND contact.purpose <> 'REPLY' AND contact.local_date >= %s"""


def contact_history(debtor_ids: Sequence[int] | None, *, since: date) -> pa.Table:
    """Return what was handed over since a local day (schema HISTORY), of some debtors or of all.

    A contact speaks about everything overdue, so its account is null.
    """
    if debtor_ids is None:
        return tables.fetch(_CONTACTS_SINCE, [since], HISTORY)
    return tables.fetch(f"{_CONTACTS_SINCE} AND contact.debtor_id = ANY(%s)", [since, list(debtor_ids)], HISTORY)

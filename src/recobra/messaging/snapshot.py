"""Earlier contacts as an Arrow table; the nightly plan and the last check before sending read the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from recobra.kit import tables
from recobra_core import law

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


CompanyRulesByName = frozenset[tuple[str, law.CompanyRules]]
"""Company rules with their names, frozen for the cache."""


def caps_in_force(company_rules: CompanyRulesByName, *, day: date | None = None) -> pa.Table:
    """Return the caps of the law and of some company rules (schema CAPS), of a day or of all days."""
    return _build_caps(company_rules, day)


# The same rules return from batch to batch.
@lru_cache(maxsize=64)
def _build_caps(company_rules: CompanyRulesByName, day: date | None) -> pa.Table:
    return law.to_arrow(law.build_caps(day=day, company_rules=dict(company_rules)))


def history_start(caps: pa.Table, *, day: date) -> date:
    """Return the local day from which earlier contacts must be read, so that each cap finds all that it counts."""
    longest_days = pc.max(caps["span_days"]).as_py() or 0
    # The first day of the longest period, and one more: `day` may be yesterday already where a debtor lives.
    return day - timedelta(days=longest_days)


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

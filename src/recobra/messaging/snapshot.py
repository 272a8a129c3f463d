"""Earlier contacts as an Arrow table; the nightly plan and the last check before sending read the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc
from django.db.models import BigIntegerField, Value
from django.db.models.functions import Coalesce

from recobra.kit import tables
from recobra.messaging.models import Contact
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


def contact_history(debtor_ids: Sequence[int] | None, *, since: date) -> pa.Table:
    """Return what was handed over since a local day (schema HISTORY), of some debtors or of all.

    A contact speaks about everything overdue, so its account is null.
    """
    # Uncertain contacts and those being sent count, because the debtor may get them. Answers to the debtor are left
    # out: they are no contacts that we began.
    on_their_way = [Contact.Status.SENT, Contact.Status.UNCERTAIN, Contact.Status.LEASED]
    contacts = Contact.objects.filter(handed_over_at__isnull=False, status__in=on_their_way, local_date__gte=since)
    if debtor_ids is not None:
        contacts = contacts.filter(tables.is_any_of("debtor_id", debtor_ids))
    rows = contacts.exclude(purpose=Contact.Purpose.REPLY).values_list(
        "debtor__creditor_id",
        "debtor_id",
        Value(None, output_field=BigIntegerField(null=True)),
        "channel",
        "local_date",
        # A contact counts as reached unless it is known that the debtor was not.
        Coalesce("reached", True),
    )
    return tables.fetch_queryset(rows, HISTORY)

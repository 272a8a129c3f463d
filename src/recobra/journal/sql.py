"""Reads of the journal set by set, for whoever decides about many debtors at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pyarrow as pa
from django.db import connection, transaction

from recobra.kit import tables

DEBTORS = pa.schema([("debtor_id", pa.int64())])


@transaction.atomic
def latest_entry_id() -> int:
    """Return the id of the newest journal entry; a snapshot taken now holds nothing newer."""
    with connection.cursor() as cursor:
        # Ids are given before the commit: a fact still open would have an older id than this and be in neither.
        cursor.execute("SELECT journal_latest_id()")
        (entry_id,) = cursor.fetchone()
    return int(entry_id)


def debtors_with_facts_since(
    entry_id: int, *, kinds: Collection[str], debtor_ids: Sequence[int] | None = None
) -> pa.Table:
    """Return who of some debtors, or of all, has a fact of these kinds newer than an entry (schema DEBTORS)."""
    query = "SELECT DISTINCT debtor_id FROM journal_entry WHERE id > %s AND kind = ANY(%s)"
    if debtor_ids is None:
        return tables.fetch(f"{query} AND debtor_id IS NOT NULL", [entry_id, list(kinds)], DEBTORS)
    return tables.fetch(f"{query} AND debtor_id = ANY(%s)", [entry_id, list(kinds), list(debtor_ids)], DEBTORS)

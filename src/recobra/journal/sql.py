"""Reads of the journal set by set, for whoever decides about many debtors at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import pyarrow as pa
from django.db import connection, transaction

from recobra.kit import tables

DEBTORS = pa.schema([("debtor_id", pa.int64())])
FIRST_VALUES = pa.schema([("account_id", pa.int64()), ("value", pa.string()), ("since", pa.date32())])


@transaction.atomic
def latest_entry_id() -> int:
    """Return the id of the newest journal entry; a snapshot taken now holds nothing newer."""
    with connection.cursor() as cursor:
        # Ids are given before the commit: a fact still open would have an older id than this and be in neither.
        cursor.execute("SELECT journal_latest_id()")
        (entry_id,) = cursor.fetchone()
    return int(entry_id)


def read_first_values(kind: str, *, at: Sequence[datetime], name: str) -> pa.Table:
    """Return the first fact of a kind about each account at these instants (schema FIRST_VALUES).

    `value` is that of one of its fields, `since` the day of the fact of the kind before it, null where there is none.
    """
    query = """
        SELECT DISTINCT ON (e.account_id) e.account_id, e.payload ->> %s, (
            SELECT max(earlier.at)::date FROM journal_entry earlier
            WHERE earlier.debtor_id = e.debtor_id AND earlier.account_id = e.account_id
                AND earlier.kind = e.kind AND earlier.at < e.at)
        FROM journal_entry e WHERE e.kind = %s AND e.at = ANY(%s) AND e.account_id IS NOT NULL
        ORDER BY e.account_id, e.id"""
    return tables.fetch(query, [name, kind, list(at)], FIRST_VALUES)


def debtors_with_facts_since(
    entry_id: int, *, kinds: Collection[str], debtor_ids: Sequence[int] | None = None
) -> pa.Table:
    """Return who of some debtors, or of all, has a fact of these kinds newer than an entry (schema DEBTORS)."""
    query = "SELECT DISTINCT debtor_id FROM journal_entry WHERE id > %s AND kind = ANY(%s)"
    if debtor_ids is None:
        return tables.fetch(f"{query} AND debtor_id IS NOT NULL", [entry_id, list(kinds)], DEBTORS)
    return tables.fetch(f"{query} AND debtor_id = ANY(%s)", [entry_id, list(kinds), list(debtor_ids)], DEBTORS)

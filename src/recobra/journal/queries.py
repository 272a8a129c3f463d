"""Public reads of the journal: a debtor's timeline and the audit list. The caller says which portfolios are visible."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Count, Q

from .models import Entry as Entry  # noqa: PLC0414 - the doors name the type from here

OPENED = "person.opened"
"""The kind of fact by which `access` records who looked at a person: about readers, so no part of what happened."""


def debtor_timeline(*, debtor_ids: Collection[int], before: int | None = None, limit: int = 50) -> list[Entry]:
    """Return the facts about a debtor, newest first; `before` is the id of the last row already shown.

    `debtor_ids`: the debtor, and whoever was joined with him.

    The caller must have read the debtor through a query scoped to its user.
    """
    entries = Entry.objects.filter(debtor_id__in=debtor_ids).exclude(kind=OPENED)
    if before is not None:
        entries = entries.filter(id__lt=before)
    return list(entries.order_by("-id")[:limit])


def audit_entries(
    *,
    portfolio_ids: Collection[int] | None,
    kinds: Collection[str] = (),
    actor: str = "",
    debtor_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int | None = 100,
) -> list[Entry]:
    """Return facts that pass every filter, newest first; `before` is the id of the last row already shown.

    `limit` None leaves none out: what decides by facts must not be made to forget some by many others.

    `portfolio_ids` None reads all; otherwise only facts of those portfolios, and none of the whole installation.
    `since` is included, `until` is not.
    """
    filters = {
        "portfolio_id__in": portfolio_ids,
        "kind__in": kinds or None,
        "actor": actor or None,
        "debtor_id": debtor_id,
        "at__gte": since,
        "at__lt": until,
        "id__lt": before,
    }
    condition = Q(**{name: value for name, value in filters.items() if value is not None})
    return list(Entry.objects.filter(condition).order_by("-id")[:limit])


def count_facts(kind: str, *, portfolio_ids: Collection[int], at: Collection[datetime]) -> dict[datetime, int]:
    """Return how many facts of a kind were recorded about portfolios at each of some instants, where any were."""
    facts = Entry.objects.filter(kind=kind, portfolio_id__in=portfolio_ids, at__in=at).order_by()
    return dict(facts.values("at").annotate(count=Count("pk")).values_list("at", "count"))


def recorded_kinds() -> list[str]:
    """Return the kinds of facts that were ever recorded, for the filter of the audit list."""
    # A loose index scan: DISTINCT would read every row of a journal of millions.
    steps = """
        WITH RECURSIVE seen AS (
            (SELECT kind FROM journal_entry ORDER BY kind LIMIT 1)
            UNION ALL
            SELECT (SELECT kind FROM journal_entry WHERE kind > seen.kind ORDER BY kind LIMIT 1)
            FROM seen WHERE seen.kind IS NOT NULL)
        SELECT 0 AS id, kind FROM seen WHERE kind IS NOT NULL"""
    return [entry.kind for entry in Entry.objects.raw(steps)]

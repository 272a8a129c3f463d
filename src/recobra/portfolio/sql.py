"""Conditions over the portfolio's tables in SQL, for readers that join them set by set."""

from __future__ import annotations


def hold_in_force(hold: str, *, day: str) -> str:
    """Return the condition that a hold is in force on a day, as `Hold.objects.in_force` has it.

    `hold` is the name of `portfolio_hold` in the query, `day` an SQL expression of type date.
    """
    starts_and_lasts = f"{hold}.starts_on <= {day} AND ({hold}.ends_on IS NULL OR {hold}.ends_on >= {day})"
    return f"{hold}.lifted_at IS NULL AND {starts_and_lasts}"


def stated_consent(point: str) -> str:
    """Return SQL for what was loaded about a whole contact point: granted, denied or NULL."""
    return f"CASE WHEN {point}.consent THEN 'granted' WHEN NOT {point}.consent THEN 'denied' END"

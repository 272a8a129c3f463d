"""The hours in which messages of people and of the bot may leave."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final

from recobra.conversations.counterparty import Counterparty
from recobra.kit.zones import first_zone
from recobra.policy.portfolio_policies import policy_histories
from recobra_core.law.calendar import LONGEST_WAIT_DAYS, find_open_state

# The data of the law let an answer leave at any hour within a quarter of an hour; the dispatcher needs two minutes.
IMMEDIATE_REPLY: Final = timedelta(minutes=13)


def earliest_departure(
    counterparty: Counterparty, *, channel: str, answers_at: datetime | None, now: datetime
) -> datetime:
    """Return the instant from which a message may leave: `now`, or the next opening.

    `answers_at` is when the debtor wrote, None for a message that answers nothing. The gate judges the message at that
    instant. Where nothing opens within two weeks it is `now`, and the gate gives the reason.
    """
    zone = first_zone(counterparty.zones)
    if zone is None:
        return now
    if answers_at is not None and now - answers_at < IMMEDIATE_REPLY:
        return now
    at = now
    portfolio_id = counterparty.portfolio.pk
    holidays = policy_histories([portfolio_id])[portfolio_id].holidays()
    for _day in range(LONGEST_WAIT_DAYS):
        local = at.astimezone(zone)
        if local.date() in holidays:
            # Midnight of the day after.
            at = datetime.combine(local.date() + timedelta(days=1), time(), zone)
            continue
        opening = find_open_state(
            country=counterparty.country, subdivision=counterparty.debtor.subdivision, channel=channel, at_utc=at
        )
        if opening.is_open:
            return at
        if opening.until is None:
            return now
        at = opening.until
    return now

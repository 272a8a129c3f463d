"""When something written by hand or by the bot may leave: now, or from the next opening on."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final

from recobra.conversations.counterparty import Counterparty
from recobra.kit.zones import first_zone
from recobra.portfolio.models import CompanyHoliday
from recobra_core.law.calendar import LONGEST_WAIT_DAYS, find_open_state

# The law's data let an answer leave at any hour for a quarter of an hour; two minutes of it are the dispatcher's.
IMMEDIATE_REPLY: Final = timedelta(minutes=13)


def earliest_departure(who: Counterparty, *, channel: str, answers_at: datetime | None, now: datetime) -> datetime:
    """Return the instant from which a message may leave: `now`, or the next opening where it is closed.

    It is the gate that judges then. Where nothing opens within two weeks it is `now`, and the gate says why not.
    """
    zone = first_zone(who.zones)
    if zone is None or (answers_at is not None and now - answers_at < IMMEDIATE_REPLY):
        return now
    at = now
    closed = set(CompanyHoliday.objects.filter(country=who.country).values_list("day", flat=True))
    for _day in range(LONGEST_WAIT_DAYS):
        local = at.astimezone(zone)
        if local.date() in closed:
            at = datetime.combine(local.date() + timedelta(days=1), time(), zone)
            continue
        found = find_open_state(country=who.country, subdivision=who.debtor.subdivision, channel=channel, at_utc=at)
        if found.is_open:
            return at
        if found.until is None:
            return now
        at = found.until
    return now

"""The hours that a debtor asked for: they put a message off, and never keep it from being sent."""

from __future__ import annotations

from datetime import datetime, timedelta

from recobra.messaging.dispatch.facts import Leased, first_zone


def preferred_instant(contact: Leased, now: datetime) -> datetime | None:
    """Return when the debtor would rather be written to, None where that is now or cannot be respected.

    Before the preferred hours it waits for them where the window stays open until then; after them, for those of
    the next day, once.
    """
    zone, begin, end = first_zone(contact.zones), contact.preferred_from, contact.preferred_to
    if zone is None or begin is None or end is None or begin >= end:
        return None
    local = now.astimezone(zone)
    if begin <= local.time() < end:
        return None
    at = datetime.combine(local.date(), begin, zone)
    if local.time() < begin:
        return at if contact.closes_at is None or at < contact.closes_at else None
    return at + timedelta(days=1) if local.date() == contact.planned_for else None

"""Reach of this moment: the law's hours of each place, beside today's contacts that still wait."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.db.models import Count

from recobra.access.queries import User
from recobra.messaging.models import Contact
from recobra.portfolio.queries import portfolios_for
from recobra_core import law
from recobra_core.law.calendar import OpenState, find_open_state
from recobra_core.law.model import CHANNELS


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelReach:
    """A channel in a place at an instant; `place` is '' where the state is unknown, `waiting` counts contacts.

    `zones` are those that must all be open.
    """

    channel: str
    place: str
    zones: tuple[str, ...]
    now: OpenState
    waiting: int


def current_reach(user: User, *, country: str, now: datetime) -> list[ChannelReach]:
    """Return every channel of a country, in each place whose law differs or where a contact waits.

    Contacts are those of the user's portfolios that are planned for today and have not been sent.
    Raises KeyError for a country without rules.
    """
    home = law.load_countries()[country]
    waiting = waiting_today(user, country=country, now=now)
    places = sorted({"", *home.subdivisions, *(place for place, _channel in waiting)})
    return [
        ChannelReach(
            channel=channel,
            place=place,
            zones=tuple(law.zones_for(country=country, subdivision=place, stated_zone=None).split("|")),
            waiting=waiting.get((place, channel), 0),
            now=cached_open_now(country, place, channel, now.replace(second=0, microsecond=0)),
        )
        for channel in CHANNELS
        for place in places
    ]


def waiting_today(user: User, *, country: str, now: datetime) -> dict[tuple[str, str], int]:
    """Return how many contacts of today wait, by state (such as BR-SP, '' where it is unknown) and channel."""
    waiting: dict[tuple[str, str], int] = defaultdict(int)
    for portfolio in portfolios_for(user):
        if portfolio.country != country:
            continue
        today = now.astimezone(ZoneInfo(portfolio.time_zone)).date()
        rows = Contact.objects.filter(portfolio=portfolio, status=Contact.Status.DUE, planned_for=today).order_by()
        counts = rows.values_list("debtor__subdivision", "channel").annotate(n=Count("pk"))
        for subdivision, channel, count in counts:
            # Files give «SP» as well as «BR-SP».
            place = f"{country}-{subdivision}" if subdivision and "-" not in subdivision else subdivision
            waiting[place, channel] += count
    return dict(waiting)


# All users ask about the same minute.
@lru_cache(maxsize=2048)
def cached_open_now(country: str, place: str, channel: str, minute: datetime) -> OpenState:
    """Return whether the law lets a place be contacted in a minute; cached."""
    return find_open_state(country=country, subdivision=place, channel=channel, at_utc=minute)

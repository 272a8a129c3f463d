"""Reach by channel: which places the law lets a country's debtors be contacted in now, and how many wait there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.db.models import Count

from recobra.access.queries import User
from recobra.messaging.models import Contact
from recobra.portfolio.queries import portfolios_for
from recobra_core import law
from recobra_core.channels import CHANNELS
from recobra_core.law.calendar import OpenState, find_open_state
from recobra_core.zones import split_zones


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelReach:
    """Whether a channel may be used in a place at an instant, and how many contacts wait for it there.

    `place` is a subdivision of the country, such as BR-SP, or '' for debtors whose subdivision is unknown. `zones` are
    the time zones in which a debtor of the place may live: the channel is open only while all of them are.
    """

    channel: str
    place: str
    zones: tuple[str, ...]
    open_state: OpenState
    waiting: int


def current_reach(user: User, *, country: str, now: datetime) -> list[ChannelReach]:
    """Return every channel of a country, in each place that has a law of its own or a waiting contact.

    Contacts are those of the user's portfolios that are planned for today and have not been sent.
    Raises KeyError for a country without rules.
    """
    country_law = law.load_countries()[country]
    waiting = waiting_today(user, country=country, now=now)
    places_with_contacts = [place for place, _channel in waiting]
    places = sorted({"", *country_law.subdivisions, *places_with_contacts})
    minute = now.replace(second=0, microsecond=0)
    reach = []
    for channel in CHANNELS:
        for place in places:
            zones = law.zones_for(country=country, subdivision=place, stated_zone=None)
            reach.append(
                ChannelReach(
                    channel=channel,
                    place=place,
                    zones=split_zones(zones),
                    waiting=waiting.get((place, channel), 0),
                    open_state=cached_open_state(country, place, channel, minute),
                )
            )
    return reach


def waiting_today(user: User, *, country: str, now: datetime) -> dict[tuple[str, str], int]:
    """Return how many of today's contacts have not been sent, by place and channel.

    A place is a subdivision such as BR-SP, or '' where the file names none.
    """
    waiting: dict[tuple[str, str], int] = defaultdict(int)
    for portfolio in portfolios_for(user):
        if portfolio.country != country:
            continue
        today = portfolio.local_day(now)
        rows = Contact.objects.filter(portfolio=portfolio, status=Contact.Status.DUE, planned_for=today).order_by()
        counts = rows.values_list("debtor__subdivision", "channel").annotate(n=Count("pk"))
        for subdivision, channel, count in counts:
            # Files give «SP» as well as «BR-SP».
            place = law.find_subdivision(country, subdivision) or subdivision
            waiting[place, channel] += count
    return dict(waiting)


# All users ask about the same minute, so its answer is computed once.
@lru_cache(maxsize=2048)
def cached_open_state(country: str, place: str, channel: str, minute: datetime) -> OpenState:
    """Return whether the law lets the debtors of a place be contacted by a channel in a minute."""
    return find_open_state(country=country, subdivision=place, channel=channel, at_utc=minute)

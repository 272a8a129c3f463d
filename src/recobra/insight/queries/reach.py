"""Who may be contacted now: the law's hours of each place beside today's contacts that still wait."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.db.models import Count

from recobra.access.queries import User
from recobra.messaging.models import Contact
from recobra.portfolio.models import Portfolio
from recobra.portfolio.queries import portfolios_for
from recobra_core import law
from recobra_core.law.calendar import OpenState, find_open_state
from recobra_core.law.model import CHANNELS


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelReach:
    """A channel in a place at an instant; `place` is '' where the state is not known, `waiting` counts contacts.

    `zones` are those that must all be open.
    """

    channel: str
    place: str
    zones: tuple[str, ...]
    now: OpenState
    waiting: int


def current_reach(user: User, *, country: str, now: datetime) -> list[ChannelReach]:
    """Return every channel of a country, in each place whose law differs or whose debtors wait for a contact.

    Contacts are those of the user's portfolios that are planned for today and have not left.
    Raises KeyError for a country without rules.
    """
    home = law.load_countries()[country]
    waiting = waiting_today(user, country=country, now=now)
    places = sorted({"", *home.subdivisions, *(place for place, _channel in waiting)})
    return [
        ChannelReach(
            channel=channel,
            place=place,
            zones=_zones(country, place),
            waiting=waiting.get((place, channel), 0),
            now=cached_open_now(country, place, channel, now.replace(second=0, microsecond=0)),
        )
        for channel in CHANNELS
        for place in places
    ]


def waiting_today(user: User, *, country: str, now: datetime) -> dict[tuple[str, str], int]:
    """Return how many contacts of today wait, by state (such as BR-SP, '' where it is not known) and channel."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for portfolio in portfolios_for(user):
        if portfolio.country == country:
            for place, channel, count in _waiting(portfolio, now):
                found[_named(country, place), channel] += count
    return dict(found)


def _waiting(portfolio: Portfolio, now: datetime) -> list[tuple[str, str, int]]:
    today = now.astimezone(ZoneInfo(portfolio.time_zone)).date()
    rows = Contact.objects.filter(portfolio=portfolio, status=Contact.Status.DUE, planned_for=today).order_by()
    return list(rows.values_list("debtor__subdivision", "channel").annotate(n=Count("pk")))


def _named(country: str, place: str) -> str:
    return f"{country}-{place}" if place and "-" not in place else place


def _zones(country: str, place: str) -> tuple[str, ...]:
    return tuple(law.zones_for(country=country, subdivision=place, stated_zone=None).split("|"))


@lru_cache(maxsize=2048)
def cached_open_now(country: str, place: str, channel: str, minute: datetime) -> OpenState:
    """Return whether the law lets a place be contacted in a minute; asked again, it is not computed again."""
    return find_open_state(country=country, subdivision=place, channel=channel, at_utc=minute)

"""What a company rule would change today: the hours of each channel, and the contacts that would have to wait."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from recobra.access.queries import User
from recobra.messaging.models import Contact
from recobra.portfolio.models import Portfolio
from recobra.portfolio.queries import portfolios_for
from recobra_core import law
from recobra_core.law.model import CHANNELS

_Found = dict[law.OpeningKey, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """When a channel opens on a day, local times; `reason` says why it does not."""

    opens: str
    closes: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A channel in a country today: by the law alone, and with the rule.

    `waiting` counts today's contacts that have not left, `outside` those of them that the rule would not let leave.
    """

    country: str
    channel: str
    by_law: Opening
    by_rule: Opening
    waiting: int
    outside: int


def preview_rule(user: User, *, house: law.CompanyRules, portfolio_id: int | None, now: datetime) -> list[Change]:
    """Return what a rule changes today in the user's portfolios that it is for, by country and channel."""
    portfolios = [each for each in portfolios_for(user) if portfolio_id in (None, each.pk)]
    known = [each for each in portfolios if each.country in law.load_countries()]
    changes: list[Change] = []
    for country in sorted({each.country for each in known}):
        changes += _preview_country(country, [each for each in known if each.country == country], house, now)
    return changes


def _preview_country(country: str, portfolios: list[Portfolio], house: law.CompanyRules, now: datetime) -> list[Change]:
    zone = ZoneInfo(portfolios[0].time_zone)
    today = now.astimezone(zone).date()
    waiting = _waiting_contacts(portfolios, today)
    zones = law.zones_for(country=country, subdivision="", stated_zone=zone.key)
    shown = {channel: law.OpeningKey(country, "", zones, channel, today) for channel in CHANNELS}
    found = _opening_rows([*shown.values(), *(key for key, _due in waiting)], house)
    changes = []
    for channel, key in shown.items():
        mine = [(each, due) for each, due in waiting if each.channel == channel]
        changes.append(
            Change(
                country=country,
                channel=channel,
                waiting=len(mine),
                by_law=_opening(found[key._replace(house=law.LAW_ALONE)], zone),
                by_rule=_opening(found[key._replace(house=house.name)], zone),
                outside=sum(not _is_open(found[each._replace(house=house.name)], max(due, now)) for each, due in mine),
            )
        )
    return changes


def _waiting_contacts(portfolios: list[Portfolio], today: date) -> list[tuple[law.OpeningKey, datetime]]:
    rows = Contact.objects.filter(portfolio__in=portfolios, status=Contact.Status.DUE, planned_for=today)
    named = rows.values_list("debtor__country", "debtor__subdivision", "zones", "channel", "due_at")
    return [
        (law.OpeningKey(country, place, zones, channel, today), due) for country, place, zones, channel, due in named
    ]


def _opening_rows(keys: Iterable[law.OpeningKey], house: law.CompanyRules) -> _Found:
    wanted = {key._replace(house=name) for key in keys for name in (law.LAW_ALONE, house.name)}
    rows = law.to_arrow(law.build_openings(keys=wanted, company_rules={house.name: house})).to_pylist()
    return {law.OpeningKey(**{name: row[name] for name in law.OpeningKey._fields}): row for row in rows}


def _opening(row: dict[str, Any], zone: ZoneInfo) -> Opening:
    if row["closed_reason"]:
        return Opening(opens="", closes="", reason=row["closed_reason"])
    return Opening(
        opens=_local_time(row["opens_at_utc"], zone), closes=_local_time(row["closes_at_utc"], zone), reason=""
    )


def _is_open(row: dict[str, Any], at: datetime) -> bool:
    """Whether a contact that is due at an instant can still leave that day."""
    return not row["closed_reason"] and at < row["closes_at_utc"].replace(tzinfo=UTC)


def _local_time(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.replace(tzinfo=UTC).astimezone(zone):%H:%M}"

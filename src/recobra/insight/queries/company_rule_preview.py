"""Preview of a company rule: the hours of each channel today, and the contacts that would have to wait."""

from __future__ import annotations

from collections import defaultdict
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
from recobra_core.channels import CHANNELS

_OpeningRows = dict[law.OpeningKey, dict[str, Any]]
"""Rows of the table of openings (`law.OPENINGS`) by place, channel, day and company rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Local hours of a channel on a day, or the `reason` why it is closed."""

    opens: str
    closes: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Hours of a channel in a country today, by the law alone and with the rule.

    `waiting` counts today's contacts that have not been sent, `outside` those of them that the rule would keep back.
    """

    country: str
    channel: str
    by_law: Opening
    by_rule: Opening
    waiting: int
    outside: int


def preview_rule(user: User, *, rules: law.CompanyRules, portfolio_id: int | None, now: datetime) -> list[Change]:
    """Return what a rule changes today, by country and channel, in those of the user's portfolios that it is for."""
    by_country: dict[str, list[Portfolio]] = defaultdict(list)
    for portfolio in portfolios_for(user):
        if portfolio_id in (None, portfolio.pk) and portfolio.country in law.load_countries():
            by_country[portfolio.country].append(portfolio)
    changes: list[Change] = []
    for country in sorted(by_country):
        changes += _preview_country(country, by_country[country], rules, now)
    return changes


def _preview_country(country: str, portfolios: list[Portfolio], rules: law.CompanyRules, now: datetime) -> list[Change]:
    """Return what a rule changes today for each channel in one country, whose portfolios are those given.

    The hours shown are those of a debtor in the time zone of the first portfolio; each contact is judged where its
    own debtor lives.
    """
    zone = ZoneInfo(portfolios[0].time_zone)
    today = portfolios[0].local_day(now)
    waiting = _waiting_contacts(portfolios, today)
    zones = law.zones_for(country=country, subdivision="", stated_zone=zone.key)
    channel_keys = {channel: law.OpeningKey(country, "", zones, channel, today) for channel in CHANNELS}
    contact_keys = [contact_key for contact_key, _due_at in waiting]
    rows = _opening_rows([*channel_keys.values(), *contact_keys], rules)
    changes = []
    for channel, channel_key in channel_keys.items():
        waiting_count = 0
        outside_count = 0
        for contact_key, due_at in waiting:
            if contact_key.channel != channel:
                continue
            waiting_count += 1
            # A contact that was due earlier and still waits would be sent now.
            sent_at = max(due_at, now)
            if not _is_open(rows[contact_key._replace(house=rules.name)], sent_at):
                outside_count += 1
        changes.append(
            Change(
                country=country,
                channel=channel,
                by_law=_to_opening(rows[channel_key._replace(house=law.LAW_ALONE)], zone),
                by_rule=_to_opening(rows[channel_key._replace(house=rules.name)], zone),
                waiting=waiting_count,
                outside=outside_count,
            )
        )
    return changes


def _waiting_contacts(portfolios: list[Portfolio], today: date) -> list[tuple[law.OpeningKey, datetime]]:
    """Return the contacts of today that have not been sent: where and by which channel, and when each is due."""
    rows = Contact.objects.filter(portfolio__in=portfolios, status=Contact.Status.DUE, planned_for=today)
    values = rows.values_list("debtor__country", "debtor__subdivision", "zones", "channel", "due_at")
    return [
        (law.OpeningKey(country, place, zones, channel, today), due_at)
        for country, place, zones, channel, due_at in values
    ]


def _opening_rows(keys: Iterable[law.OpeningKey], rules: law.CompanyRules) -> _OpeningRows:
    """Return the opening of each key twice: by the law alone, and with a company rule.

    `house` of the key tells them apart.
    """
    all_keys = set()
    for key in keys:
        all_keys.add(key._replace(house=law.LAW_ALONE))
        all_keys.add(key._replace(house=rules.name))
    table = law.to_arrow(law.build_openings(keys=all_keys, company_rules={rules.name: rules}))
    rows = {}
    for row in table.to_pylist():
        key_values = {name: row[name] for name in law.OpeningKey._fields}
        rows[law.OpeningKey(**key_values)] = row
    return rows


def _to_opening(row: dict[str, Any], zone: ZoneInfo) -> Opening:
    """Return a row of openings in the hours of a time zone."""
    if row["closed_reason"]:
        return Opening(opens="", closes="", reason=row["closed_reason"])
    return Opening(
        opens=_local_time(row["opens_at_utc"], zone), closes=_local_time(row["closes_at_utc"], zone), reason=""
    )


def _is_open(row: dict[str, Any], at: datetime) -> bool:
    """Tell if a contact that is due at an instant can still be sent that day."""
    return not row["closed_reason"] and at < row["closes_at_utc"].replace(tzinfo=UTC)


def _local_time(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.replace(tzinfo=UTC).astimezone(zone):%H:%M}"

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
from recobra_core.law.model import CHANNELS

_OpeningRows = dict[law.OpeningKey, dict[str, Any]]


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
    zone = ZoneInfo(portfolios[0].time_zone)
    today = now.astimezone(zone).date()
    waiting = _waiting_contacts(portfolios, today)
    zones = law.zones_for(country=country, subdivision="", stated_zone=zone.key)
    keys = {channel: law.OpeningKey(country, "", zones, channel, today) for channel in CHANNELS}
    rows = _opening_rows([*keys.values(), *(key for key, _due_at in waiting)], rules)
    changes = []
    for channel, key in keys.items():
        contacts = [(contact_key, due_at) for contact_key, due_at in waiting if contact_key.channel == channel]
        changes.append(
            Change(
                country=country,
                channel=channel,
                waiting=len(contacts),
                by_law=_to_opening(rows[key._replace(house=law.LAW_ALONE)], zone),
                by_rule=_to_opening(rows[key._replace(house=rules.name)], zone),
                outside=sum(
                    # A contact that was due earlier and still waits would be sent now.
                    not _is_open(rows[contact_key._replace(house=rules.name)], max(due_at, now))
                    for contact_key, due_at in contacts
                ),
            )
        )
    return changes


def _waiting_contacts(portfolios: list[Portfolio], today: date) -> list[tuple[law.OpeningKey, datetime]]:
    """Return place and due instant of the contacts of today that have not been sent."""
    rows = Contact.objects.filter(portfolio__in=portfolios, status=Contact.Status.DUE, planned_for=today)
    values = rows.values_list("debtor__country", "debtor__subdivision", "zones", "channel", "due_at")
    return [
        (law.OpeningKey(country, place, zones, channel, today), due_at)
        for country, place, zones, channel, due_at in values
    ]


def _opening_rows(keys: Iterable[law.OpeningKey], rules: law.CompanyRules) -> _OpeningRows:
    """Return the opening of each key, by the law alone and with a rule."""
    all_keys = {key._replace(house=name) for key in keys for name in (law.LAW_ALONE, rules.name)}
    rows = law.to_arrow(law.build_openings(keys=all_keys, company_rules={rules.name: rules})).to_pylist()
    return {law.OpeningKey(**{name: row[name] for name in law.OpeningKey._fields}): row for row in rows}


def _to_opening(row: dict[str, Any], zone: ZoneInfo) -> Opening:
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

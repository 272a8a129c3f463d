"""Calendar of contact: the days of a month, and whether a place is open at an instant and until when."""

import calendar as months
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from recobra_core.law.company_rules import LAW_ALONE
from recobra_core.law.opening_hours import OpeningKey, build_openings, zones_for
from recobra_core.law.tables import to_arrow
from recobra_core.zones import split_zones

LONGEST_WAIT_DAYS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDay:
    """A local day of a place and channel; times are UTC. `reason` is a key of SENTENCES, '' on an open day."""

    day: date
    opens_at: datetime | None
    closes_at: datetime | None
    reason: str
    rule: str
    source: str

    @property
    def is_open(self) -> bool:
        """Tell if contact is open at any time of the day."""
        return not self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenState:
    """State of a place at an instant. `until` is when it closes, or opens next (None: not within two weeks)."""

    is_open: bool
    until: datetime | None
    reason: str
    rule: str
    source: str


def list_month_days(
    *, country: str, subdivision: str = "", channel: str, year: int, month: int
) -> tuple[CalendarDay, ...]:
    """Return every day of a month as the law alone opens it, in all zones that the place may have."""
    first = date(year, month, 1)
    _, day_count = months.monthrange(year, month)
    dates = [first + timedelta(days=offset) for offset in range(day_count)]
    return _list_days(country, subdivision, channel, dates)


def find_open_state(*, country: str, subdivision: str = "", channel: str, at_utc: datetime) -> OpenState:
    """Return whether the law lets a place be contacted at an instant (aware), and until when that holds."""
    at = at_utc.astimezone(UTC)
    # The local day may be a day off the UTC one on both sides.
    dates = [at.date() + timedelta(days=offset) for offset in range(-1, LONGEST_WAIT_DAYS + 1)]
    days = _list_days(country, subdivision, channel, dates)
    for day in days:
        if day.opens_at and day.closes_at and day.opens_at <= at < day.closes_at:
            return OpenState(is_open=True, until=day.closes_at, reason="", rule=day.rule, source=day.source)
    later_openings = [day.opens_at for day in days if day.opens_at and day.opens_at > at]
    # Closed: the reason is that of today in the first zone the place may have.
    zones = split_zones(zones_for(country=country, subdivision=subdivision, stated_zone=None))
    local_date = at.astimezone(ZoneInfo(zones[0])).date() if zones else at.date()
    today = next(day for day in days if day.day == local_date)
    # An open day that is closed now: its hours have passed or not begun.
    reason = today.reason or "closed_hour"
    opens_at = min(later_openings, default=None)
    return OpenState(is_open=False, until=opens_at, reason=reason, rule=today.rule, source=today.source)


def _list_days(country: str, subdivision: str, channel: str, dates: list[date]) -> tuple[CalendarDay, ...]:
    """Return the given days as the law alone opens them, in order of date."""
    zones = zones_for(country=country, subdivision=subdivision, stated_zone=None)
    keys = [
        OpeningKey(
            country=country,
            subdivision=subdivision,
            zones=zones,
            channel=channel,
            local_date=day,
            house=LAW_ALONE,
        )
        for day in dates
    ]
    rows = to_arrow(build_openings(keys=keys)).to_pylist()
    return tuple(
        CalendarDay(
            day=row["local_date"],
            opens_at=_as_utc(row["opens_at_utc"]),
            closes_at=_as_utc(row["closes_at_utc"]),
            reason=row["closed_reason"],
            rule=row["closed_rule"] or row["window_rule"],
            source=row["closed_source"] or row["window_source"],
        )
        for row in rows
    )


def _as_utc(at: datetime | None) -> datetime | None:
    """Return a time of the openings, which carry no zone, as an aware one."""
    return at.replace(tzinfo=UTC) if at else None

"""The law of contact read a second time, from the research alone, in plain Python: `objection` says what is wrong.

Nothing here comes from the gate or its data files: tables, clock and counting are written anew, so that an error in
either reading shows as a difference. Strict profile: what two sources dispute is read as the stricter one says.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

VOICE = ("call", "ivr", "visit")
WRITTEN = ("sms", "whatsapp", "email", "letter")
EVERY = (*VOICE, *WRITTEN)


@dataclass(frozen=True, slots=True)
class Person:
    country: str
    state: str
    zones: tuple[str, ...]
    house: str


@dataclass(frozen=True, slots=True)
class Contact:
    at: datetime
    channel: str
    role: str | None
    place: str
    purpose: str | None
    opted_out: bool | None
    consent: str | None
    held: bool | None
    why_held: str
    valid: bool | None
    due: date | None
    debt: int | None
    answers: datetime | None


@dataclass(frozen=True, slots=True)
class Past:
    day: date
    channel: str
    reached: bool | None
    debt: int | None


Week = tuple[tuple[float, float] | None, ...]


def week(workday: tuple[float, float], saturday: tuple[float, float] | None = None) -> Week:
    return (*[workday] * 5, saturday, None)


OFFICE = week((8, 18))
HOURS: dict[str, dict[tuple[str, ...], Week]] = {
    "PE": {EVERY: week((7, 20))},
    "MX": {EVERY: week((7, 22))},
    "CO": {("call", "ivr", *WRITTEN): week((7, 19), (8, 15))},
    "CL": {EVERY: week((8, 20), (8, 20))},
    "AR": {EVERY: week((9, 21), (9, 13))},
    "BR": {EVERY: week((8, 20), (8, 14))},
    "EC": {("call", "ivr", "sms", "whatsapp", "email"): week((7, 20)), ("letter", "visit"): OFFICE},
    "BO": {EVERY: OFFICE},
    "PY": {EVERY: week((8, 18), (8, 12))},
    "UY": {EVERY: OFFICE},
    "PA": {EVERY: OFFICE},
    "CR": {EVERY: OFFICE},
    "GT": {EVERY: OFFICE},
    "SV": {EVERY: OFFICE},
    "HN": {("call", "ivr", "sms", "whatsapp", "email"): week((7, 19)), ("letter", "visit"): OFFICE},
    "DO": {EVERY: OFFICE},
    "US": {("call", "ivr", "sms", "whatsapp", "email", "visit"): ((8, 21),) * 7, ("letter",): ((0, 24),) * 7},
    "ES": {EVERY: week((9, 21))},
}
STATES: dict[str, dict[tuple[str, ...], Week]] = {
    "BR-SP": {("call", "ivr"): week((8, 20), (8, 14))},
    "BR-RJ": {("call", "ivr"): week((9, 19))},
    "BR-ES": {("call", "ivr"): week((8, 19))},
    "BR-AM": {("call", "ivr"): week((8, 19))},
    "BR-AL": {("call", "ivr", "sms"): week((8, 20), (8, 14))},
}
MORE_HOLIDAYS = {"BR": ("public", "optional"), "PA": ("public", "bank"), "UY": ("public", "bank")}
REGIONAL_HOLIDAYS = ("AR", "BO", "BR", "CL", "ES", "SV", "US")
# Cities that the package knows apart, by the state in which somebody may live there.
CITIES = {"BR-SP": ["São Paulo Capital"], "ES-CT": ["Barcelona"]}
# Month and day of holidays that the package does not know, by the state that keeps them.
LOCAL_HOLIDAYS = {(9, 24): "BO-N", (2, 10): "BO-O", (12, 19): "BR-PR"}
ONE_YEAR_ALONE = {"BO": {date(2026, 1, 23), date(2026, 6, 5), date(2026, 8, 7)}}
OPEN_ON_HOLIDAYS = ("call", "ivr", *WRITTEN)
"""Of the United States only: a visit there follows the project's default."""
PARTIES = ("debtor", "co_debtor", "guarantor")
DEBTOR_ONLY = ("GT", "AR-C")
NO_ANSWER_TO = ("MINOR", "DECEASED", "CEASE_LETTER", "ATTORNEY", "SUIT_SERVED", "INSOLVENCY")
LIMITATION_BARS = {"BR": 5}

# The company of the simulation: office hours, no robots, few texts, holidays closed, young debts by letter only.
COMPANY = """
name: prueba
visits: open
rules:
- {windows: {mon-sat: '09:30-17:30'}, closed_days: [2026-03-09, 2026-09-08]}
- {channels: [ivr], never: true}
- {channels: [sms, whatsapp], caps: [{n: 3, per: month}, {clear_days: 1, scope: channel}]}
- {countries: [US], holidays: closed}
- {channels: [letter], max_debt_age_days: 400}
"""
COMPANY_CLOSED = (date(2026, 3, 9), date(2026, 9, 8))


def objection(person: Person, contact: Contact, past: Iterable[Past]) -> str:
    """What forbids the contact, or '' where nothing does."""
    return next(_objections(person, contact, past), "")


def _objections(person: Person, contact: Contact, past: Iterable[Past]) -> Iterator[str]:
    since = contact.at - contact.answers if contact.answers and contact.purpose == "REPLY" else None
    answer = since is not None and timedelta(0) <= since < timedelta(hours=24)
    at_once = answer and since is not None and since < timedelta(minutes=15)
    yield from _person(person, contact, answer)
    if person.country == "CO" and contact.channel == "visit":
        yield "visits are barred"
    if person.house == "" and contact.channel == "visit":
        yield "the company makes no visits"
    if person.house == "prueba" and contact.channel == "ivr":
        yield "the company has no robots"
    if not at_once:
        yield from _hours(person, contact)
    if not answer:
        yield from _counts(person, contact, past)


def _person(person: Person, contact: Contact, answer: bool) -> Iterator[str]:
    allowed = PARTIES[:1] if person.country in DEBTOR_ONLY or person.state in DEBTOR_ONLY else PARTIES
    if person.country == "AR" and not person.state:
        allowed = PARTIES[:1]
    if contact.role not in allowed:
        yield "not the debtor's"
    if contact.place not in {"", "personal"}:
        yield "at work or at another person's"
    if contact.purpose is None:
        yield "purpose unknown"
    if contact.opted_out is not False:
        yield "opted out"
    if contact.consent == "denied" or (person.country == "CO" and contact.consent != "granted" and not answer):
        yield "not authorised"
    if contact.purpose == "OFFER" and contact.consent != "granted":
        yield "advertising without consent"
    if contact.held is not False and not (contact.held and answer and contact.why_held not in NO_ANSWER_TO):
        yield "on hold"
    if contact.valid is not True:
        yield "no valid number"
    yield from _age(person, contact)


def _age(person: Person, contact: Contact) -> Iterator[str]:
    today = contact.at.astimezone(zone(person.zones[0])).date()
    years = LIMITATION_BARS.get(person.country)
    if years and (contact.due is None or _written(contact.due, years) <= _written(today, 0)):
        yield "prescribed, or nobody knows"
    old = contact.due is None or (today - contact.due).days >= 400
    if old and person.house == "prueba" and contact.channel == "letter":
        yield "too old for the company"


def _written(day: date, later: int) -> str:
    return f"{day.year + later}-{day:%m-%d}"


def _hours(person: Person, contact: Contact) -> Iterator[str]:
    if len({contact.at.astimezone(zone(name)).date() for name in person.zones}) > 1:
        yield "which local day it is is not known, so nothing can be counted"
    for name in person.zones:
        local = contact.at.astimezone(zone(name))
        hour = local.hour + local.minute / 60 + local.second / 3600
        for span in spans(person.country, person.state, contact.channel, local.date()):
            if span is None or not span[0] <= hour < span[1]:
                yield "closed"
        if person.house != "prueba":
            continue
        if local.date() in COMPANY_CLOSED or local.weekday() == 6 or not 9.5 <= hour < 17.5:
            yield "the company is closed"
        if person.country == "US" and holiday("US", "", local.date()):
            yield "the company keeps holidays"


@cache
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@cache
def spans(country: str, state: str, channel: str, day: date) -> tuple[tuple[float, float] | None, ...]:
    """The hours of each rule that must allow: the state's, else the country's; of an unknown state all of them."""
    national = _week(HOURS[country], channel)
    own = {name: found for name, table in STATES.items() if name[:2] == country and (found := _week(table, channel))}
    weeks = [own.get(state, national)] if state else [national, *own.values()]
    open_all_year = country == "US" and channel in OPEN_ON_HOLIDAYS
    if not open_all_year and holiday(country, state, day):
        return (None,)
    return tuple(each[day.weekday()] if each else None for each in weeks)


def _week(table: dict[tuple[str, ...], Week], channel: str) -> Week | None:
    return next((hours for channels, hours in table.items() if channel in channels), None)


@cache
def holiday(country: str, state: str, day: date) -> bool:
    # In Bolivia what falls on a Sunday closes the Monday too.
    sunday = day - timedelta(days=1)
    moved = country == "BO" and day.weekday() == 0 and _is_named(country, state, sunday)
    return moved or day in ONE_YEAR_ALONE.get(country, ()) or _is_named(country, state, day)


def _is_named(country: str, state: str, day: date) -> bool:
    categories = MORE_HOLIDAYS.get(country, ("public",))
    regions = [None]
    if country in REGIONAL_HOLIDAYS:
        # Where it is not known in which state, a holiday of any may be the debtor's own.
        regions += [state[3:], *CITIES.get(state, ())] if state else holidays.country_holidays(country).subdivisions
    local = LOCAL_HOLIDAYS.get((day.month, day.day), "")
    is_local = local == state if state else local.startswith(country)
    return is_local or any(
        day in holidays.country_holidays(country, subdiv=region, years=day.year, categories=categories)
        for region in regions
    )


def _counts(person: Person, contact: Contact, past: Iterable[Past]) -> Iterator[str]:
    today = contact.at.astimezone(zone(person.zones[0])).date()
    # Both kinds of week: the last seven days hold the calendar week up to today.
    ages = [((today - each.day).days, each) for each in past if each.day <= today]
    tried_today = [each for age, each in ages if age == 0]
    real = [(age, each) for age, each in ages if age < 7 and _reached(each)]
    yield from _by_country(person.country, contact, tried_today, real, ages)
    if person.house == "prueba" and contact.channel in {"sms", "whatsapp"}:
        if sum(age < 31 and _reached(each) for age, each in ages) >= 3:
            yield "month of the company is full"
        if any(age <= 1 and each.channel == contact.channel for age, each in ages):
            yield "too soon for the company"


def _reached(past: Past) -> bool:
    return past.channel in WRITTEN or past.reached is not False


def _by_country(
    country: str,
    contact: Contact,
    tried_today: list[Past],
    week_real: list[tuple[int, Past]],
    ages: list[tuple[int, Past]],
) -> Iterator[str]:
    channel = contact.channel
    spoken = channel not in {"letter", "visit"}
    if country == "CL":
        yield from _chile(channel, week_real)
    elif country == "CO":
        if tried_today or any(each.channel != channel for _, each in week_real):
            yield "once a day, one channel a week"
    elif country == "PY":
        if sum(age < 7 for age, _ in ages) >= 3 or len(tried_today) >= 2:
            yield "three tries a week, two contacts a day"
    elif country == "US" and channel != "visit":
        yield from _united_states(contact, ages)
    elif country in {"EC", "GT"} and spoken:
        if len(tried_today) >= {"EC": 1, "GT": 2}[country]:
            yield "the day is full"
    elif any(each.channel == channel for each in tried_today) or len(tried_today) >= 2 or len(week_real) >= 5:
        yield "one a day and channel, two a day, five a week"


def _chile(channel: str, week_real: list[tuple[int, Past]]) -> Iterator[str]:
    group = VOICE if channel in VOICE else WRITTEN
    same = [age for age, each in week_real if each.channel in group]
    if len(same) >= (1 if group is VOICE else 2):
        yield "week full"
    if group is WRITTEN and any(age <= 2 for age in same):
        yield "two whole days between"


def _united_states(contact: Contact, ages: list[tuple[int, Past]]) -> Iterator[str]:
    calls = [each for age, each in ages if age < 7 and each.channel in {"call", "ivr"} and _same_debt(each, contact)]
    if contact.channel in {"call", "ivr"} and (len(calls) >= 7 or any(map(_reached, calls))):
        yield "seven calls, or a conversation, in seven days"


def _same_debt(past: Past, contact: Contact) -> bool:
    return past.debt is None or contact.debt is None or past.debt == contact.debt


def utc(day: date, minute: int, name: str) -> datetime:
    """The instant of a wall clock, in UTC."""
    local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone(name))
    return local.astimezone(UTC)

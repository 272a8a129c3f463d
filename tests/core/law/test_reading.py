"""A country's law in words, its calendar, and who may be contacted right now."""

from datetime import UTC, date, datetime

import pytest

from recobra_core.law import SENTENCES, load_countries, phrases
from recobra_core.law.calendar import find_open_state, list_month_days
from recobra_core.law.description import describe_country

DAY = date(2026, 11, 24)


def channel(page, name, place=None):
    return next(each for each in page.channels if (each.channel, each.place) == (name, place or page.code))


@pytest.mark.parametrize("language", phrases.LANGUAGES)
@pytest.mark.parametrize("code", sorted(load_countries()))
def test_every_country_has_a_page_with_every_part_and_source(code, language):
    page = describe_country(country=code, day=DAY, language=language)
    assert len([each for each in page.channels if each.place == code]) == 7
    for told in (page.third_parties, page.workplace, page.replies, page.offers, page.limitation, page.fees):
        assert told
        assert all(each.text and each.rule and each.source and each.certainty for each in told)
    assert all(each.rule.source and each.rule.certainty and (each.hours or not each.allowed) for each in page.channels)
    assert page.required
    assert page.prohibited
    assert page.authority
    assert page.records.text
    assert page.sanctions.text
    assert page.opt_out.text
    assert page.further


def test_chile_in_spanish_says_hours_caps_stops_and_records():
    page = describe_country(country="CL", day=DAY)
    call, sms = channel(page, "call"), channel(page, "sms")
    assert call.hours == ("lunes a sábado de 08:00 a 20:00",)
    assert call.rule.since == date(2021, 4, 20)
    (weekly,) = call.caps
    assert weekly.text.startswith("Como máximo 1 contacto a la semana")
    assert (weekly.rule, weekly.source, weekly.basis) == ("CL/voice/cap-1", "Ley 19.496 art. 37", "law")
    assert "Al menos 2 días enteros entre dos contactos" in sms.caps[1].text
    assert [each.rule for each in page.stops] == ["CL/stop/suit-served", "CL/stop/insolvency"]
    assert page.records.text == "2 años por ley"
    assert len(page.required) == 10


def test_colombia_asks_the_channel_to_be_authorised_and_bars_visits():
    page = describe_country(country="CO", day=DAY, language="en")
    assert channel(page, "sms").consent.source.startswith("Ley 2300 de 2023 art. 2")
    assert not channel(page, "visit").allowed
    assert channel(page, "visit").rule.text == "Barred by law"
    assert channel(page, "call").hours == ("Monday to Friday 07:00 to 19:00", "Saturday 08:00 to 15:00")


def test_states_that_differ_stand_beside_the_country():
    page = describe_country(country="BR", day=DAY)
    assert channel(page, "call", "BR-RJ").hours == ("lunes a viernes de 09:00 a 19:00",)
    assert {each.channel for each in page.channels if each.place == "BR-AL"} == {"call", "ivr", "sms"}
    assert "prohibido cobrar" in page.limitation[0].text
    caba = describe_country(country="AR", day=DAY)
    assert [each.rule for each in caba.workplace] == ["AR/workplace", "AR-C/workplace"]
    assert len(caba.local["AR-C"]) == 8


def test_before_a_law_its_page_does_not_tell_it():
    page = describe_country(country="CL", day=date(2021, 4, 19))
    assert page.stops == page.fees == page.channels == ()


def test_lists_are_translated_whole():
    spanish = phrases.load_phrases("es")["lists"]
    used = {
        key for c in load_countries().values() for key in (*c.articles["prohibited"], *c.articles["required_content"])
    }
    assert used <= set(spanish)
    assert set(phrases.load_phrases("en")) | {"lists"} == set(phrases.load_phrases("es"))


def test_the_calendar_closes_sundays_and_holidays_with_their_reason():
    days = list_month_days(country="CL", subdivision="CL-RM", channel="call", year=2026, month=9)
    closed = {each.day.day: each.reason for each in days if not each.is_open}
    assert closed == {
        6: "closed_day",
        13: "closed_day",
        18: "holiday",
        19: "holiday",
        20: "closed_day",
        27: "closed_day",
    }
    assert all(each.reason in SENTENCES and each.rule and each.source for each in days if not each.is_open)
    # The clock goes forward on the 6th: the same local hour is an hour earlier in UTC.
    assert (days[4].opens_at.hour, days[6].opens_at.hour) == (12, 11)


NOW = [
    ("PE call", "2026-11-24T15:00", "2026-11-25T01:00", ""),
    ("PE call", "2026-11-24T02:00", "2026-11-24T12:00", "closed_hour"),
    ("PE call", "2026-11-25T01:00", "2026-11-25T12:00", "closed_hour"),
    ("CO sms", "2026-12-25T15:00", "2026-12-26T13:00", "holiday"),
    ("CO visit", "2026-11-24T15:00", None, "channel_barred"),
    ("BR call", "2026-11-21T15:00", "2026-11-23T14:00", "closed_day"),
    ("ZZ call", "2026-11-24T15:00", None, "unknown_country"),
]


@pytest.mark.parametrize(("what", "at", "until", "reason"), NOW)
def test_who_may_be_contacted_now_and_until_when(what, at, until, reason):
    country, how = what.split()
    now = find_open_state(country=country, channel=how, at_utc=datetime.fromisoformat(at).replace(tzinfo=UTC))
    assert (now.is_open, now.reason) == (not reason, reason)
    assert now.until == (until and datetime.fromisoformat(until).replace(tzinfo=UTC))

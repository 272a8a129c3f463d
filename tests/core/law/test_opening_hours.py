"""Openings in UTC: clock changes, possible zones, holidays of the company, and where a debtor may live."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from recobra_core.law import OpeningKey, build_openings, merge_company_rules, to_arrow, zones_for

HOLIDAYS = {"closes": frozenset({date(2026, 7, 6)}), "works": frozenset()}


def opening(country, zones, day, *, channel="call", subdivision=None, house=""):
    key = OpeningKey(country, subdivision, zones, channel, day, house)
    company = {name: merge_company_rules(name=name, parts=(), holidays=days) for name, days in HOLIDAYS.items()}
    (row,) = to_arrow(build_openings(keys=[key], company_rules=company)).to_pylist()
    return row


@pytest.mark.parametrize(
    ("country", "zone", "day", "opens", "closes"),
    [
        ("PE", "America/Lima", date(2026, 7, 6), "2026-07-06T12:00", "2026-07-07T01:00"),
        # Chile sets its clock forward in the night to Sunday, 6 September 2026.
        ("CL", "America/Santiago", date(2026, 9, 5), "2026-09-05T12:00", "2026-09-06T00:00"),
        ("CL", "America/Santiago", date(2026, 9, 7), "2026-09-07T11:00", "2026-09-07T23:00"),
        # Magallanes and Aysén keep -3 all year.
        ("CL", "America/Punta_Arenas", date(2026, 7, 6), "2026-07-06T11:00", "2026-07-06T23:00"),
        ("CL", "America/Coyhaique", date(2026, 7, 6), "2026-07-06T11:00", "2026-07-06T23:00"),
        # Paraguay keeps -3 since October 2024.
        ("PY", "America/Asuncion", date(2026, 7, 6), "2026-07-06T11:00", "2026-07-06T21:00"),
        # New York, the days of the changes: 12:00Z in summer, 13:00Z in winter.
        ("US", "America/New_York", date(2026, 3, 8), "2026-03-08T12:00", "2026-03-09T01:00"),
        ("US", "America/New_York", date(2026, 11, 1), "2026-11-01T13:00", "2026-11-02T02:00"),
        # Chile's two zones: open from the later opening to the earlier closing.
        (
            "CL",
            "America/Santiago|Pacific/Easter",
            date(2026, 7, 6),
            "2026-07-06T14:00",
            "2026-07-07T00:00",
        ),
    ],
)
def test_the_opening_in_utc(country, zone, day, opens, closes):
    row = opening(country, zone, day)
    assert [f"{row[edge]:%Y-%m-%dT%H:%M}" for edge in ("opens_at_utc", "closes_at_utc")] == [opens, closes]
    assert row["closed_reason"] == ""


def test_a_day_for_letters_is_as_long_as_the_clock_makes_it():
    short = opening("US", "America/New_York", date(2026, 3, 8), channel="letter")
    long = opening("US", "America/New_York", date(2026, 11, 1), channel="letter")
    assert (short["closes_at_utc"] - short["opens_at_utc"]).total_seconds() == 23 * 3600
    assert (long["closes_at_utc"] - long["opens_at_utc"]).total_seconds() == 25 * 3600


def test_zones_too_far_apart_leave_no_hour():
    row = opening("PE", "America/Lima|Asia/Tokyo", date(2026, 7, 6))
    assert row["closed_reason"] == "no_common_hour"
    assert row["opens_at_utc"] is None
    assert row["closed_source"].startswith("Ley 29571")


def test_the_company_closes_its_own_days_even_where_the_law_does_not():
    day = date(2026, 7, 6)
    assert opening("US", "America/New_York", day)["closed_reason"] == ""
    row = opening("US", "America/New_York", day, house="closes")
    assert (row["closed_reason"], row["closed_source"]) == ("holiday", "company calendar")
    other = opening("US", "America/New_York", day, house="works")
    assert other["closed_reason"] == ""


def test_one_row_per_distinct_key_and_nulls_are_one_key():
    day = date(2026, 7, 6)
    keys = [OpeningKey("PE", None, "America/Lima", "call", day), OpeningKey("PE", "", "America/Lima", "call", day)]
    assert build_openings(keys=keys).count().to_pyarrow().as_py() == 1
    assert build_openings(keys=[]).count().to_pyarrow().as_py() == 0


def test_the_regime_names_the_version_and_colombia_wants_consent():
    row = opening("CO", "America/Bogota", date(2026, 7, 7), channel="sms")
    assert row["regime"] == "CO/sms@2023-10-10"
    assert row["consent_rule"] == "CO/sms/consent"
    assert opening("PE", "America/Lima", date(2026, 7, 7))["consent_rule"] == ""


@pytest.mark.parametrize(
    ("country", "subdivision", "stated", "zones"),
    [
        ("PE", None, None, "America/Lima"),
        ("BR", "BR-SP", None, "America/Sao_Paulo"),
        ("BR", "SP", None, "America/Sao_Paulo"),
        ("BR", "BR-PE", None, "America/Recife|America/Noronha"),
        ("BR", "BR-PE", "America/Noronha", "America/Noronha"),
        ("BR", "BR-SP", "America/Manaus", "America/Sao_Paulo|America/Manaus"),
        ("EC", None, None, "America/Guayaquil|Pacific/Galapagos"),
        ("EC", "EC-P", "America/Guayaquil", "America/Guayaquil"),
        ("AR", None, "America/Argentina/Cordoba", "America/Argentina/Cordoba"),
        ("MX", "MX-SON", "Marte/Olimpo", "Marte/Olimpo"),
        ("ZZ", None, None, ""),
        (None, None, None, ""),
    ],
)
def test_where_a_debtor_may_live(country, subdivision, stated, zones):
    assert zones_for(country=country, subdivision=subdivision, stated_zone=stated) == zones


def test_several_threads_of_a_console_ask_at_once():
    """Ibis's own engine, which would be one for all of them, refuses a second thread while it is busy."""
    days = [date(2026, 11, 23) + timedelta(days=n) for n in range(120)]

    def ask(day):
        return to_arrow(build_openings(keys=[OpeningKey("PE", None, "America/Lima", "sms", day)])).to_pylist()

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, days))
    assert [answer[0]["local_date"] for answer in answers] == days

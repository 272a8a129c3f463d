"""Holidays of countries, states and provinces: typed from their decrees, and where a debtor may live."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.core.law.day_rules import day_of
from tests.core.law.second_reading import CITIES

from recobra_core import yaml_text
from recobra_core.law import OpeningKey, build_openings, list_subdivisions, load_countries, to_arrow, zones_for
from recobra_core.law.public_holidays import find_holidays
from recobra_core.law.subdivisions import find_subdivision, fold_subdivision, subdivision_codes

DECREES = yaml_text.load(Path(__file__).with_name("decrees.yaml").read_text(encoding="utf-8"))
SECOND_READING = yaml_text.load(Path(__file__).with_name("holidays.yaml").read_text(encoding="utf-8"))
YEARS = (2026, 2027, 2028)


def closings(places):
    """Why each day is closed for calls in each place, '' where it is not."""
    keys = []
    for place, day in places:
        country, _, part = place.partition("-")
        zones = zones_for(country=country, subdivision=part, stated_zone=None)
        keys.append(OpeningKey(country, place if part else "", zones, "call", day, "law"))
    rows = to_arrow(build_openings(keys=keys)).to_pylist()
    found = {(row["country"], row["subdivision"], row["local_date"]): row["closed_reason"] for row in rows}
    return [found[key.country, key.subdivision, key.local_date] for key in keys]


def test_the_holidays_of_the_decrees_close():
    places = [(place, day) for place, day, *_where in DECREES]
    read = {(place, day) for place, day, _name, _source, *page in DECREES if page}
    assert len(places) >= 40
    assert sum("-" in place for place, _day in read) >= 10
    for (place, day), reason in zip(places, closings(places), strict=True):
        calendar = load_countries()[place[:2]].calendar
        assert day in find_holidays(calendar, subdivision=place if "-" in place else "", year=day.year), (place, day)
        assert reason == "holiday" or place == "US", (place, day, reason)


@pytest.mark.parametrize(
    ("place", "day", "elsewhere"),
    [
        ("AR-T", date(2026, 9, 24), "AR-X"),
        ("BO-L", date(2026, 7, 16), "BO-S"),
        ("SV-SS", date(2026, 8, 5), "SV-LI"),
        ("BR-RJ", date(2026, 4, 23), "BR-BA"),
        ("CL-AP", date(2028, 6, 7), "CL-RM"),
        ("ES-CT", date(2026, 9, 11), "ES-MD"),
        ("BO-L", date(2028, 7, 17), "BO-C"),
        # Of a city, whoever lives in whose state may live in it.
        ("BR-SP", date(2027, 1, 25), "BR-RJ"),
        ("ES-CT", date(2026, 5, 25), "ES-MD"),
    ],
)
def test_a_holiday_of_a_state_closes_it_and_whoever_may_live_there(place, day, elsewhere):
    assert closings([(place, day), (place[:2], day), (elsewhere, day)]) == ["holiday", "holiday", ""]


@pytest.mark.parametrize(
    ("country", "written", "code"),
    [
        ("PE", "LIM", "PE-LIM"),
        ("PE", "pe-cus", "PE-CUS"),
        ("PE", "Departamento de Áncash", "PE-ANC"),
        ("MX", "Estado de México", "MX-MEX"),
        ("MX", "CDMX", "MX-CMX"),
        ("AR", "Provincia de Entre Ríos", "AR-E"),
        ("AR", "caba", "AR-C"),
        ("CL", "Región de La Araucanía", "CL-AR"),
        ("ES", "Barcelona", "ES-CT"),
        ("PE", "Antioquia", None),
        ("PE", "BR-SP", None),
        ("AR", "", None),
    ],
)
def test_a_state_is_known_by_code_and_name(country, written, code):
    assert find_subdivision(country, written) == code


def test_what_is_written_stands_for_one_state_only():
    for country in load_countries().values():
        listed = list_subdivisions(country.code)
        assert {*country.subdivisions, *country.zones_by_subdivision} <= listed.keys()
        assert set(subdivision_codes(country.code).values()) == listed.keys()
        for code, name in listed.items():
            assert len(code) <= 8
            assert find_subdivision(country.code, name) == find_subdivision(country.code, code) == code, (code, name)
            assert fold_subdivision(name)


def days_by_rules(country, parts):
    rules = [rule for part in parts for rule in SECOND_READING[country].get(part, ())]
    found = {day_of(rule, year) for year in YEARS for rule in rules}
    return found - {None}


def assert_second_reading_agrees(country):
    home = load_countries()[country]
    everywhere = [part for part in SECOND_READING[country] if part != "all"]
    for place in ("", *list_subdivisions(country)):
        parts = [place.partition("-")[2], *CITIES.get(place, ())] if place else everywhere
        found = set()
        for year in YEARS:
            found |= find_holidays(home.calendar, subdivision=place or None, year=year).keys()
        assert found == days_by_rules(country, ["all", *parts]), place or country


def test_a_second_reading_of_the_calendars_agrees_in_the_countries_with_the_most_doubt():
    for country in ("BO", "SV", "CL"):
        assert_second_reading_agrees(country)


@pytest.mark.long
@pytest.mark.parametrize("country", sorted(load_countries()))
def test_a_second_reading_of_every_calendar_agrees(country):
    assert_second_reading_agrees(country)
    home = load_countries()[country]
    places = ["", *list_subdivisions(country)] if home.calendar.subdivisions else [""]
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(1096)]
    rules = home.find_regime(channel="call", day=days[0], subdivision="").rules
    if rules[0].open_on_holidays:
        return
    for place in places:
        everywhere = [part for part in SECOND_READING[country] if part != "all"]
        parts = [place.partition("-")[2], *CITIES.get(place, ())] if place else everywhere
        closed = days_by_rules(country, ["all", *parts])
        reasons = closings([(place or country, day) for day in days])
        refused = {day for day, reason in zip(days, reasons, strict=True) if reason == "holiday"}
        # A day on which nobody is called anyway says that first.
        assert refused <= closed, place
        assert closed - refused <= {day for day, why in zip(days, reasons, strict=True) if why == "closed_day"}, place


@pytest.mark.parametrize(
    ("rule", "day"),
    [
        ("12-25", date(2026, 12, 25)),
        ("easter-2", date(2026, 4, 3)),
        ("3 mon 10", date(2026, 10, 19)),
        ("-1 mon 5", date(2026, 5, 25)),
        ("06-29 >= mon", date(2026, 6, 29)),
        ("06-17 bridge", date(2026, 6, 15)),
        ("07-04 weekend", date(2026, 7, 3)),
        ("07-05 weekend", date(2026, 7, 6)),
        ("07-06 weekend", None),
        ("2027-01-02", None),
    ],
)
def test_the_rules_of_the_second_reading_say_the_days_they_mean(rule, day):
    assert day_of(rule, 2026) == day

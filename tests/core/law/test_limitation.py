"""When a debt is prescribed, by the years of each country."""

from datetime import date, timedelta

import pytest

from recobra_core.law import load_countries
from recobra_core.law.limitation import NEAR_DAYS, due_days_near_limitation, prescribed_on


@pytest.mark.parametrize("country", sorted(load_countries()))
@pytest.mark.parametrize("day", [date(2026, 11, 30), date(2027, 12, 1), date(2028, 2, 29)])
def test_the_days_that_are_near_are_those_of_debts_prescribed_within_the_term(country, day):
    due_days = due_days_near_limitation(country, day=day)
    if due_days is None:
        assert prescribed_on(country, due=day, day=day) is None
        return
    for due in (due_days.after + timedelta(days=1), due_days.until):
        assert 0 < (prescribed_on(country, due=due, day=day) - day).days <= NEAR_DAYS
    assert prescribed_on(country, due=due_days.after, day=day) <= day
    later = prescribed_on(country, due=due_days.until + timedelta(days=2), day=day)
    assert (later - day).days > NEAR_DAYS


def test_a_debt_of_29_february_is_prescribed_on_1_march():
    assert prescribed_on("CO", due=date(2024, 2, 29), day=date(2026, 11, 30)) == date(2029, 3, 1)

"""Which of two days 03/04 means is never guessed; a file from the future is a slip of the pen."""

from datetime import date

import pytest

from recobra.intake.operations import LoadRefused
from recobra.portfolio.models import Instalment

from .conftest import SHORT


def _file(dates):
    return "cuenta;vence;saldo\n" + "".join(f"A{n};{day};1\n" for n, day in enumerate(dates))


def test_a_few_dates_in_an_unusual_order_leave_the_others_in_doubt(load):
    with pytest.raises(LoadRefused) as refusal:
        load(_file(["03/04/2026"] * 90 + ["03/25/2026"] * 10), mapping=SHORT)
    assert (refusal.value.code, refusal.value.facts) == (
        "unclear_dates",
        {"column": "vence", "told": "03/25/2026", "value": "03/04/2026"},
    )


@pytest.mark.parametrize(("day_first", "month_first"), [(3, 80), (80, 3), (10, 10)])
def test_dates_in_two_orders_are_refused_with_examples_of_both(load, day_first, month_first):
    with pytest.raises(LoadRefused) as refusal:
        load(_file(["03/04/2026"] * 10 + ["31/03/2026"] * day_first + ["03/25/2026"] * month_first), mapping=SHORT)
    assert (refusal.value.code, refusal.value.facts) == (
        "mixed_dates",
        {"column": "vence", "dmy": "31/03/2026", "mdy": "03/25/2026"},
    )


@pytest.mark.parametrize(
    ("dates", "rejected", "read"),
    [
        (["03/04/2026"] * 20 + ["31/03/2026"] * 20 + ["03/25/2026"] * 2, 2, date(2026, 4, 3)),
        (["03/04/2026"] * 20 + ["03/25/2026"] * 2, 2, date(2026, 4, 3)),
        (["03/04/2026"] * 200 + ["31/03/2026"] * 200 + ["03/25/2026"] * 5, 5, date(2026, 4, 3)),
        (["03/04/2026"] * 20 + ["03/25/2026"] * 20, 0, date(2026, 3, 4)),
        (["03/04/2026"] * 20, 0, date(2026, 4, 3)),
    ],
    ids=["two slips", "two slips alone", "slips below two per cent", "the unusual order, clearly", "nothing tells"],
)
def test_slips_are_errors_of_their_rows(load, dates, rejected, read):
    result = load(_file(dates), mapping=SHORT)
    assert result["rejected"] == rejected
    assert Instalment.objects.get(account__external_id="A0").due_date == read


def test_who_names_the_order_gets_it(load):
    options = {"options": {"date_order": "mdy"}}
    assert load(_file(["03/04/2026"] * 90 + ["03/25/2026"] * 10), mapping=SHORT | options)["rejected"] == 0


def test_a_file_of_next_year_is_refused_and_the_next_true_day_goes_on(load):
    with pytest.raises(LoadRefused) as refusal:
        load(_file(["01/10/2026"]), mapping=SHORT, as_of=date(2027, 11, 23))
    assert (refusal.value.code, refusal.value.facts["today"]) == ("ahead", date(2026, 11, 23))
    assert load(_file(["01/10/2026"]), mapping=SHORT, as_of=date(2026, 11, 30))["created"] == 1


def test_a_year_of_two_figures_at_the_beginning_is_asked_about(load):
    days = ["26-10-01", "26-10-15", "26-11-30", "25-12-31"]
    with pytest.raises(LoadRefused) as refusal:
        load(_file(days), mapping=SHORT)
    assert refusal.value.code == "year_first"
    load(_file(days), mapping=SHORT | {"options": {"date_order": "ymd"}})
    assert Instalment.objects.get(account__external_id="A0").due_date == date(2026, 10, 1)


@pytest.mark.parametrize("days", [["30/09/26", "30/10/26", "31/10/26"], ["24/11/26"]])
def test_a_year_of_two_figures_at_the_end_is_the_usual_one(load, days):
    assert load(_file(days), mapping=SHORT)["accepted"] == len(days)


def test_where_both_orders_are_usual_a_file_that_leaves_it_open_is_asked_about(load, company):
    company.country = "PA"
    company.save()
    with pytest.raises(LoadRefused) as refusal:
        load(_file(["03/04/2026"] * 3), mapping=SHORT)
    assert refusal.value.code == "ambiguous_dates"
    assert load(_file(["03/04/2026", "31/03/2026"]), mapping=SHORT)["accepted"] == 2

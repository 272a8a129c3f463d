"""What a breach may cost: by kind, country and day, with its source, or the company decides."""

from datetime import date

import pytest

from recobra_core.law import BREACHES, CAUTION, COMPANY_DECIDES, breach_of, find_penalty, load_countries
from recobra_core.law.cautions import cite
from recobra_core.law.description import describe_country
from recobra_core.law.opening_hours import UNKNOWN_SOURCE

TODAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("rule", "breach"),
    [
        ("PE/call/window", "hours"),
        ("CL/call/holidays", "hours"),
        ("PE/default/cap-1", "frequency"),
        ("CL/messages/gap-1", "frequency"),
        ("CO/visit/barred", "channel"),
        ("CL/stage/judicial", "channel"),
        ("AR-C/workplace", "third_party"),
        ("PE/third-parties", "third_party"),
        ("ALL/opted-out", "wish"),
        ("CO/sms/consent", "wish"),
        ("CL/stop/suit-served", "stopped"),
        ("BR/limitation", "stopped"),
        ("PE/offers", "offer"),
        ("", "other"),
        ("HOUSE/suave.1/2", ""),
        ("HOUSE/suave.1/2/cap-1", ""),
        ("PE/company-holiday", ""),
    ],
)
def test_a_rule_tells_the_kind_of_breach(rule, breach):
    assert breach_of(rule) == breach


def test_the_law_threatens_nothing_where_only_a_caution_of_ours_or_an_unknown_fact_is_at_stake():
    for country in load_countries().values():
        local = [rule for rules in country.subdivisions.values() for rule in rules]
        for rule in (*country.rules, *local):
            for sourced in (rule, *rule.caps):
                is_free = breach_of("PE/call/window", cite(sourced)) == ""
                assert is_free == (sourced.basis == CAUTION), sourced
        for section in ("third_parties", "workplace", "limitation", "replies", "offers", "stages", "stops"):
            for clause in getattr(country.sections, section):
                assert (breach_of(clause.rule, cite(clause)) == "") == (clause.basis == CAUTION), clause
    assert breach_of("ALL/unknown", UNKNOWN_SOURCE) == ""


def test_every_country_says_of_every_breach_what_it_may_cost_and_where_that_is_written():
    for country in load_countries():
        for breach in BREACHES:
            penalty = find_penalty(country=country, breach=breach, day=TODAY)
            assert penalty, (country, breach)
            # Without a source no article is shown, and no figure either.
            is_open = penalty.source == COMPANY_DECIDES
            assert is_open == (penalty.basis == "default") == (not penalty.text), (country, breach)
            assert not is_open or penalty.most is None


@pytest.mark.parametrize(
    ("country", "breach", "day", "cost"),
    [
        ("PE", "hours", TODAY, ("UIT", None, 450)),
        ("PE", "offer", TODAY, ("UIT", 150, 450)),
        ("PE", "offer", date(2025, 5, 9), ("UIT", None, 450)),
        ("MX", "content", TODAY, ("MXN", 50_000, 300_000)),
        ("MX", "frequency", TODAY, ("días", 200, 2_000)),
        ("CL", "third_party", TODAY, ("UTM", None, 300)),
    ],
)
def test_it_differs_by_kind_of_breach_and_by_day(country, breach, day, cost):
    penalty = find_penalty(country=country, breach=breach, day=day)
    assert (penalty.unit, penalty.least, penalty.most) == cost


def test_nothing_is_known_without_a_country_a_breach_or_before_the_law():
    assert find_penalty(country="ZZ", breach="hours", day=TODAY) is None
    assert find_penalty(country="PE", breach="", day=TODAY) is None
    assert find_penalty(country="PE", breach="hours", day=date(2010, 10, 1)) is None


def test_the_page_of_a_country_lists_them_and_names_no_article_where_there_is_none():
    costs = describe_country(country="PE", day=TODAY).penalties
    assert [cost.text.partition(":")[0] for cost in costs][-1] == "publicidad"
    assert all(cost.source for cost in costs)
    (open_cost,) = describe_country(country="BO", day=TODAY).penalties
    assert (open_cost.text.endswith("La empresa decide"), open_cost.source) == (True, "")

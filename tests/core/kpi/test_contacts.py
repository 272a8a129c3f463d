"""The definitions of what messages bring."""

from dataclasses import fields

import pytest

from recobra_core.kpi.contacts import KPIS, Counts, compute_rate, cost_per_action, cost_per_unit


def test_every_indicator_is_a_share_of_something_that_is_counted():
    known = {each.name for each in fields(Counts)} | {"expected"}
    assert {name for kpi in KPIS.values() for name in (kpi.part, kpi.whole)} <= known
    assert all(kpi.says.endswith(".") for kpi in KPIS.values())


def test_a_rate_has_wilsons_interval():
    found = compute_rate(KPIS["delivered"], Counts(sent=263, delivered=81))
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
    assert compute_rate(KPIS["delivered"], Counts(planned=10)) is None


@pytest.mark.parametrize(
    ("counts", "share"),
    [
        (Counts(planned=10, cancelled=2, waiting=3, sent=4), 0.8),
        (Counts(planned=10, cancelled=0, waiting=0, sent=10), 1.0),
    ],
)
def test_the_plan_is_kept_as_far_as_it_could_be(counts, share):
    assert compute_rate(KPIS["adherence"], counts).estimate == share


def test_groups_add_up():
    one = Counts(planned=3, sent=2, paid_minor=10**15) + Counts(planned=4, debtors=1, paid_minor=1)
    assert one == Counts(planned=7, sent=2, debtors=1, paid_minor=10**15 + 1)


def test_costs_need_something_to_be_divided_by():
    assert (cost_per_action(cost_micros=30, priced=4), cost_per_action(cost_micros=0, priced=0)) == (7.5, None)
    assert cost_per_unit(cost_micros=30, paid_micros=600) == 0.05
    assert cost_per_unit(cost_micros=30, paid_micros=0) is None

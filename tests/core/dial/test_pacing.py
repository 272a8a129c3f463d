"""How many calls are placed at a moment."""

import pytest

from recobra_core.dial import Durations, Floor, Limits, Rate, pace_calls

TALK = Durations(mean=150.0, deviation=120.0, count=300)
WRAP = Durations(mean=25.0, deviation=15.0, count=300)
RING = Durations(mean=9.0, deviation=5.0, count=300)


def floor(**changes):
    usual = {
        "free": 0,
        "ringing": 0,
        "answered_today": 2_000,
        "abandoned_today": 10,
        "ring": RING,
        "talk": TALK,
        "wrap": WRAP,
        "rate": Rate(answered=80, attempts=400),
    }
    return Floor(**(usual | changes))


def test_one_in_five_answers_so_more_are_called_than_are_free():
    decision = pace_calls(floor(free=10))
    assert decision.mode == "predictive"
    assert 20 < decision.calls < 50


def test_what_rings_already_counts():
    whole = pace_calls(floor(free=10)).calls
    assert pace_calls(floor(free=10, ringing=12)).calls == whole - 12


def test_who_is_about_to_end_is_called_for():
    ending = tuple([20.0] * 30)
    assert pace_calls(floor(wrapping=ending)).calls > 0
    assert pace_calls(floor(wrapping=ending)).calls > pace_calls(floor(talking=ending)).calls


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"rate": Rate(answered=3, attempts=20)}, "thin_data"),
        ({"talk": Durations(mean=150.0, deviation=120.0, count=5)}, "thin_data"),
        ({"answered_today": 1_000, "abandoned_today": 30}, "cap_near"),
        ({"answered_today": 20, "abandoned_today": 0}, "cap_near"),
    ],
)
def test_it_falls_back_to_one_call_per_free_person(changes, why):
    decision = pace_calls(floor(free=10, ringing=4, **changes))
    assert (decision.calls, decision.mode, decision.why) == (6, "progressive", why)


def test_nobody_is_called_where_nobody_could_answer_soon():
    decision = pace_calls(floor(talking=(1.0, 1.0)))
    assert (decision.calls, decision.why) == (0, "nobody_soon")
    assert pace_calls(floor()).calls == 0


def test_an_uncertain_rate_of_answers_makes_careful():
    sure, unsure = Rate(answered=800, attempts=4_000), Rate(answered=14, attempts=70)
    assert pace_calls(floor(free=20, rate=unsure)).calls < pace_calls(floor(free=20, rate=sure)).calls


def test_a_smaller_cap_never_calls_more_and_no_cap_means_one_each():
    calls = [pace_calls(floor(free=10), limits=Limits(cap=cap)).calls for cap in (0.0, 0.01, 0.02, 0.03, 0.05)]
    assert calls == sorted(calls)
    assert calls[0] == 10


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3, 0.7, 1.0])
def test_more_answers_mean_fewer_calls_and_never_fewer_than_one_each(rate):
    decision = pace_calls(floor(free=8, rate=Rate(answered=int(rate * 1_000), attempts=1_000)))
    assert decision.calls >= 8
    assert decision.calls <= 8 / rate


@pytest.mark.parametrize("wrong", [{"free": -1}, {"ringing": -1}, {"abandoned_today": -1}])
def test_nonsense_is_refused(wrong):
    with pytest.raises(ValueError, match="not negative"):
        floor(**wrong)
    with pytest.raises(ValueError, match="cap"):
        Limits(cap=1.5)


def test_durations_know_how_long_what_lasts_will_go_on():
    assert TALK.ends_within(0.0, elapsed=60.0) == 0.0
    assert 0.99 < Durations(mean=10.0, deviation=2.0, count=9).ends_within(60.0, elapsed=1.0) <= 1.0
    assert Durations(mean=10.0, deviation=0.0, count=9).ends_within(3.0, elapsed=8.0) == 1.0
    # The median of a log-normal is mean / sqrt(1 + (deviation / mean) ** 2).
    assert round(TALK.ends_within(150 / (1 + 0.64) ** 0.5, elapsed=0.0), 9) == 0.5

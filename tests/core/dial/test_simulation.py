"""Over many days, teams and rates of answers: whoever picks up finds somebody, and people are busier for it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import extent

from recobra_core.dial.simulate import Scene, pace_progressively, predictive_pacing, simulate_day

CAP = 0.03


@settings(max_examples=extent.choose(daily=8, whole=30), deadline=None)
@given(
    seed=st.integers(0, 2**32),
    agents=st.integers(2, 50),
    rate=st.floats(0.05, 0.9),
    turn=st.floats(0.5, 2.0),
    talk=st.floats(20, 400),
    variation=st.floats(0.3, 1.5),
    wrap=st.floats(2, 90),
    ring=st.floats(3, 15),
)
def test_no_day_passes_the_cap_whatever_happens(*, seed, agents, rate, turn, talk, variation, wrap, ring):
    scene = Scene(
        agents=agents,
        answer_rate=rate,
        later_rate=min(0.95, rate * turn),
        talk_mean=talk,
        talk_variation=variation,
        wrap_mean=wrap,
        ring_mean=ring,
        hours=0.5,
    )
    day = simulate_day(scene, pacing=predictive_pacing(), seed=seed)
    assert day.abandonment <= CAP, day


@pytest.mark.parametrize("agents", extent.choose(daily=[2, 25], whole=[2, 10, 25]))
@pytest.mark.parametrize("rate", extent.choose(daily=[0.3], whole=[0.1, 0.3]))
def test_people_are_busier_than_with_one_call_each(agents, rate):
    scene = Scene(agents=agents, answer_rate=rate, talk_mean=90.0, hours=3.0)
    days = [
        (
            simulate_day(scene, pacing=predictive_pacing(), seed=n),
            simulate_day(scene, pacing=pace_progressively, seed=n),
        )
        for n in extent.choose(daily=(1,), whole=(1, 2))
    ]
    gain = sum(ours.used - theirs.used for ours, theirs in days) / len(days)
    least = {2: -0.02, 10: 0.08, 25: 0.12}[agents]
    assert gain >= least
    assert all(ours.abandonment <= CAP for ours, _theirs in days)


def test_one_call_each_leaves_nobody_waiting():
    day = simulate_day(Scene(agents=5, answer_rate=0.5, hours=2.0), pacing=pace_progressively, seed=3)
    assert day.answered > 50
    assert day.abandoned == 0


def test_the_same_seed_gives_the_same_day():
    scene = Scene(agents=6, answer_rate=0.2, hours=1.0)
    assert simulate_day(scene, pacing=predictive_pacing(), seed=9) == simulate_day(
        scene, pacing=predictive_pacing(), seed=9
    )
    assert simulate_day(scene, pacing=predictive_pacing(), seed=9) != simulate_day(
        scene, pacing=predictive_pacing(), seed=10
    )


def test_a_sudden_rise_of_answers_is_survived():
    scene = Scene(agents=20, answer_rate=0.1, later_rate=0.4, talk_mean=120.0, hours=3.0)
    for seed in range(extent.choose(daily=1, whole=3)):
        assert simulate_day(scene, pacing=predictive_pacing(), seed=seed).abandonment <= CAP

"""Who is in a control group: decided by a hash, so the same for ever and everywhere."""

import hashlib

import ibis
import pytest
from tests.core.decide import builders
from tests.core.decide.builders import read

from recobra_core.decide.chance import assign_arm, is_held_out

DEBTORS = ibis.schema({"debtor_id": "int64"})
COUNT = 4000


@pytest.fixture(scope="module")
def debtors(engine):
    return builders.table(engine, ({"debtor_id": n} for n in range(COUNT)), DEBTORS)


def drawn(engine, debtors, **columns):
    rows = read(engine, debtors.mutate(**columns))
    return sorted((row["debtor_id"], row["drawn"]) for row in rows)


def test_the_draw_is_the_hash_of_person_and_experiment(engine, debtors):
    limit = int(0.1 * 16**8)
    by_hand = [
        (n, int(hashlib.md5(f"{n}/tono".encode(), usedforsecurity=False).hexdigest()[:8], 16) < limit)
        for n in range(COUNT)
    ]
    assert drawn(engine, debtors, drawn=is_held_out(debtors.debtor_id, experiment="tono", share_bps=1000)) == by_hand


@pytest.mark.parametrize(("share_bps", "low", "high"), [(0, 0, 0), (1000, 320, 480), (10_000, COUNT, COUNT)])
def test_the_share_is_held(engine, debtors, share_bps, low, high):
    held = drawn(engine, debtors, drawn=is_held_out(debtors.debtor_id, experiment="tono", share_bps=share_bps))
    assert low <= sum(out for _, out in held) <= high


def test_another_experiment_draws_other_people(engine, debtors):
    one = drawn(engine, debtors, drawn=is_held_out(debtors.debtor_id, experiment="tono", share_bps=5000))
    other = drawn(engine, debtors, drawn=is_held_out(debtors.debtor_id, experiment="hora", share_bps=5000))
    both = sum(a and b for (_, a), (_, b) in zip(one, other, strict=True))
    assert 0.2 * COUNT < both < 0.3 * COUNT


def test_arms_share_out_the_people(engine, debtors):
    shares = {"control": 1000, "amable": 4500, "firme": 4000}
    drawn_arm = assign_arm(debtors.debtor_id, experiment="tono", shares_bps=shares).fill_null("-")
    arms = [name for _, name in drawn(engine, debtors, drawn=drawn_arm)]
    for name, share_bps in {**shares, "-": 500}.items():
        assert arms.count(name) == pytest.approx(COUNT * share_bps / 10_000, abs=90)


@pytest.mark.parametrize("shares", [{"a": 6000, "b": 4001}, {"a": -1}])
def test_shares_that_do_not_fit_are_refused(debtors, shares):
    with pytest.raises(ValueError, match="10000 basis points"):
        assign_arm(debtors.debtor_id, experiment="t", shares_bps=shares)


def test_an_experiment_without_a_name_is_refused(debtors):
    with pytest.raises(ValueError, match="needs a name"):
        is_held_out(debtors.debtor_id, experiment="", share_bps=1)

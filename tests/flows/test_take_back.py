"""A planned day is taken back: what it planned and changed is undone, what was sent stays, and it is free again."""

from datetime import date, timedelta

import pytest

from recobra.journal.models import Entry
from recobra.messaging.models import Contact
from recobra.portfolio.models import Hold
from recobra.strategy import operations as strategy
from recobra.strategy import schedule
from recobra.strategy.models import AccountState, CycleRun, Firing, KpiDay, StateBefore
from recobra.workbench.models import Task
from tests import receivables
from tests.people import acting
from tests.worlds import add_library

MONDAY = date(2026, 11, 23)
FAR = MONDAY.replace(year=2036)


@pytest.fixture
def late(company, now):
    """A loan twenty days late under the ready-made consumer strategy."""
    add_library(now)
    strategy.ensure_ready_made(actor=acting("dario", now=now))
    strategy.assign_strategy(portfolio_id=company.pk, code="consumo", actor=acting("dario", now=now))
    receivables.fresh_load(company, as_of=MONDAY, now=now)
    person = receivables.debtor(company, "Rosa")
    return receivables.account(company, person, "L-1", (MONDAY - timedelta(20), 50_000))


def _plan(day, now):
    """Run the cycle of a day on that day."""
    return strategy.run_cycle(as_of=day, actor=acting("dario", now=now + (day - MONDAY)))


def _take_back(day, now):
    return strategy.take_back_day(as_of=day, actor=acting("carla", now=now))


def _states():
    return list(AccountState.objects.order_by("account_id").values())


def test_a_day_that_was_taken_back_leaves_nothing_of_its_plan_and_can_be_planned_anew(late, now):
    before = _plan(MONDAY, now)
    planned = strategy.describe_planned_day(as_of=MONDAY)
    assert (planned.contacts, planned.sent) == (before["contacts_planned"], 0) == (1, 0)
    counts = _take_back(MONDAY, now)
    assert (counts["contacts"], counts["states"]) == (1, 1)
    assert Contact.objects.get().status == "CANCELLED"
    assert not AccountState.objects.exists()
    assert not Firing.objects.filter(voided_at=None).exists()
    assert not Task.objects.filter(status="OPEN").exists()
    assert not KpiDay.objects.exists()
    assert Entry.objects.get(kind="cycle.taken_back").fact().contacts == 1
    assert CycleRun.objects.get().status == "UNDONE"
    again = _plan(MONDAY, now + timedelta(minutes=1))
    assert (again["contacts_planned"], again["transitions"]) == (1, 0)
    assert AccountState.objects.get().stage == "ADMINISTRATIVE"


@pytest.mark.parametrize("are_states_kept", [True, False])
def test_a_far_day_that_was_planned_by_mistake_is_healed(late, now, are_states_kept):
    _plan(MONDAY, now)
    before = _states()
    far = _plan(FAR, now)
    assert far["transitions"] == 1
    assert AccountState.objects.get().stage != before[0]["stage"]
    with pytest.raises(strategy.CycleRefused):
        _plan(MONDAY + timedelta(1), now)
    if not are_states_kept:  # planned by an earlier version of the product
        StateBefore.objects.all().delete()
    _take_back(FAR, now + timedelta(hours=1))
    if are_states_kept:
        assert _states() == before
    receivables.fresh_load(late.portfolio, as_of=MONDAY + timedelta(1), now=now + timedelta(1))
    tuesday = _plan(MONDAY + timedelta(1), now)
    assert (tuesday["contacts_planned"], tuesday["transitions"]) == (1, 0)
    assert AccountState.objects.get().stage == before[0]["stage"]
    assert not Hold.objects.filter(lifted_at=None).exists()


def test_what_was_sent_stays_and_is_not_sent_again(late, now):
    _plan(MONDAY, now)
    Contact.objects.update(status="SENT", handed_over_at=now)
    counts = _take_back(MONDAY, now)
    assert (counts["contacts"], Contact.objects.get().status) == (0, "SENT")
    assert _plan(MONDAY, now + timedelta(minutes=1))["contacts_planned"] == 0


def test_only_the_latest_planned_day_is_taken_back(late, now):
    _plan(MONDAY, now)
    _plan(MONDAY + timedelta(1), now)
    for day, reason in ((MONDAY, "se planificó después"), (MONDAY + timedelta(2), "no está planificado")):
        with pytest.raises(strategy.CycleRefused, match=reason):
            _take_back(day, now)


def test_a_day_that_was_taken_back_waits_for_a_person(late, now, settings):
    settings.CYCLE_TIME_ZONE = "America/Lima"
    assert schedule.due_day(now) == MONDAY
    _plan(MONDAY, now)
    _take_back(MONDAY, now)
    assert schedule.due_day(now) is None

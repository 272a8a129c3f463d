"""A promise is one row by one operation, within the company's limits, and the payments say what became of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from tests import policies, receivables
from tests.people import acting

from recobra.access.actors import Service, actor_for, service_actor
from recobra.access.models import Role, Scope, User
from recobra.access.permissions import NotAllowed, OutOfScope
from recobra.agreements.facts import PromiseRegistered
from recobra.agreements.models import Promise
from recobra.agreements.operations import PromiseRefused, register_promise
from recobra.agreements.queries import judge_promises, open_promise, promises_for
from recobra.journal.models import Entry
from recobra.journal.operations import record_fact
from recobra.payments.operations import record_payment, reverse_payment
from recobra.portfolio.models import Hold, Portfolio
from recobra.portfolio.snapshot import Scope as Decided
from recobra.strategy.snapshot import read_events
from recobra.workbench.models import Task

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
TODAY = date(2026, 11, 23)
FRIDAY = date(2026, 11, 27)
OVERDUE = 45_050
pytestmark = pytest.mark.django_db


@pytest.fixture
def rosa(company):
    """Somebody who owes 450.50 since three days, and 500.00 from December on."""
    debtor = receivables.debtor(company, "Rosa")
    receivables.account(company, debtor, "PR-1", (date(2026, 11, 20), OVERDUE), (date(2026, 12, 20), 50_000))
    return debtor


@pytest.fixture
def promise(company, rosa):
    """Let Rosa promise, to the bot unless another actor is named."""

    def make(promised_on=FRIDAY, *, minutes=0, actor=None, **changes):
        given = {"portfolio_id": company.pk, "debtor_id": rosa.pk, "today": TODAY, "channel": "whatsapp"}
        actor = actor or service_actor(Service.BOT, now=NOW + timedelta(minutes=minutes))
        return register_promise(**given | {"promised_on": promised_on} | changes, actor=actor)

    return make


@pytest.fixture
def pay(company, rosa):
    """Let Rosa pay on a day of November, known at noon of it in Lima."""

    def make(minor, day, account=None, **changes):
        given = {"portfolio_id": company.pk, "debtor_id": rosa.pk, "account_id": account and account.pk}
        return record_payment(
            **given,
            amount_minor=minor,
            paid_date=date(2026, 11, day),
            reference=f"OP-{day}-{minor}",
            source="SCREEN",
            actor=acting("ana", now=datetime(2026, 11, day, 17, tzinfo=UTC)),
        )

    return make


def states(rosa, on):
    """What each promise got, and its state, oldest first."""
    judged = reversed(judge_promises([rosa.pk], as_of=on))
    return [(each.paid_minor, each.state) for each in judged]


def test_a_promise_is_a_row_a_fact_a_hold_and_a_task(promise, rosa, company):
    made = promise()
    assert (made.amount_minor, made.currency, made.promised_on, made.grace_days) == (OVERDUE, "PEN", FRIDAY, 2)
    assert (made.channel, made.registered_by, made.registered_on) == ("whatsapp", "bot", TODAY)
    (entry,) = Entry.objects.filter(kind="promise.registered", debtor_id=rosa.pk)
    assert (entry.fact().promise_id, entry.fact().promised_on, entry.portfolio_id) == (made.pk, FRIDAY, company.pk)
    hold = Hold.objects.get(debtor=rosa)
    assert (hold.reason, hold.ends_on) == ("PROMISE", made.until)
    assert Task.objects.get(debtor=rosa, kind="promise").due_date == made.until + timedelta(1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"promised_on": date(2026, 11, 22)}, "no puede"),
        ({"promised_on": date(2026, 12, 1)}, "a más de 7 días"),
        ({"amount_minor": 0}, "Nada vence"),
        ({"amount_minor": OVERDUE + 50_001}, "supera"),
    ],
)
def test_what_is_beyond_the_limits_is_refused(promise, changes, said):
    with pytest.raises(PromiseRefused, match=said):
        promise(**changes)
    assert not Promise.objects.exists()


def test_who_owes_nothing_promises_nothing(promise, pay):
    pay(OVERDUE + 50_000, 23)
    with pytest.raises(PromiseRefused, match="Nada se debe"):
        promise(amount_minor=100)


def test_who_is_reminded_before_the_day_promises_what_will_be_due_then(promise):
    before = {"today": date(2026, 11, 17)}
    assert promise(date(2026, 11, 20), **before).amount_minor == OVERDUE
    with pytest.raises(PromiseRefused, match="Nada vence hasta ese día"):
        promise(date(2026, 11, 19), **before)


def test_who_owes_less_than_the_least_amount_promises_all_of_it(promise, company):
    policies.put_in_force(company, promise_min_minor=100_000)
    before = {"today": date(2026, 11, 17)}
    assert promise(date(2026, 11, 20), **before).amount_minor == OVERDUE
    assert promise(date(2026, 11, 19), amount_minor=OVERDUE + 50_000, **before).amount_minor == OVERDUE + 50_000
    for refused in ({"promised_on": date(2026, 11, 19)} | before, {}):
        with pytest.raises(PromiseRefused):
            promise(amount_minor=OVERDUE - 1, **refused)


def test_a_promise_names_accounts_of_its_debtor(promise, rosa, company):
    own = rosa.accounts.get()
    other = receivables.account(company, receivables.debtor(company, "Luis"), "PR-2", (date(2026, 11, 20), 1_000))
    made = promise(shares={own.pk: 20_000})
    assert (made.amount_minor, [share.account for share in made.shares.all()]) == (20_000, [own])
    for shares in ({other.pk: 500}, {own.pk: 0}):
        with pytest.raises(PromiseRefused):
            promise(shares=shares)


def test_only_who_has_the_right_and_sees_the_portfolio_registers_one(promise):
    with pytest.raises(NotAllowed):
        promise(actor=actor_for(User(username="hilda", role=Role.AUDITOR), now=NOW))
    elsewhere = User.objects.create(username="zoe", role=Role.GESTOR)
    Scope.objects.create(user=elsewhere, portfolio_code="PE-OTRA")
    with pytest.raises(OutOfScope):
        promise(actor=actor_for(elsewhere, now=NOW))


def test_a_promise_is_pending_until_its_grace_is_over_and_then_broken(promise, rosa):
    made = promise()
    assert states(rosa, made.until) == [(0, "PENDING")]
    assert open_promise(rosa.pk, as_of=made.until) == made
    assert states(rosa, made.until + timedelta(1)) == [(0, "BROKEN")]
    assert open_promise(rosa.pk, as_of=made.until + timedelta(1)) is None


def test_the_last_day_of_grace_keeps_a_promise_and_a_reversal_breaks_it(promise, pay, rosa):
    made = promise()
    payment = pay(OVERDUE, 29)
    assert states(rosa, made.until) == [(OVERDUE, "KEPT")]
    reverse_payment(payment_id=payment.pk, reason="Sin fondos", actor=acting("bruno", now=NOW + timedelta(8)))
    assert states(rosa, made.until) == [(OVERDUE, "KEPT")]  # as that day ended
    assert states(rosa, date(2026, 12, 1)) == [(0, "BROKEN")]


def test_money_known_before_the_promise_keeps_nothing_and_a_part_keeps_a_part(promise, pay, rosa):
    pay(50, 23)  # at noon; the promise is of the afternoon
    promise(minutes=180)
    assert Promise.objects.get().amount_minor == OVERDUE - 50
    pay(100, 25)
    assert states(rosa, date(2026, 11, 30)) == [(100, "PARTLY_KEPT")]


def test_of_two_promises_on_the_same_money_the_older_is_kept_first(promise, pay, rosa):
    promise(amount_minor=30_000)
    promise(amount_minor=30_000, minutes=5)
    pay(45_050, 26)
    assert states(rosa, date(2026, 11, 30)) == [(30_000, "KEPT"), (15_050, "PARTLY_KEPT")]


def test_a_promise_of_one_account_is_kept_by_money_of_that_account(promise, pay, rosa, company):
    first = rosa.accounts.get()
    second = receivables.account(company, rosa, "PR-9", (date(2026, 11, 20), 10_000))
    promise(shares={second.pk: 10_000})
    promise(amount_minor=5_000, minutes=5)
    pay(7_000, 25, first)
    assert states(rosa, date(2026, 11, 30)) == [(0, "BROKEN"), (5_000, "KEPT")]
    pay(10_000, 26, second)
    assert states(rosa, date(2026, 11, 30)) == [(10_000, "KEPT"), (5_000, "KEPT")]


def test_promises_of_other_portfolios_are_judged_and_not_shown(promise, pay, rosa, company):
    other = Portfolio.objects.create(
        creditor=company.creditor,
        code="PE-OTRA",
        name="Otra",
        industry="CONSUMER",
        country="PE",
        currency="PEN",
        time_zone="America/Lima",
    )
    promise(amount_minor=30_000, portfolio_id=other.pk)
    mine = promise(amount_minor=30_000, minutes=5)
    pay(40_000, 26)
    user = User.objects.create(username="ines", role=Role.GESTOR)
    Scope.objects.create(user=user, portfolio_code=company.code)
    (shown,) = promises_for(user, rosa, as_of=date(2026, 11, 30))
    assert (shown.promise, shown.paid_minor, shown.missing_minor) == (mine, 10_000, 20_000)


def test_the_policy_of_the_day_sets_the_least_amount_and_the_furthest_day(promise, company):
    policies.put_in_force(company, promise_min_minor=20_000, promise_days=3, promise_grace_days=0)
    for refused in ({"amount_minor": 19_999, "promised_on": TODAY}, {"promised_on": FRIDAY}):
        with pytest.raises(PromiseRefused):
            promise(**refused)
    made = promise(date(2026, 11, 26), amount_minor=20_000)
    assert made.until == made.promised_on


def test_the_strategy_reads_the_last_promise_from_its_row_and_not_from_the_journal(promise, rosa, company):
    scope = Decided(portfolio_ids=[company.pk])
    told = PromiseRegistered(promised_on=FRIDAY)
    record_fact(told, actor=acting("bot", now=NOW), debtor_id=rosa.pk, portfolio_id=company.pk)
    assert read_events(scope, as_of=FRIDAY).num_rows == 0
    promise()
    (event,) = read_events(scope, as_of=FRIDAY).to_pylist()
    assert (event["debtor_id"], event["last_promise_on"], event["payments_90d"]) == (rosa.pk, TODAY, 0)
    assert read_events(scope, as_of=TODAY - timedelta(1)).num_rows == 0

"""The day of a portfolio: planned once, stopped by a payment, caught up after a missed day."""

from datetime import date, timedelta

import duckdb
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recobra.journal.models import Entry
from recobra.kit import engine, sql_cache
from recobra.messaging.models import Contact
from recobra.payments import operations as payments
from recobra.portfolio import operations as portfolio
from recobra.portfolio.contact_points import correct_contact_point, retire_contact_point
from recobra.portfolio.models import Account, Portfolio
from recobra.portfolio.preferences import set_preferences
from recobra.strategy import operations as strategy
from recobra.strategy.models import AccountState, Alarm, CycleRun, Firing, KpiDay
from recobra.strategy.operations import decision, redecide
from recobra.strategy.policies import policies_in_force
from recobra.workbench.models import Task
from recobra_core.decide import ready
from tests import policies, receivables
from tests.people import acting
from tests.worlds import add_library

MONDAY = date(2026, 11, 23)


@pytest.fixture
def consumer(company, now):
    """The company under the ready-made consumer strategy, with a fresh load."""
    add_library(now)
    strategy.ensure_ready_made(actor=acting("dario", now=now))
    strategy.assign_strategy(portfolio_id=company.pk, code="consumo", actor=acting("dario", now=now))
    receivables.fresh_load(company, as_of=MONDAY, now=now)
    return company


@pytest.fixture
def late(consumer):
    """A loan twenty days late."""
    person = receivables.debtor(consumer, "Rosa")
    return receivables.account(consumer, person, "L-1", (MONDAY - timedelta(20), 50_000))


def run(now, day=MONDAY):
    return strategy.run_cycle(as_of=day, actor=acting("dario", now=now))


def test_a_late_loan_is_contacted_once_however_often_the_cycle_runs(late, now):
    first, second = run(now), run(now)
    assert (first["contacts_planned"], second["contacts_planned"]) == (1, 0)
    assert [step["name"] for step in first["steps"]] == list(strategy.cycle.STEPS)
    assert Contact.objects.count() == 1


def test_the_plan_is_for_the_opening_hour_of_the_debtor(late, now):
    run(now)
    planned = Contact.objects.get()
    assert planned.status == "DUE"
    assert planned.due_at.isoformat() == "2026-11-23T12:00:00+00:00"  # 07:00 in Lima, Ley 29571 art. 62.b
    assert planned.rule.startswith("PE/")


def test_on_a_sunday_nobody_is_contacted_and_the_reason_is_kept(late, now):
    receivables.fresh_load(late.portfolio, as_of=MONDAY - timedelta(1), now=now)
    figures = run(now, MONDAY - timedelta(1))
    assert (figures["contacts_planned"], figures["contacts_blocked"]) == (0, 1)
    assert Contact.objects.get().reason == "closed_day"
    assert run(now)["contacts_planned"] == 1


def test_a_payment_takes_back_what_was_planned_before_it_is_sent(late, now):
    run(now)
    payments.record_payment(
        portfolio_id=late.portfolio_id,
        debtor_id=late.debtor_id,
        account_id=late.pk,
        amount_minor=50_000,
        paid_date=MONDAY,
        reference="R-1",
        actor=acting("ana", now=now),
    )
    planned = Contact.objects.get()
    assert (planned.status, planned.reason) == ("CANCELLED", "payment")
    late.refresh_from_db()
    assert late.status == "PAID"
    assert not AccountState.objects.filter(account=late).exists()
    assert not Firing.objects.filter(voided_at__isnull=True).exists()
    assert run(now)["contacts_planned"] == 0


def test_a_part_payment_silences_the_strategy_for_its_days(late, now):
    run(now)
    payments.record_payment(
        portfolio_id=late.portfolio_id,
        debtor_id=late.debtor_id,
        account_id=late.pk,
        amount_minor=10_000,
        paid_date=MONDAY,
        reference="R-1",
        actor=acting("ana", now=now),
    )
    assert AccountState.objects.get(account=late).overdue_minor == 40_000
    assert run(now)["contacts_planned"] == 0


def test_a_stale_portfolio_is_not_contacted(late, now):
    figures = run(now + timedelta(7), MONDAY + timedelta(7))
    assert figures["contacts_planned"] == 0
    assert late.portfolio.alarms.filter(kind="stale_load", cleared_at__isnull=True).exists()


def test_one_message_for_a_debtor_with_several_accounts(late, now):
    receivables.account(late.portfolio, late.debtor, "L-2", (MONDAY - timedelta(40), 30_000))
    assert run(now)["contacts_planned"] == 1
    assert Firing.objects.filter(contact_id__isnull=False).count() == 2


def test_a_debtor_without_a_way_to_reach_becomes_work_for_a_person_once(consumer, now):
    person = receivables.debtor(consumer, "Sin Correo", email=None)
    receivables.account(consumer, person, "L-3", (MONDAY - timedelta(20), 50_000))
    run(now)
    receivables.fresh_load(consumer, as_of=MONDAY + timedelta(1), now=now)
    run(now + timedelta(1), MONDAY + timedelta(1))
    assert Task.objects.filter(debtor=person, kind="unreachable").count() == 1


def test_a_hold_silences_and_its_end_lets_the_steps_be_caught_up(late, now):
    portfolio.place_hold(
        debtor_id=late.debtor_id, reason="ILLNESS", starts_on=MONDAY, ends_on=MONDAY, actor=acting("ana", now=now)
    )
    assert run(now)["contacts_planned"] == 0
    assert run(now + timedelta(1), MONDAY + timedelta(1))["contacts_planned"] == 1


def test_a_reversed_payment_opens_the_debt_again(late, now):
    run(now)
    payment = payments.record_payment(
        portfolio_id=late.portfolio_id,
        debtor_id=late.debtor_id,
        account_id=late.pk,
        amount_minor=50_000,
        paid_date=MONDAY,
        reference="R-1",
        actor=acting("ana", now=now),
    )
    payments.reverse_payment(payment_id=payment.pk, reason="Cheque devuelto", actor=acting("bruno", now=now))
    assert AccountState.objects.get(account=late).overdue_minor == 50_000
    assert {"payment.recorded", "payment.reversed"} <= set(Entry.objects.values_list("kind", flat=True))


def test_what_was_not_sent_yesterday_stays_when_today_wants_the_same(late, now):
    run(now)
    receivables.fresh_load(late.portfolio, as_of=MONDAY + timedelta(1), now=now)
    assert run(now + timedelta(1), MONDAY + timedelta(1))["contacts_planned"] == 0
    assert Contact.objects.get().status == "DUE"
    assert Firing.objects.filter(voided_at__isnull=True).count() == 1


def test_what_was_not_sent_gives_way_when_the_day_wants_something_else(late, now):
    run(now)
    later = MONDAY + timedelta(46)  # 66 days late: the extrajudicial notice
    receivables.fresh_load(late.portfolio, as_of=later, now=now)
    assert run(now + timedelta(46), later)["contacts_planned"] == 1
    assert sorted(Contact.objects.values_list("status", "reason")) == [("CANCELLED", "replanned"), ("DUE", "")]
    assert Firing.objects.filter(voided_at__isnull=True).count() == 1


def test_who_pays_a_part_before_the_cycle_of_the_day_is_not_planned_again(late, now):
    run(now)
    tuesday = MONDAY + timedelta(1)
    payments.record_payment(
        portfolio_id=late.portfolio_id,
        debtor_id=late.debtor_id,
        account_id=late.pk,
        amount_minor=10_000,
        paid_date=tuesday,
        reference="R-1",
        actor=acting("ana", now=now + timedelta(1)),
    )
    assert [(c.status, c.reason) for c in Contact.objects.all()] == [("CANCELLED", "payment")]
    assert AccountState.objects.get(account=late).overdue_minor == 40_000


def test_a_day_that_is_caught_up_does_not_plan_who_has_paid_since(late, now):
    payments.record_payment(
        portfolio_id=late.portfolio_id,
        debtor_id=late.debtor_id,
        account_id=late.pk,
        amount_minor=10_000,
        paid_date=MONDAY + timedelta(1),
        reference="R-1",
        actor=acting("ana", now=now + timedelta(1)),
    )
    assert run(now + timedelta(1))["contacts_planned"] == 0
    assert not Firing.objects.exists()


def test_a_company_without_accounts_has_a_day_all_the_same(consumer, now):
    assert run(now)["contacts_planned"] == 0


def test_who_has_a_contact_today_is_neither_touched_again_nor_out_of_reach(late, now):
    run(now)
    document = ready.load_strategy("consumo").to_document()
    touched = strategy.preview_reach(document=document, portfolio_ids=[late.portfolio_id], as_of=MONDAY)
    channels = touched["steps"].to_pylist()
    assert "unreachable" not in {row["channel"] for row in channels}


def test_an_installation_without_portfolios_has_a_day_too(db, now):
    assert run(now)["contacts_planned"] == 0


def test_a_past_day_is_decided_by_the_policy_of_that_day(late, now):
    run(now)
    policies.put_in_force(late.portfolio, day=MONDAY + timedelta(1), extrajudicial_from=21, freshness_days=0)
    run(now)
    assert AccountState.objects.get().stage == "ADMINISTRATIVE"
    monday = set(KpiDay.objects.values_list("key", "value"))
    tuesday = MONDAY + timedelta(1)
    run(now + timedelta(1), tuesday)
    assert AccountState.objects.get().stage == "EXTRAJUDICIAL"
    assert set(KpiDay.objects.filter(day=MONDAY).values_list("key", "value")) == monday
    # The load of Monday is too old for a policy that wants one of the day.
    assert Alarm.objects.filter(kind="stale_load", cleared_at=None).exists()


@pytest.mark.parametrize("is_whole_day", [True, False])
def test_an_account_that_a_file_moved_is_decided_with_whose_it_is_now(late, now, is_whole_day):
    run(now)
    other = receivables.debtor(late.portfolio, "Ramón")
    Account.objects.filter(pk=late.pk).update(debtor=other)
    if is_whole_day:
        run(now)
    else:
        strategy.redecide_debtors(debtor_ids=[other.pk], actor=acting("ana", now=now))
    state = AccountState.objects.get()
    assert (state.account_id, state.debtor_id) == (late.pk, other.pk)


def test_a_redecision_asks_the_same_queries_for_one_debtor_and_for_many(late, now):
    others = [receivables.debtor(late.portfolio, f"Rosa {number}") for number in range(5)]
    for number, person in enumerate(others):
        receivables.account(late.portfolio, person, f"M-{number}", (MONDAY - timedelta(20), 50_000))
    run(now)
    counts = []
    for debtor_ids in ([late.debtor_id], [person.pk for person in others]):
        with CaptureQueriesContext(connection) as queries:
            strategy.redecide_debtors(debtor_ids=debtor_ids, actor=acting("ana", now=now))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_new_day_compiles_nothing(late, now, monkeypatch, tmp_path):
    monkeypatch.setenv("RECOBRA_CACHE_DIR", str(tmp_path))
    decision._STATEMENTS.clear()
    run(now)
    decision._STATEMENTS.clear()  # another process
    monkeypatch.setattr(sql_cache, "_COMPILER", None)
    tuesday = MONDAY + timedelta(1)
    assert run(now + timedelta(1), tuesday)["as_of"] == tuesday.isoformat()
    strategy.redecide_debtors(debtor_ids=[late.debtor_id], actor=acting("ana", now=now + timedelta(1)))
    assert AccountState.objects.get().stage == "ADMINISTRATIVE"


def test_a_column_of_another_type_has_other_statements(consumer):
    of_type = []
    for kind in ("integer", "number", "integer"):
        consumer.attributes = {"cuota": {"type": kind}}
        consumer.save()
        of_type.append(policies_in_force(day=MONDAY).fingerprint())
    assert of_type[0] == of_type[2] != of_type[1]


def test_a_debtor_is_decided_alike_after_another_and_by_new_statements(late, now, monkeypatch):
    """The statements of a thread are kept: nothing of the debtor before may be read, also after a failure."""
    people = [late.debtor] + [receivables.debtor(late.portfolio, f"Rosa {number}") for number in range(3)]
    for days, person in zip((3, 45, 120), people[1:], strict=True):
        receivables.account(late.portfolio, person, f"M-{days}", (MONDAY - timedelta(days), 50_000 + days))
    run(now)
    monkeypatch.setattr(redecide, "commit_decisions", lambda decisions, **_: decisions)

    def decide(person):
        day = MONDAY + timedelta(1)
        decided = strategy.redecide_debtors(debtor_ids=[person.pk], as_of=day, actor=acting("ana", now=now))
        return {name: sorted(map(str, table.to_pylist())) for name, table in decided.items()}

    kept = [decide(person) for person in (*people, *people)]
    with monkeypatch.context() as broken:
        broken.setattr(redecide, "run_decisions", lambda *_, **__: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            decide(people[0])
    kept += [decide(person) for person in reversed(people)]
    monkeypatch.setattr(
        engine, "thread_prepared", lambda _key, set_up: engine.PreparedStatements(duckdb.connect(), set_up=set_up)
    )
    anew = [decide(person) for person in people]
    assert kept == [*anew, *anew, *reversed(anew)]


def test_a_day_that_has_not_come_is_refused_by_the_operation(late, now):
    for day in (MONDAY + timedelta(1), MONDAY.replace(year=2036)):
        with pytest.raises(strategy.CycleRefused, match="no ha llegado"):
            run(now, day)
    assert not CycleRun.objects.exists()
    # In Auckland, where another portfolio is, it is Tuesday already.
    Portfolio.objects.create(
        code="NZ",
        name="Sur",
        creditor=late.portfolio.creditor,
        country="PE",
        currency="PEN",
        industry="CONSUMER",
        time_zone="Pacific/Auckland",
    )
    assert run(now, MONDAY + timedelta(1))["as_of"] == "2026-11-24"


def test_the_plan_honours_the_channel_that_a_debtor_prefers_at_once(late, now):
    late.debtor.points.create(kind="PHONE", value="+51987654321", line="MOBILE", valid=True, quality=50)
    run(now)
    before = Contact.objects.get(status="DUE")
    other = "sms" if before.channel == "email" else "email"
    set_preferences(
        debtor_id=late.debtor_id,
        language="es",
        channel=other,
        hours_from=None,
        hours_to=None,
        note="Lo pidió ella",
        actor=acting("ana", now=now),
    )
    before.refresh_from_db()
    assert (before.status, before.reason) == ("CANCELLED", "preferences")
    assert Contact.objects.get(status="DUE").channel == other


def test_a_correction_is_planned_for_at_once_and_a_retired_point_is_not(late, now):
    run(now)
    planned = Contact.objects.get(status="DUE")
    right = correct_contact_point(
        point_id=planned.point_id, value="rosa.quispe@example.com", note="Lo dictó", actor=acting("ana", now=now)
    )
    planned.refresh_from_db()
    assert planned.status == "CANCELLED"
    assert Contact.objects.get(status="DUE").point_id == right.pk
    retire_contact_point(point_id=right.pk, reason="NO_LONGER", actor=acting("ana", now=now))
    assert not Contact.objects.filter(status="DUE", point_id=right.pk).exists()

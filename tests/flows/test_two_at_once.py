"""Two cycles at once, and a payment in the middle of one: nothing is planned twice, nobody is written to after paying."""

import importlib
import threading
import time
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction

from recobra.consent.facts import OptOutReceived
from recobra.conversations.facts import WebhookForged
from recobra.intake import operations as intake
from recobra.intake.load import compare
from recobra.journal.models import Entry
from recobra.journal.operations import record_fact
from recobra.journal.sql import latest_entry_id
from recobra.kit import tables
from recobra.messaging.models import Contact
from recobra.payments import operations as payments
from recobra.payments.models import Payment
from recobra.portfolio.debtor_joins import JoinRefused, join_debtors
from recobra.portfolio.models import Debtor, Portfolio
from recobra.strategy import operations as strategy
from recobra.strategy.models import AccountState, Firing
from recobra.strategy.operations import cycle
from tests import receivables
from tests.flows.test_reply_pauses import write_to_us
from tests.people import acting

from .test_daily_cycle import MONDAY, consumer, run

committing = importlib.import_module("recobra.strategy.operations.commit")

__all__ = ["consumer"]


@pytest.fixture
def several(transactional_db, consumer):
    """Five loans of five debtors, twenty days late."""
    return [
        receivables.account(consumer, receivables.debtor(consumer, name), f"L-{name}", (MONDAY - timedelta(20), 50_000))
        for name in ("Rosa", "Luis", "Marta", "Julio", "Elba")
    ]


def beside(work):
    """Run work in a thread with a database connection of its own; return what it answered."""
    answers = []

    def body():
        try:
            answers.append(work())
        finally:
            connection.close()

    thread = threading.Thread(target=body)
    thread.start()
    return thread, answers


def test_two_cycles_at_once_plan_nothing_twice(several, now):
    threads = [beside(lambda: run(now)) for _ in range(2)]
    for thread, _answers in threads:
        thread.join(120)
    planned = sorted(answers[0]["contacts_planned"] for _thread, answers in threads)
    assert planned == [0, 5]
    assert Contact.objects.count() == 5
    assert Firing.objects.filter(contact_id__isnull=False).count() == 5


def test_who_pays_while_the_cycle_decides_is_not_planned(several, now, monkeypatch):
    paying = several[0]
    decide = cycle.run_decisions

    def decide_while_paying(duck, **rest):
        decisions = decide(duck, **rest)
        thread, _answers = beside(
            lambda: payments.record_payment(
                portfolio_id=paying.portfolio_id,
                debtor_id=paying.debtor_id,
                account_id=paying.pk,
                amount_minor=10_000,
                paid_date=MONDAY,
                reference="R-1",
                actor=acting("ana", now=now),
            )
        )
        thread.join(60)
        return decisions

    monkeypatch.setattr(cycle, "run_decisions", decide_while_paying)
    assert strategy.run_cycle(as_of=MONDAY, actor=acting("dario", now=now))["contacts_planned"] == 4
    assert not Contact.objects.filter(debtor_id=paying.debtor_id, status="DUE").exists()


@pytest.mark.parametrize("kind", ["conversation.received", "optout.received"])
def test_who_writes_while_the_cycle_decides_is_not_planned(several, now, monkeypatch, kind):
    """The facts that void a plan are one list: campaigns knew those of people who wrote, the cycle did not."""
    writing = several[0]
    decide = cycle.run_decisions

    def write():
        with transaction.atomic():
            if kind == "optout.received":
                refused = OptOutReceived(point_id=None, source="KEYWORD")
                record_fact(refused, actor=acting("debtor", now=now), debtor_id=writing.debtor_id)
            else:
                write_to_us(writing.debtor_id, now)

    def decide_while_writing(duck, **rest):
        decisions = decide(duck, **rest)
        thread, _answers = beside(write)
        thread.join(60)
        return decisions

    monkeypatch.setattr(cycle, "run_decisions", decide_while_writing)
    assert run(now)["contacts_planned"] == 4
    assert not Contact.objects.filter(debtor_id=writing.debtor_id).exists()
    assert not Firing.objects.filter(account=writing).exists()
    # Who was decided for anew is left out altogether; of the others only the message is.
    is_left_out = kind == "conversation.received"
    assert AccountState.objects.filter(account=writing).exists() is not is_left_out


def join(kept_id, joined_id, now):
    """Join two debtors; return whether they were not joined yet."""
    try:
        join_debtors(kept_id=kept_id, joined_id=joined_id, reason="DEBTOR", actor=acting("bruno", now=now))
    except JoinRefused:
        return False
    return True


def test_who_is_joined_while_the_cycle_decides_is_written_to_once_by_the_next(several, now, monkeypatch):
    kept_id, joined_id = several[0].debtor_id, several[1].debtor_id
    decide = cycle.run_decisions

    def decide_while_joining(duck, **rest):
        decisions = decide(duck, **rest)
        thread, _answers = beside(lambda: join(kept_id, joined_id, now))
        thread.join(60)
        return decisions

    monkeypatch.setattr(cycle, "run_decisions", decide_while_joining)
    assert run(now)["contacts_planned"] == 3
    monkeypatch.undo()
    assert run(now)["contacts_planned"] == 1
    planned = Contact.objects.filter(debtor__in=[kept_id, joined_id], status="DUE")
    assert list(planned.values_list("debtor_id", flat=True)) == [kept_id]


def test_two_who_join_the_same_debtors_at_once_join_them_once(several, now):
    one, other = several[0].debtor_id, several[1].debtor_id
    threads = [beside(partial(join, *pair, now)) for pair in ((one, other), (other, one))]
    for thread, _answers in threads:
        thread.join(60)
    assert sorted(answers[0] for _thread, answers in threads) == [False, True]
    kept = Debtor.objects.get(joined__isnull=False)
    assert kept.accounts.count() == 2


def pay(account, now, amount_minor=10_000, day=MONDAY):
    return payments.record_payment(
        portfolio_id=account.portfolio_id,
        debtor_id=account.debtor_id,
        account_id=account.pk,
        amount_minor=amount_minor,
        paid_date=day,
        reference=f"R-{account.pk}",
        actor=acting("ana", now=now),
    )


def until_it_waits():
    """Return once some connection waits for an advisory lock: it has come as far as it can."""
    for _try in range(200):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    raise AssertionError("Nobody waits for the cycle.")


def test_a_payment_and_the_commit_of_the_cycle_never_wait_for_each_other(several, consumer, now, monkeypatch):
    lost = receivables.account(
        consumer, receivables.debtor(consumer, "Sin Correo", email=None), "L-9", (MONDAY - timedelta(20), 50_000)
    )
    write, paying = committing._write_states, []

    def write_while_paying(decisions, **kept):
        paying.append(beside(lambda: pay(several[0], now)))
        until_it_waits()
        write(decisions, **kept)

    monkeypatch.setattr(committing, "_write_states", write_while_paying)
    # The task for a person takes the same way as the payment: reserve ids, then refer to the account.
    assert run(now)["tasks_created"] == 1
    ((thread, answers),) = paying
    thread.join(60)
    assert [payment.amount_minor for payment in answers] == [10_000]
    assert Contact.objects.get(debtor_id=several[0].debtor_id).status == "CANCELLED"
    assert Contact.objects.filter(debtor_id=lost.debtor_id).count() == 0


def test_who_is_written_to_while_the_cycle_decides_is_not_written_to_again(several, now, monkeypatch):
    run(now)
    tuesday, later = MONDAY + timedelta(1), now + timedelta(1)
    receivables.fresh_load(several[0].portfolio, as_of=tuesday, now=later)
    sent = Contact.objects.get(debtor_id=several[0].debtor_id)
    decide = cycle.run_decisions

    def decide_while_sending(duck, **rest):
        decisions = decide(duck, **rest)
        Contact.objects.filter(pk=sent.pk).update(status="SENT", handed_over_at=later, local_date=tuesday)
        return decisions

    monkeypatch.setattr(cycle, "run_decisions", decide_while_sending)
    assert run(later, tuesday)["contacts_planned"] == 0
    assert Contact.objects.filter(debtor_id=several[0].debtor_id).count() == 1
    assert Contact.objects.filter(status="DUE").count() == 4


def test_a_fact_that_is_not_committed_yet_is_waited_for(several, now):
    """A fact has its number before it is there for others: the cycle must not count it as known."""
    told, marked = threading.Event(), []

    def tell():
        with transaction.atomic():
            record_fact(WebhookForged(provider="sms", count=1), actor=acting("provider", now=now))
            told.set()
            time.sleep(0.5)

    thread, _answers = beside(tell)
    assert told.wait(30)
    marked.append(latest_entry_id())
    thread.join(30)
    assert marked == [Entry.objects.latest("id").pk]


def test_a_payment_file_twice_at_once_is_recorded_once(several, now, tmp_path):
    path = tmp_path / "pagos.csv"
    path.write_text("cuenta;monto;fecha;referencia\n" + "".join(f"L-Rosa;1,00;2026-11-23;R{n}\n" for n in range(50)))

    def load():
        answer = payments.load_file(path=path, portfolio_code="PE-CONSUMO", actor=acting("ana", now=now))
        return answer["accepted"], answer["known"]

    threads = [beside(load) for _ in range(2)]
    for thread, _answers in threads:
        thread.join(60)
    assert sorted(answer for _thread, answers in threads for answer in answers) == [(0, 50), (50, 0)]


def test_a_reversal_waits_for_a_load_that_compares(several, now):
    account = several[0]
    payment = payments.record_payment(
        portfolio_id=account.portfolio_id,
        debtor_id=account.debtor_id,
        account_id=account.pk,
        amount_minor=1_000,
        paid_date=now.date(),
        reference="R1",
        actor=acting("ana", now=now),
    )

    def reverse():
        return payments.reverse_payment(payment_id=payment.pk, reason="devuelto", actor=acting("ana", now=now))

    with transaction.atomic():
        tables.lock_id_sequence("portfolio_account")
        thread, answers = beside(reverse)
        thread.join(0.3)
        assert thread.is_alive()
        # A load locks accounts before payments: nothing of the reversal may stand in its way.
        Payment.objects.select_for_update(nowait=True).get(pk=payment.pk)
    thread.join(30)
    assert [answer.pk for answer in answers] == [payment.pk]


def test_two_portfolios_add_the_same_people_at_once(several, now, tmp_path, monkeypatch):
    """Whoever numbers people second finds those of the first."""
    first = several[0].portfolio
    fields = {"industry": first.industry, "country": first.country, "currency": first.currency}
    Portfolio.objects.create(creditor=first.creditor, code="PE-2", name="2", time_zone=first.time_zone, **fields)
    path = tmp_path / "cartera.csv"
    path.write_text("cuenta;cliente;vence;saldo\nA;C1;01/10/2026;1,00\nB;C2;01/10/2026;2,00\n")
    mapping = {"account": {"external_id": "cuenta"}, "debtor": {"external_id": "cliente"}, "balance": "saldo"}
    mapping["instalment"] = {"due_date": "vence"}
    assign = compare.assign_ids

    def assign_slowly(*arguments, **more):
        time.sleep(0.3)
        return assign(*arguments, **more)

    monkeypatch.setattr(compare, "assign_ids", assign_slowly)

    def load(code):
        actor = acting("dario", now=now)
        return intake.load_file(
            path=path, portfolio_code=code, mapping=mapping, as_of=MONDAY, confirm=True, actor=actor
        )

    threads = [beside(partial(load, code)) for code in (first.code, "PE-2")]
    for thread, _answers in threads:
        thread.join(60)
    assert [answer["created"] for _thread, answers in threads for answer in answers] == [2, 2]
    assert Debtor.objects.filter(external_id__in=["C1", "C2"]).count() == 2

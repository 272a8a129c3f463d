"""What is due leaves once, after a last look; everything else ends with its reason."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections

from recobra.access.actors import Service, service_actor
from recobra.kit import clock
from recobra.messaging import operations as messaging
from recobra.messaging import queries
from recobra.messaging.dispatch import run
from recobra.messaging.dispatch.lease import give_back, hold_lease, lease_contacts
from recobra.messaging.models import Contact, MailboxMessage, Provider
from recobra.portfolio.models import ContactPoint, Hold
from recobra.strategy.alarms import check_installation
from recobra.strategy.models import Alarm
from tests import policies
from tests.messaging.smtp_sink import Sink
from tests.people import acting
from tests.worlds import TODAY, soon

pytestmark = pytest.mark.django_db(transaction=True)

NOTHING = {"leased": 0, "sent": 0, "failed": 0, "blocked": 0, "cancelled": 0, "uncertain": 0}


def ended(contact):
    contact.refresh_from_db()
    return contact.status, contact.reason


@pytest.fixture
def sink(settings):
    with Sink(faults={}) as server:
        settings.SMTP_URL = server.url
        yield server


def test_what_is_due_arrives_once_and_the_journal_says_so(world):
    contact = world.someone_due()
    assert world.dispatch() == NOTHING | {"leased": 1, "sent": 1}
    assert world.dispatch() == NOTHING
    message = MailboxMessage.objects.get()
    contact.refresh_from_db()
    assert message.contact_public_id == str(contact.public_id)
    assert (contact.status, contact.local_date) == ("SENT", TODAY)
    instants = [contact.judged_at, contact.handed_over_at, contact.sent_at]
    assert sorted(instants) == instants == [soon(world.now)] * 3
    assert contact.address == message.recipients
    assert "S/\xa0123.45" in contact.body
    assert contact.template.code == "recordatorio"
    assert list(contact.items.values_list("overdue_minor", flat=True)) == [12_345]
    assert [row[0] for row in world.facts("contact.sent")] == [contact.pk]


def test_what_is_not_due_yet_waits(world):
    contact = world.someone_due(due_at=world.now + timedelta(minutes=1))
    assert world.dispatch() == NOTHING
    assert world.dispatch(now=world.now + timedelta(minutes=1))["sent"] == 1
    assert ended(contact) == ("SENT", "")


def test_before_the_window_opens_a_contact_waits_for_it_the_same_day(world, sink):
    early = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)  # six in the morning in Lima
    contact = world.someone_due(due_at=early)
    assert world.dispatch(now=early) == NOTHING | {"leased": 1}
    contact.refresh_from_db()
    assert (contact.status, contact.due_at) == ("DUE", datetime(2026, 11, 23, 12, 0, tzinfo=UTC))
    assert world.dispatch(now=contact.due_at)["sent"] == 1


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (datetime(2026, 11, 24, 1, 0, tzinfo=UTC), "closed_hour"),  # Monday, eight in the evening in Lima
        (datetime(2026, 11, 28, 15, 0, tzinfo=UTC), "closed_day"),  # a Saturday
        (datetime(2026, 12, 8, 15, 0, tzinfo=UTC), "holiday"),  # the Immaculate Conception
    ],
)
def test_when_the_window_has_shut_the_contact_is_blocked_with_its_article(world, sink, now, reason):
    contact = world.someone_due()
    assert world.dispatch(now=now) == NOTHING | {"leased": 1, "blocked": 1}
    assert ended(contact) == ("BLOCKED", reason)
    assert contact.rule
    assert "29571" in contact.article
    assert contact.judged_at == soon(now)
    assert [row[0] for row in world.facts("contact.blocked")] == [contact.pk]
    assert not sink.accepted


def opt_out(world, contact):
    ContactPoint.objects.filter(pk=contact.point_id).update(opted_out_at=world.now)


def another_debtor_with_the_address_opted_out(world, contact):
    other = world.debtor(email=contact.point.value)
    other.points.update(opted_out_at=world.now)


def point_retired(world, contact):
    ContactPoint.objects.filter(pk=contact.point_id).update(retired_at=world.now)


def consent_denied(world, contact):
    ContactPoint.objects.filter(pk=contact.point_id).update(consent=False)


def hold(world, contact):
    Hold.objects.create(
        debtor=contact.debtor, reason="ILLNESS", starts_on=TODAY, ends_on=TODAY, author="ana", created_at=world.now
    )


def every_account_disputed(world, contact):
    for account in contact.debtor.accounts.all():
        Hold.objects.create(
            debtor=contact.debtor,
            account=account,
            reason="DISPUTE",
            starts_on=TODAY,
            author="ana",
            created_at=world.now,
        )


def company_holiday(world, contact):
    policies.put_in_force(contact.portfolio, holidays=[{"day": TODAY.isoformat(), "name": "Aniversario"}])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (opt_out, "opted_out"),
        (another_debtor_with_the_address_opted_out, "opted_out"),
        (point_retired, "bad_contact_point"),
        (consent_denied, "no_consent"),
        (hold, "held"),
        (every_account_disputed, "held"),
        (company_holiday, "holiday"),
    ],
)
def test_what_changed_after_planning_blocks_at_the_last_moment(world, sink, change, reason):
    contact = world.someone_due()
    change(world, contact)
    assert world.dispatch() == NOTHING | {"leased": 1, "blocked": 1}
    assert ended(contact) == ("BLOCKED", reason)
    assert not sink.accepted


def test_a_hold_that_is_over_does_not_block(world, sink):
    contact = world.someone_due()
    yesterday = TODAY - timedelta(days=1)
    Hold.objects.create(
        debtor=contact.debtor,
        reason="ILLNESS",
        starts_on=yesterday,
        ends_on=yesterday,
        author="ana",
        created_at=world.now,
    )
    assert world.dispatch()["sent"] == 1


def test_who_paid_meanwhile_is_not_written_to(world, sink):
    contact = world.someone_due()
    world.pays(contact.debtor.accounts.get())
    assert world.dispatch() == NOTHING | {"leased": 1, "cancelled": 1}
    assert ended(contact) == ("CANCELLED", "nothing_owed")
    assert [row[0] for row in world.facts("contact.cancelled")] == [contact.pk]


def test_a_notice_goes_before_anything_is_overdue_and_a_reminder_does_not(world, sink):
    debtor = world.debtor()
    world.owes(debtor, days=-5)
    notice = world.planned(debtor, template_code="aviso-preventivo")
    other = world.debtor()
    world.owes(other, days=-5)
    reminder = world.planned(other)
    assert world.dispatch() == NOTHING | {"leased": 2, "sent": 1, "cancelled": 1}
    assert ended(notice)[0] == "SENT"
    assert ended(reminder)[0] == "CANCELLED"


def test_the_cap_of_a_day_counts_what_is_uncertain(world, sink):
    first = world.someone_due(planned_for=TODAY - timedelta(days=1))
    world.dispatch()
    Contact.objects.filter(pk=first.pk).update(status="UNCERTAIN", reason="lost")
    second = world.planned(first.debtor)
    assert world.dispatch()["blocked"] == 1
    assert ended(second) == ("BLOCKED", "cap_day")


def test_two_contacts_of_one_debtor_are_never_judged_side_by_side(world, sink):
    first = world.someone_due(planned_for=TODAY - timedelta(days=1))
    second = world.planned(first.debtor)
    assert world.dispatch() == NOTHING | {"leased": 2, "sent": 1, "blocked": 1}
    assert {ended(first), ended(second)} == {("SENT", ""), ("BLOCKED", "cap_day")}


def test_a_channel_that_is_not_installed_and_a_missing_template_are_said(world, sink, settings):
    settings.DEMO = False  # where the built-in mailbox stands for every channel
    sms = world.someone_due(channel="sms")
    unknown = world.someone_due(template_code="no-existe")
    assert world.dispatch()["blocked"] == 2
    assert ended(sms) == ("BLOCKED", "no_channel")
    assert ended(unknown) == ("BLOCKED", "no_template")
    assert queries.explain_reason("no_channel") != "no_channel"


def test_what_a_dead_dispatcher_left_is_due_again_or_uncertain_but_never_sent_twice(world, sink):
    untouched, handed_over = world.someone_due(), world.someone_due()
    gone = uuid.uuid4()
    leased = {"status": "LEASED", "lease": gone, "leased_until": world.now + timedelta(days=365)}
    Contact.objects.filter(pk=untouched.pk).update(**leased)
    Contact.objects.filter(pk=handed_over.pk).update(**leased, handed_over_at=world.now, local_date=TODAY)
    assert world.dispatch() == NOTHING | {"leased": 1, "sent": 1, "uncertain": 1}
    assert ended(untouched) == ("SENT", "")
    assert ended(handed_over) == ("UNCERTAIN", "dispatcher_died")
    assert str(handed_over.public_id) not in sink.accepted
    assert [row[0] for row in world.facts("contact.uncertain")] == [handed_over.pk]


def test_what_a_living_dispatcher_holds_is_left_alone(world, sink):
    contact = world.someone_due()
    held, done = threading.Event(), threading.Event()

    def other_dispatcher():
        with hold_lease() as lease:
            lease_contacts(lease=lease, now=world.now, limit=10)
            held.set()
            done.wait()
        connections.close_all()

    other = threading.Thread(target=other_dispatcher)
    other.start()
    held.wait()
    try:
        assert world.dispatch() == NOTHING
    finally:
        done.set()
        other.join()
    assert world.dispatch()["sent"] == 1
    assert ended(contact)[0] == "SENT"


def test_several_dispatchers_at_once_send_everything_once(world, sink):
    for _ in range(40):
        world.someone_due()
    figures = []

    def dispatcher():
        figures.append(world.dispatch())
        connections.close_all()

    crew = [threading.Thread(target=dispatcher) for _ in range(3)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    world.dispatch()  # what one of them had to leave to another that was just looking at the same debtor
    assert Contact.objects.filter(status="SENT").count() == 40
    assert set(sink.accepted.values()) == {1}
    assert sum(sink.accepted.values()) == 40


def test_taking_back_and_leasing_at_once_end_in_one_way_only(world, sink):
    contact = world.someone_due()
    with hold_lease() as lease:
        taken = lease_contacts(lease=lease, now=world.now, limit=10)
        assert taken == [contact.pk]
        assert (
            messaging.cancel_planned(
                debtor_ids=[contact.debtor_id], reason="payment", actor=acting("intake", now=world.now)
            )
            == 1
        )
        give_back(taken, lease=lease)
    assert ended(contact) == ("CANCELLED", "payment")
    assert world.dispatch() == NOTHING


def test_a_payment_in_the_middle_of_a_batch_stops_the_message(world, settings):
    """The payment commits after the batch was judged and before this contact's turn."""
    first, second = world.someone_due(), world.someone_due()

    def pay():
        messaging.cancel_planned(debtor_ids=[second.debtor_id], reason="payment", actor=acting("intake", now=world.now))
        connections.close_all()

    class Server(Sink):
        def _keep(self, content):
            super()._keep(content)
            if sum(self.accepted.values()) == 1:
                payment = threading.Thread(target=pay)
                payment.start()
                payment.join()

    with Server(faults={}) as sink:
        settings.SMTP_URL = sink.url
        assert world.dispatch()["sent"] == 1
    assert ended(first) == ("SENT", "")
    assert ended(second) == ("CANCELLED", "payment")
    assert set(sink.accepted) == {str(first.public_id)}


def test_a_person_settles_what_is_uncertain_once(world, settings):
    contact = world.someone_due()
    with Sink(faults={"accepted drop": 1.0}) as sink:
        settings.SMTP_URL = sink.url
        world.dispatch()
    messaging.settle_uncertain(contact_id=contact.pk, outcome="SENT", actor=acting("bruno", now=world.now))
    assert ended(contact) == ("SENT", "")
    assert contact.sent_at == contact.handed_over_at
    with pytest.raises(messaging.NotUncertain):
        messaging.settle_uncertain(contact_id=contact.pk, outcome="FAILED", actor=acting("bruno", now=world.now))


def test_the_built_in_mailbox_is_asked_about_what_is_uncertain(world):
    arrived, lost, recent = (world.someone_due() for _ in range(3))
    world.dispatch(limit=1)
    assert MailboxMessage.objects.get().contact_public_id == str(arrived.public_id)
    Contact.objects.update(status="UNCERTAIN", reason="lost", handed_over_at=world.now - timedelta(minutes=5))
    Contact.objects.filter(pk=recent.pk).update(handed_over_at=world.now)
    figures = messaging.resolve_uncertain(actor=acting("dispatch", now=world.now))
    assert figures == {"sent": 1, "failed": 1, "uncertain": 1}
    assert ended(arrived) == ("SENT", "")
    assert ended(lost) == ("FAILED", "not_delivered")
    assert ended(recent)[0] == "UNCERTAIN"


def test_everything_due_is_sent_batch_by_batch_each_by_the_clock(world, sink):
    contacts = [world.someone_due() for _ in range(5)]

    def hour():
        return world.now + timedelta(hours=12 if len(sink.accepted) == 4 else 0)

    figures = messaging.dispatch_due(instant=hour, batch_size=2)
    assert (figures["sent"], figures["blocked"]) == (4, 1), "the window shut while the outbox was being emptied"
    assert len(sink.accepted) == len(contacts) - 1


def test_dispatching_for_ever_stops_when_told(world, sink):
    stop = threading.Event()
    stop.set()
    world.someone_due()
    messaging.dispatch_forever(stop=stop)
    assert not sink.accepted


def test_without_a_mail_server_mail_waits_and_the_other_channels_go_on(world, settings, monkeypatch, caplog):
    monkeypatch.setattr(clock, "now", lambda: world.now)
    contact = world.someone_due()
    settings.SMTP_URL = "smtp://mail.example:25"
    stop = threading.Event()
    beats = iter(range(20))
    messaging.dispatch_forever(stop=stop, beat=lambda: stop.set() if next(beats) == 5 else None)
    assert ended(contact) == ("DUE", "")
    assert "The provider smtp cannot be used" in caplog.text


def test_an_alarm_says_that_mail_waits_for_want_of_a_mail_server(world, settings):
    def is_raised():
        check_installation(actor=service_actor(Service.SYSTEM, now=world.now))
        return Alarm.objects.filter(kind="no_mail_server", cleared_at=None).exists()

    settings.SMTP_URL, settings.DEMO = "", False
    assert not is_raised(), "nothing waits"
    world.someone_due()
    assert is_raised()
    provider = Provider.objects.create(
        code="correo",
        channel="email",
        kind="sendgrid",
        name="C",
        created_at=world.now,
        created_by="dario",
        enabled=True,
    )
    assert not is_raised(), "mail leaves by a provider"
    provider.delete()
    assert is_raised()
    settings.DEMO = True
    assert not is_raised(), "there is the built-in mailbox"


def test_what_stays_uncertain_is_asked_about_again_and_again(world, monkeypatch):
    monkeypatch.setattr(run, "ASK_SECONDS", 0.1)
    stop, at = threading.Event(), clock.now() - timedelta(minutes=5)

    def work():
        messaging.dispatch_forever(stop=stop)
        connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for _round in range(2):  # the second becomes uncertain when the first has been settled
            contact = world.someone_due(status="BLOCKED", reason="closed_day")
            Contact.objects.filter(pk=contact.pk).update(status="UNCERTAIN", reason="lost", handed_over_at=at)
            for _wait in range(100):
                if ended(contact)[0] != "UNCERTAIN":
                    break
                stop.wait(0.1)
            assert ended(contact) == ("FAILED", "not_delivered")
    finally:
        stop.set()
        worker.join()


@pytest.mark.parametrize(("days", "status"), [(3, "SENT"), (4, "BLOCKED")])
def test_a_plan_that_no_cycle_has_looked_at_for_days_is_not_carried_out(world, sink, days, status):
    contact = world.someone_due(planned_for=TODAY - timedelta(days=days))
    world.dispatch()
    contact.refresh_from_db()
    assert contact.status == status
    assert contact.reason == ("" if status == "SENT" else "expired")

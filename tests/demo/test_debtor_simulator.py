"""In a demonstration somebody plays the debtor: what comes in takes the way of a real provider's call."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest

from recobra.consent.models import ConsentEntry, Silence
from recobra.conversations import operations as conversations
from recobra.conversations.models import Conversation
from recobra.demo import simulate_debtor as trying
from recobra.messaging import operations as messaging
from recobra.messaging.models import Contact, MailboxMessage, Receipt
from recobra.portfolio.models import ContactPoint, Hold
from recobra.workbench.models import Task
from tests.people import acting

pytestmark = pytest.mark.django_db(transaction=True)
LINE = "+51987654321"
KEYS = count()


@pytest.fixture
def demonstration(settings):
    settings.DEMO = True


@pytest.fixture
def rosa(world):
    debtor = world.debtor(national_id="40115678")
    ContactPoint.objects.create(debtor=debtor, kind="PHONE", value=LINE, valid=True)
    world.owes(debtor, amount_minor=45_050)
    return debtor


@pytest.fixture
def sent(world, rosa, demonstration):
    """A WhatsApp message to Rosa, which the dispatcher has just put into the mailbox."""
    return leave(world, rosa, "whatsapp")


def leave(world, debtor, channel):
    point = debtor.points.get(kind="EMAIL" if channel == "email" else "PHONE")
    world.planned(debtor, channel=channel, point_id=point.pk)
    assert messaging.dispatch_once(actor=acting("dispatch", now=world.now))["sent"] == 1
    found = Contact.objects.latest("pk")
    assert (found.status, found.channel) == ("SENT", channel)
    return found


def says(world, contact, text="", *, button="", key=None, minutes=1):
    """Answer a message, let the bot read it, and return what it says to that."""
    now = world.now + timedelta(minutes=minutes)
    before = set(Contact.objects.values_list("pk", flat=True))
    trying.answer_as_debtor(
        public_id=str(contact.public_id),
        text=text,
        button=button,
        key=key or str(next(KEYS)),
        actor=acting("demo", now=now),
    )
    conversations.answer_waiting(actor=acting("bot", now=now))
    return "\n".join(each.body for each in Contact.objects.exclude(pk__in=before).order_by("pk"))


def test_who_asks_proves_identity_and_promises_is_waited_for(world, rosa, sent):
    assert "últimos 4 dígitos" in says(world, sent, "¿cuánto debo?")
    assert "450.50" in says(world, sent, "5678", minutes=2)
    assert "¿Lo confirma?" in says(world, sent, "pago todo mañana", minutes=3)
    says(world, sent, "sí", minutes=4)
    assert Hold.objects.get(debtor=rosa).reason == "PROMISE"
    sent.refresh_from_db()
    assert sent.replied_at == world.now + timedelta(minutes=1)
    found = Conversation.objects.get(address=LINE)
    assert (found.channel, found.debtor) == ("whatsapp", rosa)


@pytest.mark.parametrize(("text", "act"), [("BAJA", "OPTED_OUT"), ("NO SOY", "NOT_ME")])
def test_a_wish_for_silence_is_followed_and_kept_in_the_ledger(world, sent, text, act):
    assert says(world, sent, text) == ""
    entry = ConsentEntry.objects.get(act=act)
    assert (entry.value, entry.channel, entry.said) == (LINE, "whatsapp", text)
    assert Silence.objects.filter(value=LINE).exists()


def test_a_button_of_the_message_comes_in_as_a_button(world, sent):
    offer = trying.simulation_options(str(sent.public_id))
    assert [each.code for each in offer.buttons] == ["pay_link", "person", "not_me"]
    assert says(world, sent, button="not_me") == ""
    assert ConsentEntry.objects.get(act="NOT_ME").source == "BUTTON"


def test_the_button_for_a_person_calls_one(world, rosa, sent):
    says(world, sent, button="person")
    assert Task.objects.get(kind="conversation").debtor == rosa


def test_the_same_form_sent_twice_is_one_message(world, sent):
    says(world, sent, "hola", key="one")
    assert says(world, sent, "hola", key="one", minutes=2) == ""
    assert Conversation.objects.get().messages.filter(direction="IN").count() == 1


def test_the_key_of_an_automatic_call_that_says_not_me_silences_the_number(world, rosa, demonstration):
    call = leave(world, rosa, "ivr")
    offer = trying.simulation_options(str(call.public_id))
    assert (offer.may_write, [code for code, _label in offer.receipts]) == (False, ["ANSWERED", "NOT_ANSWERED"])
    says(world, call, button="not_me")
    assert ConsentEntry.objects.get(act="NOT_ME").source == "KEYPAD"
    with pytest.raises(trying.SimulationRefused):
        trying.answer_as_debtor(
            public_id=str(call.public_id), text="hola", key="words", actor=acting("demo", now=world.now)
        )


def test_what_became_of_a_message_is_noted_once_and_a_bounce_retires_the_number(world, rosa, sent):
    for became in ("DELIVERED", "READ", "READ"):
        trying.simulate_receipt(public_id=str(sent.public_id), kind=became, actor=acting("demo", now=world.now))
    sent.refresh_from_db()
    assert (sent.delivered_at, sent.read_at) == (world.now, world.now)
    assert Receipt.objects.filter(contact=sent).count() == 2
    trying.simulate_receipt(public_id=str(sent.public_id), kind="BOUNCED", actor=acting("demo", now=world.now))
    assert rosa.points.get(value=LINE).retired_at == world.now
    with pytest.raises(trying.SimulationRefused):
        trying.simulate_receipt(public_id=str(sent.public_id), kind="CLICKED", actor=acting("demo", now=world.now))


def test_outside_a_demonstration_nobody_speaks_for_a_debtor(world, sent, settings):
    settings.DEMO = False
    assert trying.simulation_options(str(sent.public_id)) is None
    key = {"public_id": str(sent.public_id), "actor": acting("demo", now=world.now)}
    for refused in (
        lambda: trying.answer_as_debtor(**key, text="BAJA", key="x"),
        lambda: trying.simulate_receipt(**key, kind="READ"),
        lambda: trying.simulate_receipts(since=world.now, actor=acting("demo", now=world.now)),
        lambda: list(trying.answerable_messages(since=world.now)),
    ):
        with pytest.raises(trying.SimulationRefused, match=r"demonstration|demostración"):
            refused()
    assert (Silence.objects.count(), Receipt.objects.count(), Conversation.objects.count()) == (0, 0, 0)


def test_a_message_that_is_nobodys_is_not_answered(world, demonstration):
    kept = MailboxMessage.objects.create(
        received_at=world.now,
        contact_public_id="",
        sender="a@b.example",
        recipients="c@d.example",
        subject="x",
        raw=b"",
    )
    assert trying.simulation_options(kept.contact_public_id) is None
    with pytest.raises(trying.SimulationRefused):
        trying.answer_as_debtor(
            public_id=kept.contact_public_id, text="hola", key="x", actor=acting("demo", now=world.now)
        )


def test_most_of_what_was_sent_arrives_the_same_way_each_time(world, sent):
    told = trying.simulate_receipts(since=world.now, actor=acting("demo", now=world.now))
    noted = Receipt.objects.count()
    assert noted == told
    assert trying.simulate_receipts(since=world.now, actor=acting("demo", now=world.now)) == told
    assert Receipt.objects.count() == noted
    fates = [set(trying._draw_receipts("email", chance)) for chance in range(10_000)]
    shares = {kind: sum(kind in fate for fate in fates) / 10_000 for kind in ("DELIVERED", "READ", "BOUNCED")}
    assert shares == pytest.approx({"DELIVERED": 0.93, "READ": 0.93 * 0.55, "BOUNCED": 0.02})


def test_who_owes_and_can_prove_identity_may_answer_on_a_line_of_ones_own(world, rosa, sent):
    found = [(sent.public_id, "5678")]
    assert [(part.public_id, part.figures) for part in trying.answerable_messages(since=world.now)] == found
    says(world, sent, "hola")
    assert [(part.public_id, part.figures) for part in trying.answerable_messages(since=world.now)] == found
    ContactPoint.objects.create(debtor=world.debtor(name="Luz Paredes"), kind="PHONE", value=LINE, valid=True)
    assert list(trying.answerable_messages(since=world.now)) == []

"""What comes in is never done unheard: each message of a person is seen by one, each wish is on record."""

from __future__ import annotations

from datetime import timedelta

import pytest

from recobra.consent.queries import is_silenced
from recobra.conversations import operations as conversations
from recobra.conversations.models import Conversation, ConversationMessage
from recobra.conversations.reply import ReplyRefused, send_reply
from recobra.conversations.webhooks.apply import apply_events
from recobra.messaging.channels.adapter import (
    AccountEvent,
    IdentityChangeEvent,
    InboundEvent,
    TemplateQualityEvent,
)
from recobra.messaging.models import Contact, Provider, Template, TemplateRegistration
from recobra.messaging.providers.account_news import resume_provider
from recobra.messaging.providers.routing import load_routes, take_allowance
from recobra.portfolio.models import ContactPoint
from recobra.strategy.alarms import check_installation
from recobra.strategy.models import Alarm
from tests.people import acting

pytestmark = pytest.mark.django_db
LINE = "+51987654321"
NEW_LINE = "+51911222333"


@pytest.fixture
def provider(world):
    return Provider.objects.create(
        code="wa",
        channel="whatsapp",
        kind="whatsapp",
        name="WhatsApp",
        enabled=True,
        created_at=world.now,
        created_by="dario",
        settings={"phone_number_id": "1", "account_id": "2"},
    )


@pytest.fixture
def rosa(world):
    debtor = world.debtor(national_id="40115678")
    ContactPoint.objects.create(debtor=debtor, kind="PHONE", value=LINE, valid=True)
    world.owes(debtor, amount_minor=45_050)
    return debtor


@pytest.fixture
def hear(world, provider):
    """Let an event come in, and the bot's turn come; return the conversation of its message."""
    moment = [world.now]

    def _hear(event=None, **fields):
        moment[0] += timedelta(minutes=1)
        if event is None:
            reference = fields.setdefault("provider_reference", f"wamid.{moment[0].isoformat()}")
            defaults = {"address": LINE, "text": "", "at": moment[0], "event_key": reference}
            event = InboundEvent(**{**defaults, **fields})
        apply_events(events=[event], provider_id=provider.pk, actor=acting("provider", now=moment[0]))
        conversations.answer_waiting(actor=acting("bot", now=moment[0]))
        return Conversation.objects.order_by("pk").last()

    return _hear


def silenced(address):
    return is_silenced(kind="PHONE", value=address)


def messages_in(talk):
    return [(each.text, each.intent) for each in talk.messages.filter(direction="IN").order_by("pk")]


def test_an_edited_message_is_read_again_for_wishes(hear, rosa):
    hear(text="bien", provider_reference="wamid.1")
    talk = hear(text="BAJA", form="edit", replaces="wamid.1")
    assert silenced(LINE)
    first, second = talk.messages.filter(direction="IN").order_by("pk")
    assert (first.text, second.text, second.replaces, talk.status) == ("bien", "BAJA", first, "CLOSED")


def test_a_message_that_was_taken_back_stays_and_so_does_its_wish(hear, rosa):
    hear(text="BAJA", provider_reference="wamid.1")
    talk = hear(form="revocation", replaces="wamid.1")
    assert silenced(LINE)
    assert messages_in(talk) == [("BAJA", "opted_out"), ("", "revocation")]
    assert (talk.status, talk.unread) == ("CLOSED", 1)


@pytest.mark.parametrize("how", [{"form": "reaction", "replaces": "wamid.of-ours"}, {}], ids=["reaction", "message"])
def test_a_thumbs_up_is_not_a_question(hear, rosa, how):
    talk = hear(text="👍", **how)
    assert messages_in(talk) == [("👍", "reaction")]
    assert not talk.messages.filter(direction="OUT").exists()


def test_a_message_of_a_kind_that_nobody_knows_waits_for_a_person(hear, rosa):
    talk = hear(text="")
    assert (talk.debtor, talk.mode, talk.mode_reason, talk.unread) == (rosa, "PERSON", "attachment", 1)


def test_somebody_without_a_number_is_known_by_what_is_answered_and_by_what_was_shown_before(
    hear, rosa, world, provider
):
    shown = hear(text="hola", sender_id="PE.1")
    again = hear(address="", text="BAJA", sender_id="PE.1")
    assert (again.pk, again.address) == (shown.pk, LINE)
    assert silenced(LINE)


def test_a_silence_without_a_number_holds_for_the_number_that_is_shown_later(hear, rosa):
    hear(address="", text="BAJA", sender_id="PE.1")
    assert not silenced(LINE)
    talk = hear(text="hola", sender_id="PE.1")
    assert silenced(LINE)
    assert (talk.mode_reason, talk.messages.filter(direction="OUT").exists()) == ("silent", False)
    hear(text="ALTA", sender_id="PE.1")
    hear(text="hola", sender_id="PE.1")
    assert not silenced(LINE)


def test_a_silence_without_a_number_holds_for_the_debtor_whom_a_person_names(hear, rosa):
    talk = hear(address="", text="BAJA", sender_id="PE.1")
    conversations.assign_debtor(conversation_id=talk.pk, debtor_id=rosa.pk, actor=acting("lead", now=talk.last_at))
    assert silenced(LINE)


def test_a_sender_that_is_a_name_is_no_number_and_one_that_is_not_told_is_seen_too(hear, rosa):
    named = hear(address="TIENDA51987654321", text="BAJA")
    assert (named.address, silenced(LINE)) == ("sender:TIENDA51987654321", False)
    unknown = hear(address="", text="BAJA")
    assert (unknown.address, unknown.status, unknown.mode_reason) == ("sender:", "OPEN", "no_number")
    assert not silenced("sender:")  # or nobody else without a name would be heard


def test_a_silence_without_a_number_of_a_debtor_whom_a_person_named_holds_for_the_numbers(hear, rosa):
    talk = hear(address="", text="¿quién es?", sender_id="PE.1")
    lead = acting("lead", now=talk.last_at)
    conversations.assign_debtor(conversation_id=talk.pk, debtor_id=rosa.pk, actor=lead)
    talk = hear(address="", text="BAJA", sender_id="PE.1")
    assert silenced(LINE)
    assert (talk.debtor, talk.status, talk.mode_reason) == (rosa, "CLOSED", "opted_out")


@pytest.mark.parametrize("wrong_person", [False, True])
def test_what_staff_heard_of_somebody_without_a_number_holds_for_the_debtor_and_for_nobody_else(
    hear, rosa, wrong_person
):
    talk = hear(address="", text="hola", sender_id="PE.1")
    lead = acting("lead", now=talk.last_at)
    conversations.assign_debtor(conversation_id=talk.pk, debtor_id=rosa.pk, actor=lead)
    conversations.silence_conversation(conversation_id=talk.pk, wrong_person=wrong_person, actor=lead)
    assert silenced("sender:PE.1")
    assert silenced(LINE) == (not wrong_person)
    unknown = hear(address="", text="hola")
    with pytest.raises(conversations.ConversationRefused):
        conversations.silence_conversation(conversation_id=unknown.pk, wrong_person=wrong_person, actor=lead)
    assert not silenced("sender:")


def test_a_name_that_sent_an_sms_is_not_written_to(rosa, world):
    talk = Conversation.objects.create(
        channel="sms",
        address="sender:TIENDA51987654321",
        debtor=rosa,
        mode="PERSON",
        opened_at=world.now,
        last_at=world.now,
        last_inbound_at=world.now,
    )
    with pytest.raises(ReplyRefused, match="quién escribió"):
        send_reply(conversation_id=talk.pk, text="hola", actor=acting("lead", now=world.now))
    assert not Contact.objects.exists()


def test_a_person_with_another_number_is_told_of_and_a_silence_goes_along(hear, rosa, world):
    hear(text="BAJA", sender_id="PE.1")
    news = IdentityChangeEvent(
        address=LINE,
        new_address=NEW_LINE,
        sender_id="PE.1",
        new_sender_id="PE.2",
        at=world.now + timedelta(minutes=9),
        event_key="n1",
        provider_reference="n1",
    )
    talk = hear(news)
    hear(news)
    assert silenced(NEW_LINE)
    assert silenced("sender:PE.2")
    assert (talk.debtor, talk.status, talk.mode_reason, talk.unread) == (rosa, "OPEN", "number_changed", 1)
    assert talk.messages.get(direction="NOTE").text == f"{LINE} → {NEW_LINE}"
    assert ContactPoint.objects.get(value=LINE).unusable_for == ["whatsapp"]
    assert not ContactPoint.objects.filter(value=NEW_LINE).exists()


def test_a_stop_that_was_set_in_whatsapp_itself_is_a_wish(hear, rosa):
    talk = hear(button="optout")
    assert silenced(LINE)
    assert (talk.status, talk.mode_reason) == ("CLOSED", "opted_out")


def test_a_restricted_account_sends_nothing_until_it_may_again(hear, provider, world):
    def news(state, minutes, account_id="2"):
        at = world.now + timedelta(minutes=minutes)
        return AccountEvent(account_id=account_id, state=state, reason="DISABLE", at=at)

    def raised():
        check_installation(actor=acting("system", now=world.now + timedelta(days=1)))
        return set(Alarm.objects.filter(cleared_at__isnull=True).values_list("kind", flat=True))

    assert load_routes().open_routes("whatsapp", "PE")
    hear(news("STOPPED", 0))
    assert load_routes().open_routes("whatsapp", "PE") == []
    assert load_routes().has_route("whatsapp", "PE")  # it is waited for
    assert take_allowance(provider_id=provider.pk, wanted=5) == 0
    assert "account_stopped" in raised()
    hear(news("RESTORED", -1))  # older news that came late
    assert load_routes().open_routes("whatsapp", "PE") == []
    assert resume_provider(provider_id=provider.pk, actor=acting("admin", now=world.now))
    assert load_routes().open_routes("whatsapp", "PE")
    assert "account_stopped" not in raised()
    assert world.facts("provider.stopped")
    assert world.facts("provider.restored")


def test_a_template_that_people_reject_raises_an_alarm(hear, world, provider):
    template = Template.objects.filter(channel="whatsapp").first() or Template.objects.create(
        code="x", version=1, channel="whatsapp", name="x", subject="", text="x", html="", created_at=world.now
    )
    Template.objects.filter(pk=template.pk).update(language="es", retired_at=None)
    TemplateRegistration.objects.create(
        template=template, provider=provider, name="aviso_1", status="APPROVED", asked_at=world.now
    )
    for quality in ("RED", "RED", "GREEN"):
        hear(TemplateQualityEvent(name="aviso_1", language="es_PE", quality=quality, at=world.now))
        check_installation(actor=acting("system", now=world.now))
        is_raised = Alarm.objects.filter(kind="template_quality", cleared_at__isnull=True).exists()
        assert is_raised == (quality == "RED")
    assert len(world.facts("template.rated_by_provider")) == 2


def test_a_wrong_number_is_heard_with_whatever_courtesy(hear, rosa):
    talk = hear(text="número equivocado plis")
    assert ContactPoint.objects.get(value=LINE).retired_at is not None
    assert ConversationMessage.objects.get(conversation=talk).intent == "not_me"

"""Conversations by WhatsApp: what a debtor writes, what the bot answers, and what follows from it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from recobra.access.actors import actor_for
from recobra.access.permissions import NotAllowed, OutOfScope
from recobra.agreements.models import Promise
from recobra.compliance.models import Incident
from recobra.consent.models import Silence
from recobra.conversations import operations as conversations
from recobra.conversations import reply
from recobra.conversations.models import Conversation, ConversationMessage
from recobra.conversations.webhooks.apply import apply_events
from recobra.journal.models import Entry
from recobra.messaging.channels.adapter import InboundEvent, Media
from recobra.messaging.models import Contact, Provider
from recobra.portfolio.models import ContactPoint, Hold
from recobra.portfolio.snapshot import Scope
from recobra.strategy.snapshot import read_carried_contacts
from recobra.workbench.models import Task
from recobra.workbench.operations import close_task
from tests import policies
from tests.people import acting

pytestmark = pytest.mark.django_db
LINE = "+51987654321"


class Chat:
    """What a debtor and the company write to one another on one line."""

    def __init__(self, world, provider, line=LINE):
        self.world, self.provider, self.line, self.at, self.count = world, provider, line, world.now, 0

    def writes(self, text, *, at=None, **more):
        """Let a message come in as a provider tells it, and the bot's turn come; return what is said to it."""
        self.count += 1
        self.at = at or self.at + timedelta(minutes=1)
        reference = more.pop("reference", f"{self.line}-{self.count}")
        event = InboundEvent(
            address=self.line, text=text, at=self.at, event_key=reference, provider_reference=reference, **more
        )
        before = {each.pk for each in self.outbox()}
        apply_events(events=[event], provider_id=self.provider.pk, actor=acting("provider", now=self.at))
        conversations.answer_waiting(actor=acting("bot", now=self.at))
        return "\n".join(each.body for each in self.outbox() if each.pk not in before)

    def outbox(self):
        return list(Contact.objects.filter(conversation_id__isnull=False).order_by("pk"))

    def conversation(self):
        return Conversation.objects.filter(address=self.line).latest("pk")


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
def chat(world, provider, rosa):
    return Chat(world, provider)


def known(chat):
    chat.writes("hola, cuánto debo")
    return chat.writes("5678")


def test_nothing_is_said_of_a_debt_before_identity_and_then_the_balance(chat, rosa):
    asked = chat.writes("¿cuánto debo?")
    assert "últimos 4 dígitos" in asked
    assert "450" not in asked
    told = chat.writes("5678")
    assert "S/" in told
    assert "450.50" in told
    assert chat.conversation().identified_at == chat.at
    assert {each.purpose for each in chat.outbox()} == {"REPLY"}
    assert {each.priority for each in chat.outbox()} == {0}


def test_a_promise_is_confirmed_registered_and_waited_for(chat, rosa, world):
    known(chat)
    assert "¿Lo confirma?" in chat.writes("pago todo el viernes")
    assert Hold.objects.count() == 0
    assert "Quedó anotado" in chat.writes("sí")
    hold = Hold.objects.get(debtor=rosa)
    assert (hold.reason, hold.ends_on) == ("PROMISE", date(2026, 11, 29))
    assert Task.objects.get(kind="promise").due_date == date(2026, 11, 30)
    assert len(world.facts("promise.registered")) == 1
    promise = Promise.objects.get()
    assert (promise.amount_minor, promise.promised_on, promise.channel) == (45_050, date(2026, 11, 27), "whatsapp")
    assert (promise.registered_by, promise.until) == ("bot", hold.ends_on)
    yes = ConversationMessage.objects.filter(direction="IN").latest("pk")
    fact = Entry.objects.filter(kind="promise.registered").latest("pk").fact()
    assert (fact.promise_id, fact.conversation_id, fact.message_id) == (promise.pk, yes.conversation_id, yes.pk)
    # One promise at a time.
    assert "27 de noviembre" in chat.writes("pago todo el jueves")
    assert Promise.objects.count() == 1


def test_who_has_paid_is_believed_until_somebody_has_looked_and_the_photo_stays_with_it(chat, rosa):
    known(chat)
    assert "Revisaremos su pago" in chat.writes("ya pagué ayer en el banco")
    assert Hold.objects.get().reason == "PAYMENT_IN_PROCESS"
    assert Task.objects.get(kind="payment").debtor == rosa
    assert chat.writes("", media=(Media(media_id="65463453", media_type="image/jpeg"),)) == ""
    photo = ConversationMessage.objects.latest("pk").attachments.get()
    assert photo.status == "WAITING"
    assert chat.conversation().mode == "BOT"


def test_a_strangers_word_of_a_payment_is_a_task_and_no_hold(chat, rosa):
    chat.writes("ya pagué ayer en el banco")
    assert Hold.objects.count() == 0
    assert Task.objects.filter(kind="payment").count() == 1


def test_a_dispute_stops_the_pursuit(chat, rosa):
    known(chat)
    assert "desacuerdo" in chat.writes("no reconozco esa deuda, yo nunca compré eso")
    assert Hold.objects.get().reason == "DISPUTE"
    assert Task.objects.filter(kind="dispute").count() == 1


@pytest.mark.parametrize(
    ("said", "act"), [("BAJA", "opted_out"), ("NO SOY", "not_me"), ("por favor no me escriban más", "opted_out")]
)
def test_after_a_wish_for_silence_nothing_leaves_not_even_a_confirmation(chat, rosa, world, said, act):
    chat.writes("hola")
    waiting = chat.outbox()
    assert len(waiting) == 1
    assert chat.writes(said) == ""
    assert Silence.objects.filter(value=LINE).exists()
    assert [each.status for each in chat.outbox()] == ["CANCELLED"]
    found = chat.conversation()
    assert (found.status, found.mode_reason) == ("CLOSED", act)
    assert chat.writes("hola?") == ""
    assert len(chat.outbox()) == 1
    with pytest.raises(conversations.ReplyRefused):
        conversations.send_reply(
            conversation_id=chat.conversation().pk, text="Hola", actor=acting("ana", now=chat.at, user_id=1)
        )


def test_who_wants_a_person_gets_one_and_the_bot_is_silent(chat, rosa, cast):
    assert "persona" in chat.writes("quiero hablar con una persona")
    found = chat.conversation()
    assert (found.mode, found.mode_reason) == ("PERSON", "talk_to_person")
    assert Task.objects.get(kind="conversation").debtor == rosa
    assert chat.writes("¿cuánto debo?") == ""
    ana = cast["ana"]
    conversations.take_over(conversation_id=found.pk, to_id=ana.pk, actor=acting("ana", now=chat.at, user_id=ana.pk))
    assert chat.writes("¿hay alguien?") == ""
    conversations.give_to_bot(conversation_id=found.pk, actor=acting("ana", now=chat.at, user_id=ana.pk))
    assert "últimos 4" in chat.writes("¿cuánto debo?")


def test_a_wish_for_silence_is_heard_while_a_person_has_the_conversation(chat, rosa):
    chat.writes("quiero hablar con una persona")
    chat.writes("ya no quiero que me sigan escribiendo, déjenme en paz")
    assert Silence.objects.filter(value=LINE).exists()


def test_the_same_call_ten_times_is_one_message_and_one_answer(chat, rosa, world):
    for _ in range(10):
        chat.writes("¿cuánto debo?", at=world.now, reference="wamid.1")
    assert ConversationMessage.objects.filter(direction="IN").count() == 1
    assert len(chat.outbox()) == 1
    assert len(world.facts("conversation.received")) == 1


def test_a_number_of_nobody_gets_no_answer_and_waits_for_a_person(chat, world, provider):
    nobody = Chat(world, provider, "+51900000000")
    assert nobody.writes("¿quién es?") == ""
    found = nobody.conversation()
    assert (found.debtor, found.mode, found.mode_reason) == (None, "PERSON", "unknown_number")
    assert nobody.writes("dejen de molestarme, no me escriban más") == ""
    assert Silence.objects.filter(value="+51900000000").exists()


def test_where_two_people_share_a_number_the_document_tells_who_writes(chat, rosa, world):
    luis = world.debtor("Luis Quispe", national_id="41230099")
    ContactPoint.objects.create(debtor=luis, kind="PHONE", value=LINE, valid=True)
    world.owes(luis, amount_minor=99_900)
    assert "últimos 4" in chat.writes("¿cuánto debo?")
    assert chat.conversation().debtor is None
    assert "999" in chat.writes("0099")
    assert chat.conversation().debtor == luis


def test_three_wrong_documents_lead_to_a_person_also_over_several_conversations(chat, rosa, cast):
    chat.writes("¿cuánto debo?")
    for _ in range(2):
        assert "no coincide" in chat.writes("1111")
    carla = cast["carla"]
    conversations.close_conversation(
        conversation_id=chat.conversation().pk, actor=acting("carla", now=chat.at, user_id=carla.pk)
    )
    chat.writes("¿cuánto debo?")
    assert "persona" in chat.writes("2222").lower()
    assert chat.conversation().mode == "PERSON"
    assert chat.writes("5678") == ""


def test_at_eleven_at_night_it_answers_and_takes_no_promise(chat, rosa, world):
    night = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
    chat.writes("¿cuánto debo?", at=night)
    told = chat.writes("5678", at=night + timedelta(minutes=1))
    assert "450.50" in told
    said = chat.writes("pago mañana", at=night + timedelta(minutes=2))
    assert "A esta hora no registramos acuerdos" in said
    assert Hold.objects.count() == 0
    assert Task.objects.filter(kind="conversation").count() == 1


def test_how_to_pay_is_said_in_the_creditors_words(chat, rosa):
    known(chat)
    assert "bancosur.example" in chat.writes("quiero pagar, pásame el link de pago")


def test_a_message_marks_the_contact_it_answers(chat, rosa, world):
    sent = world.planned(rosa, channel="whatsapp", point_id=rosa.points.get(kind="PHONE").pk)
    Contact.objects.filter(pk=sent.pk).update(
        status="SENT", handed_over_at=world.now, sent_at=world.now, address=LINE, local_date=sent.planned_for
    )
    chat.writes("hola")
    sent.refresh_from_db()
    assert sent.replied_at == chat.at
    assert world.facts("conversation.received") == [(sent.pk, None)]


def test_what_the_bot_cannot_work_goes_to_a_person(chat, rosa, company):
    policies.put_in_force(company, promise_days="muchos")
    assert chat.writes("¿cuánto debo?") == ""
    found = chat.conversation()
    assert (found.mode, found.mode_reason) == ("PERSON", "bot_failed")
    assert Task.objects.filter(kind="conversation").count() == 1


def test_an_answer_that_could_not_leave_brings_the_conversation_to_a_person(chat, rosa, world, provider):
    chat.writes("¿cuánto debo?")
    ContactPoint.objects.filter(value=LINE).update(unusable_for=["whatsapp"])
    world.dispatch(now=chat.at)
    assert [each.status for each in chat.outbox()] == ["BLOCKED"]
    found = chat.conversation()
    assert (found.mode, found.mode_reason, found.status) == ("PERSON", "not_sent", "OPEN")


def test_an_answer_written_at_night_waits_for_the_morning_and_no_cycle_takes_it_back(chat, rosa, world, cast):
    chat.writes("hola", at=datetime(2026, 11, 24, 1, 0, tzinfo=UTC))
    night = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
    ana = cast["ana"]
    sent = conversations.send_reply(
        conversation_id=chat.conversation().pk, text="De 9 a 18 horas.", actor=acting("ana", now=night, user_id=ana.pk)
    )
    assert sent.due_at > night + timedelta(hours=6)
    assert sent.planned_for == date(2026, 11, 24)
    part = Scope(portfolio_ids=[world.company.pk], debtor_ids=[rosa.pk])
    assert read_carried_contacts(part, as_of=date(2026, 11, 25)).num_rows == 0


def test_a_portfolio_says_what_may_be_promised(chat, rosa, company):
    policies.put_in_force(company, promise_days=1, promise_grace_days=0)
    known(chat)
    assert "hasta el martes" in chat.writes("pago todo el viernes")
    chat.writes("mañana")
    chat.writes("sí")
    assert Hold.objects.get().ends_on == date(2026, 11, 24)


def test_a_first_message_whose_button_was_pressed_twice_is_sent_once(chat, rosa):
    chat.writes("hola")
    point = rosa.points.get(value=LINE)
    first = {
        "debtor_id": rosa.pk,
        "point_id": point.pk,
        "channel": "whatsapp",
        "draft": conversations.Draft(text="Buenos días, ¿en qué le ayudo?"),
        "actor": acting("ana", now=chat.at),
    }
    conversations.send_first_message(**first)
    with pytest.raises(conversations.ReplyRefused):
        conversations.send_first_message(**first)
    assert sum(each.body.startswith("Buenos días, ¿en qué") for each in chat.outbox()) == 1


def test_a_trial_that_is_refused_leaves_no_conversation(chat, rosa, world):
    point = rosa.points.get(value=LINE)
    trial = conversations.preview_first_message(
        debtor_id=rosa.pk,
        point_id=point.pk,
        channel="whatsapp",
        draft=conversations.Draft(text="Buenos días."),
        actor=acting("ana", now=world.now),
    )
    assert trial.refused
    assert not Conversation.objects.exists()


@pytest.mark.parametrize("how", ["takes it over", "answers"])
def test_what_the_bot_was_about_to_say_does_not_leave_beside_a_person(chat, rosa, world, cast, how):
    chat.writes("¿cuánto debo?")
    (queued,) = chat.outbox()
    Contact.objects.filter(pk=queued.pk).update(status="LEASED", lease="11111111-1111-4111-8111-111111111111")
    found, ana = chat.conversation().pk, cast["ana"].pk
    if how == "answers":
        conversations.send_reply(
            conversation_id=found, text="Ya le respondo.", actor=acting("ana", now=chat.at, user_id=ana)
        )
    else:
        conversations.take_over(conversation_id=found, to_id=ana, actor=acting("ana", now=chat.at, user_id=ana))
    assert [(each.author, each.status, each.reason) for each in chat.outbox()] == [
        ("bot", "CANCELLED", "taken_over"),
        *([("ana", "DUE", "")] if how == "answers" else []),
    ]
    assert world.facts("contact.cancelled") == [(queued.pk, "taken_over")]


def test_what_the_bot_has_handed_over_is_not_taken_back(chat, rosa, world, cast):
    chat.writes("¿cuánto debo?")
    Contact.objects.update(status="LEASED", handed_over_at=chat.at)
    bruno = cast["bruno"]
    conversations.take_over(
        conversation_id=chat.conversation().pk, to_id=bruno.pk, actor=acting("bruno", now=chat.at, user_id=bruno.pk)
    )
    assert [each.status for each in chat.outbox()] == ["LEASED"]
    assert world.facts("contact.cancelled") == []


def test_who_complains_is_registered_and_left_alone_until_a_person_has_answered(chat, rosa, world):
    planned = world.planned(rosa, due_at=world.now + timedelta(hours=5))
    chat.writes("los voy a denunciar a Indecopi por acoso")
    incident = Incident.objects.get()
    assert (incident.kind, incident.country, incident.debtor, incident.recorded_by) == ("COMPLAINT", "PE", rosa, "bot")
    assert incident.portfolio == world.company
    hold = Hold.objects.get()
    assert (hold.reason, (hold.ends_on - hold.starts_on).days) == ("OTHER", 15)
    planned.refresh_from_db()
    assert planned.status == "CANCELLED"
    assert Task.objects.filter(debtor=rosa, kind="conversation").count() == 1
    assert chat.conversation().mode == "PERSON"


def test_what_is_written_of_ones_own_accord_is_no_answer_however_lately_the_debtor_wrote(chat, rosa, world, cast):
    chat.writes("hola")
    conversation = chat.conversation()
    ana = acting("ana", now=chat.at, user_id=cast["ana"].pk)
    point = rosa.points.get(value=conversation.address)
    words = reply.Draft(text="Le recordamos su cuota pendiente.")
    begun = conversations.send_first_message(
        debtor_id=rosa.pk, point_id=point.pk, channel=conversation.channel, draft=words, actor=ana
    )
    assert (begun.purpose, begun.replies_to_at) == ("MANUAL", None)
    answered = conversations.send_reply(conversation_id=conversation.pk, text="Gracias por escribir.", actor=ana)
    assert answered.purpose == "REPLY"


def test_who_sees_neither_debtor_nor_number_does_nothing_in_a_conversation(chat, rosa, cast):
    """An operation trusts no door: it finds out by itself what is within reach."""
    chat.writes("hola")
    conversation = chat.conversation()
    zoe, ana = (actor_for(cast[name], now=chat.at) for name in ("zoe", "ana"))
    which = {"conversation_id": conversation.pk, "actor": zoe}
    for operation in (
        lambda: conversations.take_over(to_id=cast["zoe"].pk, **which),
        lambda: conversations.give_to_bot(**which),
        lambda: conversations.close_conversation(**which),
        lambda: conversations.add_note(text="Ojo", **which),
        lambda: conversations.silence_conversation(wrong_person=False, **which),
        lambda: conversations.send_reply(text="Hola", **which),
        lambda: conversations.preview_reply(draft=reply.Draft(text="Hola"), **which),
        lambda: conversations.mark_read(conversation=conversation, actor=zoe),
    ):
        with pytest.raises(OutOfScope):
            operation()
    with pytest.raises(NotAllowed):
        conversations.take_over(conversation_id=conversation.pk, to_id=cast["zoe"].pk, actor=ana)
    task = Task.objects.create(
        portfolio=rosa.accounts.first().portfolio,
        debtor=rosa,
        kind="call",
        title="Llamar",
        due_date=chat.at.date(),
        created_at=chat.at,
        created_by="ana",
    )
    with pytest.raises(OutOfScope):
        close_task(task_id=task.pk, outcome="Hecho", actor=zoe)
    conversations.add_note(conversation_id=conversation.pk, text="Ojo", actor=ana)
    assert Silence.objects.count() == 0

"""The bot's run over the inbound messages that are stored: each is read once, in order, and answered within the law.

The dialogue itself is pure (`bot.dialogue`): `bot_facts` collects what it needs, `bot_actions` does what it asks for.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.conversations import identity_attempts
from recobra.conversations.bot import dialogue, model
from recobra.conversations.bot.intents import INTENTS, SILENCING
from recobra.conversations.bot.interpretation import Interpretation, Slots
from recobra.conversations.bot.replies import render_reply
from recobra.conversations.bot.turns import Facts, State, Turn, dump_state, load_state
from recobra.conversations.bot_actions import MessageContext, hand_over, perform_action, silence_address
from recobra.conversations.bot_facts import (
    candidate_debtor_ids,
    collect_facts,
    count_wrong_answers,
    has_other_currencies,
    identity_digits,
)
from recobra.conversations.counterparty import Counterparty, debtors_at, find_counterparty, is_address_silenced
from recobra.conversations.inbound import BOT_CHANNELS, BUTTON_PREFIX
from recobra.conversations.models import Conversation, ConversationMessage
from recobra.conversations.reply import send_reply
from recobra.messaging.channels import Button

LATE_AFTER: Final = timedelta(hours=24)
VERIFIED_FOR: Final = timedelta(hours=24)
BATCH_SIZE: Final = 100
_SALT_BYTES: Final = 16
_FILE_EXPECTED_AFTER: Final = ("already_paid", "dispute")
_log = logging.getLogger(__name__)


@requires(Right.SERVE)
def answer_waiting(*, actor: Actor) -> int:
    """Answer the messages that a job has missed, in every conversation; return how many."""
    waiting = _unread_messages().order_by("received_at").values_list("conversation_id", flat=True)
    # Each conversation once, in the order of its oldest message.
    conversation_ids = dict.fromkeys(waiting[:BATCH_SIZE])
    return sum(
        answer_conversation(conversation_id=conversation_id, actor=actor) for conversation_id in conversation_ids
    )


@requires(Right.SERVE)
def answer_conversation(*, conversation_id: int, actor: Actor) -> int:
    """Read and answer a debtor's unread messages in order; return how many.

    While a person has the conversation only opt-outs are followed, and nothing is answered.
    """
    count = 0
    unread = _unread_messages().filter(conversation=conversation_id).select_related("conversation__debtor")
    while (message := unread.order_by("at", "pk").first()) is not None:
        try:
            # Outside of any transaction: a language model may take seconds.
            understood = _interpret_message(message, actor.now)
            with transaction.atomic():
                is_done = _process_message(message.pk, understood, actor)
        except Exception as error:  # noqa: BLE001 - whatever it was, a person takes over
            # Only the type: the text of an error may hold the message.
            _log.error("The bot failed at message %s: %s.", message.pk, type(error).__name__)
            is_done = _hand_over_failed(message.pk, actor)
        if not is_done:
            break
        count += 1
    return count


def _unread_messages() -> QuerySet[ConversationMessage]:
    """Return the debtors' messages that the bot has not read yet."""
    inbound = ConversationMessage.objects.filter(
        direction=ConversationMessage.Direction.IN, conversation__channel__in=BOT_CHANNELS
    )
    # A message that was read has its intent; a pressed button comes with its code in that place.
    return inbound.filter(intent="") | inbound.filter(intent__startswith=BUTTON_PREFIX)


def _lock_unread(message_id: int) -> tuple[Conversation, ConversationMessage] | None:
    """Return a message with its conversation locked; None where somebody else has read it meanwhile."""
    conversation_id = ConversationMessage.objects.get(pk=message_id).conversation_id
    conversations = Conversation.objects.select_for_update(of=["self"]).select_related("debtor__creditor")
    conversation = conversations.get(pk=conversation_id)
    # Only now, under the lock: two jobs for one conversation answer each message once.
    message = _unread_messages().filter(pk=message_id).first()
    return (conversation, message) if message else None


def _interpret_message(message: ConversationMessage, now: datetime) -> Interpretation:
    """Return what a message means: by its button where one was pressed, else by its text."""
    conversation = message.conversation
    code = message.intent.removeprefix(BUTTON_PREFIX)
    offered = conversation.bot_state.get("state", {}).get("offered", [])
    if code in offered:
        slots = Slots(choice=offered.index(code) + 1)
        return Interpretation(intent="number", confidence=1.0, slots=slots, by="button")
    if code in INTENTS:
        return Interpretation(intent=code, confidence=1.0, by="button")
    today = now.date()
    country = ""
    counterparty = _find_counterparty(conversation, now)
    if counterparty is not None:
        today = counterparty.today or today
        country = counterparty.country
    endpoint = model.configured_endpoint(url=settings.LLM_URL, model=settings.LLM_MODEL, key=settings.LLM_KEY)
    return asyncio.run(model.interpret_with_model(text=message.text, today=today, country=country, endpoint=endpoint))


def _find_counterparty(conversation: Conversation, now: datetime) -> Counterparty | None:
    """Return the known debtor, else the one who was contacted last at this address."""
    channel = conversation.channel
    address = conversation.address
    debtor = conversation.debtor
    if debtor is None:
        debtors = debtors_at(address, channel=channel)
        if not debtors:
            return None
        debtor = debtors[0]
    return find_counterparty(debtor, channel=channel, address=address, now=now)


def _process_message(message_id: int, understood: Interpretation, actor: Actor) -> bool:
    """Answer one message; return False where somebody else has read it."""
    locked = _lock_unread(message_id)
    if locked is None:
        return False
    conversation, message = locked
    now = actor.now
    message.intent = understood.intent
    message.confidence = understood.confidence
    counterparty = _find_counterparty(conversation, now)
    is_silent = is_address_silenced(conversation.address, channel=conversation.channel)
    if conversation.mode == Conversation.Mode.PERSON or counterparty is None or is_silent:
        _leave_to_person(conversation, message, "silent" if is_silent else "unknown_number", actor)
        return True
    counterparty = _match_counterparty(conversation, counterparty, understood, now)
    context = MessageContext(conversation=conversation, message=message, counterparty=counterparty, actor=actor)
    # From here to the commit nobody else counts tries about these debtors.
    identity_attempts.lock_attempts(candidate_debtor_ids(conversation))
    tries = count_wrong_answers(conversation, now)
    # Drawn for this conversation at its first message.
    salt = bytes.fromhex(conversation.bot_state.get("salt", "")) or secrets.token_bytes(_SALT_BYTES)
    facts = collect_facts(counterparty, conversation, salt=salt, tries=tries, now=now)
    state = _current_state(conversation, now).replace(tries=tries)
    turn = _take_turn(context, understood, facts, state)
    for action in turn.actions:
        perform_action(action, context)
    message.save(update_fields=["intent", "confidence"])
    conversation.bot_state = {"salt": salt.hex(), "state": dump_state(turn.state)}
    conversation.save()
    _send_turn(context, turn, facts)
    return True


def _leave_to_person(conversation: Conversation, message: ConversationMessage, reason: str, actor: Actor) -> None:
    """Follow an opt-out; everything else waits for a person, who sees the `reason` why the bot keeps out."""
    if message.intent in SILENCING:
        is_wrong_person = message.intent == "wrong_person"
        silence_address(conversation=conversation, message=message, wrong_person=is_wrong_person, actor=actor)
    elif conversation.mode == Conversation.Mode.BOT:
        conversation.mode = Conversation.Mode.PERSON
        conversation.mode_reason = reason
    message.save(update_fields=["intent", "confidence"])
    conversation.save()


def _match_counterparty(
    conversation: Conversation, counterparty: Counterparty, understood: Interpretation, now: datetime
) -> Counterparty:
    """Return the debtor whose document has the figures that were typed, where several people share an address."""
    is_identifying = conversation.bot_state.get("state", {}).get("phase") == "identify"
    if conversation.debtor is not None or not is_identifying or understood.slots.figures is None:
        return counterparty
    channel = conversation.channel
    address = conversation.address
    matches = [
        debtor for debtor in debtors_at(address, channel=channel) if identity_digits(debtor) == understood.slots.figures
    ]
    if len(matches) != 1:
        return counterparty
    return find_counterparty(matches[0], channel=channel, address=address, now=now) or counterparty


def _take_turn(context: MessageContext, understood: Interpretation, facts: Facts, state: State) -> Turn:
    """Return the dialogue's turn, except where the message's age, form or currencies need a person."""
    message = context.message
    today: date = context.counterparty.today or context.actor.now.date()
    if context.actor.now - message.at > LATE_AFTER:
        # An answer after a day would surprise, and outside WhatsApp's window it would not leave.
        return replace(dialogue.hand_over(state, facts, reason="late"), answer=None)
    if state.phase == "open" and understood.intent not in SILENCING and _is_gesture(message.text):
        # A thumbs-up asks nothing; where the bot had asked something it is an answer.
        message.intent = "reaction"
        return Turn(state=state, answer=None)
    if not message.text.strip() and understood.by != "button":
        # A file without words: an expected proof of payment is already with its task, anything else is for a person.
        message.intent = "attachment"
        since = context.actor.now - LATE_AFTER
        if context.conversation.messages.filter(intent__in=_FILE_EXPECTED_AFTER, at__gt=since).exists():
            return Turn(state=state, answer=None)
        return dialogue.hand_over(state, facts, reason="attachment")
    if understood.intent not in SILENCING and has_other_currencies(context.counterparty, context.actor.now):
        return dialogue.hand_over(state, facts, reason="currencies")
    return dialogue.next_turn(state=state, understood=understood, facts=facts, today=today)


def _is_gesture(text: str) -> bool:
    """Tell if a message is signs alone, such as «👍», and no question mark among them."""
    signs = text.strip()
    return bool(signs) and not any(sign.isalnum() or sign in "?¿" for sign in signs)


def _current_state(conversation: Conversation, now: datetime) -> State:
    """Return the stored state of the dialogue; a proof of identity is forgotten after a while."""
    document = conversation.bot_state.get("state")
    state = load_state(document) if document else State()
    if conversation.identified_at is None or now - conversation.identified_at > VERIFIED_FOR:
        return state.replace(verified=False)
    return state


def _send_turn(context: MessageContext, turn: Turn, facts: Facts) -> None:
    """Put the answer of a turn into the outbox, if it has one and the conversation is still open."""
    conversation = context.conversation
    message = render_reply(turn, facts=facts, channel=conversation.channel)
    if message is None or conversation.status == Conversation.Status.CLOSED:
        return
    # While it is not certain who writes, the question goes out about the debtor who was contacted last.
    about_id = context.counterparty.debtor.pk if conversation.debtor_id is None else None
    # Numbered choices are lines of the text already.
    choices = () if message.shown_as == "numbers" else message.choices
    send_reply(
        conversation_id=conversation.pk,
        text=message.text,
        buttons=[Button(code=choice.id, title=choice.title) for choice in choices],
        about_id=about_id,
        actor=context.actor,
    )


@transaction.atomic
def _hand_over_failed(message_id: int, actor: Actor) -> bool:
    """Leave a message that the bot failed at to a person; return False where somebody else has read it."""
    locked = _lock_unread(message_id)
    if locked is None:
        return False
    conversation, message = locked
    counterparty = _find_counterparty(conversation, actor.now)
    if counterparty is not None and conversation.mode == Conversation.Mode.BOT:
        context = MessageContext(conversation=conversation, message=message, counterparty=counterparty, actor=actor)
        hand_over(context, "bot_failed")
    conversation.mode = Conversation.Mode.PERSON
    conversation.mode_reason = conversation.mode_reason or "bot_failed"
    message.intent = "not_read"
    message.save(update_fields=["intent"])
    conversation.save()
    return True

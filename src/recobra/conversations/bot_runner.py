"""The bot at work: each message of a debtor's read once, in its order, and answered within the law."""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction

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
from recobra.conversations.counterparty import Counterparty, debtors_at, find_counterparty, is_silenced
from recobra.conversations.inbound import BOT_CHANNELS, BUTTON_PREFIX
from recobra.conversations.models import Conversation, ConversationMessage
from recobra.conversations.reply import BOT, send_reply
from recobra.messaging.channels import Button

TOO_LATE: Final = timedelta(hours=24)
VERIFIED_FOR: Final = timedelta(hours=24)
AT_ONCE: Final = 100
_AFTER_THESE_A_FILE_IS_EXPECTED: Final = ("already_paid", "dispute")
_log = logging.getLogger(__name__)


def answer_waiting(*, now: datetime) -> int:
    """Answer what waits in every conversation of the bot's; return how many messages. For what a job has missed."""
    waiting = _pending().order_by("received_at").values_list("conversation_id", flat=True)
    ids = dict.fromkeys(waiting[:AT_ONCE])
    return sum(answer_conversation(conversation_id=each, now=now) for each in ids)


def answer_conversation(*, conversation_id: int, now: datetime) -> int:
    """Read what a debtor wrote in a conversation, in its order, and answer it; return how many messages.

    While a person has the conversation only a wish for silence is followed, and nothing is answered. What the bot
    cannot work goes to a person, never to nobody.
    """
    count = 0
    while (message := _next(conversation_id)) is not None:
        try:
            understood = _understood(message, now)
            with transaction.atomic():
                worked = _work(message.pk, understood, now)
        except Exception as error:  # noqa: BLE001 - a person takes over, whatever it was
            _log.error("The bot failed at message %s: %s.", message.pk, type(error).__name__)
            worked = _give_up(message.pk, now)
        if not worked:
            break
        count += 1
    return count


def _pending() -> Any:
    unread = ConversationMessage.objects.filter(
        direction=ConversationMessage.Direction.IN, conversation__channel__in=BOT_CHANNELS
    )
    return unread.filter(intent="") | unread.filter(intent__startswith=BUTTON_PREFIX)


def _next(conversation_id: int) -> ConversationMessage | None:
    of_one = _pending().filter(conversation=conversation_id).select_related("conversation__debtor")
    found: ConversationMessage | None = of_one.order_by("at", "pk").first()
    return found


def _locked(message_id: int) -> tuple[Conversation, ConversationMessage] | None:
    """Return a message that nobody has read yet, with its conversation locked."""
    found = ConversationMessage.objects.get(pk=message_id)
    rows = Conversation.objects.select_for_update(of=["self"]).select_related("debtor__creditor")
    conversation = rows.get(pk=found.conversation_id)
    still = _pending().filter(pk=message_id).first()
    return (conversation, still) if still else None


def _understood(message: ConversationMessage, now: datetime) -> Interpretation:
    """Read a message outside of any transaction: a language model may take seconds."""
    conversation = message.conversation
    code = message.intent.removeprefix(BUTTON_PREFIX) if message.intent else ""
    offered = conversation.bot_state.get("state", {}).get("offered", [])
    if code in offered:
        return Interpretation(intent="number", confidence=1.0, slots=Slots(choice=offered.index(code) + 1), by="button")
    if code in INTENTS:
        return Interpretation(intent=code, confidence=1.0, by="button")
    who = _partner(conversation, now)
    today = (who.today if who else None) or now.date()
    at = model.configured_endpoint(url=settings.LLM_URL, model=settings.LLM_MODEL, key=settings.LLM_KEY)
    country = who.country if who else ""
    return asyncio.run(model.interpret_with_model(text=message.text, today=today, country=country, at=at))


def _partner(conversation: Conversation, now: datetime) -> Counterparty | None:
    """Return who is spoken with: who is known, else whoever was written to last at this line."""
    known = (
        [conversation.debtor] if conversation.debtor else debtors_at(conversation.address, channel=conversation.channel)
    )
    if not known:
        return None
    return find_counterparty(known[0], channel=conversation.channel, address=conversation.address, now=now)


def _work(message_id: int, understood: Interpretation, now: datetime) -> bool:
    found = _locked(message_id)
    if found is None:
        return False
    conversation, message = found
    message.intent, message.confidence = understood.intent, understood.confidence
    who = _partner(conversation, now)
    silent = is_silenced(conversation.address, channel=conversation.channel)
    if conversation.mode == Conversation.Mode.PERSON or who is None or silent:
        return _only_wishes(conversation, message, "silent" if silent else "unknown_number", now)
    salt = bytes.fromhex(conversation.bot_state.get("salt", "")) or secrets.token_bytes(16)
    who = _who_answers(conversation, who, understood, now)
    scene = MessageContext(conversation=conversation, message=message, who=who, now=now)
    identity_attempts.lock_attempts(candidate_debtor_ids(conversation))
    tries = count_wrong_answers(conversation, now)
    facts = collect_facts(who, conversation, salt=salt, tries=tries, now=now)
    turn = _turn(scene, understood, facts, _state(conversation, now).to(tries=tries))
    for action in turn.actions:
        perform_action(action, scene)
    message.save(update_fields=["intent", "confidence"])
    conversation.bot_state = {"salt": salt.hex(), "state": dump_state(turn.state)}
    conversation.save()
    _say(scene, turn, facts)
    return True


def _only_wishes(conversation: Conversation, message: ConversationMessage, reason: str, now: datetime) -> bool:
    """Follow a wish for silence; everything else waits for a person."""
    if message.intent in SILENCING:
        wrong = message.intent == "wrong_person"
        silence_address(conversation=conversation, message=message, wrong_person=wrong, now=now)
    elif conversation.mode == Conversation.Mode.BOT:
        conversation.mode, conversation.mode_reason = Conversation.Mode.PERSON, reason
    message.save(update_fields=["intent", "confidence"])
    conversation.save()
    return True


def _who_answers(
    conversation: Conversation, who: Counterparty, understood: Interpretation, now: datetime
) -> Counterparty:
    """Where several people have a line, the figures of a document tell which of them writes."""
    asked = conversation.bot_state.get("state", {}).get("phase") == "identify"
    if conversation.debtor is not None or not asked or understood.slots.figures is None:
        return who
    known = debtors_at(conversation.address, channel=conversation.channel)
    fits = [each for each in known if identity_digits(each) == understood.slots.figures]
    if len(fits) != 1:
        return who
    return find_counterparty(fits[0], channel=conversation.channel, address=conversation.address, now=now) or who


def _turn(scene: MessageContext, understood: Interpretation, facts: Facts, state: State) -> Turn:
    message = scene.message
    today: date = scene.who.today or scene.now.date()
    if scene.now - message.at > TOO_LATE:
        return replace(dialogue.hand_over(state, facts, reason="late"), answer=None)
    if not message.text.strip() and understood.by != "button":
        return _wordless(scene, state, facts)
    if has_other_currencies(scene.who, scene.now) and understood.intent not in {"opt_out", "wrong_person"}:
        return dialogue.hand_over(state, facts, reason="currencies")
    return dialogue.next_turn(state=state, understood=understood, facts=facts, today=today)


def _state(conversation: Conversation, now: datetime) -> State:
    kept = conversation.bot_state.get("state")
    state = load_state(kept) if kept else State()
    if conversation.identified_at is None or now - conversation.identified_at > VERIFIED_FOR:
        return state.to(verified=False)
    return state


def _wordless(scene: MessageContext, state: State, facts: Facts) -> Turn:
    """A file without words: the receipt that was asked for is kept with its task, anything else is for a person."""
    scene.message.intent = "attachment"
    said = scene.conversation.messages.filter(intent__in=_AFTER_THESE_A_FILE_IS_EXPECTED, at__gt=scene.now - TOO_LATE)
    if said.exists():
        return Turn(state=state, answer=None)
    return dialogue.hand_over(state, facts, reason="attachment")


def _say(scene: MessageContext, turn: Turn, facts: Facts) -> None:
    words = render_reply(turn, facts=facts, channel=scene.conversation.channel)
    if words is None or scene.conversation.status == Conversation.Status.CLOSED:
        return
    # Not sure yet who writes: the question goes out in the name of whoever was written to last at this line.
    about = scene.who.debtor.pk if scene.conversation.debtor_id is None else None
    offered = () if words.shown_as == "numbers" else words.choices
    buttons = [Button(code=choice.id, title=choice.title) for choice in offered]
    send_reply(
        conversation_id=scene.conversation.pk,
        text=words.text,
        buttons=buttons,
        author=BOT,
        about_id=about,
        now=scene.now,
    )


@transaction.atomic
def _give_up(message_id: int, now: datetime) -> bool:
    found = _locked(message_id)
    if found is None:
        return False
    conversation, message = found
    who = _partner(conversation, now)
    if who is not None and conversation.mode == Conversation.Mode.BOT:
        hand_over(MessageContext(conversation=conversation, message=message, who=who, now=now), "bot_failed")
    conversation.mode, conversation.mode_reason = Conversation.Mode.PERSON, conversation.mode_reason or "bot_failed"
    message.intent = "not_read"
    message.save(update_fields=["intent"])
    conversation.save()
    return True

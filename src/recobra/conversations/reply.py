"""Writing to a debtor by hand or by the bot: everything leaves through the outbox and its gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

import pyarrow as pa
from django.db import connection, transaction
from django.utils.translation import gettext as _

from recobra.conversations.counterparty import Counterparty, find_counterparty, is_silenced
from recobra.conversations.models import Conversation, ConversationMessage
from recobra.conversations.office_hours import earliest_departure
from recobra.kit.zones import local_date
from recobra.messaging import reasons
from recobra.messaging.channels import Button
from recobra.messaging.dispatch.facts import SERVICE_WINDOW
from recobra.messaging.dispatch.prepare import prepare_batch
from recobra.messaging.models import Contact
from recobra.messaging.outbox.plan import PLANNED, PLANNED_OPTIONAL, plan_contacts
from recobra.messaging.outbox.transitions import cancel_where
from recobra.messaging.providers import routing
from recobra.portfolio import address_forms
from recobra.portfolio.models import Channel, Debtor
from recobra_core.law import content

BOT: Final = "bot"
WRITTEN_CHANNELS: Final = ("whatsapp", "sms", "email")
_LIVE: Final = (Contact.Status.DUE, Contact.Status.LEASED, Contact.Status.SENT, Contact.Status.UNCERTAIN)
_PLAN = pa.schema([*PLANNED, *PLANNED_OPTIONAL])


class ReplyRefused(Exception):
    """The message is not put into the outbox; the text says why, as it is shown. `findings`: what the law bars."""

    def __init__(self, text: str, findings: Sequence[content.Finding] = ()) -> None:
        super().__init__(text)
        self.findings = tuple(findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is to be said: words of one's own, or a template that is filled in when it leaves.

    `first`: it is written of one's own accord and answers nothing, however lately the debtor wrote.
    """

    text: str = ""
    subject: str = ""
    template_code: str = ""
    first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would become of a message now: the law of its words, and the gate's verdict.

    `opens_at`: it may not leave now and would wait until then. `reason` is a key of `messaging.reasons` or of the law.
    """

    findings: tuple[content.Finding, ...] = ()
    allowed: bool = False
    reason: str = ""
    rule: str = ""
    article: str = ""
    opens_at: datetime | None = None
    refused: str = ""

    @property
    def is_barred(self) -> bool:
        """Return whether it cannot leave at all as it stands."""
        return bool(self.refused) or content.has_blocking(self.findings) or not (self.allowed or self.opens_at)


@transaction.atomic
def send_reply(
    *,
    conversation_id: int,
    text: str,
    buttons: Sequence[Button] = (),
    author: str,
    author_id: int | None = None,
    now: datetime,
    template_code: str = "",
    after_id: int | None = None,
    about_id: int | None = None,
) -> Contact:
    """Put an answer into the outbox, first in line, and under its conversation. Raises ReplyRefused.

    `after_id` is the last message that its writer had seen: where somebody has answered since, nothing is sent.
    Buttons are pressed in WhatsApp; elsewhere they are numbered lines, which every channel carries. `about_id` is the
    debtor in whose name somebody is asked who is not known yet.
    """
    conversation = Conversation.objects.select_for_update().get(pk=conversation_id)
    _refuse_second(conversation, after_id)
    numbered = [f"{number}. {button.title}" for number, button in enumerate(buttons, 1)]
    whole = Draft(text="\n".join([text.strip(), *numbered]).strip(), template_code=template_code)
    pressed = bool(buttons) and conversation.channel == Channel.WHATSAPP
    words = replace(whole, text=text.strip()) if pressed else whole
    who = _partner(conversation, now, about_id)
    contact = _put(conversation, who, words, author=author, author_id=author_id, now=now)
    if pressed:
        contact.buttons = [{"code": button.code, "title": button.title} for button in buttons]
        contact.save(update_fields=["buttons"])
    _note(conversation, contact, whole, author=author, author_id=author_id, now=now)
    return contact


@transaction.atomic
def send_first_message(
    *, debtor_id: int, point_id: int, channel: str, words: Draft, author: str, author_id: int | None, now: datetime
) -> Contact:
    """Write to a debtor first, in the conversation of that number or address. Raises ReplyRefused."""
    words = replace(words, first=True)
    conversation = _conversation_with(debtor_id, point_id, channel, now)
    who = _partner(conversation, now)
    _refuse_repeated(conversation, words, now)
    contact = _put(conversation, who, words, author=author, author_id=author_id, now=now)
    _note(conversation, contact, words, author=author, author_id=author_id, now=now)
    return contact


def cancel_bot_replies(conversation: Conversation, *, actor: str, actor_id: int, now: datetime) -> None:
    """Take back what the bot was about to say.

    Where a dispatcher is about to hand one over, whoever locks its row first wins and the other one sees it.
    """
    cancel_where(
        "w.conversation_id = %s AND w.purpose = 'REPLY' AND w.author = %s",
        [conversation.pk, BOT],
        reason=reasons.TAKEN_OVER,
        at=now,
        actor=actor,
        actor_id=actor_id,
    )


def preview_reply(*, conversation_id: int, words: Draft, author: str, now: datetime) -> Preview:
    """Say what would become of an answer now; nothing is kept."""
    return _tried(lambda: Conversation.objects.get(pk=conversation_id), words, author, now)


def preview_first_message(
    *, debtor_id: int, point_id: int, channel: str, words: Draft, author: str, now: datetime
) -> Preview:
    """Say what would become of a first message now; nothing is kept."""
    first = replace(words, first=True)
    return _tried(lambda: _conversation_with(debtor_id, point_id, channel, now), first, author, now)


def is_in_service_window(*, conversation: Conversation, now: datetime) -> bool:
    """Return whether the debtor wrote here within a day: then an answer is an answer."""
    return conversation.last_inbound_at is not None and conversation.last_inbound_at > now - SERVICE_WINDOW


def _tried(find: Any, words: Draft, author: str, now: datetime) -> Preview:
    with transaction.atomic():
        try:
            conversation = find()
            who = _partner(conversation, now)
            findings = _read(conversation, who, words, author, now)
            contact = _put(conversation, who, words, author=author, author_id=None, now=now, barring=False)
            at = max(contact.due_at, now)
        except ReplyRefused as refused:
            transaction.set_rollback(True)
            return Preview(refused=str(refused), findings=refused.findings)
        batch = prepare_batch([contact.pk], now=at, routes=routing.load_routes())
        transaction.set_rollback(True)
    if batch.not_sent:
        end = batch.not_sent[0]
        return Preview(findings=findings, reason=end.reason, rule=end.rule, article=end.article, opens_at=end.due_at)
    return Preview(findings=findings, allowed=at == now, opens_at=at if at > now else None)


def _conversation_with(debtor_id: int, point_id: int, channel: str, now: datetime) -> Conversation:
    debtor = Debtor.objects.get(pk=debtor_id)
    point = debtor.points.get(pk=point_id)
    if channel not in WRITTEN_CHANNELS or address_forms.point_kind(channel) != point.kind:
        raise ReplyRefused(_("This number or address is not reached by that channel."))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 5))", [f"{channel} {point.value}"])
    of_line = Conversation.objects.filter(
        channel=channel, address__in=address_forms.list_forms(point.value, kind=point.kind)
    ).exclude(status=Conversation.Status.CLOSED)
    found = of_line.select_for_update().first()
    if found is not None and found.debtor_id not in {None, debtor.pk}:
        raise ReplyRefused(_("There is an open conversation at this number about somebody else. Close it first."))
    if found is None:
        return Conversation.objects.create(
            channel=channel,
            address=point.value,
            debtor=debtor,
            status=Conversation.Status.WAITING,
            opened_at=now,
            last_at=now,
        )
    found.debtor = debtor
    return found


def _refuse_second(conversation: Conversation, after_id: int | None) -> None:
    if after_id is None:
        return
    since = conversation.messages.filter(pk__gt=after_id, direction=ConversationMessage.Direction.OUT).first()
    if since is not None:
        raise ReplyRefused(_("%(who)s has answered meanwhile. Read it before you write.") % {"who": since.author})


def _refuse_repeated(conversation: Conversation, words: Draft, now: datetime) -> None:
    """A button pressed twice sends once, also within the window in which a first message is an answer."""
    said = conversation.messages.filter(
        direction=ConversationMessage.Direction.OUT,
        text=words.text,
        intent=_intent(words),
        contact__status__in=_LIVE,
        received_at__gte=max(filter(None, (conversation.last_inbound_at, now - SERVICE_WINDOW))),
    )
    if said.exists():
        raise ReplyRefused(_("Another message by this channel was sent today already, or is about to be."))


def _partner(conversation: Conversation, now: datetime, about_id: int | None = None) -> Counterparty:
    debtor = conversation.debtor or Debtor.objects.select_related("creditor").filter(pk__in=[about_id or 0]).first()
    if debtor is None:
        raise ReplyRefused(_("Nobody knows whose number this is: say first which debtor it is."))
    found = find_counterparty(debtor, channel=conversation.channel, address=conversation.address, now=now)
    if found is None:
        raise ReplyRefused(_("This person owes nothing in any portfolio."))
    return found


def _put(
    conversation: Conversation,
    who: Counterparty,
    words: Draft,
    *,
    author: str,
    author_id: int | None,
    now: datetime,
    barring: bool = True,
) -> Contact:
    purpose = _purpose(conversation, who, words, now)
    if barring:
        findings = _read(conversation, who, words, author, now)
        if content.has_blocking(findings):
            raise ReplyRefused(_("The law bars these words."), [each for each in findings if each.severity == "block"])
    answers_at = conversation.last_inbound_at if purpose == Contact.Purpose.REPLY else None
    due_at = earliest_departure(who, channel=conversation.channel, answers_at=answers_at, now=now)
    row = {
        "debtor_id": who.debtor.pk,
        "portfolio_id": who.portfolio.pk,
        "point_id": who.point and who.point.pk,
        "channel": conversation.channel,
        "template_code": words.template_code,
        "status": "DUE",
        "planned_for": local_date(who.zones, due_at) or now.date(),
        "due_at": due_at,
        "zones": who.zones,
        "purpose": purpose,
        "priority": 0,
        "conversation_id": conversation.pk,
        "subject": words.subject or _subject(conversation),
        "replies_to_at": answers_at,
        "body": "" if words.template_code else words.text,
        "author": author,
        "author_id": author_id,
    }
    written = plan_contacts(contacts=pa.Table.from_pylist([{**_EMPTY, **row}], schema=_PLAN), now=now)
    if written.num_rows == 0:
        raise ReplyRefused(_("Another message by this channel was sent today already, or is about to be."))
    return Contact.objects.get(pk=written["contact_id"][0].as_py())


_EMPTY: Final[dict[str, Any]] = dict.fromkeys(_PLAN.names)


def _purpose(conversation: Conversation, who: Counterparty, words: Draft, now: datetime) -> str:
    """Return REPLY or MANUAL. Raises ReplyRefused for what no gate needs to judge."""
    if not words.text.strip() and not words.template_code:
        raise ReplyRefused(_("Write something first."))
    if is_silenced(conversation.address, channel=conversation.channel):
        raise ReplyRefused(_("This number or address asked for no more messages. Only its owner can change that."))
    fresh = is_in_service_window(conversation=conversation, now=now)
    if fresh and not words.template_code and not words.first:
        return Contact.Purpose.REPLY
    if conversation.channel == "whatsapp" and not words.template_code and not fresh:
        raise ReplyRefused(_("The debtor has not written here for 24 hours: WhatsApp only takes a template now."))
    if who.point is None:
        raise ReplyRefused(_("This number or address is not one of the debtor's contact points."))
    return Contact.Purpose.MANUAL


def _subject(conversation: Conversation) -> str:
    return _("Answer to your message") if conversation.channel == "email" else ""


def _read(
    conversation: Conversation, who: Counterparty, words: Draft, author: str, now: datetime
) -> tuple[content.Finding, ...]:
    if words.template_code or not words.text.strip():
        return ()
    facts = content.MessageFacts(
        on=who.today or now.date(),
        reply=is_in_service_window(conversation=conversation, now=now) and not words.first,
        creditor_name=who.debtor.creditor.name,
    )
    kind: Literal["free", "hand"] = "free" if author == BOT else "hand"
    return content.lint_text(words.text, country=who.country, channel=conversation.channel, kind=kind, facts=facts)


def _note(
    conversation: Conversation, contact: Contact, words: Draft, *, author: str, author_id: int | None, now: datetime
) -> None:
    ConversationMessage.objects.create(
        conversation=conversation,
        direction=ConversationMessage.Direction.OUT,
        author=author,
        author_id=author_id,
        text=words.text,
        intent=_intent(words),
        at=now,
        received_at=now,
        contact=contact,
    )
    conversation.status, conversation.last_at = Conversation.Status.WAITING, now
    if author_id is not None:
        cancel_bot_replies(conversation, actor=author, actor_id=author_id, now=now)
        conversation.unread = 0
        conversation.mode, conversation.mode_reason = Conversation.Mode.PERSON, ""
        conversation.assigned_to_id = conversation.assigned_to_id or author_id
    conversation.save()


def _intent(words: Draft) -> str:
    return f"template:{words.template_code}" if words.template_code else ""

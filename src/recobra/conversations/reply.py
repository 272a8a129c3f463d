"""Messages to a debtor by a person or by the bot. All of them leave through the outbox and its gate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final, Literal

import pyarrow as pa
from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor, Service
from recobra.access.permissions import consequence, requires
from recobra.access.roles import Right
from recobra.conversations.counterparty import Counterparty, find_counterparty, is_address_silenced, lock_address
from recobra.conversations.models import Conversation, ConversationMessage
from recobra.conversations.office_hours import earliest_departure
from recobra.conversations.scope import check_conversation
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
from recobra.portfolio.scope import check_whole_debtor
from recobra_core.law import content

BOT: Final = Service.BOT.value
WRITTEN_CHANNELS: Final = ("whatsapp", "sms", "email")
_SENT_OR_PENDING: Final = (Contact.Status.DUE, Contact.Status.LEASED, Contact.Status.SENT, Contact.Status.UNCERTAIN)
_PLAN = pa.schema([*PLANNED, *PLANNED_OPTIONAL])
# Every column of the plan; a message leaves most of them empty.
_EMPTY_ROW: Final[dict[str, None]] = dict.fromkeys(_PLAN.names)


class ReplyRefused(Exception):
    """The message is not put into the outbox. The text is shown as it is; `findings` are what the law bars."""

    def __init__(self, text: str, findings: Sequence[content.Finding] = ()) -> None:
        super().__init__(text)
        self.findings = tuple(findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message to send: free text, or a template that is filled in when it leaves.

    `first`: it is the first message about something, and no answer even if the debtor wrote a moment ago.
    """

    text: str = ""
    subject: str = ""
    template_code: str = ""
    first: bool = False

    @property
    def intent(self) -> str:
        """The intent under which the message is stored in its conversation."""
        return f"template:{self.template_code}" if self.template_code else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would become of a message now: the findings of the law on its words, and the gate's verdict.

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
        """Whether it cannot leave at all as it stands."""
        return bool(self.refused) or content.has_blocking(self.findings) or not (self.allowed or self.opens_at)


@requires(Right.ANSWER_MESSAGES)
@transaction.atomic
def send_reply(
    *,
    conversation_id: int,
    text: str,
    buttons: Sequence[Button] = (),
    template_code: str = "",
    after_id: int | None = None,
    about_id: int | None = None,
    actor: Actor,
) -> Contact:
    """Put an answer of the actor into the outbox, first in line, and into its conversation. Raises ReplyRefused.

    `after_id` is the last message that the writer had seen: nothing is sent where somebody has answered since.
    `about_id` is the debtor in whose name somebody is asked whose identity is not known yet.
    """
    conversation = Conversation.objects.select_for_update().get(pk=conversation_id)
    check_conversation(actor, conversation)
    if after_id is not None:
        newer = conversation.messages.filter(pk__gt=after_id, direction=ConversationMessage.Direction.OUT).first()
        if newer is not None:
            raise ReplyRefused(_("%(who)s has answered meanwhile. Read it before you write.") % {"who": newer.author})
    numbered_lines = [f"{number}. {button.title}" for number, button in enumerate(buttons, 1)]
    with_lines = Draft(text="\n".join([text.strip(), *numbered_lines]).strip(), template_code=template_code)
    # Only WhatsApp has buttons; elsewhere they are numbered lines. The conversation shows the lines in any case.
    has_buttons = bool(buttons) and conversation.channel == Channel.WHATSAPP
    draft = replace(with_lines, text=text.strip()) if has_buttons else with_lines
    counterparty = _require_counterparty(conversation, actor.now, about_id)
    contact = _plan_lawful_contact(conversation, counterparty, draft, actor)
    if has_buttons:
        contact.buttons = [{"code": button.code, "title": button.title} for button in buttons]
        contact.save(update_fields=["buttons"])
    _store_message(conversation, contact, with_lines, actor)
    return contact


@requires(Right.ANSWER_MESSAGES)
@transaction.atomic
def send_first_message(*, debtor_id: int, point_id: int, channel: str, draft: Draft, actor: Actor) -> Contact:
    """Write to a debtor first, in the conversation of that number or address. Raises ReplyRefused."""
    check_whole_debtor(actor, debtor_id)
    now = actor.now
    draft = replace(draft, first=True)
    conversation = _open_conversation(debtor_id, point_id, channel, now)
    counterparty = _require_counterparty(conversation, now)
    # A button pressed twice sends once, also within the window in which a first message is an answer.
    since = now - SERVICE_WINDOW
    if conversation.last_inbound_at is not None:
        since = max(since, conversation.last_inbound_at)
    repeated = conversation.messages.filter(
        direction=ConversationMessage.Direction.OUT,
        intent=draft.intent,
        contact__status__in=_SENT_OR_PENDING,
        received_at__gte=since,
    )
    if any(message.text == draft.text for message in repeated):
        raise ReplyRefused(_("Another message by this channel was sent today already, or is about to be."))
    contact = _plan_lawful_contact(conversation, counterparty, draft, actor)
    _store_message(conversation, contact, draft, actor)
    return contact


@consequence
def cancel_bot_replies(conversation: Conversation, *, actor: Actor) -> None:
    """Cancel the answers of the bot that have not left."""
    # Where a dispatcher is about to hand one over, whoever locks its row first wins and the other one sees it.
    cancel_where(
        "w.conversation_id = %s AND w.purpose = 'REPLY' AND w.author = %s",
        [conversation.pk, BOT],
        reason=reasons.TAKEN_OVER,
        actor=actor,
    )


@requires(Right.ANSWER_MESSAGES)
def preview_reply(*, conversation_id: int, draft: Draft, actor: Actor) -> Preview:
    """Return what would become of an answer now; nothing is stored."""
    find_conversation = partial(Conversation.objects.get, pk=conversation_id)
    return _preview_contact(find_conversation, draft, actor)


@requires(Right.ANSWER_MESSAGES)
def preview_first_message(*, debtor_id: int, point_id: int, channel: str, draft: Draft, actor: Actor) -> Preview:
    """Return what would become of a first message now; nothing is stored."""
    check_whole_debtor(actor, debtor_id)
    open_conversation = partial(_open_conversation, debtor_id, point_id, channel, actor.now)
    return _preview_contact(open_conversation, replace(draft, first=True), actor)


def is_in_service_window(*, conversation: Conversation, now: datetime) -> bool:
    """Return whether the debtor wrote within a day, so that a message counts as an answer."""
    return conversation.last_inbound_at is not None and conversation.last_inbound_at > now - SERVICE_WINDOW


def _preview_contact(load_conversation: Callable[[], Conversation], draft: Draft, actor: Actor) -> Preview:
    """Return what would become of a draft in a conversation, which is loaded inside, since opening one writes."""
    now = actor.now
    # The very steps of sending, rolled back: a preview by other steps would promise what the gate then refuses.
    with transaction.atomic():
        try:
            conversation = load_conversation()
            check_conversation(actor, conversation)
            counterparty = _require_counterparty(conversation, now)
            findings = _lint_draft(conversation, counterparty, draft, actor)
            purpose = _choose_purpose(conversation, counterparty, draft, now)
            # Barred words are shown with the verdict here, not refused.
            contact = _plan_contact(conversation, counterparty, draft, actor, purpose=purpose)
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


def _open_conversation(debtor_id: int, point_id: int, channel: str, now: datetime) -> Conversation:
    """Return the open conversation at a contact point, locked, or a new one. Raises ReplyRefused."""
    debtor = Debtor.objects.get(pk=debtor_id)
    point = debtor.points.get(pk=point_id)
    if channel not in WRITTEN_CHANNELS or address_forms.point_kind(channel) != point.kind:
        raise ReplyRefused(_("This number or address is not reached by that channel."))
    lock_address(point.value, channel=channel)
    at_address = Conversation.objects.filter(
        channel=channel, address__in=address_forms.list_forms(point.value, kind=point.kind)
    ).exclude(status=Conversation.Status.CLOSED)
    conversation = at_address.select_for_update().first()
    if conversation is not None and conversation.debtor_id not in {None, debtor.pk}:
        raise ReplyRefused(_("There is an open conversation at this number about somebody else. Close it first."))
    if conversation is None:
        return Conversation.objects.create(
            channel=channel,
            address=point.value,
            debtor=debtor,
            status=Conversation.Status.WAITING,
            opened_at=now,
            last_at=now,
        )
    conversation.debtor = debtor
    return conversation


def _require_counterparty(conversation: Conversation, now: datetime, about_id: int | None = None) -> Counterparty:
    """Return whom a conversation is with: its debtor, else the debtor `about_id`. Raises ReplyRefused."""
    debtor = conversation.debtor
    if debtor is None and about_id is not None:
        debtor = Debtor.objects.select_related("creditor").filter(pk=about_id).first()
    if debtor is None:
        raise ReplyRefused(_("Nobody knows whose number this is: say first which debtor it is."))
    counterparty = find_counterparty(debtor, channel=conversation.channel, address=conversation.address, now=now)
    if counterparty is None:
        raise ReplyRefused(_("This person owes nothing in any portfolio."))
    return counterparty


def _plan_lawful_contact(
    conversation: Conversation,
    counterparty: Counterparty,
    draft: Draft,
    actor: Actor,
) -> Contact:
    """Put a draft into the outbox unless the law bars its words. Raises ReplyRefused."""
    purpose = _choose_purpose(conversation, counterparty, draft, actor.now)
    findings = _lint_draft(conversation, counterparty, draft, actor)
    if content.has_blocking(findings):
        blocking = [finding for finding in findings if finding.severity == "block"]
        raise ReplyRefused(_("The law bars these words."), blocking)
    return _plan_contact(conversation, counterparty, draft, actor, purpose=purpose)


def _plan_contact(
    conversation: Conversation, counterparty: Counterparty, draft: Draft, actor: Actor, *, purpose: str
) -> Contact:
    """Put a draft into the outbox, due when it may leave. Raises ReplyRefused where the plan takes it for a repeat."""
    now = actor.now
    answers_at = conversation.last_inbound_at if purpose == Contact.Purpose.REPLY else None
    due_at = earliest_departure(counterparty, channel=conversation.channel, answers_at=answers_at, now=now)
    default_subject = _("Answer to your message") if conversation.channel == "email" else ""
    row = {
        "debtor_id": counterparty.debtor.pk,
        "portfolio_id": counterparty.portfolio.pk,
        "point_id": counterparty.point and counterparty.point.pk,
        "channel": conversation.channel,
        "template_code": draft.template_code,
        "status": "DUE",
        "planned_for": local_date(counterparty.zones, due_at) or now.date(),
        "due_at": due_at,
        "zones": counterparty.zones,
        "purpose": purpose,
        "priority": 0,
        "conversation_id": conversation.pk,
        "subject": draft.subject or default_subject,
        "replies_to_at": answers_at,
        "body": "" if draft.template_code else draft.text,
        "author": actor.name,
        "author_id": actor.user_id,
    }
    planned = plan_contacts(
        contacts=pa.Table.from_pylist([{**_EMPTY_ROW, **row}], schema=_PLAN),
        actor=actor,
    )
    if planned.num_rows == 0:
        raise ReplyRefused(_("Another message by this channel was sent today already, or is about to be."))
    return Contact.objects.get(pk=planned["contact_id"][0].as_py())


def _choose_purpose(conversation: Conversation, counterparty: Counterparty, draft: Draft, now: datetime) -> str:
    """Return REPLY or MANUAL. Raises ReplyRefused for what is refused without asking the gate."""
    if not draft.text.strip() and not draft.template_code:
        raise ReplyRefused(_("Write something first."))
    is_named = conversation.channel == "whatsapp" and conversation.address != address_forms.SENDER
    # By an id of the provider's WhatsApp alone is written to.
    if not is_named and not address_forms.has_number(conversation.address):
        raise ReplyRefused(_("The provider does not say who wrote: there is nobody to answer."))
    if is_address_silenced(conversation.address, channel=conversation.channel):
        raise ReplyRefused(_("This number or address asked for no more messages. Only its owner can change that."))
    in_window = is_in_service_window(conversation=conversation, now=now)
    if in_window and not draft.template_code and not draft.first:
        return Contact.Purpose.REPLY
    if conversation.channel == "whatsapp" and not draft.template_code and not in_window:
        raise ReplyRefused(_("The debtor has not written here for 24 hours: WhatsApp only takes a template now."))
    if counterparty.point is None:
        raise ReplyRefused(_("This number or address is not one of the debtor's contact points."))
    return Contact.Purpose.MANUAL


def _lint_draft(
    conversation: Conversation, counterparty: Counterparty, draft: Draft, actor: Actor
) -> tuple[content.Finding, ...]:
    """Return the law's findings on free text; a template was judged when it was approved."""
    if draft.template_code or not draft.text.strip():
        return ()
    facts = content.MessageFacts(
        on=counterparty.today or actor.now.date(),
        reply=is_in_service_window(conversation=conversation, now=actor.now) and not draft.first,
        creditor_name=counterparty.debtor.creditor.name,
    )
    kind: Literal["free", "hand"] = "free" if actor.name == BOT else "hand"
    return content.lint_text(
        draft.text, country=counterparty.country, channel=conversation.channel, kind=kind, facts=facts
    )


def _store_message(conversation: Conversation, contact: Contact, draft: Draft, actor: Actor) -> None:
    """Store a message in its conversation. One of a person takes the conversation over from the bot."""
    ConversationMessage.objects.create(
        conversation=conversation,
        direction=ConversationMessage.Direction.OUT,
        author=actor.name,
        author_id=actor.user_id,
        text=draft.text,
        intent=draft.intent,
        at=actor.now,
        received_at=actor.now,
        contact=contact,
    )
    conversation.status = Conversation.Status.WAITING
    conversation.last_at = actor.now
    # The bot has no id.
    if actor.user_id is not None:
        cancel_bot_replies(conversation, actor=actor)
        conversation.unread = 0
        conversation.mode = Conversation.Mode.PERSON
        conversation.mode_reason = ""
        conversation.assigned_to_id = conversation.assigned_to_id or actor.user_id
    conversation.save()

"""Replies in the mailbox of a demonstration: as the debtor, or as the provider that reports on a message."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from recobra.access.roles import Right, has_right
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.conversations import queries as conversation_queries
from recobra.demo import simulate_debtor
from recobra.messaging import queries

KEY_LENGTH_MAX = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyBox:
    """The reply form of a message; with `key` a form that is sent twice counts once."""

    offer: simulate_debtor.SimulationOptions
    key: str


def reply_box_for(request: StaffRequest, message_id: int) -> ReplyBox | None:
    """Return the reply form of a message of the mailbox, None where it cannot be answered."""
    if not (settings.DEMO and has_right(request.user, Right.ANSWER_MESSAGES)):
        return None
    message = _mailbox_message(request, message_id)
    offer = simulate_debtor.simulation_options(message.contact_public_id)
    return ReplyBox(offer=offer, key=str(uuid4())) if offer else None


@require_POST
@needs(Right.ANSWER_MESSAGES)
def answer_message(request: StaffRequest, message_id: int) -> HttpResponse:
    """Receive a reply as if the debtor had sent it, and open its conversation."""
    message = _mailbox_message(request, message_id)
    data = request.POST
    try:
        conversation_id = simulate_debtor.answer_as_debtor(
            public_id=message.contact_public_id,
            text=data.get("text", ""),
            button=data.get("button", ""),
            key=_reply_key(data),
            actor=actor_of(request),
        )
    except simulate_debtor.SimulationRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("console:mailbox-letter", message_id)
    messages.success(request, _("It came in as if the debtor had sent it. The bot reads it within seconds."))
    if conversation_id and conversation_queries.conversations_for(request.user).filter(pk=conversation_id).exists():
        return redirect("console:inbox-conversation", conversation_id)
    return redirect("console:mailbox-letter", message_id)


@require_POST
@needs(Right.ANSWER_MESSAGES)
def report_outcome(request: StaffRequest, message_id: int) -> HttpResponse:
    """Receive a report on a message as if its provider had sent it."""
    message = _mailbox_message(request, message_id)
    try:
        simulate_debtor.simulate_receipt(
            public_id=message.contact_public_id, kind=request.POST.get("became", ""), actor=actor_of(request)
        )
    except simulate_debtor.SimulationRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Noted, as if the provider had told it."))
    return redirect("console:mailbox-letter", message_id)


def _reply_key(data: QueryDict) -> str:
    """Return a key that is the same for the same reply from the same form, and differs for another reply."""
    reply = f"{data.get('button', '')}|{data.get('text', '')}"
    form_key = data.get("key", "")[:KEY_LENGTH_MAX] or uuid4()
    return f"{form_key}-{zlib.crc32(reply.encode())}"


def _mailbox_message(request: StaffRequest, message_id: int) -> queries.MailboxMessage:
    """Return a message of the mailbox that the user may see. Raises ObjectDoesNotExist."""
    message = queries.mailbox_messages_for(request.user).filter(pk=message_id).first()
    if message is None:
        raise ObjectDoesNotExist
    return message


urlpatterns = [
    path("mensajes/buzon/<int:message_id>/responder/", answer_message, name="mailbox-answer"),
    path("mensajes/buzon/<int:message_id>/recibo/", report_outcome, name="mailbox-became"),
]

"""In the demonstration's mailbox: answer as the debtor, and say what became of a message."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from recobra.access.roles import Right, may
from recobra.console.guard import StaffRequest, needs
from recobra.conversations import queries as conversation_queries
from recobra.demo import simulate_debtor as trying
from recobra.kit import clock
from recobra.messaging import queries

LONGEST_KEY = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """What the box of a message offers; `key` lets the same form count once, however often it is sent."""

    offer: trying.SimulationOptions
    key: str


def box_for(request: StaffRequest, message_id: int) -> Box | None:
    """Return the box of a message of the mailbox, None where nothing can be played with it."""
    if not (settings.DEMO and may(request.user, Right.ANSWER_MESSAGES)):
        return None
    offer = trying.simulation_options(_kept(request, message_id).contact_public_id)
    return Box(offer=offer, key=str(uuid4())) if offer else None


@require_POST
@needs(Right.ANSWER_MESSAGES)
def answer(request: StaffRequest, message_id: int) -> HttpResponse:
    """Let an answer of the debtor's come in, and lead to its conversation."""
    kept, given = _kept(request, message_id), request.POST
    try:
        conversation_id = trying.answer_as_debtor(
            public_id=kept.contact_public_id,
            text=given.get("text", ""),
            button=given.get("button", ""),
            key=_key(given),
            now=clock.now(),
        )
    except trying.SimulationRefused as refused:
        messages.error(request, str(refused))
        return redirect("console:mailbox-letter", message_id)
    messages.success(request, _("It came in as if the debtor had sent it. The bot reads it within seconds."))
    if conversation_id and conversation_queries.conversations_for(request.user).filter(pk=conversation_id).exists():
        return redirect("console:inbox-conversation", conversation_id)
    return redirect("console:mailbox-letter", message_id)


@require_POST
@needs(Right.ANSWER_MESSAGES)
def became(request: StaffRequest, message_id: int) -> HttpResponse:
    """Let the provider's word on a message come in."""
    kept = _kept(request, message_id)
    try:
        trying.simulate_receipt(public_id=kept.contact_public_id, kind=request.POST.get("became", ""), now=clock.now())
    except trying.SimulationRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Noted, as if the provider had told it."))
    return redirect("console:mailbox-letter", message_id)


def _key(given: QueryDict) -> str:
    """Return what the same answer from the same form has in common; another answer from it is another one."""
    said = f"{given.get('button', '')}|{given.get('text', '')}"
    return f"{given.get('key', '')[:LONGEST_KEY] or uuid4()}-{zlib.crc32(said.encode())}"


def _kept(request: StaffRequest, message_id: int) -> Any:
    found = queries.mailbox_messages_for(request.user).filter(pk=message_id).first()
    if found is None:
        raise ObjectDoesNotExist
    return found


urlpatterns = [
    path("mensajes/buzon/<int:message_id>/responder/", answer, name="mailbox-answer"),
    path("mensajes/buzon/<int:message_id>/recibo/", became, name="mailbox-became"),
]

"""Pages of the inbox: the list, one conversation beside its debtor, and attachments."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from recobra.access.roles import Right
from recobra.console import labels
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs, record_reading
from recobra.console.parameters import parse_id
from recobra.console.screens.place import installation_place
from recobra.conversations import operations
from recobra.conversations import queries as conversations
from recobra.insight.queries import debtor_file
from recobra.kit import clock
from recobra.messaging.queries import Filters, contacts_for
from recobra.strategy import schedule
from recobra_core.law.description import find_replies

PAGE_ROWS = 60
CONTACTS_SHOWN = 4
# Enough to tell the files of one conversation apart.
DIGEST_LETTERS = 12


@require_GET
@needs(Right.ANSWER_MESSAGES)
def list_conversations(request: StaffRequest) -> HttpResponse:
    """Show the list (`?ver=`, `?canal=`); htmx, which polls it, gets the list alone."""
    context = list_context(request)
    if request.htmx and not request.htmx.boosted:  # type: ignore[attr-defined]
        return render(request, "console/inbox/_list.html", context)
    return render(request, "console/inbox/index.html", context)


def list_context(request: StaffRequest, open_id: int | None = None) -> dict[str, Any]:
    """Return the context of the list; `open_id` is the conversation open beside it."""
    view = request.GET.get("ver", "")
    if view not in conversations.VIEWS:
        view = "todas"
    channel = request.GET.get("canal", "")
    # The list is polled by itself: the address then says which conversation is open.
    open_id = open_id or parse_id(request.GET.get("aqui", ""))
    # One row more tells whether there are more conversations.
    rows = list(conversations.list_conversations(request.user, view=view, channel=channel)[: PAGE_ROWS + 1])
    return {
        "rows": rows[:PAGE_ROWS],
        "more": len(rows) > PAGE_ROWS,
        "view": view,
        "channel": channel,
        "counts": conversations.unread_counts(request.user),
        "channels": labels.choices("channel"),
        "here": open_id,
        "place": installation_place(),
    }


@require_GET
@needs(Right.ANSWER_MESSAGES)
def show_conversation(request: StaffRequest, conversation_id: int) -> HttpResponse:
    """Show a conversation and mark it as read."""
    context = conversation_context(request, conversation_id)
    debtor_id = context["conversation"].debtor_id
    if debtor_id is not None:
        record_reading(request, debtor_id)
    return render(request, "console/inbox/conversation.html", context)


def conversation_context(request: StaffRequest, conversation_id: int, **extra: Any) -> dict[str, Any]:
    """Return the context of a conversation's page, and mark the conversation as read."""
    conversation = conversations.conversation_for(request.user, conversation_id)
    operations.mark_read(conversation=conversation, actor=actor_of(request))
    now = clock.now()
    is_lead = conversations.is_lead(request.user)
    in_window = operations.is_in_service_window(conversation=conversation, now=now)
    return {
        **list_context(request, conversation.pk),
        **_thread_context(conversation),
        **_debtor_context(request, conversation),
        "silent": conversations.is_conversation_silenced(conversation),
        "in_window": in_window,
        "needs_template": conversation.channel == "whatsapp" and not in_window,
        "canned": conversations.canned_answers(),
        "leads": is_lead,
        "templates": conversations.templates_to_send(conversation.channel),
        "people": conversations.assignable_users(conversation) if is_lead else [],
        "by_bot": conversation.channel in conversations.BOT_CHANNELS,
        **extra,
    }


def _thread_context(conversation: conversations.Conversation) -> dict[str, Any]:
    """Return the context of the thread; `version` changes with it, `last_id` is its last message, 0 for none."""
    thread = conversations.thread_of(conversation)
    return {
        "conversation": conversation,
        "thread": thread,
        "version": conversations.version_of(conversation, thread),
        "last_id": thread[-1].pk if thread else 0,
        "place": installation_place(),
    }


def _debtor_context(request: StaffRequest, conversation: conversations.Conversation) -> dict[str, Any]:
    """Return the context of the debtor's panel, empty where nobody knows yet who writes."""
    if conversation.debtor is None:
        return {}
    file = debtor_file.debtor_file_for(request.user, conversation.debtor.pk, clock.now())
    contacts = contacts_for(request.user, Filters(debtor_id=conversation.debtor.pk))
    last_contacts = list(contacts[:CONTACTS_SHOWN])
    country = file.debtor.country or getattr(file.place, "country", "")
    return {
        "file": file,
        "debtor": file.debtor,
        "last_contacts": last_contacts,
        "place": file.place,
        "answering": find_replies(country=country, day=schedule.today(clock.now())),
    }


@require_GET
@needs(Right.ANSWER_MESSAGES)
def show_thread(request: StaffRequest, conversation_id: int) -> HttpResponse:
    """Show the thread again if it has changed since version `?v=`, else nothing (204)."""
    conversation = conversations.conversation_for(request.user, conversation_id)
    context = _thread_context(conversation)
    if request.GET.get("v") == context["version"]:
        return HttpResponse(status=204)
    operations.mark_read(conversation=conversation, actor=actor_of(request))
    return render(request, "console/inbox/_thread.html", context)


@require_GET
@needs(Right.ANSWER_MESSAGES)
def download_attachment(request: StaffRequest, conversation_id: int, attachment_id: int) -> FileResponse:
    """Download a file that a debtor sent."""
    attachment = conversations.attachment_for(request.user, conversation_id, attachment_id)
    path = conversations.path_of(attachment)
    response = FileResponse(
        path.open("rb"),
        as_attachment=True,
        filename=f"{attachment.digest[:DIGEST_LETTERS]}{path.suffix}",
        content_type=attachment.media_type,
    )
    # The sender is not trusted: the file is saved, and never opened as a page of ours.
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response

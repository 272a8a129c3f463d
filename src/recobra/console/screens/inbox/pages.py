"""Pages of the inbox: the list, one conversation beside its debtor, and attachments."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from recobra.access.roles import Right
from recobra.console import labels
from recobra.console.guard import StaffRequest, needs
from recobra.console.screens.place import installation_place
from recobra.conversations import operations
from recobra.conversations import queries as conversations
from recobra.insight.queries import debtor_file
from recobra.kit import clock
from recobra.messaging.queries import Filters, contacts_for
from recobra.strategy import schedule
from recobra_core.law.description import find_replies

PAGE_ROWS = 60


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
    view, channel = request.GET.get("ver", ""), request.GET.get("canal", "")
    view = view if view in conversations.VIEWS else "todas"
    text = request.GET.get("aqui", "")
    rows = list(conversations.list_conversations(request.user, view=view, channel=channel)[: PAGE_ROWS + 1])
    return {
        "rows": rows[:PAGE_ROWS],
        "more": len(rows) > PAGE_ROWS,
        "view": view,
        "channel": channel,
        "counts": conversations.unread_counts(request.user),
        "channels": labels.choices("channel"),
        "here": open_id or (int(text) if text.isdecimal() else None),
        "place": installation_place(),
    }


@require_GET
@needs(Right.ANSWER_MESSAGES)
def show_conversation(request: StaffRequest, conversation_id: int) -> HttpResponse:
    """Show a conversation and mark it as read."""
    return render(request, "console/inbox/conversation.html", conversation_context(request, conversation_id))


def conversation_context(request: StaffRequest, conversation_id: int, **extra: Any) -> dict[str, Any]:
    """Return the context of a conversation's page, and mark the conversation as read."""
    conversation = conversations.conversation_for(request.user, conversation_id)
    operations.mark_read(conversation_id=conversation.pk)
    now = clock.now()
    return {
        **list_context(request, conversation.pk),
        **_thread_context(conversation),
        **_debtor_context(request, conversation),
        "silent": conversations.is_conversation_silenced(conversation),
        "in_window": operations.is_in_service_window(conversation=conversation, now=now),
        "needs_template": conversation.channel == "whatsapp"
        and not operations.is_in_service_window(conversation=conversation, now=now),
        "canned": conversations.canned_answers(),
        "leads": conversations.is_lead(request.user),
        "templates": conversations.templates_to_send(conversation.channel, now=now),
        "people": conversations.assignable_users(conversation) if conversations.is_lead(request.user) else [],
        "by_bot": conversation.channel in conversations.BOT_CHANNELS,
        **extra,
    }


def _thread_context(conversation: Any) -> dict[str, Any]:
    thread = conversations.thread_of(conversation)
    return {
        "conversation": conversation,
        "thread": thread,
        "version": conversations.version_of(conversation, thread),
        "last_id": thread[-1].pk if thread else 0,
        "place": installation_place(),
    }


def _debtor_context(request: StaffRequest, conversation: Any) -> dict[str, Any]:
    if conversation.debtor is None:
        return {}
    file = debtor_file.debtor_file_for(request.user, conversation.debtor.pk, clock.now())
    last_contacts = list(contacts_for(request.user, Filters(debtor_id=conversation.debtor.pk))[:4])
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
    operations.mark_read(conversation_id=conversation.pk)
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
        filename=f"{attachment.digest[:12]}{path.suffix}",
        content_type=attachment.media_type,
    )
    # The sender is not trusted: the file is saved, and never opened as a page of ours.
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response

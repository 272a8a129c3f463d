"""The list of conversations, one of them with its debtor beside it, and the files that came in."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from recobra.access.roles import Right
from recobra.console import labels
from recobra.console.guard import StaffRequest, needs
from recobra.console.screens.place import Installation
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
    """Show the list (`?ver=`, `?canal=`); htmx gets the list alone, for it asks again every few seconds."""
    context = list_context(request)
    if request.htmx and not request.htmx.boosted:  # type: ignore[attr-defined]
        return render(request, "console/inbox/_list.html", context)
    return render(request, "console/inbox/index.html", context)


def list_context(request: StaffRequest, here: int | None = None) -> dict[str, Any]:
    """Return what the list shows; `here` is the conversation that is open beside it."""
    view, channel = request.GET.get("ver", ""), request.GET.get("canal", "")
    view = view if view in conversations.VIEWS else "todas"
    given = request.GET.get("aqui", "")
    rows = list(conversations.list_conversations(request.user, view=view, channel=channel)[: PAGE_ROWS + 1])
    return {
        "rows": rows[:PAGE_ROWS],
        "more": len(rows) > PAGE_ROWS,
        "view": view,
        "channel": channel,
        "counts": conversations.unread_counts(request.user),
        "channels": labels.choices("channel"),
        "here": here or (int(given) if given.isdecimal() else None),
        "place": _place(),
    }


@require_GET
@needs(Right.ANSWER_MESSAGES)
def show_conversation(request: StaffRequest, conversation_id: int) -> HttpResponse:
    """Show a conversation; whoever opens it has read it."""
    return render(request, "console/inbox/conversation.html", conversation_context(request, conversation_id))


def conversation_context(request: StaffRequest, conversation_id: int, **more: Any) -> dict[str, Any]:
    """Return all that the page of a conversation shows."""
    found = conversations.conversation_for(request.user, conversation_id)
    operations.mark_read(conversation_id=found.pk)
    now = clock.now()
    return {
        **list_context(request, found.pk),
        **_thread_context(found),
        **_debtor_context(request, found),
        "silent": conversations.is_conversation_silenced(found),
        "in_window": operations.is_in_service_window(conversation=found, now=now),
        "needs_template": found.channel == "whatsapp"
        and not operations.is_in_service_window(conversation=found, now=now),
        "canned": conversations.canned_answers(),
        "leads": conversations.is_lead(request.user),
        "templates": conversations.templates_to_send(found.channel, now=now),
        "people": conversations.assignable_users(found) if conversations.is_lead(request.user) else [],
        "by_bot": found.channel in conversations.BOT_CHANNELS,
        **more,
    }


def _thread_context(found: Any) -> dict[str, Any]:
    show_thread = conversations.thread_of(found)
    return {
        "conversation": found,
        "thread": show_thread,
        "version": conversations.version_of(found, show_thread),
        "last_id": show_thread[-1].pk if show_thread else 0,
        "place": _place(),
    }


def _debtor_context(request: StaffRequest, found: Any) -> dict[str, Any]:
    if found.debtor is None:
        return {}
    file = debtor_file.debtor_file_for(request.user, found.debtor.pk, clock.now())
    last = list(contacts_for(request.user, Filters(debtor_id=found.debtor.pk))[:4])
    country = file.debtor.country or getattr(file.place, "country", "")
    return {
        "file": file,
        "debtor": file.debtor,
        "last_contacts": last,
        "place": file.place,
        "answering": find_replies(country=country, day=schedule.today(clock.now())),
    }


@require_GET
@needs(Right.ANSWER_MESSAGES)
def show_thread(request: StaffRequest, conversation_id: int) -> HttpResponse:
    """Give the thread again where it has changed since `?v=`, and nothing where it has not."""
    found = conversations.conversation_for(request.user, conversation_id)
    context = _thread_context(found)
    if request.GET.get("v") == context["version"]:
        return HttpResponse(status=204)
    operations.mark_read(conversation_id=found.pk)
    return render(request, "console/inbox/_thread.html", context)


@require_GET
@needs(Right.ANSWER_MESSAGES)
def download_attachment(request: StaffRequest, conversation_id: int, attachment_id: int) -> FileResponse:
    """Give a file out to be kept, never to be opened in the page: whoever sent it is not trusted."""
    kept = conversations.attachment_for(request.user, conversation_id, attachment_id)
    path = conversations.path_of(kept)
    answer = FileResponse(
        path.open("rb"), as_attachment=True, filename=f"{kept.digest[:12]}{path.suffix}", content_type=kept.media_type
    )
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["Cache-Control"] = "private, no-store"
    return answer


def _place() -> Installation:
    return Installation(time_zone=schedule.installation_zone().key)

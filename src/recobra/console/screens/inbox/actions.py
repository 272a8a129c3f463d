"""What people do with a conversation: take it, give it away, end it, note something. One operation per request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from recobra.access.roles import Right
from recobra.console.guard import StaffRequest, needs
from recobra.conversations import operations
from recobra.conversations import queries as conversations
from recobra.conversations.inbox import ConversationRefused
from recobra.kit import clock
from recobra.portfolio.queries import accounts_for, debtor_for, search_accounts


@require_POST
@needs(Right.ANSWER_MESSAGES)
def assign_conversation(request: StaffRequest, conversation_id: int) -> HttpResponse:
    """Take a conversation, or give it to somebody (`to`), which only who leads may."""
    leads, to = conversations.is_lead(request.user), request.POST.get("to", "")
    if to and not leads:
        raise PermissionDenied
    found = conversations.conversation_for(request.user, conversation_id)
    people = {str(each.pk): each.pk for each in conversations.assignable_users(found)} if to else {}
    if to and to not in people:
        raise ObjectDoesNotExist
    person = people.get(to, request.user.pk)
    return _perform(
        request,
        conversation_id,
        lambda: operations.take_over(conversation_id=conversation_id, to_id=person, leads=leads, **_who(request)),
        _("Assigned. The bot is silent here now."),
    )


@require_POST
@needs(Right.ANSWER_MESSAGES)
def return_to_bot(request: StaffRequest, conversation_id: int) -> HttpResponse:
    """Give a conversation back to the bot."""
    done = _("The bot answers what comes next.")
    return _perform(
        request,
        conversation_id,
        lambda: operations.give_to_bot(conversation_id=conversation_id, **_who(request)),
        done,
    )


@require_POST
@needs(Right.ANSWER_MESSAGES)
def close_conversation(request: StaffRequest, conversation_id: int) -> HttpResponse:
    """End a conversation."""
    done = _("Conversation closed.")
    return _perform(
        request,
        conversation_id,
        lambda: operations.close_conversation(conversation_id=conversation_id, **_who(request)),
        done,
    )


@require_POST
@needs(Right.ANSWER_MESSAGES)
def add_note(request: StaffRequest, conversation_id: int) -> HttpResponse:
    """Write something for colleagues."""
    text = request.POST.get("text", "")
    return _perform(
        request,
        conversation_id,
        lambda: operations.add_note(conversation_id=conversation_id, text=text, **_who(request)),
        _("Noted."),
    )


@require_POST
@needs(Right.ANSWER_MESSAGES)
def silence_number(request: StaffRequest, conversation_id: int) -> HttpResponse:
    """Put down that nobody wants messages here (`what=optout`), or that it is somebody else (`what=wrong`)."""
    wrong = request.POST.get("what") == "wrong"
    done = (
        _("Noted: this number is somebody else's.") if wrong else _("Noted: nothing is sent to this number any more.")
    )
    return _perform(
        request,
        conversation_id,
        lambda: operations.silence_conversation(conversation_id=conversation_id, wrong_person=wrong, **_who(request)),
        done,
    )


@require_POST
@needs(Right.ANSWER_MESSAGES)
def assign_debtor(request: StaffRequest, conversation_id: int) -> HttpResponse:
    """Say which debtor writes at a number that nobody knew: by document, account or customer number."""
    if not conversations.is_lead(request.user):
        raise PermissionDenied
    conversations.conversation_for(request.user, conversation_id)
    found = search_accounts(request.user, request.POST.get("debtor", "").strip(), limit=2)
    debtors = set(accounts_for(request.user).filter(pk__in=found).values_list("debtor_id", flat=True))
    if len(debtors) != 1:
        messages.error(request, _("That finds no debtor of yours, or several. Write the document or the account."))
        return redirect("console:inbox-conversation", conversation_id)
    debtor = debtor_for(request.user, debtors.pop())
    return _perform(
        request,
        conversation_id,
        lambda: operations.assign_debtor(conversation_id=conversation_id, debtor_id=debtor.pk, **_who(request)),
        _("Noted. Identity is still to be checked before any debt is spoken of."),
    )


def _perform(request: StaffRequest, conversation_id: int, act: Callable[[], object], done: str) -> HttpResponse:
    conversations.conversation_for(request.user, conversation_id)
    try:
        act()
    except ConversationRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, done)
    still = conversations.conversations_for(request.user).filter(pk=conversation_id).exists()
    return redirect("console:inbox-conversation", conversation_id) if still else redirect("console:inbox")


def _who(request: StaffRequest) -> dict[str, Any]:
    return {"actor": request.user.username, "actor_id": request.user.pk, "now": clock.now()}

"""Actions on a conversation: assign, close, note, silence. One operation per request."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from recobra.access.roles import Right
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.conversations import operations
from recobra.conversations import queries as conversations
from recobra.conversations.inbox import ConversationRefused
from recobra.portfolio.queries import accounts_for, debtor_for, search_accounts


@require_POST
@needs(Right.ANSWER_MESSAGES)
def assign_conversation(request: StaffRequest, conversation_id: int) -> HttpResponse:
    """Assign a conversation to the user, or to somebody else (`to`), which only leads may."""
    is_lead = conversations.is_lead(request.user)
    user_id = request.user.pk
    to = request.POST.get("to", "")
    if to:
        if not is_lead:
            raise PermissionDenied
        conversation = conversations.conversation_for(request.user, conversation_id)
        user_ids = {str(user.pk): user.pk for user in conversations.assignable_users(conversation)}
        if to not in user_ids:
            raise ObjectDoesNotExist
        user_id = user_ids[to]
    return _perform(
        request,
        conversation_id,
        lambda: operations.take_over(conversation_id=conversation_id, to_id=user_id, actor=actor_of(request)),
        _("Assigned. The bot is silent here now."),
    )


@require_POST
@needs(Right.ANSWER_MESSAGES)
def return_to_bot(request: StaffRequest, conversation_id: int) -> HttpResponse:
    """Return a conversation to the bot."""
    done = _("The bot answers what comes next.")
    return _perform(
        request,
        conversation_id,
        lambda: operations.give_to_bot(conversation_id=conversation_id, actor=actor_of(request)),
        done,
    )


@require_POST
@needs(Right.ANSWER_MESSAGES)
def close_conversation(request: StaffRequest, conversation_id: int) -> HttpResponse:
    """Close a conversation."""
    done = _("Conversation closed.")
    return _perform(
        request,
        conversation_id,
        lambda: operations.close_conversation(conversation_id=conversation_id, actor=actor_of(request)),
        done,
    )


@require_POST
@needs(Right.ANSWER_MESSAGES)
def add_note(request: StaffRequest, conversation_id: int) -> HttpResponse:
    """Add a note for colleagues."""
    text = request.POST.get("text", "")
    return _perform(
        request,
        conversation_id,
        lambda: operations.add_note(conversation_id=conversation_id, text=text, actor=actor_of(request)),
        _("Noted."),
    )


@require_POST
@needs(Right.ANSWER_MESSAGES)
def silence_number(request: StaffRequest, conversation_id: int) -> HttpResponse:
    """Record an opt-out (`what=optout`), or that the number is somebody else's (`what=wrong`)."""
    is_wrong_person = request.POST.get("what") == "wrong"
    done = _("Noted: nothing is sent to this number any more.")
    if is_wrong_person:
        done = _("Noted: this number is somebody else's.")
    return _perform(
        request,
        conversation_id,
        lambda: operations.silence_conversation(
            conversation_id=conversation_id, wrong_person=is_wrong_person, actor=actor_of(request)
        ),
        done,
    )


@require_POST
@needs(Right.ANSWER_MESSAGES)
def assign_debtor(request: StaffRequest, conversation_id: int) -> HttpResponse:
    """Assign the debtor who writes from an unknown number: by document, account or customer number."""
    if not conversations.is_lead(request.user):
        raise PermissionDenied
    conversations.conversation_for(request.user, conversation_id)
    account_ids = search_accounts(request.user, request.POST.get("debtor", "").strip(), limit=2)
    debtor_ids = set(accounts_for(request.user).filter(pk__in=account_ids).values_list("debtor_id", flat=True))
    if len(debtor_ids) != 1:
        messages.error(request, _("That finds no debtor of yours, or several. Write the document or the account."))
        return redirect("console:inbox-conversation", conversation_id)
    debtor = debtor_for(request.user, debtor_ids.pop())
    return _perform(
        request,
        conversation_id,
        lambda: operations.assign_debtor(conversation_id=conversation_id, debtor_id=debtor.pk, actor=actor_of(request)),
        _("Noted. Identity is still to be checked before any debt is spoken of."),
    )


def _perform(request: StaffRequest, conversation_id: int, operation: Callable[[], object], done: str) -> HttpResponse:
    """Run an operation and show the conversation again, with `done` or the refusal as message."""
    conversations.conversation_for(request.user, conversation_id)
    try:
        operation()
    except ConversationRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    # The conversation may be with somebody now whose conversations the user does not see.
    is_visible = conversations.conversations_for(request.user).filter(pk=conversation_id).exists()
    return redirect("console:inbox-conversation", conversation_id) if is_visible else redirect("console:inbox")

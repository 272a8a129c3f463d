"""Canned answers for the inbox."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recobra.access.roles import Right
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_id
from recobra.conversations import operations as conversations_operations
from recobra.conversations import queries as conversations
from recobra.conversations.canned import CannedRefused


@require_http_methods(["GET", "POST"])
@needs(Right.ANSWER_MESSAGES)
def edit_canned(request: StaffRequest) -> HttpResponse:
    """Show the canned answers; leads save a new one, or one in place of another (`replaces`)."""
    context = {"answers": conversations.canned_answers(), "leads": conversations.is_lead(request.user)}
    if request.method == "POST":
        if not conversations.is_lead(request.user):
            raise PermissionDenied
        title = request.POST.get("title", "")
        text = request.POST.get("text", "")
        try:
            conversations_operations.save_canned(
                title=title,
                text=text,
                replaces_id=parse_id(request.POST.get("replaces", "")),
                actor=actor_of(request),
            )
        except CannedRefused as refusal:
            context |= {"problem": str(refusal), "title_written": title, "text_written": text}
            return render(request, "console/inbox/canned.html", context, status=422)
        messages.success(request, _("The ready answer is kept."))
        return redirect("console:inbox-canned")
    return render(request, "console/inbox/canned.html", context)


@require_POST
@needs(Right.ANSWER_MESSAGES)
def retire_canned(request: StaffRequest, canned_id: int) -> HttpResponse:
    """Retire a canned answer."""
    if not conversations.is_lead(request.user):
        raise PermissionDenied
    conversations_operations.retire_canned(canned_id=conversations.canned_answer(canned_id).pk, actor=actor_of(request))
    messages.success(request, _("The ready answer was taken out of use."))
    return redirect("console:inbox-canned")

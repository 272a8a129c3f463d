"""Messages of staff to a debtor: a reply, or a first message; checked while they are written."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recobra.access.roles import Right
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_id
from recobra.console.screens.inbox.pages import conversation_context
from recobra.conversations import operations as conversations_operations
from recobra.conversations import queries as conversations
from recobra.conversations.reply import Draft, Preview, ReplyRefused
from recobra.messaging.queries import owes_elsewhere
from recobra.portfolio.queries import ContactPoint, Debtor, Portfolio, accounts_for, debtor_for


@require_POST
@needs(Right.ANSWER_MESSAGES)
def check_reply(request: StaffRequest, conversation_id: int) -> HttpResponse:
    """Show, while a reply is written, its findings and whether it could leave now."""
    conversation = conversations.conversation_for(request.user, conversation_id)
    draft = _read_draft(request.POST)
    preview = None
    if draft.text.strip() or draft.template_code:
        preview = _preview_reply(request, conversation.pk, draft)
    context = {"preview": preview, "place": _place_of(request, conversation.debtor)}
    return render(request, "console/inbox/_check.html", context)


@require_POST
@needs(Right.ANSWER_MESSAGES)
def send_reply(request: StaffRequest, conversation_id: int) -> HttpResponse:
    """Put a reply into the outbox; one that has to wait for its hour only if its writer agrees (`queue`)."""
    conversation = conversations.conversation_for(request.user, conversation_id)
    # `after` is the last message the writer saw: the operation refuses a reply that missed a newer one.
    draft = _read_draft(request.POST)
    preview = _preview_reply(request, conversation.pk, draft)
    problem = _find_problem(preview, request.POST)
    if not problem:
        try:
            conversations_operations.send_reply(
                conversation_id=conversation.pk,
                text=draft.text,
                template_code=draft.template_code,
                after_id=parse_id(request.POST.get("after", "")),
                actor=actor_of(request),
            )
        except ReplyRefused as refusal:
            problem = str(refusal)
    if not problem:
        messages.success(request, _("It leaves in its hour.") if preview.opens_at else _("Sent to the outbox."))
        return redirect("console:inbox-conversation", conversation.pk)
    context = conversation_context(
        request,
        conversation.pk,
        problem=problem,
        preview=preview,
        draft=draft,
        has_queue=_has_to_wait(preview),
    )
    return render(request, "console/inbox/conversation.html", context, status=422)


@require_http_methods(["GET", "POST"])
@needs(Right.ANSWER_MESSAGES)
def compose_message(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Write a first message to a debtor: to which number or address, in one's own words or by a template."""
    debtor = debtor_for(request.user, debtor_id)
    lines = conversations.reachable_points(debtor)
    context: dict[str, Any] = {"debtor": debtor, "lines": lines, "place": _place_of(request, debtor)}
    if owes_elsewhere(request.user, debtor.pk):
        context["barred"] = _("This debtor also owes in portfolios that are not yours.")
    elif not lines:
        context["barred"] = _("There is no number or address that may be written to.")
    if "barred" in context:
        status = 422 if request.method == "POST" else 200
        return render(request, "console/inbox/compose.html", context, status=status)
    point_id, channel = _chosen_line(request, lines)
    draft = _read_draft(request.POST)
    context |= {
        "chosen": f"{point_id}-{channel}",
        "templates": conversations.templates_to_send(channel),
        "channel": channel,
        "draft": draft,
    }
    if request.method == "GET":
        return render(request, "console/inbox/compose.html", context)

    preview = _preview_first_message(request, debtor.pk, point_id, channel, draft)
    problem = _find_problem(preview, request.POST)
    if not problem:
        try:
            sent = conversations_operations.send_first_message(
                debtor_id=debtor.pk, point_id=point_id, channel=channel, draft=draft, actor=actor_of(request)
            )
        except ReplyRefused as refusal:
            problem = str(refusal)
        else:
            messages.success(request, _("It leaves in its hour.") if preview.opens_at else _("Sent to the outbox."))
            return redirect("console:inbox-conversation", sent.conversation_id)
    context |= {"problem": problem, "preview": preview, "has_queue": _has_to_wait(preview)}
    return render(request, "console/inbox/compose.html", context, status=422)


@require_POST
@needs(Right.ANSWER_MESSAGES)
def check_message(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Show, while a first message is written, its findings and whether it could leave now."""
    debtor = debtor_for(request.user, debtor_id)
    lines = conversations.reachable_points(debtor)
    draft = _read_draft(request.POST)
    has_content = draft.text.strip() or draft.template_code
    preview = None
    if lines and has_content and not owes_elsewhere(request.user, debtor.pk):
        point_id, channel = _chosen_line(request, lines)
        preview = _preview_first_message(request, debtor.pk, point_id, channel, draft)
    return render(request, "console/inbox/_check.html", {"preview": preview, "place": _place_of(request, debtor)})


def _read_draft(data: QueryDict) -> Draft:
    """Return the message as it was posted; a template takes the place of a text of one's own."""
    template_code = data.get("template", "")
    return Draft(
        text="" if template_code else data.get("text", "").replace("\r\n", "\n"),
        template_code=template_code,
        subject=data.get("subject", ""),
    )


def _preview_reply(request: StaffRequest, conversation_id: int, draft: Draft) -> Preview:
    """Return a reply as it would leave now."""
    return conversations_operations.preview_reply(conversation_id=conversation_id, draft=draft, actor=actor_of(request))


def _preview_first_message(request: StaffRequest, debtor_id: int, point_id: int, channel: str, draft: Draft) -> Preview:
    """Return a first message as it would leave now to a number or address."""
    return conversations_operations.preview_first_message(
        debtor_id=debtor_id,
        point_id=point_id,
        channel=channel,
        draft=draft,
        actor=actor_of(request),
    )


def _find_problem(preview: Preview, data: QueryDict) -> str:
    """Return the reason against sending a message as it is, '' for none."""
    if preview.refused:
        return preview.refused
    if preview.is_barred:
        return _("It cannot be sent as it is: see below.")
    if preview.opens_at and not data.get("queue"):
        return _("It may not leave at this hour. You can let it wait for the next one.")
    return ""


def _has_to_wait(preview: Preview) -> bool:
    """Return whether a message may be sent, but only at a later hour."""
    return preview.opens_at is not None and not preview.is_barred


def _chosen_line(request: StaffRequest, lines: list[tuple[ContactPoint, str]]) -> tuple[int, str]:
    """Return the contact point and channel chosen, such as `line=17-sms`; the first one for anything else."""
    choice = request.POST.get("line") or request.GET.get("linea", "")
    for point, channel in lines:
        if choice == f"{point.pk}-{channel}":
            return point.pk, channel
    first_point, first_channel = lines[0]
    return first_point.pk, first_channel


def _place_of(request: StaffRequest, debtor: Debtor | None) -> Portfolio | None:
    """Return the first portfolio of the user's in which a debtor owes: hours are shown in its time."""
    if debtor is None:
        return None
    account = accounts_for(request.user, debtor.pk).first()
    return account.portfolio if account else None

"""Writing to a debtor: an answer, or a first message from the debtor's file; judged before it goes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recobra.access.roles import Right
from recobra.console.guard import StaffRequest, needs
from recobra.console.screens.inbox.pages import conversation_context
from recobra.conversations import operations as conversations_operations
from recobra.conversations import queries as conversations
from recobra.conversations.reply import Draft, Preview, ReplyRefused
from recobra.kit import clock
from recobra.messaging.queries import owes_elsewhere
from recobra.portfolio.queries import accounts_for, debtor_for


@require_POST
@needs(Right.ANSWER_MESSAGES)
def check_reply(request: StaffRequest, conversation_id: int) -> HttpResponse:
    """Say, while an answer is written, what the law says of its words and whether it could leave now."""
    found = conversations.conversation_for(request.user, conversation_id)
    words = _read_words(request.POST)
    trial = _try_reply(request, found.pk, words) if words.text.strip() or words.template_code else None
    return render(request, "console/inbox/_check.html", {"trial": trial, "place": _place_of(request, found.debtor)})


@require_POST
@needs(Right.ANSWER_MESSAGES)
def send_reply(request: StaffRequest, conversation_id: int) -> HttpResponse:
    """Put an answer into the outbox; where it must wait for its hour, its writer agrees first (`queue`)."""
    found = conversations.conversation_for(request.user, conversation_id)
    words, after = _read_words(request.POST), request.POST.get("after", "")
    trial = _try_reply(request, found.pk, words)
    problem = _find_problem(trial, request.POST)
    if not problem:
        try:
            conversations_operations.send_reply(
                conversation_id=found.pk,
                text=words.text,
                template_code=words.template_code,
                after_id=int(after) if after.isdecimal() else None,
                **_author(request),
            )
        except ReplyRefused as refused:
            problem = str(refused)
    if not problem:
        messages.success(request, _("It leaves in its hour.") if trial.opens_at else _("Sent to the outbox."))
        return redirect("console:inbox-conversation", found.pk)
    context = conversation_context(
        request, found.pk, problem=problem, trial=trial, written=words, has_queue=_has_to_wait(trial)
    )
    return render(request, "console/inbox/conversation.html", context, status=422)


@require_http_methods(["GET", "POST"])
@needs(Right.ANSWER_MESSAGES)
def compose_message(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Write to a debtor first: which number or address, in one's own words or by a template."""
    debtor = debtor_for(request.user, debtor_id)
    lines = conversations.reachable_points(debtor)
    context: dict[str, Any] = {"debtor": debtor, "lines": lines, "place": _place_of(request, debtor)}
    if owes_elsewhere(request.user, debtor.pk):
        context["barred"] = _("This debtor also owes in portfolios that are not yours.")
    elif not lines:
        context["barred"] = _("There is no number or address that may be written to.")
    if "barred" in context:
        return render(request, "console/inbox/compose.html", context, status=200 if request.method == "GET" else 422)
    point_id, channel = _chosen_line(request, lines)
    context |= {
        "chosen": f"{point_id}-{channel}",
        "templates": conversations.templates_to_send(channel, now=clock.now()),
        "channel": channel,
        "written": _read_words(request.POST),
    }
    if request.method == "POST":
        words = _read_words(request.POST)
        trial = conversations_operations.preview_first_message(
            debtor_id=debtor.pk,
            point_id=point_id,
            channel=channel,
            draft=words,
            author=request.user.username,
            now=clock.now(),
        )
        problem = _find_problem(trial, request.POST)
        if not problem:
            try:
                sent = conversations_operations.send_first_message(
                    debtor_id=debtor.pk, point_id=point_id, channel=channel, draft=words, **_author(request)
                )
            except ReplyRefused as refused:
                problem = str(refused)
            else:
                messages.success(request, _("It leaves in its hour.") if trial.opens_at else _("Sent to the outbox."))
                return redirect("console:inbox-conversation", sent.conversation_id)
        context |= {"problem": problem, "trial": trial, "has_queue": _has_to_wait(trial)}
    return render(request, "console/inbox/compose.html", context, status=422 if "problem" in context else 200)


@require_POST
@needs(Right.ANSWER_MESSAGES)
def check_message(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Say, while a first message is written, what would become of it."""
    debtor = debtor_for(request.user, debtor_id)
    lines, words = conversations.reachable_points(debtor), _read_words(request.POST)
    trial = None
    if lines and not owes_elsewhere(request.user, debtor.pk) and (words.text.strip() or words.template_code):
        point_id, channel = _chosen_line(request, lines)
        trial = conversations_operations.preview_first_message(
            debtor_id=debtor.pk,
            point_id=point_id,
            channel=channel,
            draft=words,
            author=request.user.username,
            now=clock.now(),
        )
    return render(request, "console/inbox/_check.html", {"trial": trial, "place": _place_of(request, debtor)})


def _read_words(given: QueryDict) -> Draft:
    template = given.get("template", "")
    return Draft(
        text="" if template else given.get("text", "").replace("\r\n", "\n"),
        template_code=template,
        subject=given.get("subject", ""),
    )


def _try_reply(request: StaffRequest, conversation_id: int, words: Draft) -> Preview:
    return conversations_operations.preview_reply(
        conversation_id=conversation_id, draft=words, author=request.user.username, now=clock.now()
    )


def _find_problem(trial: Preview, given: QueryDict) -> str:
    """Return why a message is not taken as it is, '' where it is."""
    if trial.refused:
        return trial.refused
    if trial.is_barred:
        return _("It cannot be sent as it is: see below.")
    if trial.opens_at and not given.get("queue"):
        return _("It may not leave at this hour. You can let it wait for the next one.")
    return ""


def _has_to_wait(trial: Preview) -> bool:
    return trial.opens_at is not None and not trial.is_barred


def _author(request: StaffRequest) -> dict[str, Any]:
    return {"author": request.user.username, "author_id": request.user.pk, "now": clock.now()}


def _chosen_line(request: StaffRequest, lines: list[Any]) -> tuple[int, str]:
    """Return the chosen point and channel; the first one where none of the debtor's is named."""
    wanted = request.POST.get("line") or request.GET.get("linea", "")
    found = next(((point, channel) for point, channel in lines if f"{point.pk}-{channel}" == wanted), lines[0])
    return found[0].pk, found[1]


def _place_of(request: StaffRequest, debtor: Any) -> Any:
    account = accounts_for(request.user, debtor.pk).first() if debtor else None
    return account.portfolio if account else None

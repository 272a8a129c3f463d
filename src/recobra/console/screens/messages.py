"""Mensajes: the outbox with its reasons, a message as it was sent, what is uncertain, and the demonstration mailbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from recobra.access.roles import Right
from recobra.console import labels
from recobra.console.guard import StaffRequest, needs
from recobra.journal.queries import debtor_timeline
from recobra.kit import clock
from recobra.messaging import operations as messaging
from recobra.messaging import queries
from recobra.messaging.queries import Filters
from recobra.portfolio.queries import portfolios_for
from recobra.strategy import schedule

from . import mailbox_reply
from .place import Installation
from .templates import urlpatterns as template_urls

PAGE_ROWS = 50


@require_GET
@needs(Right.SEE_MESSAGES)
def index(request: StaffRequest) -> HttpResponse:
    """Show the outbox of a day (`?dia=`, today when not given, `todos` for all days), by status and portfolio."""
    today = schedule.today(clock.now())
    filters, day = filters_of(request.GET, today)
    rows, following = _page(queries.contacts_for(request.user, filters), request.GET)
    context = {
        "rows": rows,
        "following": following,
        "filters": filters,
        "day": day,
        "today": today,
        "counts": queries.counts_for(request.user, day=day) if day else None,
        "latest": None if rows or not day else _latest(request, day),
        "filtered": any(request.GET.get(name) for name in ("estado", "cartera", "canal", "motivo", "plantilla")),
    }
    if request.htmx and not request.htmx.boosted:  # type: ignore[attr-defined]
        return render(request, "console/messages/_list.html", context)
    return render(request, "console/messages/index.html", context | _choices(request))


def _latest(request: StaffRequest, day: date) -> date | None:
    """Return the last day before this one that has messages."""
    earlier = queries.contacts_for(request.user, Filters(planned_to=day - timedelta(days=1)))
    newest = earlier.first()
    return newest.planned_for if newest else None


def _choices(request: StaffRequest) -> dict[str, Any]:
    return {
        "portfolios": portfolios_for(request.user),
        "statuses": labels.choices("contact"),
        "channels": labels.choices("channel"),
        "uncertain": queries.uncertain_for(request.user).count(),
    }


def filters_of(parameters: QueryDict, today: date) -> tuple[Filters, date | None]:
    """Read what the list is narrowed to, and its day; what cannot be read counts as not given."""
    day = _day(parameters.get("dia", ""), today)
    status, portfolio = parameters.get("estado", ""), parameters.get("cartera", "")
    filters = Filters(
        statuses=[status] if status in queries.Status.values else [],
        portfolio_codes=[portfolio] if portfolio else [],
        channel=parameters.get("canal", ""),
        reason=parameters.get("motivo", ""),
        template_code=parameters.get("plantilla", ""),
    )
    return (replace(filters, planned_from=day, planned_to=day) if day else filters), day


def _day(text: str, today: date) -> date | None:
    if text == "todos":
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return today


def _page(found: Any, parameters: QueryDict) -> tuple[list[Any], int | None]:
    """Return a page and the number of the next; counting every row of a large outbox would cost more than it says."""
    given = parameters.get("pagina", "")
    number = min(int(given), 10_000) if given.isdecimal() and int(given) else 1
    rows = list(found[(number - 1) * PAGE_ROWS : number * PAGE_ROWS + 1])
    return rows[:PAGE_ROWS], number + 1 if len(rows) > PAGE_ROWS else None


def _contact(request: StaffRequest, contact_id: int) -> Any:
    contact = queries.contact_for(request.user, contact_id)
    if contact is None:
        raise ObjectDoesNotExist
    return contact


@require_GET
@needs(Right.SEE_MESSAGES)
def detail(request: StaffRequest, contact_id: int) -> HttpResponse:
    """Show a contact: what it said, why it ended as it did, and its life."""
    contact = _contact(request, contact_id)
    facts = [fact for fact in debtor_timeline(debtor_id=contact.debtor_id, limit=400) if fact.contact_id == contact.pk]
    letters = queries.mailbox_messages_for(request.user).filter(contact_public_id=str(contact.public_id))
    context = {
        "contact": contact,
        "facts": reversed(facts),
        "letters": letters,
        "items": queries.items_for(request.user, contact),
        "not_due": queries.is_upcoming_only(contact),
        "beyond": queries.owes_elsewhere(request.user, contact.debtor_id),
    }
    return render(request, "console/messages/detail.html", context)


@require_GET
@needs(Right.SEE_MESSAGES)
def uncertain(request: StaffRequest) -> HttpResponse:
    """Show the messages of which it is not known whether they arrived."""
    rows, following = _page(queries.uncertain_for(request.user), request.GET)
    return render(request, "console/messages/uncertain.html", {"rows": rows, "following": following})


@require_POST
@needs(Right.CLOSE_TASK)
def settle(request: StaffRequest, contact_id: int) -> HttpResponse:
    """Say whether an uncertain message arrived."""
    contact = _contact(request, contact_id)
    outcome = request.POST.get("outcome")
    try:
        messaging.settle_uncertain(
            contact_id=contact.pk,
            outcome="SENT" if outcome == "SENT" else "FAILED",
            actor=request.user.username,
            actor_id=request.user.pk,
            now=clock.now(),
        )
    except messaging.NotUncertain:
        messages.error(request, _("The end of this message is known already."))
    else:
        messages.success(request, _("Noted: it arrived.") if outcome == "SENT" else _("Noted: it did not arrive."))
    return redirect("console:messages-uncertain")


@require_GET
@needs(Right.SEE_MESSAGES)
def mailbox(request: StaffRequest) -> HttpResponse:
    """Show what the built-in mailbox of the demonstration received."""
    kept = queries.mailbox_messages_for(request.user, text=request.GET.get("q", "").strip())
    channel = request.GET.get("canal", "")
    pages = Paginator(kept.filter(channel=channel) if channel else kept, PAGE_ROWS)
    context = {
        "page": pages.get_page(request.GET.get("pagina")),
        "place": _place(),
        "channel": channel,
        "channels": labels.choices("channel"),
    }
    return render(request, "console/messages/mailbox.html", context)


@require_GET
@needs(Right.SEE_MESSAGES)
def letter(request: StaffRequest, message_id: int) -> HttpResponse:
    """Show one message of the mailbox as its reader sees it."""
    found = queries.mailbox_message_for(request.user, message_id)
    if found is None:
        raise ObjectDoesNotExist
    context = {"letter": found, "place": _place(), "box": mailbox_reply.box_for(request, message_id)}
    return render(request, "console/messages/letter.html", context)


def _place() -> Installation:
    return Installation(time_zone=schedule.installation_zone().key)


urlpatterns = [
    path("mensajes/", index, name="messages"),
    path("mensajes/inciertos/", uncertain, name="messages-uncertain"),
    path("mensajes/buzon/", mailbox, name="mailbox"),
    path("mensajes/buzon/<int:message_id>/", letter, name="mailbox-letter"),
    *mailbox_reply.urlpatterns,
    *template_urls,
    path("mensajes/<int:contact_id>/", detail, name="message"),
    path("mensajes/<int:contact_id>/resolver/", settle, name="message-settle"),
]

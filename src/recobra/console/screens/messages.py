"""Mensajes: the outbox, single messages, uncertain ones, and the mailbox of a demonstration."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from recobra.access.roles import Right
from recobra.console import labels
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs, record_reading
from recobra.console.letter_frame import show_letter
from recobra.console.parameters import parse_date, parse_page
from recobra.journal.queries import debtor_timeline
from recobra.kit import clock
from recobra.messaging import operations as messaging
from recobra.messaging import queries
from recobra.messaging.queries import Contact, Filters
from recobra.portfolio.queries import joined_documents, portfolios_for, with_joined
from recobra.strategy import schedule

from . import mailbox_reply
from .place import installation_place
from .templates import urlpatterns as template_urls

PAGE_ROWS = 50
# Of a debtor's newest facts, those of one message are its history.
TIMELINE_FACTS_READ = 400


@require_GET
@needs(Right.SEE_MESSAGES)
def list_messages(request: StaffRequest) -> HttpResponse:
    """Show the outbox of a day (`?dia=`, today when not given, `todos` for all days), by status and portfolio."""
    today = schedule.today(clock.now())
    filters, day = read_filters(request.GET, today)
    rows, following = _paginate(queries.contacts_for(request.user, filters), request.GET)
    # An empty day links to the last day before it that has messages.
    earlier = None
    if day and not rows:
        earlier = queries.contacts_for(request.user, Filters(planned_to=day - timedelta(days=1))).first()
    context: dict[str, Any] = {
        "rows": rows,
        "following": following,
        "filters": filters,
        "day": day,
        "today": today,
        "counts": queries.counts_for(request.user, day=day) if day else None,
        "latest": earlier.planned_for if earlier else None,
        "filtered": any(request.GET.get(name) for name in ("estado", "cartera", "canal", "motivo", "plantilla")),
    }
    if request.htmx and not request.htmx.boosted:  # type: ignore[attr-defined]
        return render(request, "console/messages/_list.html", context)
    context |= {
        "portfolios": portfolios_for(request.user),
        "statuses": labels.choices("contact"),
        "channels": labels.choices("channel"),
        "uncertain": queries.uncertain_for(request.user).count(),
    }
    return render(request, "console/messages/index.html", context)


def read_filters(parameters: QueryDict, today: date) -> tuple[Filters, date | None]:
    """Return the filters of the list and its day, None for all days; what cannot be read counts as not given."""
    day_text = parameters.get("dia", "")
    day = None if day_text == "todos" else parse_date(day_text) or today
    status = parameters.get("estado", "")
    portfolio = parameters.get("cartera", "")
    filters = Filters(
        statuses=[status] if status in queries.Status.values else [],
        portfolio_codes=[portfolio] if portfolio else [],
        channel=parameters.get("canal", ""),
        reason=parameters.get("motivo", ""),
        template_code=parameters.get("plantilla", ""),
    )
    if day is not None:
        filters = replace(filters, planned_from=day, planned_to=day)
    return filters, day


def _paginate(contacts: QuerySet[Contact], parameters: QueryDict) -> tuple[list[Contact], int | None]:
    """Return the rows of a page, and the number of the next page or None."""
    number = parse_page(parameters.get("pagina", ""))
    # One row more tells whether there is a next page; counting a large outbox would take longer than reading it.
    rows = list(contacts[(number - 1) * PAGE_ROWS : number * PAGE_ROWS + 1])
    following = number + 1 if len(rows) > PAGE_ROWS else None
    return rows[:PAGE_ROWS], following


def _contact_in_scope(request: StaffRequest, contact_id: int) -> Contact:
    """Return a contact that the user may see. Raises ObjectDoesNotExist."""
    contact = queries.contact_for(request.user, contact_id)
    if contact is None:
        raise ObjectDoesNotExist
    return contact


@require_GET
@needs(Right.SEE_MESSAGES)
def show_message(request: StaffRequest, contact_id: int) -> HttpResponse:
    """Show a contact: its message, the reason for its end, and its history."""
    contact = _contact_in_scope(request, contact_id)
    timeline = debtor_timeline(debtor_ids=with_joined([contact.debtor_id]), limit=TIMELINE_FACTS_READ)
    facts = [fact for fact in timeline if fact.contact_id == contact.pk]
    letters = queries.mailbox_messages_for(request.user).filter(contact_public_id=str(contact.public_id))
    context = {
        "contact": contact,
        "facts": reversed(facts),
        "letters": letters,
        "items": queries.items_for(request.user, contact),
        "not_due": queries.is_upcoming_only(contact),
        "beyond": queries.owes_elsewhere(request.user, contact.debtor_id),
        "joined_documents": joined_documents(contact.debtor),
    }
    record_reading(request, contact.debtor_id)
    return render(request, "console/messages/detail.html", context)


@require_GET
@needs(Right.SEE_MESSAGES)
def list_uncertain(request: StaffRequest) -> HttpResponse:
    """List the messages that may or may not have left."""
    rows, following = _paginate(queries.uncertain_for(request.user), request.GET)
    return render(request, "console/messages/uncertain.html", {"rows": rows, "following": following})


@require_POST
@needs(Right.CLOSE_TASK)
def settle_message(request: StaffRequest, contact_id: int) -> HttpResponse:
    """Settle an uncertain message: a person says whether it arrived."""
    contact = _contact_in_scope(request, contact_id)
    outcome = request.POST.get("outcome")
    try:
        messaging.settle_uncertain(
            contact_id=contact.pk, outcome="SENT" if outcome == "SENT" else "FAILED", actor=actor_of(request)
        )
    except messaging.NotUncertain:
        messages.error(request, _("The end of this message is known already."))
    else:
        messages.success(request, _("Noted: it arrived.") if outcome == "SENT" else _("Noted: it did not arrive."))
    return redirect("console:messages-uncertain")


@require_GET
@needs(Right.SEE_MESSAGES)
def list_mailbox(request: StaffRequest) -> HttpResponse:
    """List the messages that the mailbox of a demonstration received."""
    mailbox = queries.mailbox_messages_for(request.user, text=request.GET.get("q", "").strip())
    channel = request.GET.get("canal", "")
    if channel:
        mailbox = mailbox.filter(channel=channel)
    context = {
        "page": Paginator(mailbox, PAGE_ROWS).get_page(request.GET.get("pagina")),
        "place": installation_place(),
        "channel": channel,
        "channels": labels.choices("channel"),
    }
    return render(request, "console/messages/mailbox.html", context)


@require_GET
@needs(Right.SEE_MESSAGES)
def show_mailbox_message(request: StaffRequest, message_id: int) -> HttpResponse:
    """Show one message of the mailbox as its reader sees it."""
    message = queries.mailbox_message_for(request.user, message_id)
    if message is None:
        raise ObjectDoesNotExist
    context = {
        "letter": message,
        "place": installation_place(),
        "box": mailbox_reply.reply_box_for(request, message_id),
    }
    return render(request, "console/messages/letter.html", context)


@require_GET
@needs(Right.SEE_MESSAGES)
def show_mailbox_html(request: StaffRequest, message_id: int) -> HttpResponse:
    """Show the HTML of a message of the mailbox alone, for the frame of its page."""
    message = queries.mailbox_message_for(request.user, message_id)
    if message is None:
        raise ObjectDoesNotExist
    return show_letter(message.html)


urlpatterns = [
    path("mensajes/", list_messages, name="messages"),
    path("mensajes/inciertos/", list_uncertain, name="messages-uncertain"),
    path("mensajes/buzon/", list_mailbox, name="mailbox"),
    path("mensajes/buzon/<int:message_id>/", show_mailbox_message, name="mailbox-letter"),
    path("mensajes/buzon/<int:message_id>/html/", show_mailbox_html, name="mailbox-html"),
    *mailbox_reply.urlpatterns,
    *template_urls,
    path("mensajes/<int:contact_id>/", show_message, name="message"),
    path("mensajes/<int:contact_id>/resolver/", settle_message, name="message-settle"),
]

"""Ficha 360: the file of one debtor, its history, the ledgers of its accounts and its messages."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET

from recobra.access.roles import Right
from recobra.console import labels
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_id
from recobra.insight.queries import debtor_file, timeline
from recobra.intake.queries import loads_by_id
from recobra.kit import clock
from recobra.messaging import queries
from recobra.policy.queries import buckets_of
from recobra.portfolio.queries import (
    Debtor,
    DebtorJoin,
    accounts_for,
    debtor_for,
    find_kept,
    joined_documents,
    joins_of,
    ledger_lines,
    list_notes,
    parts_of,
    portfolios_for,
)
from recobra_core.law import load_countries
from recobra_core.law.conditions import find_contactable_roles


@require_GET
@needs(Right.SEE_CASES)
def show_debtor(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Show the debtor's file, or that of the one with whom the debtor was joined."""
    kept_id = find_kept(request.user, debtor_id)
    if kept_id is not None:
        return redirect("console:debtor", kept_id)
    file = debtor_file.debtor_file_for(request.user, debtor_id, clock.now())
    events, following = timeline.debtor_events(request.user, file.debtor)
    context = {
        "file": file,
        "debtor": file.debtor,
        "events": events,
        "following": following,
        "buckets": buckets_of(portfolios_for(request.user), day=clock.now().date()),
        "outcomes": labels.choices("outcome"),
        "beyond": queries.owes_elsewhere(request.user, debtor_id),
        "joins": joins_of(file.debtor),
        "notes": list_notes(file.debtor),
        **_describe_parts(request, file.debtor),
        "joined_documents": joined_documents(file.debtor),
        "part_reasons": DebtorJoin.PartReason.choices,
    }
    return render(request, "console/debtor/index.html", context)


def _describe_parts(request: StaffRequest, debtor: Debtor) -> dict[str, object]:
    """Return in which accounts of others a debtor stands, and whom the law lets be contacted there."""
    parts = parts_of(request.user, debtor)
    country = load_countries().get(debtor.country)
    if not parts or country is None:
        return {"parts": parts}
    roles, source = find_contactable_roles(country, day=clock.now().date())
    names = dict(labels.choices("role"))
    return {"parts": parts, "roles": [names[role] for role in roles], "roles_source": source}


@require_GET
@needs(Right.SEE_CASES)
def show_history(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Show the history before an entry (`?antes=`); htmx gets the entries alone."""
    debtor = debtor_for(request.user, debtor_id)
    events, following = timeline.debtor_events(request.user, debtor, before=parse_id(request.GET.get("antes", "")))
    beyond = queries.owes_elsewhere(request.user, debtor_id)
    context = {"debtor": debtor, "events": events, "following": following, "beyond": beyond}
    template = "_events.html" if request.htmx else "history.html"  # type: ignore[attr-defined]
    return render(request, f"console/debtor/{template}", context)


@require_GET
@needs(Right.SEE_CASES)
def show_ledger(request: StaffRequest, debtor_id: int, account_id: int) -> HttpResponse:
    """Show an account's postings with the balance after each."""
    debtor = debtor_for(request.user, debtor_id)
    account = accounts_for(request.user, debtor_id).get(pk=account_id)
    lines = ledger_lines(account)
    loads = loads_by_id(request.user, {posting.load_id for posting, _balance in lines})
    shown = [(posting, balance, loads.get(posting.load_id or 0)) for posting, balance in lines]
    context = {
        "debtor": debtor,
        "account": account,
        "place": account.portfolio,
        "lines": shown,
        "joined_documents": joined_documents(debtor),
    }
    return render(request, "console/debtor/ledger.html", context)


@require_GET
@needs(Right.SEE_MESSAGES)
def show_message(request: StaffRequest, debtor_id: int, contact_id: int) -> HttpResponse:
    """Show a contact: its verdict, and the message exactly as it was sent."""
    contact = debtor_file.contact_for(request.user, debtor_id, contact_id)
    context = {
        "joined_documents": joined_documents(contact.debtor),
        "debtor": contact.debtor,
        "contact": contact,
        "place": contact.portfolio,
        "items": queries.items_for(request.user, contact),
        "not_due": queries.is_upcoming_only(contact),
        "beyond": queries.owes_elsewhere(request.user, debtor_id),
    }
    return render(request, "console/debtor/message.html", context)


urlpatterns = [
    path("ficha/<int:debtor_id>/", show_debtor, name="debtor"),
    path("ficha/<int:debtor_id>/historia/", show_history, name="debtor-history"),
    path("ficha/<int:debtor_id>/cuentas/<int:account_id>/", show_ledger, name="debtor-ledger"),
    path("ficha/<int:debtor_id>/mensajes/<int:contact_id>/", show_message, name="debtor-message"),
]

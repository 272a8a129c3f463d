"""What people do in a debtor's file: payments, holds, tasks. One operation per request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recobra.access.roles import Right
from recobra.console.forms import HoldForm, PaymentForm, ReversalForm, TaskForm
from recobra.console.guard import StaffRequest, needs
from recobra.insight.queries import debtor_file
from recobra.kit import clock
from recobra.messaging.queries import Filters, contacts_for
from recobra.payments import operations as payments
from recobra.portfolio import operations as holds
from recobra.portfolio.queries import accounts_for, debtor_for, holds_for
from recobra.workbench import operations as tasks

_Refusals = (payments.PaymentRefused, holds.HoldRefused, tasks.TaskRefused)


@require_http_methods(["GET", "POST"])
@needs(Right.RECORD_PAYMENT)
def payment(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Record a payment of one of the portfolios the debtor owes in (`?cartera=`, the first when not given)."""
    debtor = debtor_for(request.user, debtor_id)
    accounts = list(accounts_for(request.user, debtor_id))
    places = {account.portfolio.code: account.portfolio for account in accounts}
    place = places.get(request.GET.get("cartera", "")) or next(iter(places.values()), None)
    if place is None:
        return _back(request, debtor_id, _("This debtor has no account of its own."), problem=True)
    choices = [(each.pk, each.external_id) for each in accounts if each.portfolio_id == place.pk]
    today = clock.today(place.time_zone)
    form = PaymentForm(request.POST or None, place=place, accounts=choices, today=today)

    def act(given: dict[str, Any]) -> None:
        payments.record_payment(
            portfolio_id=place.pk,
            debtor_id=debtor_id,
            account_id=given["account"],
            amount_minor=given["amount_minor"],
            paid_date=given["paid_date"],
            reference=given["reference"],
            source="SCREEN",
            **_who(request),
        )

    context = {
        "debtor": debtor,
        "title": _("Record a payment"),
        "place": place,
        "places": places,
        "action": _("Record"),
    }
    pending = contacts_for(request.user, Filters(debtor_id=debtor_id, statuses=["DUE"]))
    before = pending.count()

    def done() -> str:
        if pending.count() < before:
            return _("Payment recorded. What was planned for this debtor has been cancelled.")
        return _("Payment recorded.")

    return _form(request, form, act, done, context)


@require_http_methods(["GET", "POST"])
@needs(Right.REVERSE_PAYMENT)
def reversal(request: StaffRequest, debtor_id: int, payment_id: int) -> HttpResponse:
    """Take a payment back, saying why."""
    row = debtor_file.payment_for(request.user, debtor_id, payment_id)

    def act(given: dict[str, Any]) -> None:
        payments.reverse_payment(payment_id=row.pk, reason=given["reason"], **_who(request))

    context = {
        "debtor": debtor_for(request.user, debtor_id),
        "title": _("Reverse a payment"),
        "payment": row,
        "place": row.portfolio,
        "action": _("Reverse the payment"),
        "danger": True,
    }
    done = _("Payment reversed. The debt is open again.")
    return _form(request, ReversalForm(request.POST or None), act, done, context)


@require_http_methods(["GET", "POST"])
@needs(Right.PLACE_HOLD)
def hold(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Pause the pursuit."""
    debtor = debtor_for(request.user, debtor_id)
    accounts = list(accounts_for(request.user, debtor_id))
    if not accounts:
        return _back(request, debtor_id, _("This debtor has no account of its own."), problem=True)
    place, choices = accounts[0].portfolio, [(each.pk, each.external_id) for each in accounts]
    form = HoldForm(request.POST or None, place=place, accounts=choices, today=clock.today(place.time_zone))

    def act(given: dict[str, Any]) -> None:
        rest = {name: given[name] for name in ("reason", "starts_on", "ends_on", "note", "disputed_minor")}
        holds.place_hold(debtor_id=debtor_id, account_id=given["account"], **rest, **_who(request))

    context = {"debtor": debtor, "title": _("Place a hold"), "place": place, "action": _("Place the hold")}
    return _form(request, form, act, _("Hold placed. Nobody is contacted while it lasts."), context)


@require_POST
@needs(Right.LIFT_HOLD)
def lift(request: StaffRequest, debtor_id: int, hold_id: int) -> HttpResponse:
    """End a hold before its day."""
    seen = {each.pk for each in holds_for(request.user, debtor_for(request.user, debtor_id))}
    if hold_id not in seen:
        return _back(request, debtor_id, _("The hold is not of this debtor."), problem=True)
    return _do(request, debtor_id, lambda: holds.lift_hold(hold_id=hold_id, **_who(request)), _("Hold lifted."))


@require_POST
@needs(Right.CLOSE_TASK)
def close(request: StaffRequest, debtor_id: int, task_id: int) -> HttpResponse:
    """Close a task with what came of it."""
    task, form = debtor_file.task_for(request.user, debtor_id, task_id), TaskForm(request.POST)
    if not form.is_valid():
        return _back(request, debtor_id, _("Say what came of the task."), problem=True)
    outcome = form.cleaned_data["outcome"]
    done = _("Task closed.")
    return _do(request, debtor_id, lambda: tasks.close_task(task_id=task.pk, outcome=outcome, **_who(request)), done)


def _form(
    request: StaffRequest,
    form: forms.Form,
    act: Callable[[dict[str, Any]], None],
    done: str | Callable[[], str],
    context: dict[str, Any],
) -> HttpResponse:
    """Show a form, or do what it asks; a refusal stands above it with everything as it was typed."""
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                act(form.cleaned_data)
                return _back(request, context["debtor"].pk, done() if callable(done) else done)
            except _Refusals as refused:
                form.add_error(None, str(refused))
    return render(request, "console/debtor/form.html", {**context, "form": form}, status=status)


def _do(request: StaffRequest, debtor_id: int, act: Callable[[], object], done: str) -> HttpResponse:
    try:
        act()
    except _Refusals as refused:
        return _back(request, debtor_id, str(refused), problem=True)
    return _back(request, debtor_id, done)


def _back(request: StaffRequest, debtor_id: int, said: str, *, problem: bool = False) -> HttpResponse:
    messages.add_message(request, messages.ERROR if problem else messages.SUCCESS, said)
    return redirect("console:debtor", debtor_id)


def _who(request: StaffRequest) -> dict[str, Any]:
    return {"actor": request.user.username, "actor_id": request.user.pk, "now": clock.now()}


urlpatterns = [
    path("ficha/<int:debtor_id>/pagos/nuevo/", payment, name="debtor-payment"),
    path("ficha/<int:debtor_id>/pagos/<int:payment_id>/reversa/", reversal, name="debtor-reversal"),
    path("ficha/<int:debtor_id>/pausas/nueva/", hold, name="debtor-hold"),
    path("ficha/<int:debtor_id>/pausas/<int:hold_id>/levantar/", lift, name="debtor-hold-lift"),
    path("ficha/<int:debtor_id>/tareas/<int:task_id>/cerrar/", close, name="debtor-task-close"),
]

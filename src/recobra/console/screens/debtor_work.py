"""Actions in a debtor's file: payments, holds, tasks. One operation per request."""

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
from recobra.console.actions import actor_and_time
from recobra.console.forms import HoldForm, PaymentForm, ReversalForm, TaskForm
from recobra.console.guard import StaffRequest, needs
from recobra.insight.queries import debtor_file
from recobra.kit import clock
from recobra.messaging.queries import Filters, contacts_for
from recobra.payments import operations as payments
from recobra.portfolio import operations as holds
from recobra.portfolio.queries import accounts_for, debtor_for, holds_for
from recobra.workbench import operations as tasks

_REFUSALS = (payments.PaymentRefused, holds.HoldRefused, tasks.TaskRefused)


@require_http_methods(["GET", "POST"])
@needs(Right.RECORD_PAYMENT)
def record_payment(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Record a payment of one of the portfolios the debtor owes in (`?cartera=`, the first when not given)."""
    debtor = debtor_for(request.user, debtor_id)
    accounts = list(accounts_for(request.user, debtor_id))
    places = {account.portfolio.code: account.portfolio for account in accounts}
    place = places.get(request.GET.get("cartera", "")) or next(iter(places.values()), None)
    if place is None:
        return _return_to_debtor(request, debtor_id, _("This debtor has no account of its own."), is_error=True)
    choices = [(account.pk, account.external_id) for account in accounts if account.portfolio_id == place.pk]
    today = clock.today(place.time_zone)
    form = PaymentForm(request.POST or None, place=place, accounts=choices, today=today)

    # Counted before the payment: the message afterwards says whether it cancelled anything.
    planned = contacts_for(request.user, Filters(debtor_id=debtor_id, statuses=["DUE"]))
    planned_before = planned.count()

    def save(data: dict[str, Any]) -> str:
        payments.record_payment(
            portfolio_id=place.pk,
            debtor_id=debtor_id,
            account_id=data["account"],
            amount_minor=data["amount_minor"],
            paid_date=data["paid_date"],
            reference=data["reference"],
            source="SCREEN",
            **actor_and_time(request),
        )
        if planned.count() < planned_before:
            return _("Payment recorded. What was planned for this debtor has been cancelled.")
        return _("Payment recorded.")

    context = {
        "debtor": debtor,
        "title": _("Record a payment"),
        "place": place,
        "places": places,
        "action": _("Record"),
    }
    return _handle_form(request, form, save, context)


@require_http_methods(["GET", "POST"])
@needs(Right.REVERSE_PAYMENT)
def reverse_payment(request: StaffRequest, debtor_id: int, payment_id: int) -> HttpResponse:
    """Reverse a payment, with the reason."""
    payment = debtor_file.payment_for(request.user, debtor_id, payment_id)

    def save(data: dict[str, Any]) -> str:
        payments.reverse_payment(payment_id=payment.pk, reason=data["reason"], **actor_and_time(request))
        return _("Payment reversed. The debt is open again.")

    context = {
        "debtor": debtor_for(request.user, debtor_id),
        "title": _("Reverse a payment"),
        "payment": payment,
        "place": payment.portfolio,
        "action": _("Reverse the payment"),
        "danger": True,
    }
    return _handle_form(request, ReversalForm(request.POST or None), save, context)


@require_http_methods(["GET", "POST"])
@needs(Right.PLACE_HOLD)
def place_hold(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Place a hold on a debtor or one of the accounts."""
    debtor = debtor_for(request.user, debtor_id)
    accounts = list(accounts_for(request.user, debtor_id))
    if not accounts:
        return _return_to_debtor(request, debtor_id, _("This debtor has no account of its own."), is_error=True)
    place = accounts[0].portfolio
    choices = [(account.pk, account.external_id) for account in accounts]
    form = HoldForm(request.POST or None, place=place, accounts=choices, today=clock.today(place.time_zone))

    def save(data: dict[str, Any]) -> str:
        details = {name: data[name] for name in ("reason", "starts_on", "ends_on", "note", "disputed_minor")}
        holds.place_hold(debtor_id=debtor_id, account_id=data["account"], **details, **actor_and_time(request))
        return _("Hold placed. Nobody is contacted while it lasts.")

    context = {"debtor": debtor, "title": _("Place a hold"), "place": place, "action": _("Place the hold")}
    return _handle_form(request, form, save, context)


@require_POST
@needs(Right.LIFT_HOLD)
def lift_hold(request: StaffRequest, debtor_id: int, hold_id: int) -> HttpResponse:
    """End a hold before its day."""
    hold_ids = {hold.pk for hold in holds_for(request.user, debtor_for(request.user, debtor_id))}
    if hold_id not in hold_ids:
        return _return_to_debtor(request, debtor_id, _("The hold is not of this debtor."), is_error=True)
    return _perform(
        request, debtor_id, lambda: holds.lift_hold(hold_id=hold_id, **actor_and_time(request)), _("Hold lifted.")
    )


@require_POST
@needs(Right.CLOSE_TASK)
def close_task(request: StaffRequest, debtor_id: int, task_id: int) -> HttpResponse:
    """Close a task with its outcome."""
    task, form = debtor_file.task_for(request.user, debtor_id, task_id), TaskForm(request.POST)
    if not form.is_valid():
        return _return_to_debtor(request, debtor_id, _("Say what came of the task."), is_error=True)
    outcome = form.cleaned_data["outcome"]
    return _perform(
        request,
        debtor_id,
        lambda: tasks.close_task(task_id=task.pk, outcome=outcome, **actor_and_time(request)),
        _("Task closed."),
    )


def _handle_form(
    request: StaffRequest,
    form: forms.Form,
    save: Callable[[dict[str, Any]], str],
    context: dict[str, Any],
) -> HttpResponse:
    """Show a form, or save it; a refusal is shown above it, with everything as it was typed.

    `save` gets the cleaned data and returns the message for the debtor's file.
    """
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                return _return_to_debtor(request, context["debtor"].pk, save(form.cleaned_data))
            except _REFUSALS as refusal:
                form.add_error(None, str(refusal))
    return render(request, "console/debtor/form.html", {**context, "form": form}, status=status)


def _perform(request: StaffRequest, debtor_id: int, operation: Callable[[], object], done: str) -> HttpResponse:
    """Run an operation and return to the debtor's file, with `done` or the refusal as message."""
    try:
        operation()
    except _REFUSALS as refusal:
        return _return_to_debtor(request, debtor_id, str(refusal), is_error=True)
    return _return_to_debtor(request, debtor_id, done)


def _return_to_debtor(request: StaffRequest, debtor_id: int, text: str, *, is_error: bool = False) -> HttpResponse:
    messages.add_message(request, messages.ERROR if is_error else messages.SUCCESS, text)
    return redirect("console:debtor", debtor_id)


urlpatterns = [
    path("ficha/<int:debtor_id>/pagos/nuevo/", record_payment, name="debtor-payment"),
    path("ficha/<int:debtor_id>/pagos/<int:payment_id>/reversa/", reverse_payment, name="debtor-reversal"),
    path("ficha/<int:debtor_id>/pausas/nueva/", place_hold, name="debtor-hold"),
    path("ficha/<int:debtor_id>/pausas/<int:hold_id>/levantar/", lift_hold, name="debtor-hold-lift"),
    path("ficha/<int:debtor_id>/tareas/<int:task_id>/cerrar/", close_task, name="debtor-task-close"),
]

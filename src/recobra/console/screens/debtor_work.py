"""Actions in a debtor's file: payments, holds, tasks. One operation per request."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recobra.access.roles import Right, has_right
from recobra.console.actions import actor_of
from recobra.console.debtor_form import confirm, handle_form, refuse
from recobra.console.forms import HoldForm, PaymentForm, ReversalForm, TaskForm
from recobra.console.guard import StaffRequest, needs
from recobra.console.masks import mask_document_in
from recobra.insight.queries import debtor_file
from recobra.kit import clock
from recobra.messaging.queries import Filters, contacts_for
from recobra.payments import operations as payments
from recobra.portfolio import operations as holds
from recobra.portfolio.queries import Account, Debtor, accounts_for, debtor_for, holds_for
from recobra.workbench import operations as tasks


@require_http_methods(["GET", "POST"])
@needs(Right.RECORD_PAYMENT)
def record_payment(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Record a payment of one of the portfolios the debtor owes in (`?cartera=`, the first when not given)."""
    debtor = debtor_for(request.user, debtor_id)
    accounts = list(accounts_for(request.user, debtor_id))
    if not accounts:
        return refuse(request, debtor_id, _("This debtor has no account of its own."))
    portfolios = {account.portfolio.code: account.portfolio for account in accounts}
    portfolio = portfolios.get(request.GET.get("cartera", ""), accounts[0].portfolio)
    of_portfolio = [account for account in accounts if account.portfolio_id == portfolio.pk]
    choices = _account_choices(request, debtor, of_portfolio)
    today = clock.today(portfolio.time_zone)
    form = PaymentForm(request.POST or None, place=portfolio, accounts=choices, today=today)
    save = partial(_save_payment, request, debtor_id, portfolio.pk)
    context = {
        "debtor": debtor,
        "title": _("Record a payment"),
        "place": portfolio,
        "places": portfolios,
        "action": _("Record"),
    }
    return handle_form(request, form, save, context)


def _account_choices(request: StaffRequest, debtor: Debtor, accounts: Iterable[Account]) -> list[tuple[int, str]]:
    """Return accounts as choices of a form, their numbers masked where the user may not read the debtor's document."""
    hidden = "" if has_right(request.user, Right.SEE_NATIONAL_ID) else debtor.national_id
    return [(account.pk, mask_document_in(account.external_id, hidden)) for account in accounts]


def _save_payment(request: StaffRequest, debtor_id: int, portfolio_id: int, data: dict[str, Any]) -> str:
    """Record the payment of a valid form; the message returned says whether planned contacts were cancelled."""
    planned = contacts_for(request.user, Filters(debtor_id=debtor_id, statuses=["DUE"]))
    planned_before = planned.count()
    payments.record_payment(
        portfolio_id=portfolio_id,
        debtor_id=debtor_id,
        account_id=data["account"],
        amount_minor=data["amount_minor"],
        paid_date=data["paid_date"],
        reference=data["reference"],
        source="SCREEN",
        actor=actor_of(request),
    )
    if planned.count() < planned_before:
        return _("Payment recorded. What was planned for this debtor has been cancelled.")
    return _("Payment recorded.")


@require_http_methods(["GET", "POST"])
@needs(Right.REVERSE_PAYMENT)
def reverse_payment(request: StaffRequest, debtor_id: int, payment_id: int) -> HttpResponse:
    """Reverse a payment, with the reason."""
    payment = debtor_file.payment_for(request.user, debtor_id, payment_id)
    form = ReversalForm(request.POST or None)
    save = partial(_save_reversal, request, payment.pk)
    context = {
        "debtor": debtor_for(request.user, debtor_id),
        "title": _("Reverse a payment"),
        "payment": payment,
        "place": payment.portfolio,
        "action": _("Reverse the payment"),
        "danger": True,
    }
    return handle_form(request, form, save, context)


def _save_reversal(request: StaffRequest, payment_id: int, data: dict[str, Any]) -> str:
    """Reverse a payment for the reason of a valid form, and return the message."""
    payments.reverse_payment(payment_id=payment_id, reason=data["reason"], actor=actor_of(request))
    return _("Payment reversed. The debt is open again.")


@require_http_methods(["GET", "POST"])
@needs(Right.PLACE_HOLD)
def place_hold(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Place a hold on a debtor or one of the accounts."""
    debtor = debtor_for(request.user, debtor_id)
    accounts = list(accounts_for(request.user, debtor_id))
    if not accounts:
        return refuse(request, debtor_id, _("This debtor has no account of its own."))
    # A hold may cover all accounts; the days and the disputed amount are those of the first one's portfolio.
    portfolio = accounts[0].portfolio
    choices = _account_choices(request, debtor, accounts)
    form = HoldForm(request.POST or None, place=portfolio, accounts=choices, today=clock.today(portfolio.time_zone))
    save = partial(_save_hold, request, debtor_id)
    context = {"debtor": debtor, "title": _("Place a hold"), "place": portfolio, "action": _("Place the hold")}
    return handle_form(request, form, save, context)


def _save_hold(request: StaffRequest, debtor_id: int, data: dict[str, Any]) -> str:
    """Place the hold of a valid form, and return the message."""
    holds.place_hold(
        debtor_id=debtor_id,
        account_id=data["account"],
        reason=data["reason"],
        starts_on=data["starts_on"],
        ends_on=data["ends_on"],
        note=data["note"],
        disputed_minor=data["disputed_minor"],
        actor=actor_of(request),
    )
    return _("Hold placed. Nobody is contacted while it lasts.")


@require_POST
@needs(Right.LIFT_HOLD)
def lift_hold(request: StaffRequest, debtor_id: int, hold_id: int) -> HttpResponse:
    """End a hold before its day."""
    debtor = debtor_for(request.user, debtor_id)
    hold_ids = {hold.pk for hold in holds_for(request.user, debtor)}
    if hold_id not in hold_ids:
        return refuse(request, debtor_id, _("The hold is not of this debtor."))
    try:
        holds.lift_hold(hold_id=hold_id, actor=actor_of(request))
    except holds.HoldRefused as refusal:
        return refuse(request, debtor_id, str(refusal))
    return confirm(request, debtor_id, _("Hold lifted."))


@require_POST
@needs(Right.CLOSE_TASK)
def close_task(request: StaffRequest, debtor_id: int, task_id: int) -> HttpResponse:
    """Close a task with its outcome."""
    task = debtor_file.task_for(request.user, debtor_id, task_id)
    form = TaskForm(request.POST)
    if not form.is_valid():
        return refuse(request, debtor_id, _("Say what came of the task."))
    try:
        tasks.close_task(task_id=task.pk, outcome=form.cleaned_data["outcome"], actor=actor_of(request))
    except tasks.TaskRefused as refusal:
        return refuse(request, debtor_id, str(refusal))
    return confirm(request, debtor_id, _("Task closed."))


urlpatterns = [
    path("ficha/<int:debtor_id>/pagos/nuevo/", record_payment, name="debtor-payment"),
    path("ficha/<int:debtor_id>/pagos/<int:payment_id>/reversa/", reverse_payment, name="debtor-reversal"),
    path("ficha/<int:debtor_id>/pausas/nueva/", place_hold, name="debtor-hold"),
    path("ficha/<int:debtor_id>/pausas/<int:hold_id>/levantar/", lift_hold, name="debtor-hold-lift"),
    path("ficha/<int:debtor_id>/tareas/<int:task_id>/cerrar/", close_task, name="debtor-task-close"),
]

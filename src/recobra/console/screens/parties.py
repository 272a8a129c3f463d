"""Personas de la cuenta: who stands around an account. Nothing is sent to them."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from recobra.access.roles import Right
from recobra.console.actions import actor_of
from recobra.console.debtor_form import handle_form
from recobra.console.debtor_forms import PartyForm, PartyRetirementForm
from recobra.console.guard import StaffRequest, needs
from recobra.portfolio import parties
from recobra.portfolio.queries import accounts_for, debtor_for, party_for


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_DEBTORS)
def add_party(request: StaffRequest, debtor_id: int, account_id: int) -> HttpResponse:
    """Add a co-debtor, guarantor, reference or payer to an account."""
    debtor = debtor_for(request.user, debtor_id)
    account = accounts_for(request.user, debtor_id).get(pk=account_id)
    form = PartyForm(request.POST or None)
    context = {"debtor": debtor, "account": account, "title": _("Add a person to the account"), "action": _("Add")}
    return handle_form(request, form, partial(_save_party, request, account.pk), context)


def _save_party(request: StaffRequest, account_id: int, data: dict[str, Any]) -> str:
    """Add the person of a valid form, and return the message."""
    parties.add_party(account_id=account_id, **data, actor=actor_of(request))
    return _("Person added. Nothing is sent to them.")


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_DEBTORS)
def retire_party(request: StaffRequest, debtor_id: int, party_id: int) -> HttpResponse:
    """Take somebody away from an account."""
    debtor = debtor_for(request.user, debtor_id)
    party = party_for(request.user, debtor_id, party_id)
    form = PartyRetirementForm(request.POST or None)
    context = {
        "debtor": debtor,
        "account": party.account,
        "party": party,
        "title": _("Take the person away"),
        "action": _("Take the person away"),
        "danger": True,
    }
    return handle_form(request, form, partial(_save_retirement, request, party.pk), context)


def _save_retirement(request: StaffRequest, party_id: int, data: dict[str, Any]) -> str:
    """Take a person away by a valid form, and return the message."""
    parties.retire_party(party_id=party_id, note=data["note"], actor=actor_of(request))
    return _("Person taken away. No file brings them back.")


urlpatterns = [
    path("ficha/<int:debtor_id>/cuentas/<int:account_id>/personas/nueva/", add_party, name="debtor-party-add"),
    path("ficha/<int:debtor_id>/personas/<int:party_id>/quitar/", retire_party, name="debtor-party-retire"),
]

"""A form that does one thing in a debtor's file: shown, saved or refused, and the way back to the file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from recobra.console.guard import StaffRequest
from recobra.payments.operations import PaymentRefused
from recobra.portfolio.contact_points import PointRefused
from recobra.portfolio.notes import NoteRefused
from recobra.portfolio.operations import HoldRefused
from recobra.portfolio.parties import PartyRefused
from recobra.portfolio.preferences import PreferencesRefused
from recobra.workbench.operations import TaskRefused

Save = Callable[[dict[str, Any]], str]
"""Saves the cleaned data of a form and returns the message that the debtor's file shows then."""
_REFUSALS: Final = (
    PaymentRefused,
    HoldRefused,
    TaskRefused,
    PointRefused,
    PreferencesRefused,
    NoteRefused,
    PartyRefused,
)


def handle_form(request: StaffRequest, form: forms.Form, save: Save, context: dict[str, Any]) -> HttpResponse:
    """Show a form, or save it; a refusal is shown above it, with everything as it was typed."""
    if form.is_valid():
        try:
            message = save(form.cleaned_data)
        except _REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            return confirm(request, context["debtor"].pk, message)
    status = 422 if request.method == "POST" else 200
    return render(request, "console/debtor/form.html", {**context, "form": form}, status=status)


def confirm(request: StaffRequest, debtor_id: int, text: str) -> HttpResponse:
    """Return to the debtor's file with a message of success."""
    messages.success(request, text)
    return redirect("console:debtor", debtor_id)


def refuse(request: StaffRequest, debtor_id: int, text: str) -> HttpResponse:
    """Return to the debtor's file with an error message: nothing was done."""
    messages.error(request, text)
    return redirect("console:debtor", debtor_id)

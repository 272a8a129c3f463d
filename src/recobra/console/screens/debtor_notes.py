"""Preferencias y notas: how a debtor would rather be contacted, and what colleagues should know."""

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
from recobra.console.debtor_forms import NoteForm, PreferencesForm
from recobra.console.guard import StaffRequest, needs
from recobra.portfolio.notes import add_debtor_note
from recobra.portfolio.preferences import set_preferences
from recobra.portfolio.queries import debtor_for


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_DEBTORS)
def edit_preferences(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Set language, channel and hours that a debtor prefers."""
    debtor = debtor_for(request.user, debtor_id)
    stated = {
        "language": debtor.language,
        "channel": debtor.preferred_channel,
        "hours_from": debtor.preferred_from,
        "hours_to": debtor.preferred_to,
    }
    form = PreferencesForm(request.POST or None, initial=stated)
    context = {"debtor": debtor, "title": _("Preferences of contact"), "action": _("Save")}
    return handle_form(request, form, partial(_save_preferences, request, debtor_id), context)


def _save_preferences(request: StaffRequest, debtor_id: int, data: dict[str, Any]) -> str:
    """Set the preferences of a valid form, and return the message."""
    set_preferences(debtor_id=debtor_id, **data, actor=actor_of(request))
    return _("Saved. What was planned is decided anew, as the debtor prefers.")


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_DEBTORS)
def write_note(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Write a note that colleagues read."""
    debtor = debtor_for(request.user, debtor_id)
    form = NoteForm(request.POST or None)
    context = {"debtor": debtor, "title": _("Write a note"), "action": _("Save")}
    return handle_form(request, form, partial(_save_note, request, debtor_id), context)


def _save_note(request: StaffRequest, debtor_id: int, data: dict[str, Any]) -> str:
    """Write the note of a valid form, and return the message."""
    add_debtor_note(debtor_id=debtor_id, text=data["text"], actor=actor_of(request))
    return _("Note saved. No message says it.")


urlpatterns = [
    path("ficha/<int:debtor_id>/preferencias/", edit_preferences, name="debtor-preferences"),
    path("ficha/<int:debtor_id>/notas/nueva/", write_note, name="debtor-note"),
]

"""Datos de contacto: add, correct and retire a debtor's telephones, e-mails and addresses."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from recobra.access.roles import Right, has_right
from recobra.consent import operations as consent
from recobra.consent.queries import point_of
from recobra.console.actions import actor_of
from recobra.console.debtor_form import handle_form, refuse
from recobra.console.debtor_forms import CorrectionForm, PlaceForm, PointForm, RetirementForm
from recobra.console.guard import StaffRequest, needs
from recobra.portfolio import contact_points as points
from recobra.portfolio.queries import ContactPoint, debtor_for


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_DEBTORS)
def add_point(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Add a telephone, e-mail or address."""
    debtor = debtor_for(request.user, debtor_id)
    form = PointForm(request.POST or None)
    context = {"debtor": debtor, "title": _("Add contact data"), "action": _("Add")}
    return handle_form(request, form, partial(_save_new, request, debtor_id), context)


def _save_new(request: StaffRequest, debtor_id: int, data: dict[str, Any]) -> str:
    """Add the contact point of a valid form; the message says if its owner wants nothing sent there."""
    point = points.add_contact_point(debtor_id=debtor_id, **data, actor=actor_of(request))
    return _describe_use(point, _("Contact data added."))


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_DEBTORS)
def correct_point(request: StaffRequest, debtor_id: int, point_id: int) -> HttpResponse:
    """Put another value in the place of a contact point, which is retired."""
    debtor = debtor_for(request.user, debtor_id)
    point = point_of(debtor, point_id)
    form = CorrectionForm(request.POST or None, initial={"place": point.place})
    context = {"debtor": debtor, "point": point, "title": _("Correct contact data"), "action": _("Correct")}
    return handle_form(request, form, partial(_save_correction, request, point), context)


def _save_correction(request: StaffRequest, point: ContactPoint, data: dict[str, Any]) -> str:
    """Correct a contact point by a valid form, and return the message."""
    corrected = points.correct_contact_point(point_id=point.pk, **data, actor=actor_of(request))
    return _describe_use(corrected, _("Corrected. What waited for the old one was taken back."))


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_DEBTORS)
def retire_point(request: StaffRequest, debtor_id: int, point_id: int) -> HttpResponse:
    """Take a contact point out of use; what is somebody else's is said to the ledger of consent."""
    debtor = debtor_for(request.user, debtor_id)
    point = point_of(debtor, point_id)
    if point.retired_at is not None:
        return refuse(request, debtor_id, _("It is out of use already."))
    form = RetirementForm(request.POST or None, may_deny=has_right(request.user, Right.RECORD_CONSENT))
    context = {
        "debtor": debtor,
        "point": point,
        "title": _("Take out of use"),
        "action": _("Take out of use"),
        "danger": True,
    }
    return handle_form(request, form, partial(_save_retirement, request, point), context)


def _save_retirement(request: StaffRequest, point: ContactPoint, data: dict[str, Any]) -> str:
    """Retire a contact point by a valid form, and return the message."""
    if data["reason"] == ContactPoint.RetiredBecause.WRONG_PERSON:
        consent.record_wrong_person(point_id=point.pk, source="STAFF", said=data["note"], actor=actor_of(request))
        return _("It is never used for this debtor again.")
    points.retire_contact_point(point_id=point.pk, **data, actor=actor_of(request))
    return _("Out of use. What waited for it was taken back.")


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_DEBTORS)
def place_point(request: StaffRequest, debtor_id: int, point_id: int) -> HttpResponse:
    """Say whether a contact point is the debtor's own, at work or another person's."""
    debtor = debtor_for(request.user, debtor_id)
    point = point_of(debtor, point_id)
    form = PlaceForm(request.POST or None, initial={"place": point.place})
    context = {"debtor": debtor, "point": point, "title": _("Whose it is"), "action": _("Save")}
    return handle_form(request, form, partial(_save_place, request, point), context)


def _save_place(request: StaffRequest, point: ContactPoint, data: dict[str, Any]) -> str:
    """Say whose a contact point is by a valid form, and return the message."""
    placed = points.place_contact_point(point_id=point.pk, **data, actor=actor_of(request))
    if placed.place in points.OF_OTHERS:
        return _("Nothing is planned for it any more: it does not lead to the debtor.")
    return _("Saved.")


def _describe_use(point: ContactPoint, text: str) -> str:
    """Return a confirmation, with what keeps messages from a contact point."""
    point.refresh_from_db(fields=["opted_out_at"])
    if point.opted_out_at is not None:
        return f"{text} " + _("Its owner asked for no more messages: nothing leaves for it.")
    if point.place in points.OF_OTHERS:
        return f"{text} " + _("Nothing is planned for it: it does not lead to the debtor.")
    return text


urlpatterns = [
    path("ficha/<int:debtor_id>/contactos/nuevo/", add_point, name="debtor-point-add"),
    path("ficha/<int:debtor_id>/contactos/<int:point_id>/corregir/", correct_point, name="debtor-point-correct"),
    path("ficha/<int:debtor_id>/contactos/<int:point_id>/retirar/", retire_point, name="debtor-point-retire"),
    path("ficha/<int:debtor_id>/contactos/<int:point_id>/de-quien/", place_point, name="debtor-point-place"),
]

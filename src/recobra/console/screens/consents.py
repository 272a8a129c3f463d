"""Voluntad del deudor: the ledger of consent of each number and address, and statements made to staff."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from recobra.access.actors import Actor
from recobra.access.roles import Right
from recobra.consent import operations as consent
from recobra.consent import queries
from recobra.consent.ledger import PROOF_LENGTH_MIN, OptOutRefused
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.insight.queries.debtor_file import debtor_file_for
from recobra.kit import clock
from recobra.portfolio.queries import ContactPoint, debtor_for
from recobra_core.channels import CHANNELS_BY_KIND


class Statement(TypedDict):
    """A statement made to staff about a contact point, as the operations of consent take it."""

    point_id: int
    source: str
    said: str
    actor: Actor


@require_GET
@needs(Right.SEE_CASES)
def show_consents(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Show the ledger of consent of a debtor's numbers and addresses."""
    file = debtor_file_for(request.user, debtor_id, clock.now())
    lines = queries.consent_by_point(file.debtor)
    return render(request, "console/consents/index.html", {"debtor": file.debtor, "lines": lines, "place": file.place})


@require_POST
@needs(Right.RECORD_CONSENT)
def record_statement(request: StaffRequest, debtor_id: int, point_id: int) -> HttpResponse:
    """Record a statement that the debtor, or who answered, made to staff; staff cannot take an opt-out back."""
    debtor = debtor_for(request.user, debtor_id)
    point = queries.point_of(debtor, point_id)
    record_act = _RECORDERS.get(request.POST.get("act", ""))
    if record_act is None:
        raise ObjectDoesNotExist
    try:
        confirmation = record_act(request, point)
    except OptOutRefused as refusal:
        messages.error(request, str(refusal))
    else:
        if confirmation:
            messages.success(request, confirmation)
    return redirect("console:debtor-wishes", debtor_id)


def _read_statement(request: StaffRequest, point: ContactPoint) -> Statement:
    """Return the statement that was posted, with who recorded it and when."""
    words = request.POST.get("said", "").strip()
    return {"point_id": point.pk, "source": "STAFF", "said": words, "actor": actor_of(request)}


# Each of these records one act and returns the message that confirms it.
def _record_opt_out(request: StaffRequest, point: ContactPoint) -> str:
    """Record that nothing may be sent any more; the message says how many contact points that silences."""
    count = consent.record_opt_out(**_read_statement(request, point))
    return ngettext(
        "Nothing more leaves for it: %(count)d contact point is silent, in every portfolio.",
        "Nothing more leaves for it: %(count)d contact points are silent, in every portfolio.",
        count,
    ) % {"count": count}


def _record_not_me(request: StaffRequest, point: ContactPoint) -> str:
    consent.record_wrong_person(**_read_statement(request, point))
    return _("It is never used for this debtor again.")


def _record_grant(request: StaffRequest, point: ContactPoint) -> str:
    """Record the authorisation of a channel; without its proof add an error message and return ''."""
    channel = _read_channel(request, point)
    statement = _read_statement(request, point)
    # An authorisation without its proof is worth nothing before the authority.
    if not channel or len(statement["said"]) < PROOF_LENGTH_MIN:
        messages.error(request, _("Say how it was authorised: when, by what means and in which words."))
        return ""
    is_new = consent.grant_consent(channel=channel, **statement)
    return _("The authorisation is in the ledger.") if is_new else _("It was authorised already.")


def _record_withdrawal(request: StaffRequest, point: ContactPoint) -> str:
    """Record that a channel is no longer authorised. Raises ObjectDoesNotExist without a channel."""
    channel = _read_channel(request, point)
    if not channel:
        raise ObjectDoesNotExist
    consent.withdraw_consent(channel=channel, **_read_statement(request, point))
    return _("The channel is no longer authorised; what waited for it there was taken back.")


def _read_channel(request: StaffRequest, point: ContactPoint) -> str:
    """Return the channel that was posted, '' for one by which the contact point cannot be reached."""
    channel = request.POST.get("channel", "")
    return channel if channel in CHANNELS_BY_KIND[point.kind] else ""


# The acts that staff may record, as the form posts them (`act`).
_RECORDERS: dict[str, Callable[[StaffRequest, ContactPoint], str]] = {
    "OPTED_OUT": _record_opt_out,
    "NOT_ME": _record_not_me,
    "GRANTED": _record_grant,
    "WITHDRAWN": _record_withdrawal,
}
urlpatterns = [
    path("ficha/<int:debtor_id>/voluntad/", show_consents, name="debtor-wishes"),
    path("ficha/<int:debtor_id>/voluntad/<int:point_id>/anotar/", record_statement, name="debtor-wish-record"),
]

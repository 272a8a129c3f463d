"""Voluntad del deudor: what was said about each number and address, and putting down what is said to staff."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from recobra.access.roles import Right
from recobra.consent import operations as consent
from recobra.consent import queries as queries_wishes
from recobra.consent.ledger import OptOutRefused
from recobra.console import compliance_labels
from recobra.console.guard import StaffRequest, needs
from recobra.insight.queries.debtor_file import debtor_file_for
from recobra.kit import clock
from recobra.portfolio.queries import debtor_for

__all__ = ["compliance_labels", "urlpatterns"]
PROOF_AT_LEAST = 10


@require_GET
@needs(Right.SEE_CASES)
def index(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Show the ledger of consent of a debtor's numbers and addresses."""
    file = debtor_file_for(request.user, debtor_id, clock.now())
    lines = queries_wishes.consent_by_point(file.debtor)
    return render(request, "console/consents/index.html", {"debtor": file.debtor, "lines": lines, "place": file.place})


@require_POST
@needs(Right.ANSWER_MESSAGES)
def record(request: StaffRequest, debtor_id: int, point_id: int) -> HttpResponse:
    """Put down what the debtor, or who answered, said to a gestor. Nobody of staff can take an opt-out back."""
    debtor = debtor_for(request.user, debtor_id)
    point = queries_wishes.point_of(debtor, point_id)
    act = _ACTS.get(request.POST.get("act", ""))
    if act is None:
        raise ObjectDoesNotExist
    try:
        said = act(request, point)
    except OptOutRefused as refused:
        messages.error(request, str(refused))
    else:
        if said:
            messages.success(request, said)
    return redirect("console:debtor-wishes", debtor_id)


def _told(request: StaffRequest, point: Any) -> dict[str, Any]:
    return {
        "point_id": point.pk,
        "source": "STAFF",
        "said": request.POST.get("said", "").strip(),
        "now": clock.now(),
        "actor": request.user.username,
        "actor_id": request.user.pk,
    }


def _opt_out(request: StaffRequest, point: Any) -> str:
    stopped = consent.record_opt_out(**_told(request, point))
    return ngettext(
        "Nothing more leaves for it: %(count)d contact point is silent, in every portfolio.",
        "Nothing more leaves for it: %(count)d contact points are silent, in every portfolio.",
        stopped,
    ) % {"count": stopped}


def _not_me(request: StaffRequest, point: Any) -> str:
    consent.record_wrong_person(**_told(request, point))
    return _("It is never used for this debtor again.")


def _grant(request: StaffRequest, point: Any) -> str:
    channel = _channel(request, point)
    if channel and len(request.POST.get("said", "").strip()) >= PROOF_AT_LEAST:
        if consent.grant_consent(channel=channel, **_told(request, point)):
            return _("The authorisation is in the ledger.")
        return _("It was authorised already.")
    messages.error(request, _("Say how it was authorised: when, by what means and in which words."))
    return ""


def _withdraw(request: StaffRequest, point: Any) -> str:
    channel = _channel(request, point)
    if not channel:
        raise ObjectDoesNotExist
    consent.withdraw_consent(channel=channel, **_told(request, point))
    return _("The channel is no longer authorised; what waited for it there was taken back.")


def _channel(request: StaffRequest, point: Any) -> str:
    channel = request.POST.get("channel", "")
    return channel if channel in queries_wishes.CHANNELS[point.kind] else ""


_ACTS: dict[str, Callable[[StaffRequest, Any], str]] = {
    "OPTED_OUT": _opt_out,
    "NOT_ME": _not_me,
    "GRANTED": _grant,
    "WITHDRAWN": _withdraw,
}
urlpatterns = [
    path("ficha/<int:debtor_id>/voluntad/", index, name="debtor-wishes"),
    path("ficha/<int:debtor_id>/voluntad/<int:point_id>/anotar/", record, name="debtor-wish-record"),
]

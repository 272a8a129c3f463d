"""Constancia: the signed file of all contacts with one debtor."""

from __future__ import annotations

from typing import Literal

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from recobra.access.roles import Right
from recobra.compliance.evidence import EvidenceRefused, redaction_for
from recobra.compliance.evidence import export as evidence
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.kit import clock
from recobra.portfolio.queries import debtor_for

_CONTENT_TYPES = {"pdf": "application/pdf", "json": "application/json"}


@require_GET
@needs(Right.EXPORT_EVIDENCE)
def show_evidence(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Show what the evidence contains, and what is masked in it for the user."""
    identity = evidence.own_identity(now=clock.now())
    context = {
        "debtor": debtor_for(request.user, debtor_id),
        "redaction": redaction_for(actor_of(request)),
        "signer": identity.fingerprint,
    }
    return render(request, "console/evidence/index.html", context)


@require_POST
@needs(Right.EXPORT_EVIDENCE)
def export_evidence(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Download the file; the operation records the export."""
    debtor = debtor_for(request.user, debtor_id)
    form: Literal["json", "pdf"] = "json" if request.POST.get("forma") == "json" else "pdf"
    try:
        file = evidence.export_evidence(debtor_id=debtor.pk, form=form, actor=actor_of(request))
    except EvidenceRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("console:evidence", debtor.pk)
    response = HttpResponse(file.content, content_type=_CONTENT_TYPES[form])
    response["Content-Disposition"] = f'attachment; filename="{file.name}"'
    return response


@require_GET
@needs(Right.EXPORT_EVIDENCE)
def download_certificate(request: StaffRequest) -> HttpResponse:
    """Download the certificate that others need to check the signatures of this installation."""
    del request
    response = HttpResponse(evidence.own_certificate(now=clock.now()), content_type="application/x-pem-file")
    response["Content-Disposition"] = f'attachment; filename="{_("certificate")}.pem"'
    return response


urlpatterns = [
    path("ficha/<int:debtor_id>/constancia/", show_evidence, name="evidence"),
    path("ficha/<int:debtor_id>/constancia/descargar/", export_evidence, name="evidence-export"),
    path("constancia/certificado/", download_certificate, name="evidence-certificate"),
]

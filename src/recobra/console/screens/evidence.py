"""Constancia: everything about the contacts with one debtor, signed, as a file to hand out."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from recobra.access.roles import Right
from recobra.compliance.evidence import EvidenceRefused, redaction_for
from recobra.compliance.evidence import export as evidence
from recobra.console.guard import StaffRequest, needs
from recobra.kit import clock
from recobra.portfolio.queries import debtor_for

_TYPES = {"pdf": "application/pdf", "json": "application/json"}


@require_GET
@needs(Right.EXPORT_EVIDENCE)
def index(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Show what the evidence holds, and what is masked for this user."""
    own = evidence.own_identity(now=clock.now())
    context = {
        "debtor": debtor_for(request.user, debtor_id),
        "redaction": redaction_for(request.user),
        "signer": own.fingerprint,
    }
    return render(request, "console/evidence/index.html", context)


@require_POST
@needs(Right.EXPORT_EVIDENCE)
def export(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Hand the file out; that it left is a fact."""
    debtor = debtor_for(request.user, debtor_id)
    form = "json" if request.POST.get("forma") == "json" else "pdf"
    try:
        made = evidence.export_evidence(
            debtor_id=debtor.pk, form="json" if form == "json" else "pdf", user=request.user, now=clock.now()
        )
    except EvidenceRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("console:evidence", debtor.pk)
    answer = HttpResponse(made.content, content_type=_TYPES[form])
    answer["Content-Disposition"] = f'attachment; filename="{made.name}"'
    return answer


@require_GET
@needs(Right.EXPORT_EVIDENCE)
def certificate(request: StaffRequest) -> HttpResponse:
    """Give the certificate that others need to check what this installation signed."""
    del request
    answer = HttpResponse(evidence.own_certificate(now=clock.now()), content_type="application/x-pem-file")
    answer["Content-Disposition"] = f'attachment; filename="{_("certificate")}.pem"'
    return answer


urlpatterns = [
    path("ficha/<int:debtor_id>/constancia/", index, name="evidence"),
    path("ficha/<int:debtor_id>/constancia/descargar/", export, name="evidence-export"),
    path("constancia/certificado/", certificate, name="evidence-certificate"),
]

"""Ficha 360: everything about one debtor on one page."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from recobra.access.roles import Right
from recobra.console.guard import StaffRequest, needs
from recobra.portfolio.queries import debtor_for


@require_GET
@needs(Right.SEE_CASES)
def index(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Show the debtor's file."""
    return render(request, "console/debtor/index.html", {"debtor": debtor_for(request.user, debtor_id)})


urlpatterns = [path("ficha/<int:debtor_id>/", index, name="debtor")]

"""Inicio: what came in, how old the rest is, what today holds, what is wrong."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from recobra.access.roles import Right
from recobra.console.guard import StaffRequest, needs
from recobra.portfolio.queries import portfolios_for


@require_GET
@needs(Right.SEE_BOARD)
def index(request: StaffRequest) -> HttpResponse:
    """Show the board of the user's portfolios."""
    return render(request, "console/home/index.html", {"portfolios": portfolios_for(request.user)})


urlpatterns = [path("", index, name="home")]

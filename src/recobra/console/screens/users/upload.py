"""Usuarios desde un archivo: all of it or nothing, with every fault by line and column."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from recobra.access.roles import Right
from recobra.access.user_file import HEADERS, USERS_MAX, UserFileRefused, load_users
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.uploads import is_too_large
from recobra.kit.body_limits import limit_file_mb
from recobra.portfolio.queries import portfolios_for

from .links import deliver_link


@require_http_methods(["GET", "POST"])
@needs(Right.MANAGE_USERS)
def upload_users(request: StaffRequest) -> HttpResponse:
    """Show how a file of users looks, and load one: the links are sent, or shown this once."""
    context: dict[str, object] = {"headers": HEADERS, "most": USERS_MAX}
    if request.method == "GET":
        return render(request, "console/users/upload.html", context)
    file = request.FILES.get("archivo")
    if file is None or is_too_large(request, file):
        messages.error(request, _("Choose a file of up to %(most)s MB.") % {"most": limit_file_mb(request.path_info)})
        return render(request, "console/users/upload.html", context, status=422)
    actor = actor_of(request)
    codes = [portfolio.code for portfolio in portfolios_for(request.user)]
    try:
        invited = load_users(content=file.read(), portfolios=codes, actor=actor)
    except UserFileRefused as refusal:
        context |= {"faults": refusal.faults, "problem": str(refusal)}
        return render(request, "console/users/upload.html", context, status=422)
    links = [deliver_link(user, token, now=actor.now) for user, token in invited]
    return render(request, "console/users/link.html", {"links": links})


urlpatterns = [path("usuarios/archivo/", upload_users, name="users-upload")]

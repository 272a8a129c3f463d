"""Clave: whoever has a link of ours sets an own password; nobody is signed in here."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.password_validation import password_validators_help_texts
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from recobra.access.password_links import LinkRefused, find_link, set_password_by_link
from recobra.access.users import UserRefused
from recobra.kit import clock


@login_not_required
@sensitive_post_parameters("password", "again")
@never_cache
@require_http_methods(["GET", "POST"])
def set_password(request: HttpRequest, token: str) -> HttpResponse:
    """Show who the link is for, and set the password of its user."""
    now = clock.now()
    try:
        link = find_link(token, now=now)
    except LinkRefused:
        return render(request, "console/users/link_ended.html", status=410)
    translation.activate(link.user.language)
    problem = ""
    if request.method == "POST":
        password = request.POST.get("password", "")
        if password != request.POST.get("again", ""):
            problem = _("The two passwords are not the same.")
        else:
            try:
                set_password_by_link(token=token, password=password, now=now)
            except UserRefused as refusal:
                problem = str(refusal)
            except LinkRefused:
                return render(request, "console/users/link_ended.html", status=410)
            else:
                return render(request, "console/users/password_set.html", {"person": link.user})
    rules = password_validators_help_texts()
    context = {"person": link.user, "problem": problem, "token": token, "rules": rules}
    return render(request, "console/users/set_password.html", context, status=422 if problem else 200)


urlpatterns = [path("clave/<str:token>/", set_password, name="password-link")]

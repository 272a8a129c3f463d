"""The debtor's door. Nobody signs in here: a signed link says who comes."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from recobra.contact import queries
from recobra.contact.operations import OptOutRefused, opt_out
from recobra.kit import clock

PAGE = "portal/unsubscribe.html"


# The signed link is the authority, not a session: mail programs post without a cookie (RFC 8058), so there is no
# token to check, and nobody else's session that a forged request could ride on.
@method_decorator([login_not_required, csrf_exempt, never_cache], name="dispatch")
class Unsubscribe(View):
    """Stop messages to an address: GET asks, POST does it at once. A GET changes nothing: scanners follow links."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Ask for confirmation."""
        public_id = queries.contact_of(token)
        address = queries.address_of(public_id) if public_id else None
        return _page(request, "ask" if address else "unknown", address=address)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Opt out."""
        public_id = queries.contact_of(token)
        if public_id is None:
            return _page(request, "unknown")
        one_click = request.POST.get("List-Unsubscribe") == "One-Click"
        try:
            opt_out(public_id=public_id, source="one-click" if one_click else "unsubscribe-page", now=clock.now())
        except OptOutRefused:
            return _page(request, "unknown")
        return _page(request, "done", address=queries.address_of(public_id))


def _page(request: HttpRequest, state: str, *, address: str | None = None) -> HttpResponse:
    status = 404 if state == "unknown" else 200
    answer = render(request, PAGE, {"state": state, "address": address}, status=status)
    # The address of the page is a secret of its reader's.
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Robots-Tag"] = "noindex"
    return answer

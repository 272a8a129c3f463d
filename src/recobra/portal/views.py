"""The debtor's door. Nobody signs in here: a signed link says who comes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from recobra.consent.ledger import OptOutRefused
from recobra.consent.opt_out import record_opt_out, record_wrong_person, resume_messages
from recobra.kit import clock
from recobra.messaging import queries

from .pages import page

PAGE = "portal/unsubscribe.html"
# What the page says before the button is pressed: the ledger keeps it with the wish.
SHOWN: Final[dict[str, str | Promise]] = {
    "stop": _("We will send no more messages, by any channel, about any debt."),
    "not_me": _("We will never again look for that person at this address or number."),
    "resume": _("We may send messages about the debt again."),
}


# The signed link is the authority, not a session: mail programs post without a cookie (RFC 8058), so there is no
# token to check, and nobody else's session that a forged request could ride on.
@method_decorator([login_not_required, csrf_exempt, never_cache], name="dispatch")
class Unsubscribe(View):
    """Stop messages to an address: GET asks, POST does it at once. A GET changes nothing: scanners follow links."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Ask for confirmation."""
        public_id = queries.read_unsubscribe_token(token)
        address = queries.masked_address(public_id) if public_id else None
        return _page(request, "ask" if address else "unknown", address=address)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Do what was asked for: no more messages, not that person, or messages again."""
        public_id = queries.read_unsubscribe_token(token)
        wish = request.POST.get("wish", "stop")
        if public_id is None or wish not in _WISHES:
            return _page(request, "unknown")
        one_click = request.POST.get("List-Unsubscribe") == "One-Click"
        said = "List-Unsubscribe=One-Click" if one_click else ""
        try:
            state = _WISHES[wish](public_id, said, clock.now())
        except OptOutRefused:
            return _page(request, "unknown")
        return _page(request, state, address=queries.masked_address(public_id))


def _stop(public_id: UUID, said: str, now: datetime) -> str:
    record_opt_out(public_id=public_id, source="LINK", text_shown=str(SHOWN["stop"]), said=said, now=now)
    return "stopped"


def _not_me(public_id: UUID, said: str, now: datetime) -> str:
    record_wrong_person(public_id=public_id, source="LINK", text_shown=str(SHOWN["not_me"]), said=said, now=now)
    return "not_me"


def _resume(public_id: UUID, said: str, now: datetime) -> str:
    done = resume_messages(public_id=public_id, source="PORTAL", text_shown=str(SHOWN["resume"]), said=said, now=now)
    return "resumed" if done else "silent"


_WISHES: Final[dict[str, Callable[[UUID, str, datetime], str]]] = {
    "stop": _stop,
    "not_me": _not_me,
    "resume": _resume,
}


def _page(request: HttpRequest, state: str, *, address: str | None = None) -> HttpResponse:
    status = 404 if state == "unknown" else 200
    return page(request, PAGE, {"state": state, "address": address, "shown": SHOWN}, status=status)

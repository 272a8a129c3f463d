"""Pages for debtors to opt out by a signed link. Nobody signs in."""

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

from recobra.access.actors import Service, service_actor
from recobra.consent.ledger import OptOutRefused
from recobra.consent.opt_out import record_opt_out, record_wrong_person, resume_messages
from recobra.kit import clock
from recobra.messaging import queries

from .pages import render_page

PAGE = "portal/unsubscribe.html"
# The text above each button: the ledger of consent keeps what the debtor read.
WISH_TEXTS: Final[dict[str, str | Promise]] = {
    "stop": _("We will send no more messages, by any channel, about any debt."),
    "not_me": _("We will never again look for that person at this address or number."),
    "resume": _("We may send messages about the debt again."),
}


# The signed link is the authority, not a session: mail programs post without a cookie (RFC 8058), so there is no
# token to check, and nobody else's session that a forged request could ride on.
@method_decorator([login_not_required, csrf_exempt, never_cache], name="dispatch")
class Unsubscribe(View):
    """Opt-out of an address: GET asks for confirmation, POST records it at once."""

    # A GET changes nothing: the scanners of mail servers follow links.
    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Ask for confirmation."""
        public_id = queries.read_unsubscribe_token(token)
        address = queries.masked_address(public_id) if public_id else None
        return _render_unsubscribe(request, "ask" if address else "unknown", address=address)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Record the debtor's wish: no more messages, not that person, or messages again."""
        public_id = queries.read_unsubscribe_token(token)
        wish = request.POST.get("wish", "stop")
        if public_id is None or wish not in _WISHES:
            return _render_unsubscribe(request, "unknown")
        # RFC 8058: mail programs post this for the reader, who never saw the page.
        is_one_click = request.POST.get("List-Unsubscribe") == "One-Click"
        statement = "List-Unsubscribe=One-Click" if is_one_click else ""
        try:
            state = _WISHES[wish](public_id, statement, clock.now())
        except OptOutRefused:
            return _render_unsubscribe(request, "unknown")
        return _render_unsubscribe(request, state, address=queries.masked_address(public_id))


# Each of these records a wish and returns the state of the page that answers it. `statement` is what the debtor's
# program posted, '' for a click on the page.
def _record_opt_out(public_id: UUID, statement: str, now: datetime) -> str:
    """Record that nothing may be sent any more."""
    record_opt_out(
        public_id=public_id,
        source="LINK",
        text_shown=str(WISH_TEXTS["stop"]),
        said=statement,
        actor=service_actor(Service.DEBTOR, now=now),
    )
    return "stopped"


def _record_not_me(public_id: UUID, statement: str, now: datetime) -> str:
    """Record that the address is not the debtor's."""
    record_wrong_person(
        public_id=public_id,
        source="LINK",
        text_shown=str(WISH_TEXTS["not_me"]),
        said=statement,
        actor=service_actor(Service.DEBTOR, now=now),
    )
    return "not_me"


def _record_resumption(public_id: UUID, statement: str, now: datetime) -> str:
    """Take back an opt-out; «silent» where a wrong-person entry keeps messages away."""
    is_resumed = resume_messages(
        public_id=public_id,
        source="PORTAL",
        text_shown=str(WISH_TEXTS["resume"]),
        said=statement,
        actor=service_actor(Service.DEBTOR, now=now),
    )
    return "resumed" if is_resumed else "silent"


_WISHES: Final[dict[str, Callable[[UUID, str, datetime], str]]] = {
    "stop": _record_opt_out,
    "not_me": _record_not_me,
    "resume": _record_resumption,
}


def _render_unsubscribe(request: HttpRequest, state: str, *, address: str | None = None) -> HttpResponse:
    """Render the page in a state, which its template names, with the masked address; «unknown» is a 404."""
    status = 404 if state == "unknown" else 200
    return render_page(request, PAGE, {"state": state, "address": address, "wish_texts": WISH_TEXTS}, status=status)

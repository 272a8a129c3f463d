"""The debtor's statement: a signed link leads to it, a proof of identity shows it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from recobra.access.actors import Service, service_actor
from recobra.conversations import identity_proof
from recobra.conversations.identity_proof import Proof
from recobra.conversations.statement_access import StatementLink, find_statement_link, statement_page
from recobra.kit import clock

from .pages import render_page
from .previewers import is_person

PAGE = "portal/statement.html"
# State of the page -> HTTP status; 200 for every other state.
_STATUS_CODES = {"gone": 404, "wrong": 403, "closed": 429, "unreadable": 400}


# No session: each answer proves itself, so there is nothing that a forged request could ride on, and nothing stays
# open on a telephone that somebody lends.
@method_decorator([login_not_required, csrf_exempt, never_cache], name="dispatch")
class Statement(View):
    """The statement of a debtor: GET asks for a proof of identity, POST shows it to who gives the right one."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Ask for the last figures of the identity document."""
        now = clock.now()
        link = find_statement_link(token, now=now)
        if link is None:
            return _render_statement(request, "gone")
        # A preview by a mail program or a messenger is no reading by the debtor.
        if is_person(request):
            identity_proof.record_page_opening(contact_id=link.contact_id, actor=service_actor(Service.DEBTOR, now=now))
        return _render_statement(request, _link_state(link), link)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Show the statement, or the reason for not showing it."""
        now = clock.now()
        attempt = identity_proof.check_identity(
            token=token, figures=request.POST.get("figures", ""), actor=service_actor(Service.DEBTOR, now=now)
        )
        if attempt is None:
            return _render_statement(request, "gone")
        link, proof = attempt
        if proof is Proof.RIGHT:
            return _render_statement(request, "shown", link, statement_page(link, now=now))
        state = _link_state(link)
        # A link that is closed by now says so, whatever the answer was.
        if state == "ask":
            state = str(proof)
        return _render_statement(request, state, link)


def _link_state(link: StatementLink) -> str:
    """Return the state of the page before an answer: «closed», «ask», or «unasked» where no proof is possible."""
    if link.closed:
        return "closed"
    return "ask" if link.asks else "unasked"


def _render_statement(
    request: HttpRequest, state: str, link: StatementLink | None = None, statement: object = None
) -> HttpResponse:
    """Render the page in a state, which its template names; with «shown» the `statement` is there."""
    # The texts of the statement exist in Spanish only, and the page around them has to match.
    with translation.override("es"):
        context = {"state": state, "link": link, "statement": statement}
        return render_page(request, PAGE, context, status=_STATUS_CODES.get(state, 200))

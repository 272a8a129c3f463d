"""The debtor's statement: a signed link opens the door, a proof of identity shows what is owed."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from recobra.conversations import identity_proof as disclosing
from recobra.conversations.identity_proof import Proof
from recobra.conversations.statement_access import StatementLink, find_statement_link, statement_page
from recobra.kit import clock

from .pages import page
from .previewers import is_person

PAGE = "portal/statement.html"
_STATUS = {"gone": 404, "wrong": 403, "closed": 429, "unreadable": 400}


# No session: each answer proves itself, so there is nothing that a forged request could ride on, and nothing stays
# open on a telephone that somebody lends.
@method_decorator([login_not_required, csrf_exempt, never_cache], name="dispatch")
class Statement(View):
    """What a debtor owes: GET asks who is there and tells nothing, POST shows it to who answers rightly."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Ask for the last figures of a number."""
        now = clock.now()
        door = find_statement_link(token, now=now)
        if door is None:
            return _page(request, "gone")
        if is_person(request):
            disclosing.record_page_opening(contact_id=door.contact_id, now=now)
        return _page(request, _state(door), door)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Show the statement, or say why not."""
        now = clock.now()
        judged = disclosing.check_identity(token=token, figures=request.POST.get("figures", ""), now=now)
        if judged is None:
            return _page(request, "gone")
        door, proof = judged
        if proof is Proof.RIGHT:
            return _page(request, "shown", door, statement_page(door, now=now))
        return _page(request, _state(door) if _state(door) != "ask" else str(proof), door)


def _state(door: StatementLink) -> str:
    if door.closed:
        return "closed"
    return "ask" if door.asks else "unasked"


def _page(request: HttpRequest, state: str, door: StatementLink | None = None, shown: object = None) -> HttpResponse:
    # What the statement says is kept in Spanish only: the frame around it speaks the same.
    with translation.override("es"):
        context = {"state": state, "door": door, "shown": shown}
        return page(request, PAGE, context, status=_STATUS.get(state, 200))

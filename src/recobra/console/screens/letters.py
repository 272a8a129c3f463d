"""Cartas: the tray, print batches with the courier's file, and what the courier says became of them."""

from __future__ import annotations

from django.contrib import messages
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from recobra.access.operations import record_export
from recobra.access.queries import portfolio_codes
from recobra.access.roles import Right
from recobra.console.guard import StaffRequest, needs
from recobra.kit import clock
from recobra.messaging.channels.letter import operations as letters
from recobra.messaging.channels.letter import queries
from recobra.messaging.channels.letter.pdf import LetterUnsuitable
from recobra.strategy import schedule

from .place import Installation

BATCHES_SHOWN = 50
MOST_BYTES = 10 * 1024 * 1024


@require_GET
@needs(Right.SEE_MESSAGES)
def index(request: StaffRequest) -> HttpResponse:
    """Show what waits to be printed and the batches that were."""
    return _page(request)


@require_POST
@needs(Right.RUN_CAMPAIGNS)
def print_batch(request: StaffRequest) -> HttpResponse:
    """Make a batch of what waits for a country."""
    try:
        batch = letters.print_letters(
            country=request.POST.get("pais", ""),
            portfolio_codes=portfolio_codes(request.user),
            courier=request.POST.get("courier", "").strip()[:80],
            actor=request.user.username,
            actor_id=request.user.pk,
            now=clock.now(),
        )
    except (letters.LettersRefused, LetterUnsuitable) as refusal:
        messages.error(request, str(refusal))
        return redirect("console:letters")
    if batch.letters_count:
        said = ngettext(
            "%(n)s letter is ready to be printed.", "%(n)s letters are ready to be printed.", batch.letters_count
        )
        messages.success(request, said % {"n": batch.letters_count})
    else:
        messages.warning(request, _("No letter may go any more: what happened since was more recent than the letters."))
    return redirect("console:letters")


@require_GET
@needs(Right.RUN_CAMPAIGNS)
def file(request: StaffRequest, batch_id: int, name: str) -> HttpResponseBase:
    """Give a file of a batch; that names and addresses left the house is a fact."""
    found = queries.batch_file_for(request.user, batch_id, name)
    rows = queries.batches_for(request.user).get(pk=batch_id).letters_count
    conditions = {"lote": str(batch_id), "archivo": name}
    record_export(user=request.user, what="letters", rows=rows, conditions=conditions, now=clock.now())
    return FileResponse(found.open("rb"), as_attachment=True, filename=f"lote-{batch_id}-{name}")


@require_POST
@needs(Right.RUN_CAMPAIGNS)
def tracking(request: StaffRequest) -> HttpResponse:
    """Read the courier's answer; lines that cannot be read are shown with what was expected."""
    given = request.FILES.get("archivo")
    if given is None or (given.size or 0) > MOST_BYTES:
        messages.error(request, _("Choose the courier's file, of up to 10 MB."))
        return redirect("console:letters")
    found = letters.import_tracking(
        content=given.read(),
        portfolio_codes=portfolio_codes(request.user),
        actor=request.user.username,
        actor_id=request.user.pk,
        now=clock.now(),
    )
    return _page(request, {"tracked": found})


def _page(request: StaffRequest, more: dict[str, object] | None = None) -> HttpResponse:
    context = {
        "waiting": queries.waiting_for(request.user),
        "batches": queries.batches_for(request.user)[:BATCHES_SHOWN],
        "place": Installation(time_zone=schedule.installation_zone().key),
    }
    return render(request, "console/letters/index.html", context | (more or {}))


urlpatterns = [
    path("cartas/", index, name="letters"),
    path("cartas/imprimir/", print_batch, name="letters-print"),
    path("cartas/seguimiento/", tracking, name="letters-tracking"),
    path("cartas/<int:batch_id>/<str:name>", file, name="letters-file"),
]

"""Cartas: letters that wait, print batches with the courier's file, and the courier's tracking."""

from __future__ import annotations

from django.contrib import messages
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from recobra.access.operations import record_export
from recobra.access.roles import Right
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.uploads import is_too_large
from recobra.kit.body_limits import limit_file_mb
from recobra.messaging.channels.letter import operations as letters
from recobra.messaging.channels.letter import queries
from recobra.messaging.channels.letter.pdf import LetterUnsuitable

from .place import installation_place

BATCHES_SHOWN = 50
COURIER_NAME_LENGTH_MAX = 80


@require_GET
@needs(Right.SEE_MESSAGES)
def list_letters(request: StaffRequest) -> HttpResponse:
    """Show the letters that wait to be printed, and the batches that were."""
    return _render_letters(request)


@require_POST
@needs(Right.RUN_CAMPAIGNS)
def print_batch(request: StaffRequest) -> HttpResponse:
    """Print the letters that wait for a country as one batch."""
    try:
        batch = letters.print_letters(
            country=request.POST.get("pais", ""),
            courier=request.POST.get("courier", "").strip()[:COURIER_NAME_LENGTH_MAX],
            actor=actor_of(request),
        )
    except (letters.LettersRefused, LetterUnsuitable) as refusal:
        messages.error(request, str(refusal))
        return redirect("console:letters")
    if batch.letters_count:
        text = ngettext(
            "%(n)s letter is ready to be printed.", "%(n)s letters are ready to be printed.", batch.letters_count
        )
        messages.success(request, text % {"n": batch.letters_count})
    else:
        messages.warning(request, _("No letter may go any more: what happened since was more recent than the letters."))
    return redirect("console:letters")


@require_GET
@needs(Right.RUN_CAMPAIGNS)
def download_file(request: StaffRequest, batch_id: int, name: str) -> HttpResponseBase:
    """Download a file of a batch, and record the export: it has names and addresses."""
    batch_file = queries.batch_file_for(request.user, batch_id, name)
    rows = queries.batches_for(request.user).get(pk=batch_id).letters_count
    conditions = {"lote": str(batch_id), "archivo": name}
    record_export(what="letters", rows=rows, conditions=conditions, actor=actor_of(request))
    return FileResponse(batch_file.open("rb"), as_attachment=True, filename=f"lote-{batch_id}-{name}")


@require_POST
@needs(Right.RUN_CAMPAIGNS)
def import_tracking(request: StaffRequest) -> HttpResponse:
    """Import the courier's tracking file; lines that cannot be read are shown with what was expected."""
    file = request.FILES.get("archivo")
    if file is None or is_too_large(request, file):
        most = limit_file_mb(request.path_info)
        messages.error(request, _("Choose the courier's file, of up to %(most)s MB.") % {"most": most})
        return redirect("console:letters")
    result = letters.import_tracking(content=file.read(), actor=actor_of(request))
    return _render_letters(request, {"tracked": result})


def _render_letters(request: StaffRequest, extra: dict[str, object] | None = None) -> HttpResponse:
    """Render the page of letters; `extra` is added to its context."""
    context = {
        "waiting": queries.waiting_for(request.user),
        "batches": queries.batches_for(request.user)[:BATCHES_SHOWN],
        "place": installation_place(),
    }
    return render(request, "console/letters/index.html", context | (extra or {}))


urlpatterns = [
    path("cartas/", list_letters, name="letters"),
    path("cartas/imprimir/", print_batch, name="letters-print"),
    path("cartas/seguimiento/", import_tracking, name="letters-tracking"),
    path("cartas/<int:batch_id>/<str:name>", download_file, name="letters-file"),
]

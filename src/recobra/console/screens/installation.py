"""Instalación: backups, the keys that encrypt the database's secrets, the data of time, and sending after a restore."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from recobra.access.roles import Right
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.installation import queries
from recobra.kit import clock
from recobra.messaging import sending_stop
from recobra_core.law.public_holidays import holidays_release
from recobra_core.zones import zone_release

from .place import installation_place


@require_GET
@needs(Right.SEE_AUDIT)
def show_installation(request: StaffRequest) -> HttpResponse:
    """Show the backups and the keys."""
    now = clock.now()
    stop = sending_stop.find_stop()
    context = {
        "last": queries.last_backup(),
        "backups": queries.list_backups(),
        "is_scheduled": queries.is_scheduled(),
        "is_late": queries.is_backup_late(now),
        "has_failed": queries.has_backup_failed(now),
        "folder": settings.BACKUP_DIR,
        "time": settings.BACKUP_TIME,
        "keep_days": settings.BACKUP_KEEP_DAYS,
        "keep_at_least": settings.BACKUP_KEEP_AT_LEAST,
        "keys": queries.list_keys(),
        "stop": stop,
        "taken_back": sending_stop.count_taken_back(stop) if stop else 0,
        "rows_left": queries.count_left(),
        "place": installation_place(),
        "zone_release": zone_release(),
        "holidays_release": holidays_release(),
    }
    return render(request, "console/installation/index.html", context)


@require_POST
@needs(Right.MANAGE_CHANNELS)
def resume_sending(request: StaffRequest) -> HttpResponse:
    """Let messages leave again after a restore, once the person says that what is missing was entered."""
    if request.POST.get("entered") != "1":
        messages.error(request, _("First enter anew who asked for silence and who was erased, and tick the box."))
        return redirect("console:installation")
    try:
        cancelled = sending_stop.resume_sending(actor=actor_of(request))
    except sending_stop.ResumeRefused as refusal:
        messages.error(request, str(refusal))
    else:
        text = ngettext(
            "Messages leave again; %(n)s that waited was taken back.",
            "Messages leave again; %(n)s that waited were taken back.",
            cancelled,
        )
        messages.success(request, text % {"n": cancelled})
    return redirect("console:installation")


urlpatterns = [
    path("instalacion/", show_installation, name="installation"),
    path("instalacion/reanudar/", resume_sending, name="installation-resume"),
]

"""Instalación: its backups, with the last whole one, and the keys that encrypt the secrets of the database."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from recobra.access.roles import Right
from recobra.console.guard import StaffRequest, needs
from recobra.installation import queries
from recobra.kit import clock

from .place import installation_place


@require_GET
@needs(Right.SEE_AUDIT)
def show_installation(request: StaffRequest) -> HttpResponse:
    """Show the backups and the keys."""
    now = clock.now()
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
        "place": installation_place(),
    }
    return render(request, "console/installation/index.html", context)


urlpatterns = [path("instalacion/", show_installation, name="installation")]

"""Jobs of the installation: the backup of each night."""

from __future__ import annotations

import logging

from procrastinate.contrib.django import app

from recobra.access.actors import Service, service_actor
from recobra.kit import clock

from . import schedule
from .backup import BackupRefused

_log = logging.getLogger(__name__)


@app.periodic(cron="* * * * *")
@app.task(name="installation.backup", lock="installation.backup", queueing_lock="installation.backup")
def make_nightly_backup(timestamp: int) -> None:  # noqa: ARG001 - a late tick does what is due now
    """Make the backup of the night once its hour has come; one that failed is tried again after an hour."""
    now = clock.now()
    if not schedule.is_due(now):
        return
    try:
        schedule.make_scheduled(actor=service_actor(Service.SYSTEM, now=now))
    except BackupRefused:
        _log.exception("The backup of the night failed.")

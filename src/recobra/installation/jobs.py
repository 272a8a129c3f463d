"""Jobs of the installation: the backup of each night, and the encryption of what is not yet encrypted as it should."""

from __future__ import annotations

import logging

from procrastinate.contrib.django import app

from recobra.access.actors import Service, service_actor
from recobra.kit import clock
from recobra.kit.keys import KeysUnsuitable

from . import encryption_pass, schedule
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
    except BackupRefused as refused:
        _log.error("The backup of the night failed: %s", refused)


@app.periodic(cron="* * * * *")
@app.task(name="installation.encrypt", lock="installation.encrypt", queueing_lock="installation.encrypt")
def encrypt_waiting(timestamp: int) -> None:  # noqa: ARG001 - a late tick does what is due now
    """Encrypt a little more of what is plain or under an earlier key; where nothing is, a few small queries."""
    try:
        encryption_pass.encrypt_waiting(actor=service_actor(Service.SYSTEM, now=clock.now()))
    except KeysUnsuitable as error:
        _log.error("The texts of messages cannot be encrypted: %s", error)

"""Jobs that seal the newest rows of the journal and open its months."""

from __future__ import annotations

import logging

from procrastinate.contrib.django import app

from recobra.kit import clock

from . import operations, seal

_log = logging.getLogger(__name__)


@app.periodic(cron=f"*/{seal.SEALED_EVERY_MINUTES} * * * *")
@app.task(name="journal.seal", queueing_lock="journal.seal")
def seal_newest_rows(timestamp: int) -> None:  # noqa: ARG001 - a late tick seals what is written now
    """Seal the rows since the last seal; while a long write is going on, the next tick does."""
    try:
        seal.seal_journal(now=clock.now())
    except seal.WritersBusy as busy:
        # The alarm «unsealed_day» says so where it lasts.
        _log.info("%s", busy)


@app.periodic(cron="17 * * * *")
@app.task(name="journal.open_month", queueing_lock="journal.open_month")
def open_coming_month(timestamp: int) -> None:  # noqa: ARG001 - a late tick opens what is missing now
    """Open the month to come: where the first fact of a long transaction does so, all others wait for that."""
    operations.open_coming_month(now=clock.now())

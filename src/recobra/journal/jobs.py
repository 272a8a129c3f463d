"""Job of the night that seals the finished days of the journal."""

from __future__ import annotations

from procrastinate.contrib.django import app

from recobra.kit import clock

from . import seal


@app.periodic(cron="20 1 * * *")
@app.task(name="journal.seal", queueing_lock="journal.seal")
def seal_finished_days(timestamp: int) -> None:  # noqa: ARG001 - a late tick seals what is finished now
    """Seal every day that has ended in UTC; days sealed before are left as they are."""
    now = clock.now()
    seal.seal_days(until=now.date(), now=now)

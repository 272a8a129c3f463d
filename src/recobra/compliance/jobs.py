"""Jobs of compliance: the breaches of the night, and the seal of the day."""

from __future__ import annotations

import logging
from datetime import timedelta

from procrastinate.contrib.django import app

from recobra.access.actors import Service, service_actor
from recobra.compliance.incidents import record_breaches
from recobra.compliance.retention.schedule import erase_due
from recobra.compliance.seal_delivery import deliver_seal
from recobra.kit import clock

# Several nights, so that a missed run is made up for; what is in the register already is not entered twice.
LOOKBACK = timedelta(days=7)
_log = logging.getLogger(__name__)


@app.periodic(cron="45 2 * * *")
@app.task(name="compliance.breaches", queueing_lock="compliance.breaches")
def record_recent_breaches(timestamp: int) -> None:  # noqa: ARG001 - a late tick does what is due now
    """Record the breaches of the last days that nobody has noticed."""
    now = clock.now()
    record_breaches(since=now - LOOKBACK, actor=service_actor(Service.NIGHT, now=now))


@app.periodic(cron="*/10 * * * *")
@app.task(name="compliance.deliver_seal", queueing_lock="compliance.deliver_seal")
def deliver_seal_of_day(timestamp: int) -> None:  # noqa: ARG001 - as above
    """Send the journal's newest seal out of the house once a day (UTC); what failed is tried again."""
    deliver_seal(actor=service_actor(Service.NIGHT, now=clock.now()))


@app.periodic(cron="20 3 * * *")
@app.task(name="compliance.retention", queueing_lock="compliance.retention", lock="compliance.retention")
def erase_due_data(timestamp: int) -> None:  # noqa: ARG001 - a late tick erases what is due now
    """Erase the data about people whose period is over, in batches; what a night leaves has the next."""
    now = clock.now()
    erasure = erase_due(day=now.date(), actor=service_actor(Service.NIGHT, now=now))
    _log.info("erased data of %s debtors, %s anonymised", erasure.debtors, erasure.anonymised)

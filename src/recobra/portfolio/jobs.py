"""Jobs of the portfolio: debtors are compared after each load, and each night."""

from __future__ import annotations

from contextlib import suppress

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from recobra.access.actors import Service, service_actor
from recobra.kit import clock

from .debtor_joins import gather_late_rows
from .debtor_pairs import survey_debtors
from .models import Creditor, Portfolio


@app.task(name="debtors.survey")
def survey_creditor(creditor_id: int) -> None:
    """Compare the debtors of a creditor, and gather what came to somebody while he was joined with another."""
    gather_late_rows(creditor_id=creditor_id)
    survey_debtors(creditor_id=creditor_id, actor=service_actor(Service.NIGHT, now=clock.now()))


@app.periodic(cron="20 3 * * *")
@app.task(name="debtors.survey_all", queueing_lock="debtors.survey_all")
def survey_all(timestamp: int) -> None:  # noqa: ARG001 - a late tick compares what is there now
    """Queue the comparison for every creditor: staff and debtors bring numbers without a load.

    Each is a job of its own, so that one that fails keeps nobody else's from being compared.
    """
    for creditor_id in Creditor.objects.order_by("pk").values_list("pk", flat=True):
        _queue_creditor(creditor_id)


def queue_survey(*, portfolio_id: int) -> None:
    """Queue the comparison of a portfolio's creditor, unless one waits already."""
    _queue_creditor(Portfolio.objects.values_list("creditor_id", flat=True).get(pk=portfolio_id))


def _queue_creditor(creditor_id: int) -> None:
    task = survey_creditor.configure(lock=f"debtors {creditor_id}", queueing_lock=f"debtors {creditor_id}")
    with suppress(AlreadyEnqueued), transaction.atomic():
        task.defer(creditor_id=creditor_id)

"""Job of the worker itself: what a killed one left begun."""

from __future__ import annotations

import logging

from procrastinate.contrib.django import app
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

from recobra.kit.job_retries import MOST_TRIES, count_tries

_log = logging.getLogger(__name__)


@app.periodic(cron="* * * * *")
@app.task(name="worker.recover", queueing_lock="worker.recover")
async def recover_locked_jobs(timestamp: int) -> None:  # noqa: ARG001 - a late tick does what is due now
    """Let jobs run again whose worker was killed: each holds a lock that keeps all others of its kind waiting.

    Running one again is safe: those that take a lock do what is due now, or look first, as loads do, whether it has
    been done. Jobs without a lock come by themselves again, or another job looks for what they left; they are over.
    """
    for job in await app.job_manager.get_stalled_jobs():
        if job.lock is None:
            await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)
            continue
        if count_tries(job) > MOST_TRIES:
            _log.error("The job %s is given up: a worker died with it, at try %s.", job.task_name, count_tries(job))
            await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=False)
            continue
        try:
            await app.job_manager.retry_job(job)
        except UniqueViolation:  # the next one of its kind is waiting already
            await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)

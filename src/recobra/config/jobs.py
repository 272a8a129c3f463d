"""Job of the worker itself: what a killed one left begun."""

from __future__ import annotations

import logging
from typing import Final

from procrastinate.contrib.django import app
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

_log = logging.getLogger(__name__)
MOST_ATTEMPTS: Final = 5
"""Tries after which a job is given up: a file too large for the machine would kill each worker that takes it."""


@app.periodic(cron="* * * * *")
@app.task(name="worker.recover", queueing_lock="worker.recover")
async def recover_locked_jobs(timestamp: int) -> None:  # noqa: ARG001 - a late tick does what is due now
    """Let jobs run again whose worker was killed: each holds a lock that keeps all others of its kind waiting.

    Running one again is safe: those that take a lock do what is due now, or look first, as loads do, whether it has
    been done. Jobs without a lock keep nobody waiting and are left as they are.
    """
    for job in await app.job_manager.get_stalled_jobs():
        if job.lock is None:
            continue
        if job.attempts >= MOST_ATTEMPTS:
            _log.error("The job %s is given up: a worker died with it, at try %s.", job.task_name, job.attempts)
            await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=False)
            continue
        try:
            await app.job_manager.retry_job(job)
        except UniqueViolation:  # the next one of its kind is waiting already
            await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)

"""When a job is tried again: it has to wait, or it broke off because the database or the disk failed under it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import psycopg
from django.db import InterfaceError, OperationalError
from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job

MOST_TRIES: Final = 5
"""Tries that broke off after which a job is given up: a file too large for the machine would break each of them."""
_INTERRUPTIONS: Final = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
_NO_ROOM: Final = "No space left on device"


class RetryUnfinished(BaseRetryStrategy):
    """Retry a job as long as it has to wait, and MOST_TRIES times where it was interrupted.

    `waits` tells of an error whether the job has only to wait; `seconds` lie between two tries. The job must be one
    that may be run again, whatever it had done.
    """

    def __init__(self, *, seconds: int, waits: Callable[[BaseException], bool] = lambda _error: False) -> None:
        self._seconds = seconds
        self._waits = waits

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Return the delay before the next try, None where the job failed for good."""
        if self._waits(exception):
            # Waiting is no try. What waits stands first in its turn anyway, so its priority may count how often it did.
            return RetryDecision(retry_in={"seconds": self._seconds}, priority=job.priority + 1)
        if is_interruption(exception) and count_tries(job) <= MOST_TRIES:
            return RetryDecision(retry_in={"seconds": self._seconds})
        return None


def is_interruption(error: BaseException) -> bool:
    """Tell if an error is the machine's: the database went away, or the disk was full."""
    return isinstance(error, _INTERRUPTIONS) or _NO_ROOM in str(error)


def count_tries(job: Job) -> int:
    """Return how many tries of a job broke off so far, the present one included."""
    return job.attempts + 1 - job.priority

"""A job is tried again where the machine failed, not where the work did."""

import errno

import psycopg
import pytest
from django.db import IntegrityError, InterfaceError, OperationalError
from procrastinate.jobs import Job

from recobra.kit.job_retries import MOST_TRIES, RetryUnfinished, is_interruption


class _Busy(Exception):
    pass


STRATEGY = RetryUnfinished(seconds=7, waits=lambda error: isinstance(error, _Busy))


def _job(*, attempts=0, priority=0):
    return Job(id=1, queue="", lock=None, queueing_lock=None, task_name="", attempts=attempts, priority=priority)


@pytest.mark.parametrize(
    ("error", "is_machine"),
    [
        (OperationalError("the connection is lost"), True),
        (InterfaceError("connection already closed"), True),
        (psycopg.errors.DiskFull("could not extend file"), True),
        (psycopg.errors.AdminShutdown("terminating connection"), True),
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (IntegrityError("violates check constraint"), False),
        (psycopg.errors.CheckViolation("violates"), False),
        (OSError(errno.ENOENT, "No such file"), False),
        (ValueError("broken"), False),
    ],
)
def test_the_database_and_the_disk_are_the_machine(error, is_machine):
    assert is_interruption(error) == is_machine
    assert (STRATEGY.get_retry_decision(exception=error, job=_job()) is not None) == is_machine


def test_a_job_that_is_always_interrupted_is_given_up():
    tries = [STRATEGY.get_retry_decision(exception=OperationalError(), job=_job(attempts=n)) for n in range(9)]
    assert [decision is not None for decision in tries] == [True] * MOST_TRIES + [False] * (9 - MOST_TRIES)


def test_a_job_that_has_to_wait_is_not_given_up_and_its_waiting_is_no_try():
    job = _job()
    for _turn in range(50):
        decision = STRATEGY.get_retry_decision(exception=_Busy(), job=job)
        job = _job(attempts=job.attempts + 1, priority=decision.priority)
    assert STRATEGY.get_retry_decision(exception=OperationalError(), job=job) is not None

"""A job that hangs is named, though its worker gives signs of life."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from recobra.insight import health
from recobra.kit import clock

pytestmark = pytest.mark.django_db


def add_job(task, status, *, hours):
    """A job that was queued so many hours ago, and begun then too where it is under way."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args) VALUES ('default', %s, 0, '{}') "
            "RETURNING id",
            [task],
        )
        (job_id,) = cursor.fetchone()
        if status == "doing":
            cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", [job_id])
        at = clock.now() - timedelta(hours=hours)
        cursor.execute("UPDATE procrastinate_events SET at = %s WHERE job_id = %s", [at, job_id])


def jobs(tmp_path):
    parts = health.check_health(tmp_path, now=clock.now())
    return next(part for part in parts if part.name == "jobs")


def test_the_release_of_the_time_zones_is_named(tmp_path):
    parts = health.check_health(tmp_path, now=clock.now())
    assert next(part.note for part in parts if part.name == "time_zones").startswith("release 20")


def test_a_job_that_runs_for_hours_is_named_while_others_run(tmp_path):
    add_job("journal.seal", "doing", hours=0)
    assert (jobs(tmp_path).is_ok, jobs(tmp_path).note) == (True, "1 running")
    add_job("compliance.retention", "doing", hours=4)
    add_job("compliance.retention", "doing", hours=0)
    assert not jobs(tmp_path).is_ok
    assert jobs(tmp_path).note.startswith("compliance.retention runs since")
    assert "jobs" not in health.VITAL, "a monitor must not end a load of millions"


def test_a_job_that_nobody_begins_is_named(tmp_path):
    add_job("intake.load", "todo", hours=4)
    assert jobs(tmp_path).note.startswith("intake.load waits since")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 day'")
    assert jobs(tmp_path).is_ok, "its hour has not come"

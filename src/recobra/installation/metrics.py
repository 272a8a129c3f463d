"""What a monitor asks of the installation: figures of its work, without a name, an amount or a number of a debtor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet
from procrastinate.contrib.django.models import ProcrastinateJob
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric

from recobra.approvals.models import Approval
from recobra.installation.models import BackupRun
from recobra.intake.models import Load
from recobra.journal.models import Seal
from recobra.kit import disk
from recobra.messaging.models import Contact
from recobra.strategy.models import Alarm, CycleRun

COUNTED_AT_MOST: Final = 100_000
"""A backlog above it is given as it: counting millions every half minute would cost more than it tells."""
_JOB_STATES: Final = ("todo", "doing", "failed")


def build_registry(*, now: datetime) -> CollectorRegistry:
    """Return a registry that reads the installation when it is written out."""
    registry = CollectorRegistry()
    registry.register(_Installation(now))
    return registry


class _Installation:
    """A collector of prometheus_client."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def describe(self) -> list[Metric]:
        """Return nothing: what there is to read is known when it is read."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield each figure, read now."""
        for name, text, read in (*_COUNTS, *_INSTANTS):
            value = read(self._now)
            if value is not None:
                yield GaugeMetricFamily(f"recobra_{name}", text, value=value)
        yield _count_jobs()
        free = disk.count_free_bytes()
        yield GaugeMetricFamily("recobra_disk_free_bytes", "Free space where the data lies.", value=free)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            (size,) = cursor.fetchone()
        yield GaugeMetricFamily("recobra_database_bytes", "Size of the database.", value=size)


def _count_jobs() -> Metric:
    """Return how many jobs are in each state."""
    jobs = GaugeMetricFamily("recobra_jobs", "Jobs by state.", labels=["state"])
    for state in _JOB_STATES:
        jobs.add_metric([state], _count(ProcrastinateJob.objects.filter(status=state)))
    return jobs


def _count(rows: QuerySet[Any]) -> float:
    """Return the number of rows, COUNTED_AT_MOST for more."""
    return float(rows.order_by()[:COUNTED_AT_MOST].count())


def _stamp(rows: QuerySet[Any, datetime | None]) -> float | None:
    """Return the newest instant of a column as seconds since 1970, None where there is none."""
    instant = rows.first()
    return None if instant is None else instant.timestamp()


Read = Callable[[datetime], float | None]
_COUNTS: Final[tuple[tuple[str, str, Read], ...]] = (
    (
        "contacts_due",
        "Contacts whose hour has come and that have not left.",
        lambda now: _count(Contact.objects.filter(status=Contact.Status.DUE, due_at__lte=now)),
    ),
    (
        "contacts_leased",
        "Contacts in the hands of a dispatcher.",
        lambda _now: _count(Contact.objects.filter(status=Contact.Status.LEASED)),
    ),
    ("alarms_open", "Open alarms.", lambda _now: _count(Alarm.objects.filter(cleared_at__isnull=True))),
    (
        "approvals_waiting",
        "Changes that wait for a second person.",
        lambda _now: _count(Approval.objects.filter(decision=Approval.Decision.WAITING)),
    ),
)
_INSTANTS: Final[tuple[tuple[str, str, Read], ...]] = (
    (
        "last_cycle_timestamp_seconds",
        "End of the last daily cycle that was done.",
        lambda _now: _stamp(
            CycleRun.objects.filter(status=CycleRun.Status.DONE).order_by("-id").values_list("finished_at", flat=True)
        ),
    ),
    (
        "last_load_timestamp_seconds",
        "End of the last load that was done.",
        lambda _now: _stamp(
            Load.objects.filter(status=Load.Status.DONE).order_by("-id").values_list("finished_at", flat=True)
        ),
    ),
    (
        "last_backup_timestamp_seconds",
        "End of the last backup that is whole.",
        lambda _now: _stamp(
            BackupRun.objects.filter(status=BackupRun.Status.DONE).order_by("-id").values_list("finished_at", flat=True)
        ),
    ),
    (
        "last_seal_timestamp_seconds",
        "Instant of the journal's last seal.",
        lambda _now: _stamp(Seal.objects.order_by("-number").values_list("sealed_at", flat=True)),
    ),
)

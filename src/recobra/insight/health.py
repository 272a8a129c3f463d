"""Whether an installation works: database, processes beside the console, disk, jobs, the last cycle and load."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.db import DatabaseError, ProgrammingError, connection
from django.db.models import Max
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob

from recobra.intake.models import Load
from recobra.kit import disk, heartbeat
from recobra.strategy.models import Assignment, CycleRun
from recobra_core.zones import zone_release

CYCLE_LATE: Final = timedelta(hours=36)
JOB_LATE: Final = timedelta(hours=3)
"""How long a job may run or wait: the longest, a backup or a load of millions, takes less."""
VITAL: Final = frozenset({"database", "worker", "dispatcher", "disk"})
"""Parts without which the installation does not do its work; the others tell of yesterday's."""


@dataclass(frozen=True)
class Part:
    """A part of the installation; `note` is for whoever looks after it, and holds no figure of the business."""

    name: str
    is_ok: bool
    note: str


def check_health(data_dir: Path, *, now: datetime) -> list[Part]:
    """Return the state of each part: database, worker, dispatcher, disk, time zones, jobs, cycle, load."""
    parts = [_check_process(data_dir, "worker", "worker"), _check_process(data_dir, "dispatch", "dispatcher")]
    parts += [_check_disk(), _check_zones()]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        last = [_check_jobs(now), _check_cycle(now), _check_load()]
    except ProgrammingError:
        why = "its tables are missing or of another version: run «recobra db migrate»"
    except DatabaseError as error:
        why = " ".join(str(error).split())
    else:
        return [Part("database", is_ok=True, note="answers"), *parts, *last]
    unknown = [Part(name, is_ok=False, note="not known") for name in ("jobs", "cycle", "load")]
    return [Part("database", is_ok=False, note=why), *parts, *unknown]


def is_working(parts: list[Part]) -> bool:
    """Tell if all parts are well without which the installation does not do its work."""
    return all(part.is_ok for part in parts if part.name in VITAL)


def _check_process(data_dir: Path, kind: str, name: str) -> Part:
    """Return the state of the processes of a kind by the last sign of life of any."""
    seconds = heartbeat.find_last_sign(data_dir, kind)
    if seconds is None:
        return Part(name, is_ok=False, note="has never run")
    return Part(name, is_ok=seconds < heartbeat.SILENT_SECONDS, note=f"last sign of life {seconds:.0f} s ago")


def _check_disk() -> Part:
    """Return the state of the disk by the reserve below which loads and cycles wait."""
    return Part("disk", is_ok=disk.find_shortage() is None, note=f"{disk.count_free_bytes() / (1 << 30):.1f} GiB free")


def _check_zones() -> Part:
    """Return the release of the time zones: no process starts with one that the law's data is older than."""
    return Part("time_zones", is_ok=True, note=f"release {zone_release()}")


def _check_jobs(now: datetime) -> Part:
    """Return the state of the jobs: one that hangs keeps the others waiting, and its worker gives signs of life."""
    events = ProcrastinateEvent.objects.order_by()
    begun = (
        events.filter(job__status="doing", type="started").values("job_id", "job__task_name").annotate(since=Max("at"))
    )
    waiting = events.filter(job__status="todo", type__in=("deferred", "deferred_for_retry", "scheduled"))
    running = begun.order_by("since").values_list("job__task_name", "since").first()
    queued = (
        waiting.exclude(job__scheduled_at__gt=now - JOB_LATE).order_by("at").values_list("job__task_name", "at").first()
    )
    for verb, found in (("runs", running), ("waits", queued)):
        if found is not None and found[1] is not None and now - found[1] > JOB_LATE:
            return Part("jobs", is_ok=False, note=f"{found[0]} {verb} since {found[1]:%Y-%m-%d %H:%M} UTC")
    count = ProcrastinateJob.objects.filter(status="doing").count()
    return Part("jobs", is_ok=True, note=f"{count} running")


def _check_cycle(now: datetime) -> Part:
    """Return the state of the daily cycle, which only runs where a portfolio follows a strategy."""
    last = CycleRun.objects.order_by("-pk").first()
    if last is None:
        is_due = Assignment.objects.filter(active=True).exists()
        return Part("cycle", is_ok=not is_due, note="has never run")
    is_ok = last.status != CycleRun.Status.FAILED and now - last.started_at < CYCLE_LATE
    return Part(
        "cycle", is_ok=is_ok, note=f"{last.status} for {last.as_of}, begun {last.started_at:%Y-%m-%d %H:%M} UTC"
    )


def _check_load() -> Part:
    """Return the state of the last load: one that was refused is the file's fault, one that broke off is ours."""
    last = Load.objects.order_by("-pk").first()
    if last is None:
        return Part("load", is_ok=True, note="none yet")
    return Part("load", is_ok=last.status != Load.Status.FAILED, note=f"{last.status} of {last.as_of}")

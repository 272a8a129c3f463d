"""Creation and closing of tasks: work for people, from strategies, gaps in the data or by hand. See also `visits`."""

from __future__ import annotations

import json
from datetime import datetime

import pyarrow as pa
from django.db import transaction
from django.utils.translation import gettext as _

from recobra.journal.operations import Facts, record, record_all
from recobra.kit import tables

from .models import Task


class TaskRefused(Exception):
    """The task cannot be closed; the text is shown as it is."""


@transaction.atomic
def create_tasks(*, rows: pa.Table, actor: str, now: datetime) -> pa.Table:
    """Write many tasks at once and return the rows with their `task_id`.

    `rows`: portfolio_id, debtor_id, account_id, kind, title, due_date, step_key, and queue where there is one.
    """
    if rows.num_rows == 0:
        return rows.append_column("task_id", pa.array([], pa.int64()))
    count = rows.num_rows
    # The ids are known before the rows are written: the journal's facts name them.
    first_id = tables.reserve_ids("workbench_task", count)
    tasks = rows.append_column("id", pa.array(range(first_id, first_id + count), pa.int64()))
    # COPY knows no defaults of Django's, so every column is written out.
    constants = {
        "status": pa.array(["OPEN"] * count),
        "created_at": pa.array([now] * count, pa.timestamp("us", tz="UTC")),
        "created_by": pa.array([actor] * count),
        "closed_by": pa.array([""] * count),
        "outcome": pa.array([""] * count),
    }
    table_rows = tasks
    for name, values in constants.items():
        table_rows = table_rows.append_column(name, values)
    tables.copy_in("workbench_task", table_rows)
    payloads = []
    for task_id, kind in zip(tasks["id"].to_pylist(), tasks["kind"].to_pylist(), strict=True):
        payloads.append(json.dumps({"task_id": task_id, "kind": kind}))
    subjects = tasks.select(["portfolio_id", "debtor_id", "account_id"])
    facts = subjects.append_column("payload", pa.array(payloads))
    record_all(Facts(kind="task.created", at=now, actor=actor, rows=facts))
    return tasks.rename_columns(["task_id" if name == "id" else name for name in tasks.column_names])


@transaction.atomic
def close_task(*, task_id: int, outcome: str, actor: str, actor_id: int | None = None, now: datetime) -> Task:
    """Close a task with its outcome. Raises TaskRefused."""
    # Locked: of two people who close it at once, the second is refused.
    task = Task.objects.select_for_update().get(pk=task_id)
    if task.status != Task.Status.OPEN:
        raise TaskRefused(_("The task is closed already."))
    if not outcome.strip():
        raise TaskRefused(_("Say what came of the task."))
    task.status = Task.Status.DONE
    task.closed_at = now
    task.closed_by = actor
    task.outcome = outcome.strip()
    task.save(update_fields=["status", "closed_at", "closed_by", "outcome"])
    record(
        "task.closed",
        at=now,
        actor=actor,
        actor_id=actor_id,
        portfolio_id=task.portfolio_id,
        debtor_id=task.debtor_id,
        account_id=task.account_id,
        payload={"task_id": task.pk, "kind": task.kind},
    )
    return task

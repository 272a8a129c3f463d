"""Tasks: work for people, made by strategies, by gaps in the data or by hand."""

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
    """Write tasks set by set and return the rows with their `task_id`.

    `rows`: portfolio_id, debtor_id, account_id, kind, title, due_date, step_key.
    """
    if rows.num_rows == 0:
        return rows.append_column("task_id", pa.array([], pa.int64()))
    first = tables.reserve_ids("workbench_task", rows.num_rows)
    count = rows.num_rows
    made = rows.append_column("id", pa.array(range(first, first + count), pa.int64()))
    constants = {
        "status": pa.array(["OPEN"] * count),
        "created_at": pa.array([now] * count, pa.timestamp("us", tz="UTC")),
        "created_by": pa.array([actor] * count),
        "closed_by": pa.array([""] * count),
        "outcome": pa.array([""] * count),
    }
    complete = made
    for name, values in constants.items():
        complete = complete.append_column(name, values)
    tables.copy_in("workbench_task", complete)
    subjects = made.select(["portfolio_id", "debtor_id", "account_id"])
    payload = pa.array([json.dumps({"task_id": i, "kind": k}) for i, k in _pairs(made)])
    record_all(Facts(kind="task.created", at=now, actor=actor, rows=subjects.append_column("payload", payload)))
    return made.rename_columns(["task_id" if name == "id" else name for name in made.column_names])


def _pairs(made: pa.Table) -> zip[tuple[int, str]]:
    return zip(made["id"].to_pylist(), made["kind"].to_pylist(), strict=True)


@transaction.atomic
def close_task(*, task_id: int, outcome: str, actor: str, actor_id: int | None = None, now: datetime) -> Task:
    """Close a task with what came of it. Raises TaskRefused."""
    task = Task.objects.select_for_update().get(pk=task_id)
    if task.status != Task.Status.OPEN:
        raise TaskRefused(_("The task is closed already."))
    if not outcome.strip():
        raise TaskRefused(_("Say what came of the task."))
    task.status, task.closed_at, task.closed_by, task.outcome = Task.Status.DONE, now, actor, outcome.strip()
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

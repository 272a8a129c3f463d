"""Creation and closing of tasks: work for people, from strategies, gaps in the data or by hand. See also `visits`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import pyarrow as pa
from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import consequence, requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact, record_facts
from recobra.kit import tables
from recobra.portfolio.scope import check_portfolio

from .facts import TaskClosed, TaskCreated
from .models import Task

TAKEN_BACK: Final = "taken_back"
"""The outcome of a task whose plan was taken back."""
_WITHDRAWN: Final = pa.schema(
    [
        ("task_id", pa.int64()),
        ("task_kind", pa.string()),
        ("portfolio_id", pa.int64()),
        ("debtor_id", pa.int64()),
        ("account_id", pa.int64()),
    ]
)


class TaskRefused(Exception):
    """The task cannot be closed; the text is shown as it is."""


@consequence
@transaction.atomic
def create_tasks(*, rows: pa.Table, actor: Actor) -> pa.Table:
    """Write many tasks at once and return the rows with their `task_id`.

    `rows`: portfolio_id, debtor_id, account_id, kind, title, due_date, step_key, and queue where there is one.
    """
    if rows.num_rows == 0:
        return rows.append_column("task_id", pa.array([], pa.int64()))
    count = rows.num_rows
    # The ids are known before the rows are written: the journal's facts name them.
    tasks = rows.append_column("id", tables.take_ids("workbench_task", count))
    # COPY knows no defaults of Django's, so every column is written out.
    constants = {
        "status": pa.array(["OPEN"] * count),
        "created_at": pa.array([actor.now] * count, pa.timestamp("us", tz="UTC")),
        "created_by": pa.array([actor.name] * count),
        "closed_by": pa.array([""] * count),
        "outcome": pa.array([""] * count),
    }
    table_rows = tasks
    for name, values in constants.items():
        table_rows = table_rows.append_column(name, values)
    tables.copy_in("workbench_task", table_rows)
    facts = tasks.select(["portfolio_id", "debtor_id", "account_id"])
    facts = facts.append_column("task_id", tasks["id"]).append_column("task_kind", tasks["kind"])
    record_facts(TaskCreated, facts, actor=actor)
    return tasks.rename_columns(["task_id" if name == "id" else name for name in tasks.column_names])


@consequence
@transaction.atomic
def withdraw_tasks(*, created_at: Sequence[datetime], actor: Actor) -> list[int]:
    """Cancel the open tasks that a plan created at these instants; return their ids."""
    query = """
        UPDATE workbench_task SET status = 'CANCELLED', closed_at = %s, closed_by = %s, outcome = %s
        WHERE created_at = ANY(%s) AND status = 'OPEN'
        RETURNING id, kind, portfolio_id, debtor_id, account_id"""
    withdrawn = tables.fetch(query, [actor.now, actor.name, TAKEN_BACK, list(created_at)], _WITHDRAWN)
    record_facts(TaskClosed, withdrawn, actor=actor)
    return [int(task_id) for task_id in withdrawn["task_id"].to_pylist()]


@requires(Right.CLOSE_TASK)
@transaction.atomic
def close_task(*, task_id: int, outcome: str, actor: Actor) -> Task:
    """Close a task with its outcome. Raises TaskRefused."""
    # Locked: of two people who close it at once, the second is refused.
    task = Task.objects.select_for_update().get(pk=task_id)
    check_portfolio(actor, task.portfolio_id)
    if task.status != Task.Status.OPEN:
        raise TaskRefused(_("The task is closed already."))
    if not outcome.strip():
        raise TaskRefused(_("Say what came of the task."))
    task.status = Task.Status.DONE
    task.closed_at = actor.now
    task.closed_by = actor.name
    task.outcome = outcome.strip()
    task.save(update_fields=["status", "closed_at", "closed_by", "outcome"])
    record_fact(
        TaskClosed(task_id=task.pk, task_kind=task.kind),
        actor=actor,
        portfolio_id=task.portfolio_id,
        debtor_id=task.debtor_id,
        account_id=task.account_id,
    )
    return task

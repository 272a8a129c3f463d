"""What of people's work follows a debtor who is joined with another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from recobra.kit.debtor_rows import DebtorRows, Joining, MovedRow, move_rows

from .models import Task

JOINED: Final = "joined"
"""The outcome of a task that another one of the same debtor asks for already."""


def _move(joining: Joining) -> list[MovedRow]:
    """Move the tasks; of two that look for a way to reach the debtor one is left."""
    looking = Task.objects.filter(status=Task.Status.OPEN, kind="unreachable")
    doubled_ids: list[int] = []
    if looking.filter(debtor_id=joining.kept_id).exists():
        doubled = looking.filter(debtor_id=joining.joined_id)
        doubled_ids = list(doubled.values_list("pk", flat=True))
        doubled.update(status=Task.Status.CANCELLED, outcome=JOINED)
    moved = move_rows("workbench.Task", joining)
    return [
        MovedRow(row_id=each.row_id, before={"open": True}) if each.row_id in doubled_ids else each for each in moved
    ]


def _put_back(joining: Joining, moved: Sequence[MovedRow]) -> None:
    own = Task.objects.filter(pk__in=[each.row_id for each in moved], debtor_id=joining.kept_id)
    own.update(debtor_id=joining.joined_id)
    reopened = Task.objects.filter(pk__in=[each.row_id for each in moved if each.before], outcome=JOINED)
    reopened.update(status=Task.Status.OPEN, outcome="")


def _part(joining: Joining) -> None:
    """Give who goes again the tasks about the own accounts."""
    Task.objects.filter(debtor_id=joining.kept_id, account__debtor_id=joining.joined_id).update(
        debtor_id=joining.joined_id
    )


FOLLOWING = (DebtorRows(model="workbench.Task", move=_move, put_back=_put_back, part=_part),)

"""What the workbench holds about people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime

from django.db.models import F, Max
from django.db.models.functions import TruncDate
from django.utils.translation import gettext_noop

from recobra.kit.personal_data import Block, Holding, Row
from recobra.kit.tables import is_any_of

from .models import Task, Visit


def _erase_visits(debtor_ids: Sequence[int], _at: datetime) -> int:
    return Visit.objects.filter(is_any_of("contact__debtor_id", debtor_ids)).update(note="", area="")


def _find_open_tasks(debtor_ids: Sequence[int], _day: date) -> Collection[int]:
    tasks = Task.objects.filter(is_any_of("debtor_id", debtor_ids), status=Task.Status.OPEN)
    return set(tasks.values_list("debtor_id", flat=True))


def _last_tasks(debtor_ids: Sequence[int]) -> Mapping[int, date]:
    tasks = Task.objects.filter(is_any_of("debtor_id", debtor_ids), closed_at__isnull=False)
    return dict(tasks.values_list("debtor_id").annotate(last=Max(TruncDate("closed_at"))))


def _copy_tasks(debtor_id: int) -> Iterable[Row]:
    return Task.objects.filter(debtor_id=debtor_id).order_by("pk").values("title", "due_date", "status", "closed_at")


def _copy_visits(debtor_id: int) -> Iterable[Row]:
    visits = Visit.objects.filter(contact__debtor_id=debtor_id).order_by("route_date", "pk")
    return visits.values("route_date", "area", "result", "note", "noted_at", address=F("contact__address"))


HOLDINGS = (
    Holding(
        model="workbench.Task",
        data_class="case_notes",
        copy=_copy_tasks,
        last_days=_last_tasks,
        blocks=(Block(code="open_task", text=gettext_noop("A task is still open."), find=_find_open_tasks),),
    ),
    Holding(model="workbench.Visit", data_class="messages", erase=_erase_visits, copy=_copy_visits),
)

"""Kinds of facts about people's work: tasks and visits."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from recobra.journal.facts import Fact, fact


@fact("task.created", _("Task created"))
class TaskCreated(Fact):
    """Work for a person came up; `task_kind` is the strategy's or the product's word for it."""

    task_id: int
    task_kind: Annotated[str, Field(alias="kind")]


@fact("task.closed", _("Task closed"))
class TaskClosed(Fact):
    """Somebody said what came of a task."""

    task_id: int
    task_kind: Annotated[str, Field(alias="kind")]


@fact("visit.assigned", _("Visits given to a person"))
class VisitsAssigned(Fact):
    """So many open visits of a day were given to a person, or back to everybody with `user_id` None."""

    route_date: Annotated[date, Field(alias="date")]
    user_id: int | None
    visits: int


@fact("visit.noted", _("Result of a visit noted"))
class VisitNoted(Fact):
    """A visit has its result, a value of `Visit.Result`."""

    visit_id: int
    result: str

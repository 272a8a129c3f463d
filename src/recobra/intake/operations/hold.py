"""Confirmation or discarding of a held load by a person; `loads` holds and resumes them."""

from __future__ import annotations

from typing import Any, Literal

from django.db import transaction

from recobra.access.actors import Actor
from recobra.access.permissions import check_scope, requires
from recobra.access.roles import Right
from recobra.intake.facts import LoadDiscarded
from recobra.intake.files import held_file
from recobra.intake.models import Load
from recobra.intake.refusals import LoadRefused
from recobra.journal.operations import record_fact

from .loads import resume_held_load


@requires(Right.LOAD_FILES)
def confirm_load(*, load_id: int, alike: Literal["join", "apart"] = "apart", actor: Actor) -> dict[str, Any]:
    """Load a held file after all and return its figures. Raises LoadRefused.

    `alike`: whether numbers that are like known ones are those, or others.
    """
    # One whose confirmation was cut off runs no more, and is held again as soon as the portfolio is locked.
    load = _get_held_load(load_id, actor, or_cut_off=True)
    path = held_file(load.stored_as)
    if not path.is_file():
        raise LoadRefused("file_lost", load=load_id)
    try:
        return resume_held_load(load, alike=alike, actor=actor)
    finally:
        # Held again, or running in another process: somebody still needs the file.
        if not Load.objects.filter(pk=load_id, status__in=[Load.Status.HELD, Load.Status.RUNNING]).exists():
            path.unlink(missing_ok=True)


@requires(Right.LOAD_FILES)
@transaction.atomic
def discard_load(*, load_id: int, actor: Actor) -> None:
    """Put a held file aside for good. Raises LoadRefused."""
    load = _get_held_load(load_id, actor)
    # The condition again, since a confirmation may have come in between.
    held = Load.objects.filter(pk=load_id, status=Load.Status.HELD)
    if not held.update(status=Load.Status.DISCARDED, finished_at=actor.now):
        raise LoadRefused("not_held", load=load_id)
    load.rejected.all().delete()  # what a person was asked while it was held
    record_fact(LoadDiscarded(load_id=load.pk), actor=actor, portfolio_id=load.portfolio_id)
    transaction.on_commit(lambda: held_file(load.stored_as).unlink(missing_ok=True))


def _get_held_load(load_id: int, actor: Actor, *, or_cut_off: bool = False) -> Load:
    """Return a load that waits for a decision, or says that it runs. Raises LoadRefused where it does neither."""
    statuses = [Load.Status.HELD, Load.Status.RUNNING] if or_cut_off else [Load.Status.HELD]
    load = Load.objects.select_related("portfolio", "mapping").filter(pk=load_id).first()
    # Whether another's load waits is not said to who may not see it.
    if load is not None:
        check_scope(actor, load.portfolio.code)
    if load is None or load.status not in statuses or not load.stored_as:
        raise LoadRefused("not_held", load=load_id)
    return load

"""Jobs of intake: take a file in, or a held one after all, while the person who asked does something else."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from recobra.kit import clock

from .models import Load
from .operations import LoadRefused, confirm_load, load_file

TASKS = ("load.take", "load.confirm")
logger = logging.getLogger(__name__)


@app.task(name="load.take")
def take(asked: dict[str, Any]) -> None:
    """Take an uploaded file in and remove the upload. A refusal is kept by the load itself, with its reason."""
    path = Path(asked.pop("path"))
    as_of = date.fromisoformat(asked.pop("as_of"))
    try:
        load_file(path=path, as_of=as_of, now=clock.now(), **asked)
    except LoadRefused as refusal:
        logger.warning("load of %s refused: %s", asked["portfolio_code"], refusal.code)
    finally:
        path.unlink(missing_ok=True)


@app.task(name="load.confirm")
def confirm(load_id: int, actor: str) -> None:
    """Load a held file after all, unless somebody was quicker."""
    with suppress(LoadRefused):
        confirm_load(load_id=load_id, actor=actor, now=clock.now())


def ask_for_load(
    *,
    path: Path,
    file_name: str,
    portfolio_code: str,
    mapping: dict[str, Any],
    as_of: date,
    actor: str,
    control: dict[str, Any] | None = None,
    partial: bool | None = None,
) -> None:
    """Queue a file; loads of one portfolio run one after the other."""
    asked: dict[str, Any] = {
        "path": str(path), "file_name": file_name, "portfolio_code": portfolio_code, "mapping": mapping,
        "as_of": as_of.isoformat(), "actor": actor, "control": control, "partial": partial,
    }  # fmt: skip
    take.configure(lock=f"load {portfolio_code}").defer(asked=asked)


def ask_to_confirm(*, load: Load, actor: str) -> None:
    """Queue a held load that a person confirmed. Raises LoadRefused where it does not wait any more."""
    if load.status != Load.Status.HELD:
        raise LoadRefused("not_held", load=load.pk)
    confirm.configure(lock=f"load {load.portfolio.code}").defer(load_id=load.pk, actor=actor)


def waiting() -> int:
    """Return how many files wait for a worker or are in its hands."""
    return ProcrastinateJob.objects.filter(task_name__in=TASKS, status__in=["todo", "doing"]).count()

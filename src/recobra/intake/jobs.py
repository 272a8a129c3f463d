"""Jobs of intake: loads of uploaded files and of confirmed ones, and the nightly deletion."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any, Literal

from django.db import transaction
from django.db.models import QuerySet
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued

from recobra.access.actors import Actor, Service, deputy
from recobra.access.permissions import check_scope, requires
from recobra.access.roles import Right
from recobra.kit import clock
from recobra.kit.job_retries import RetryUnfinished

from .models import Load
from .operations import LoadRefused, confirm_load, load_file
from .operations.failures import newest_load_id, record_failure
from .operations.retention import delete_workspaces

TASKS = ("load.take", "load.confirm")
BUSY_SECONDS = 15
logger = logging.getLogger(__name__)


def _is_busy(error: BaseException) -> bool:
    """Return whether a load only has to wait."""
    return isinstance(error, LoadRefused) and error.is_passing


_RETRY = RetryUnfinished(seconds=BUSY_SECONDS, waits=_is_busy)


@app.task(name="load.take", retry=_RETRY)
def load_upload(asked: dict[str, Any]) -> None:
    """Load an uploaded file and delete the upload once its load is done, held or refused.

    `asked`: the arguments of `load_file` and who asked (`actor`, `actor_id`); queued jobs have them under this name.
    Where anything else broke off, a failed load says so and the upload stays for a day. A load that broke off because
    the database or the disk failed is tried again, and is another load in the list then.
    """
    arguments = {name: value for name, value in asked.items() if name not in {"path", "as_of", "actor", "actor_id"}}
    path = Path(asked["path"])
    as_of = date.fromisoformat(asked["as_of"])
    actor = deputy(Service.INTAKE, name=asked["actor"], user_id=asked.get("actor_id"), now=clock.now())
    newest_before = newest_load_id(asked["portfolio_code"])
    try:
        load_file(path=path, as_of=as_of, actor=actor, **arguments)
    except Exception as error:
        if _is_busy(error):
            raise
        record_failure(
            error,
            portfolio_code=asked["portfolio_code"],
            file_name=asked["file_name"],
            as_of=as_of,
            since=newest_before,
            actor=actor,
        )
        if not isinstance(error, LoadRefused):
            raise
        logger.warning("load of %s refused: %s", asked["portfolio_code"], error.code)
    path.unlink(missing_ok=True)


@app.task(name="load.confirm", retry=_RETRY)
def load_confirmed(
    load_id: int, actor: str, actor_id: int | None = None, alike: Literal["join", "apart"] = "apart"
) -> None:
    """Load a held file after all, unless somebody else decided before; `alike` as in `confirm_load`."""
    try:
        confirmer = deputy(Service.INTAKE, name=actor, user_id=actor_id, now=clock.now())
        confirm_load(load_id=load_id, alike=alike, actor=confirmer)
    except LoadRefused as refusal:
        if _is_busy(refusal):
            raise
        logger.warning("load %s not confirmed: %s", load_id, refusal.code)


@app.periodic(cron="40 1 * * *")
@app.task(name="load.forget", queueing_lock="load.forget")
def delete_leftovers(timestamp: int) -> None:  # noqa: ARG001 - a late tick deletes what is old now
    """Delete each night what loads left behind that broke off."""
    logger.info("forgot %s folders", delete_workspaces(now=clock.now()))


@requires(Right.LOAD_FILES)
def queue_load(
    *,
    path: Path,
    file_name: str,
    portfolio_code: str,
    mapping: dict[str, Any],
    as_of: date,
    actor: Actor,
    control: dict[str, Any] | None = None,
    partial: bool | None = None,
) -> None:
    """Queue a file, unless it is queued; loads of one portfolio run one after the other."""
    check_scope(actor, portfolio_code)
    # Whoever got no answer sends the form again.
    if str(path) in unfinished_uploads():
        return
    asked: dict[str, Any] = {
        "path": str(path),
        "file_name": file_name,
        "portfolio_code": portfolio_code,
        "mapping": mapping,
        "as_of": as_of.isoformat(),
        "actor": actor.name,
        "actor_id": actor.user_id,
        "control": control,
        "partial": partial,
    }
    # Of two forms at the same time the database takes one.
    task = load_upload.configure(lock=f"load {portfolio_code}", queueing_lock=f"load {path}")
    with suppress(AlreadyEnqueued), transaction.atomic():
        task.defer(asked=asked)


@requires(Right.LOAD_FILES)
def queue_confirmation(*, load: Load, alike: Literal["join", "apart"] = "apart", actor: Actor) -> None:
    """Queue a held load that a person confirmed, `alike` as in `confirm_load`.

    Raises LoadRefused where it is no longer held.
    """
    check_scope(actor, load.portfolio.code)
    if load.status != Load.Status.HELD:
        raise LoadRefused("not_held", load=load.pk)
    load_confirmed.configure(lock=f"load {load.portfolio.code}").defer(
        load_id=load.pk, actor=actor.name, actor_id=actor.user_id, alike=alike
    )


def count_unfinished() -> int:
    """Return how many files wait for a worker or are in its hands."""
    return _unfinished().count()


def unfinished_uploads(*, user_id: int | None = None) -> set[str]:
    """Return the paths of the uploads that wait for a worker or are in its hands: of one user, or of all."""
    uploads = _unfinished().filter(task_name=load_upload.name)
    if user_id is not None:
        uploads = uploads.filter(args__asked__actor_id=user_id)
    return set(uploads.values_list("args__asked__path", flat=True))


def _unfinished() -> QuerySet[ProcrastinateJob]:
    """Return the jobs of loads and confirmations that wait or run."""
    return ProcrastinateJob.objects.filter(task_name__in=TASKS, status__in=["todo", "doing"])

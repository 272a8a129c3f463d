"""Take a portfolio file in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from collections.abc import Mapping as MappingOf
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from django.db import DatabaseError, connection, transaction

from recobra.intake import sources
from recobra.intake.load import last_load, pipeline
from recobra.intake.load.engine import workshop
from recobra.intake.mapping import Document, MappingProblems, parse
from recobra.intake.models import Load, Mapping
from recobra.intake.refusals import LoadRefused, held_words
from recobra.intake.stage.load_context import Owner
from recobra.journal.operations import record
from recobra.kit import database
from recobra.portfolio.models import Portfolio
from recobra_core.money import exponent_of

from .errors import write_errors
from .mappings import save_mapping

STEPS = ("reading", "comparing", "checking", "people", "writing")
SHOWN_ERRORS = 100
BROKEN = (DatabaseError, psycopg.Error)  # COPY's errors come as they are
AHEAD = timedelta(days=7)  # a slip of the year would have every true day after it refused as older


def load_file(
    *,
    path: str | Path,
    portfolio_code: str,
    mapping: MappingOf[str, Any] | Mapping,
    as_of: date,
    actor: str,
    now: datetime,
    file_name: str = "",
    dry_run: bool = False,
    control: MappingOf[str, Any] | None = None,
    confirm: bool = False,
    partial: bool | None = None,
) -> dict[str, Any]:
    """Take a file into a portfolio and return its figures; `dry_run` finds the same and writes nothing at all.

    `control`: {"rows": n, "amount": "1234.56"}, checked before anything is written. `partial`: the file is a part, so
    accounts that it does not name are not gone. Raises LoadRefused; a refusal is kept as a load of its own.
    """
    portfolio = Portfolio.objects.filter(code=portfolio_code).first()
    if portfolio is None:
        raise LoadRefused("portfolio", code=portfolio_code)
    document = _document(mapping, control, partial=partial)
    request = _Request(Path(path), file_name or Path(path).name, portfolio, mapping, document, as_of, actor, now)
    if not dry_run:
        return _take(request, confirm=confirm, keep=True)
    return _try(request, confirm=confirm)


def _try(request: _Request, *, confirm: bool) -> dict[str, Any]:
    """Do all of it and undo it. Raises LoadRefused, also where the database breaks off."""
    with transaction.atomic():
        try:
            return _take(request, confirm=confirm, keep=False) | {"load_id": None}
        except BROKEN as error:
            cause = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
            raise LoadRefused("failed", detail=cause) from error
        finally:
            transaction.set_rollback(True)


@dataclass(frozen=True)
class _Request:
    """What was asked for, and by whom."""

    path: Path
    file_name: str
    portfolio: Portfolio
    mapping: MappingOf[str, Any] | Mapping
    document: Document
    as_of: date
    actor: str
    now: datetime


def _document(
    mapping: MappingOf[str, Any] | Mapping, control: MappingOf[str, Any] | None, *, partial: bool | None
) -> Document:
    try:
        document = parse(mapping.document if isinstance(mapping, Mapping) else mapping)
        if control:
            given = parse({"account": {"external_id": "x"}, "balance": "x", "control": dict(control)})
            document = replace(document, control_rows=given.control_rows, control_amount=given.control_amount)
    except MappingProblems as problems:
        raise LoadRefused("mapping", problems=" ".join(problems.problems)) from problems
    if partial is not None:
        document = replace(document, options=replace(document.options, partial=partial))
    return document


def _take(request: _Request, *, confirm: bool, keep: bool) -> dict[str, Any]:
    # What breaks a trial must leave the connection fit to give the portfolio's lock back.
    with _alone(request.portfolio), nullcontext() if keep else transaction.atomic():
        digest = ""
        try:
            sources.detect(request.path)
            digest = _sha256(request.path)
        except LoadRefused as refusal:
            _refused(_open(request, digest), refusal, request)
            raise
        earlier = Load.objects.filter(
            portfolio=request.portfolio, as_of=request.as_of, file_sha256=digest, status=Load.Status.DONE
        ).first()
        if earlier is not None and _read_alike(earlier, request):
            return _again(earlier)
        return run(_open(request, digest), request, confirm=confirm, keep=keep)


def _read_alike(earlier: Load, request: _Request) -> bool:
    """Tell if a file was taken in by the same mapping: under another one it says something else."""
    given = request.mapping.document if isinstance(request.mapping, Mapping) else request.mapping
    known = earlier.mapping.document if earlier.mapping else {}
    return known == {key: value for key, value in given.items() if key != "control"}


def _open(request: _Request, digest: str) -> Load:
    with transaction.atomic():
        given = request.mapping
        mapping = (
            given
            if isinstance(given, Mapping)
            else save_mapping(portfolio_id=request.portfolio.pk, document=given, actor=request.actor, now=request.now)
        )
        return Load.objects.create(
            portfolio=request.portfolio,
            mapping=mapping,
            file_name=request.file_name,
            file_sha256=digest,
            as_of=request.as_of,
            status=Load.Status.RUNNING,
            started_at=request.now,
            actor=request.actor,
            progress={"step": STEPS[0], "done": 0, "total": len(STEPS)},
        )


def run(load: Load, request: _Request, *, confirm: bool, keep: bool) -> dict[str, Any]:
    """Carry a RUNNING load to its end, whatever that is. Raises LoadRefused."""
    try:
        return _run(load, request, confirm=confirm, keep=keep)
    except LoadRefused as refusal:
        _refused(load, refusal, request)
        raise
    except BaseException as error:
        with suppress(*BROKEN):  # the cause is worth more than that its end could not be written down
            _end(load, Load.Status.FAILED, request.now, reason=str(LoadRefused("failed", detail=type(error).__name__)))
        raise


def _run(load: Load, request: _Request, *, confirm: bool, keep: bool) -> dict[str, Any]:
    order = _order(request, confirm=confirm)

    def progress(step: str) -> None:
        Load.objects.filter(pk=load.pk).update(progress={"step": step, "done": STEPS.index(step), "total": len(STEPS)})

    with workshop() as (engine, work_dir):
        job = pipeline.read(order, engine, work_dir)
        progress("comparing")
        outcome = pipeline.examine(order, job, progress)
        if outcome.held:
            return _hold(load, request, outcome, keep=keep)
        progress("writing")
        with transaction.atomic():
            pipeline.write(order, job, outcome, load_id=load.pk)
            _done(load, request, outcome)
        if keep:
            last_load.remember(job, load.pk)
    return result(load) | {"errors_file": _errors_file(load) if keep else None}


def _order(request: _Request, *, confirm: bool) -> pipeline.Order:
    portfolio = request.portfolio
    today = request.now.astimezone(ZoneInfo(portfolio.time_zone)).date()
    if request.as_of > today + AHEAD:
        raise LoadRefused("ahead", as_of=request.as_of, today=today)
    done = Load.objects.filter(portfolio=portfolio, status=Load.Status.DONE)
    latest = done.order_by("-as_of").first()
    if latest is not None and latest.as_of > request.as_of:
        raise LoadRefused("older", latest=latest.as_of, as_of=request.as_of)
    owner = Owner(
        portfolio.pk,
        portfolio.creditor_id,
        portfolio.country,
        portfolio.currency,
        exponent_of(portfolio.currency),
        portfolio.industry,
    )
    return pipeline.Order(
        request.path,
        request.document,
        owner,
        request.as_of,
        request.now,
        request.actor,
        done.order_by("-id").first(),
        confirm,
    )


def _hold(load: Load, request: _Request, outcome: pipeline.Outcome, *, keep: bool) -> dict[str, Any]:
    with transaction.atomic():
        load.figures = outcome.figures | {"held": outcome.held, "options": _asked(request.document)}
        if keep:
            load.stored_as = str(pipeline.keep_file(request.path, load_id=load.pk, folder=files_dir()))
        _end(load, Load.Status.HELD, request.now, reason=held_words(outcome.held))
        record(
            "load.held",
            at=request.now,
            actor=request.actor,
            portfolio_id=load.portfolio_id,
            payload={"load_id": load.pk, "reasons": [reason["code"] for reason in outcome.held]},
        )
    return result(load)


def _asked(document: Document) -> dict[str, Any]:
    """Return what a confirmation needs to know beside the mapping."""
    return {"partial": document.options.partial}


def _done(load: Load, request: _Request, outcome: pipeline.Outcome) -> None:
    load.figures, load.diagnosis = outcome.figures, outcome.diagnosis
    _end(load, Load.Status.DONE, request.now)
    hidden = {"columns", "gaps", "last_posting"}
    payload = {name: value for name, value in outcome.figures.items() if name not in hidden}
    record(
        "load.done",
        at=request.now,
        actor=request.actor,
        portfolio_id=load.portfolio_id,
        payload={"load_id": load.pk, "as_of": request.as_of, **payload},
    )


def _refused(load: Load, refusal: LoadRefused, request: _Request) -> None:
    with transaction.atomic():
        _end(load, Load.Status.REFUSED, request.now, reason=str(refusal))
        record(
            "load.refused",
            at=request.now,
            actor=request.actor,
            portfolio_id=load.portfolio_id,
            payload={"load_id": load.pk, "code": refusal.code},
        )


def _end(load: Load, status: str, now: datetime, *, reason: str = "") -> None:
    load.status, load.reason, load.finished_at, load.progress = status, reason, now, {}
    load.save()


def result(load: Load) -> dict[str, Any]:
    """Return a load's figures under the names of the command line's contract."""
    names = ("rows", "accepted", "rejected", "created", "updated", "unchanged", "gone", "payments", "amount_minor")
    figures = {name: load.figures.get(name, 0) for name in names}
    shown = load.rejected.order_by("line", "id")[:SHOWN_ERRORS]
    return {
        "load_id": load.pk,
        **figures,
        "currency": load.figures.get("currency", ""),
        "held": load.status == Load.Status.HELD,
        "errors_file": None,
        "status": load.status,
        "reason": load.reason,
        "diagnosis": load.diagnosis,
        "gaps": load.figures.get("gaps", {}),
        "errors": [{"line": row.line, "errors": row.errors} for row in shown],
    }


def _again(load: Load) -> dict[str, Any]:
    changed = {"created": 0, "updated": 0, "gone": 0, "payments": 0}
    return result(load) | changed | {"unchanged": load.figures.get("rows", 0), "errors_file": _errors_file(load)}


def files_dir() -> Path:
    """Return where files of loads are kept."""
    return database.data_dir() / "files" / "loads"


def _errors_file(load: Load) -> str | None:
    if not load.figures.get("rejected"):
        return None
    target = files_dir() / f"{load.pk}-errors.csv"
    if not target.exists():
        if not load.rejected.exists():
            return None  # their time is over
        target.parent.mkdir(parents=True, exist_ok=True)
        write_errors(load_id=load.pk, path=target)
    return str(target)


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@contextmanager
def _alone(portfolio: Portfolio) -> Iterator[None]:
    """Hold the portfolio's lock; whoever gets it knows that a load still called RUNNING died. Raises LoadRefused."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('intake'), %s)", [portfolio.pk])
        if not cursor.fetchone()[0]:
            raise LoadRefused("running")
    try:
        Load.objects.filter(portfolio=portfolio, status=Load.Status.RUNNING).update(
            status=Load.Status.FAILED, reason=str(LoadRefused("failed", detail="-"))
        )
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('intake'), %s)", [portfolio.pk])


def confirmed(load: Load, *, actor: str, now: datetime) -> dict[str, Any]:
    """Run a held load that a person has confirmed. Raises LoadRefused."""
    assert load.mapping is not None, "a held load has its mapping"
    document = _document(load.mapping, None, partial=bool(load.figures.get("options", {}).get("partial")))
    request = _Request(
        Path(load.stored_as), load.file_name, load.portfolio, load.mapping, document, load.as_of, actor, now
    )
    with _alone(load.portfolio):
        # Whoever decided meanwhile, another confirmation or a discard, decided: a load goes on once.
        held = Load.objects.filter(pk=load.pk, status=Load.Status.HELD)
        if not held.update(status=Load.Status.RUNNING, reason=""):
            raise LoadRefused("not_held", load=load.pk)
        load.refresh_from_db()
        return run(load, request, confirm=True, keep=True)

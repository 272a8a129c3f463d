"""Loads of portfolio files, from the request to the end: done, held, refused or failed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from collections.abc import Mapping as MappingOf
from contextlib import contextmanager, nullcontext, suppress
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

import psycopg
from django.db import DatabaseError, transaction

from recobra.access.actors import Actor
from recobra.access.permissions import check_scope, consequence, requires
from recobra.access.roles import Right
from recobra.intake.facts import LoadDone, LoadHeld, LoadTurnedAway
from recobra.intake.files import held_file, keep_held_file
from recobra.intake.load import last_load, pipeline, store
from recobra.intake.load.hold_reasons import find_hold_reasons
from recobra.intake.load_context import LoadContext
from recobra.intake.mapping import Control, Document, parse_mapping
from recobra.intake.models import Load, Mapping
from recobra.intake.portfolio_lock import lock_portfolio
from recobra.intake.queries import shown_order
from recobra.intake.refusals import LoadRefused, held_words, refuse_load
from recobra.intake.relations import ExaminedFile
from recobra.journal.operations import record_fact
from recobra.kit import disk
from recobra.kit.job_retries import is_interruption
from recobra.kit.language import in_installation_language, screen_language
from recobra.portfolio.models import Portfolio
from recobra.tabular import caged, formats
from recobra.tabular.workspace import Workspace, open_workspace
from recobra_core.documents import DocumentError, read_document

from .errors import write_errors_once
from .mappings import save_mapping

STEPS = ("reading", "comparing", "checking", "people", "writing")
SHOWN_ERRORS = 100
DATABASE_ERRORS = (DatabaseError, psycopg.Error)  # COPY raises those of psycopg, which Django does not translate
WRITTEN_PER_BYTE = 8  # tables, their indexes and the log of the database, for each byte of the file
LATEST_AS_OF = timedelta(days=7)  # a slip of the year would have every true day after it refused as older


@requires(Right.LOAD_FILES)
def load_file(
    *,
    path: str | Path,
    portfolio_code: str,
    mapping: MappingOf[str, Any] | Mapping,
    as_of: date,
    file_name: str = "",
    dry_run: bool = False,
    control: MappingOf[str, Any] | None = None,
    confirm: bool = False,
    partial: bool | None = None,
    actor: Actor,
) -> dict[str, Any]:
    """Load a file into a portfolio and return its figures; `dry_run` finds the same and writes nothing at all.

    `control`: {"rows": n, "amount": "1234.56"}, checked before anything is written. `partial`: the file is a part, so
    accounts that it does not name are not gone. Rows in a currency that the mapping sends to another portfolio are
    loaded there: `routed` says what came of it. Raises LoadRefused; a refusal is kept as a load of its own.
    """
    portfolio = Portfolio.objects.filter(code=portfolio_code).first()
    if portfolio is None:
        raise LoadRefused("portfolio", code=portfolio_code)
    check_scope(actor, portfolio.code)
    _refuse_disabled(portfolio)
    _refuse_full_disk(Path(path))
    caged.prepare()
    context = LoadContext(
        path=Path(path),
        file_name=file_name or Path(path).name,
        portfolio=portfolio,
        mapping=mapping,
        document=_parse_document(mapping, control, partial=partial),
        as_of=as_of,
        actor=actor,
        is_confirmed=confirm,
        is_dry_run=dry_run,
        alike="apart" if confirm else "ask",
    )
    _check_routes(context)
    figures = _start_or_try(context)
    routed = [
        _load_currency(context, currency, code)
        for currency, code in context.document.currencies.items()
        if _has_set_aside(figures, currency)
    ]
    return figures | {"routed": routed} if routed else figures


def _check_routes(context: LoadContext) -> None:
    """Raise LoadRefused, or as `check_scope`, where rows cannot go to the portfolio that the mapping names."""
    for currency, code in context.document.currencies.items():
        target = Portfolio.objects.filter(code=code).first()
        if target is None:
            raise LoadRefused("portfolio", code=code)
        check_scope(context.actor, code)
        _refuse_disabled(target)
        if target.currency != currency or code == context.portfolio.code:
            raise LoadRefused("route", code=code, currency=currency, own=target.currency)


def _has_set_aside(figures: dict[str, Any], currency: str) -> bool:
    """Return whether a load set rows of a currency aside."""
    return any(currency in aside.get("amounts", {}) for aside in figures["aside"] if aside["code"] == "currency")


def _load_currency(context: LoadContext, currency: str, code: str) -> dict[str, Any]:
    """Load the rows of a currency into the portfolio that takes them, and say what came of it.

    Raises LoadRefused where they only have to wait: the same load again finds the other rows loaded, and these not yet.
    """
    document = context.mapping.document if isinstance(context.mapping, Mapping) else context.mapping
    mapping = {key: value for key, value in document.items() if key not in {"currencies", "control"}}
    # The rows in the first portfolio's currency are no loss here, and the doubles were counted there.
    mapping["options"] = {**mapping.get("options", {}), "other_currencies": "set_aside", "aside_limit": 1}
    try:
        figures = load_file(
            path=context.path,
            file_name=context.file_name,
            portfolio_code=code,
            mapping=mapping,
            as_of=context.as_of,
            dry_run=context.is_dry_run,
            confirm=context.is_confirmed,
            partial=context.document.options.partial or None,
            actor=context.actor,
        )
    except LoadRefused as refusal:
        if refusal.is_passing:
            raise
        return {"currency": currency, "portfolio": code, "refused": str(refusal)}
    names = ("load_id", "accepted", "rejected", "amount_minor", "held")
    return {"currency": currency, "portfolio": code, **{name: figures[name] for name in names}}


def _start_or_try(context: LoadContext) -> dict[str, Any]:
    """Run a load, or a dry run of it. Raises LoadRefused."""
    if not context.is_dry_run:
        return _start_load(context)
    # A dry run does everything and undoes it, so that it finds what the load itself would find.
    with transaction.atomic():
        try:
            return _start_load(context) | {"load_id": None}
        except DATABASE_ERRORS as error:
            first_line = str(error).partition("\n")[0]
            raise LoadRefused("failed", detail=f"{type(error).__name__}: {first_line}") from error
        finally:
            transaction.set_rollback(True)


@consequence
def resume_held_load(load: Load, *, alike: Literal["join", "apart"] = "apart", actor: Actor) -> dict[str, Any]:
    """Carry on a held load that a person has confirmed; `alike` as in LoadContext. Raises LoadRefused."""
    assert load.mapping is not None, "a held load has its mapping"
    _refuse_disabled(load.portfolio)
    _refuse_full_disk(Path(load.stored_as))
    options = load.figures.get("options", {})
    context = LoadContext(
        path=held_file(load.stored_as),
        file_name=load.file_name,
        portfolio=load.portfolio,
        mapping=load.mapping,
        document=_parse_document(load.mapping, None, partial=bool(options.get("partial"))),
        as_of=load.as_of,
        actor=actor,
        is_confirmed=True,
        alike=alike,
    )
    with _lock_portfolio(load.portfolio):
        # Another confirmation or a discard may have come first: a load goes on once.
        held = Load.objects.filter(pk=load.pk, status=Load.Status.HELD)
        if not held.update(status=Load.Status.RUNNING):
            raise LoadRefused("not_held", load=load.pk)
        load.refresh_from_db()
        return run_load(load, context=context)


def _refuse_disabled(portfolio: Portfolio) -> None:
    """Raise LoadRefused for a portfolio that is no longer worked."""
    if portfolio.disabled_at is not None:
        raise LoadRefused("disabled", code=portfolio.code)


def _refuse_full_disk(path: Path) -> None:
    """Raise LoadRefused where the disk has no room for what a load of the file writes, beyond the reserve."""
    size = path.stat().st_size if path.is_file() else 0
    shortage = disk.find_shortage(more_bytes=size * WRITTEN_PER_BYTE)
    if shortage:
        raise LoadRefused("disk", free=shortage.free_mb, needed=shortage.needed_mb)


def _parse_document(
    mapping: MappingOf[str, Any] | Mapping, control: MappingOf[str, Any] | None, *, partial: bool | None
) -> Document:
    """Return the checked mapping with the control totals and options of this load. Raises LoadRefused."""
    try:
        document = parse_mapping(mapping.document if isinstance(mapping, Mapping) else mapping)
        if control:
            document = document.model_copy(update={"control": read_document(Control, control, file="control")})
    except DocumentError as error:
        raise LoadRefused("mapping", problems=" ".join(error.messages(screen_language()))) from error
    if partial is not None:
        options = document.options.model_copy(update={"partial": partial})
        document = document.model_copy(update={"options": options})
    return document


def _start_load(context: LoadContext) -> dict[str, Any]:
    """Lock the portfolio, create the load and run it, unless the same file was loaded by the same mapping before."""
    # After a database error in a dry run only a savepoint leaves the connection fit to give the lock back.
    with _lock_portfolio(context.portfolio), transaction.atomic() if context.is_dry_run else nullcontext():
        digest = ""
        try:
            with refuse_load():
                formats.detect_format(context.path)
            with context.path.open("rb") as handle:
                digest = hashlib.file_digest(handle, "sha256").hexdigest()
        except LoadRefused as refusal:
            _record_refusal(_create_load(context, digest), refusal, context)
            raise
        earlier = Load.objects.filter(
            portfolio=context.portfolio, as_of=context.as_of, file_sha256=digest, status=Load.Status.DONE
        ).first()
        # A load before ids were judged may have joined people whom this one parts.
        is_judged = earlier is not None and "identities" in earlier.figures
        if earlier is not None and is_judged and _has_same_mapping(earlier, context):
            # The same rows as before, so nothing changed.
            return describe_load(earlier) | {
                "created": 0,
                "updated": 0,
                "gone": 0,
                "payments": 0,
                "unchanged": earlier.figures.get("rows", 0),
                "errors_file": write_errors_once(earlier),
            }
        return run_load(_create_load(context, digest), context=context)


def _has_same_mapping(earlier: Load, context: LoadContext) -> bool:
    """Return whether a file was loaded by the same mapping: under another one it says something else."""
    document = context.mapping.document if isinstance(context.mapping, Mapping) else context.mapping
    earlier_document = earlier.mapping.document if earlier.mapping else {}
    return earlier_document == {key: value for key, value in document.items() if key != "control"}


def _create_load(context: LoadContext, digest: str) -> Load:
    """Create the row of a load, RUNNING, with the SHA-256 of its file; a mapping given as a document is saved first."""
    with transaction.atomic():
        mapping = context.mapping
        if not isinstance(mapping, Mapping):
            mapping = save_mapping(portfolio_id=context.portfolio.pk, document=mapping, actor=context.actor)
        return Load.objects.create(
            portfolio=context.portfolio,
            mapping=mapping,
            file_name=context.file_name,
            file_sha256=digest,
            as_of=context.as_of,
            status=Load.Status.RUNNING,
            started_at=context.actor.now,
            actor=context.actor.name,
            progress={"step": STEPS[0], "done": 0, "total": len(STEPS)},
        )


def run_load(load: Load, *, context: LoadContext) -> dict[str, Any]:
    """Carry a RUNNING load to its end, whatever that is. Raises LoadRefused."""
    try:
        return _run_steps(load, context)
    except LoadRefused as refusal:
        _record_refusal(load, refusal, context)
        raise
    except BaseException as error:
        with suppress(*DATABASE_ERRORS):  # the cause is worth more than that its end could not be written down
            # Once its rows are written, it is done, whatever breaks off afterwards.
            running = Load.objects.filter(pk=load.pk, status=Load.Status.RUNNING)
            if load.stored_as and is_interruption(error):
                # Its file is still there: the confirmation is tried again, or given again.
                running.update(status=Load.Status.HELD, progress={})
            elif running.exists():
                with in_installation_language():
                    reason = str(LoadRefused("failed", detail=type(error).__name__))
                _end_load(load, Load.Status.FAILED, context.actor.now, reason=reason)
        raise


def _run_steps(load: Load, context: LoadContext) -> dict[str, Any]:
    """Read, compare, check and write the file, and return the load's figures.

    The load is held instead of written where there is a reason for a person to look first.
    """
    previous = _find_previous_load(context)
    report_step = partial(_report_step, load)
    with open_workspace() as duck:
        file = pipeline.read_file(context, duck)
        report_step("comparing")
        examined = pipeline.examine(context, duck, file, previous=previous, report_step=report_step)
        figures = pipeline.count_rows(context, duck, examined)
        reasons: list[dict[str, Any]] = []
        if not context.is_confirmed:
            rows, amount_minor = figures["rows"], figures["amount_minor"]
            reasons = find_hold_reasons(
                context, duck, examined, rows=rows, amount_minor=amount_minor, previous=previous
            )
        if reasons:
            return _hold_load(load, context, duck, examined, figures=figures, reasons=reasons)
        report_step("writing")
        with transaction.atomic():
            load.rejected.all().delete()  # what a person was asked while it was held
            outcome = pipeline.write(context, duck, examined, load_id=load.pk)
            load.figures = figures | outcome.figures
            load.diagnosis = outcome.diagnosis
            _record_done(load, context)
        if not context.is_dry_run:
            # Outside of the transaction: fingerprints of a load that was rolled back would hide its rows tomorrow.
            last_load.remember(context, duck, examined, load_id=load.pk)
    return describe_load(load) | {"errors_file": None if context.is_dry_run else write_errors_once(load)}


def _report_step(load: Load, step: str) -> None:
    """Show which of STEPS the load has reached."""
    Load.objects.filter(pk=load.pk).update(progress={"step": step, "done": STEPS.index(step), "total": len(STEPS)})


def _find_previous_load(context: LoadContext) -> Load | None:
    """Return the newest load that was done. Raises LoadRefused where the file is of a day out of order."""
    today = context.portfolio.local_day(context.actor.now)
    if context.as_of > today + LATEST_AS_OF:
        raise LoadRefused("ahead", as_of=context.as_of, today=today)
    done_loads = Load.objects.filter(portfolio=context.portfolio, status=Load.Status.DONE)
    latest = done_loads.order_by("-as_of").first()
    if latest is not None and latest.as_of > context.as_of:
        raise LoadRefused("older", latest=latest.as_of, as_of=context.as_of)
    return done_loads.order_by("-id").first()


def _hold_load(
    load: Load,
    context: LoadContext,
    duck: Workspace,
    examined: ExaminedFile,
    *,
    figures: dict[str, Any],
    reasons: list[dict[str, Any]],
) -> dict[str, Any]:
    """Keep the file until a person confirms or discards the load, and return the figures so far."""
    with transaction.atomic():
        # A confirmation needs the options of this load, which the mapping does not keep.
        options = {"partial": context.document.options.partial}
        load.figures = figures | {"held": reasons, "options": options}
        if not context.is_dry_run:
            load.stored_as = str(keep_held_file(context.path, load_id=load.pk))
        # What a person has to decide about, then what would be rejected.
        store.insert_alike_rows(duck, examined.alike, load_id=load.pk)
        store.insert_rejected_rows(duck, examined.file, examined.checked, load_id=load.pk)
        with in_installation_language():
            reason = held_words(reasons)
        _end_load(load, Load.Status.HELD, context.actor.now, reason=reason)
        held = LoadHeld(load_id=load.pk, reasons=[reason["code"] for reason in reasons])
        record_fact(held, actor=context.actor, portfolio_id=load.portfolio_id)
    return describe_load(load)


def _record_done(load: Load, context: LoadContext) -> None:
    """End the load as done and record it in the journal with its figures."""
    _end_load(load, Load.Status.DONE, context.actor.now)
    left_out = {"columns", "gaps", "identities", "last_posting", "aside", "header_line", "money", "warnings", "quality"}
    figures = {name: value for name, value in load.figures.items() if name not in left_out}
    done = LoadDone(load_id=load.pk, as_of=context.as_of, **figures)
    record_fact(done, actor=context.actor, portfolio_id=load.portfolio_id)


def _record_refusal(load: Load, refusal: LoadRefused, context: LoadContext) -> None:
    """End the load as refused and record it in the journal with the code of the refusal."""
    with transaction.atomic():
        with in_installation_language():
            reason = str(refusal)
        _end_load(load, Load.Status.REFUSED, context.actor.now, reason=reason)
        refused = LoadTurnedAway(load_id=load.pk, code=refusal.code)
        record_fact(refused, actor=context.actor, portfolio_id=load.portfolio_id)


def _end_load(load: Load, status: str, now: datetime, *, reason: str = "") -> None:
    """Save the end of a load, with its figures if they were set; `now` is the instant the load was asked for."""
    load.status = status
    load.reason = reason
    load.finished_at = now
    load.progress = {}
    load.save()


def describe_load(load: Load) -> dict[str, Any]:
    """Return a load's figures under the names of the command line's contract."""
    names = (
        *("rows", "accepted", "rejected", "set_aside", "created", "updated", "unchanged", "gone", "payments"),
        "amount_minor",
    )
    figures = {name: load.figures.get(name, 0) for name in names}
    shown_rows = shown_order(load)[:SHOWN_ERRORS]
    return {
        "load_id": load.pk,
        **figures,
        "currency": load.figures.get("currency", ""),
        "held": load.status == Load.Status.HELD,
        "held_reasons": load.figures.get("held", []),
        "errors_file": None,
        "status": load.status,
        "reason": load.reason,
        "diagnosis": load.diagnosis,
        "gaps": load.figures.get("gaps", {}),
        "aside": load.figures.get("aside", []),
        "identities": load.figures.get("identities", {}),
        "money": load.figures.get("money", []),
        "warnings": load.figures.get("warnings", []),
        "quality": load.figures.get("quality", {}),
        "alike_joined": load.figures.get("alike_joined", 0),
        "errors": [{"line": row.line, "errors": row.errors} for row in shown_rows],
    }


@contextmanager
def _lock_portfolio(portfolio: Portfolio) -> Iterator[None]:
    """Hold the portfolio's lock, and end the load of who was killed with it. Raises LoadRefused."""
    with lock_portfolio(portfolio.pk):
        # The lock dies with its connection, so a load that is still RUNNING while nobody has it was killed. One that
        # had been held has its file still, and waits again.
        killed = Load.objects.filter(portfolio=portfolio, status=Load.Status.RUNNING)
        killed.exclude(stored_as="").update(status=Load.Status.HELD, progress={})
        with in_installation_language():
            reason = str(LoadRefused("killed"))
        killed.filter(stored_as="").update(status=Load.Status.FAILED, reason=reason)
        yield

"""One file from its bytes to the final tables: read, compare, check, judge, write."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from recobra.intake import sources
from recobra.intake.load import compare, current_state, diagnosis, last_load, store
from recobra.intake.mapping import Document
from recobra.intake.models import Load
from recobra.intake.stage import checks, people, rows
from recobra.intake.stage.columns import find
from recobra.intake.stage.load_context import Job, Owner
from recobra.kit import tables
from recobra.payments.operations import record_payments

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """What is asked of a load."""

    path: Path
    document: Document
    owner: Owner
    as_of: date
    now: datetime
    actor: str
    previous: Load | None
    confirmed: bool


@dataclass
class Outcome:
    """What a load found: figures for all to see, and the reasons for which it waits, if any."""

    figures: dict[str, Any]
    held: list[dict[str, Any]] = field(default_factory=list)
    diagnosis: dict[str, Any] = field(default_factory=dict)


def read(order: Order, connection: duckdb.DuckDBPyConnection, work_dir: Path) -> Job:
    """Bring the file into DuckDB and find its columns. Raises LoadRefused."""
    options = order.document.options
    reading = sources.Reading(order.path, connection, work_dir, options.encoding, options.sheet)
    sheet = sources.read(reading)
    columns = find(order.document, sheet.headers)
    return Job(connection, order.document, sheet, columns, order.owner, order.as_of, order.now)


def examine(order: Order, job: Job, progress: Progress) -> Outcome:
    """Check and compare; nothing is written yet. Raises LoadRefused."""
    current_state.accounts(job)
    last = order.previous
    if last_load.recall(job, last.pk if last else None) and last is not None:
        current_state.touched(job, load_id=last.pk, last_posting=int(last.figures.get("last_posting", 0)))
    else:
        job.run("CREATE OR REPLACE TABLE touched (id BIGINT)")
    compare.choose_hot(job)
    style = rows.writing(job)
    progress("checking")
    rows.stage(job, style)
    checks.check(job, style)
    checks.refuse_if_not_as_mapped(job)
    compare.collect(job)
    progress("people")
    people.gather(job)
    return Outcome(_figures(job), _reasons_to_wait(order, job))


def write(order: Order, job: Job, outcome: Outcome, *, load_id: int) -> None:
    """Write everything into the final tables and complete the figures; the caller owns the transaction."""
    current_state.debtors(job)
    compare.number_accounts(
        job,
        first_account=tables.reserve_ids("portfolio_account", job.count("incoming")),
        first_debtor=tables.reserve_ids("portfolio_debtor", job.count("people")),
    )
    gone = compare.find_gone(job)
    current_state.ledger(job, of="SELECT id FROM account_ids WHERE NOT new UNION ALL SELECT id FROM gone")
    compare.instalments(job, first=tables.reserve_ids("portfolio_instalment", job.count("good")))
    compare.differences(job)
    doubtful = gone > 0 and compare.unidentified(job) > 0
    _write_portfolio(job, load_id)
    payments = _write_money(order, job, load_id, settle_gone=not doubtful)
    store.gone(job, doubtful=doubtful)
    store.rejected(job, load_id=load_id)
    outcome.figures |= _changes(job) | {
        "gone": gone,
        "payments": payments,
        "last_posting": current_state.last_posting(),
    }
    if order.previous is None:
        outcome.diagnosis = diagnosis.diagnose(job)


def _write_portfolio(job: Job, load_id: int) -> None:
    store.new_debtors(job, load_id=load_id)
    store.changed_debtors(job)
    store.points(job, load_id=load_id)
    store.accounts(job, load_id=load_id)
    store.parties(job)
    store.instalments(job)


def _write_money(order: Order, job: Job, load_id: int, *, settle_gone: bool) -> int:
    store.charges(job, load_id=load_id)
    rows_ = compare.payments(job, load_id=load_id, settle_gone=settle_gone)
    count = record_payments(
        portfolio_id=job.owner.portfolio_id,
        rows=rows_,
        source="INFERRED",
        load_id=load_id,
        actor=order.actor,
        now=order.now,
    )
    store.realign(job, load_id=load_id)
    return count


def _figures(job: Job) -> dict[str, Any]:
    total = job.count("keys") + job.count("broken")
    rejected = job.count("rejected")
    (amount,) = job.one("SELECT coalesce(sum(amount_minor), 0)::BIGINT FROM accepted")
    return {
        "rows": total,
        "accepted": total - rejected,
        "rejected": rejected,
        "created": 0,
        "updated": 0,
        "unchanged": 0,
        "gone": 0,
        "payments": 0,
        "amount_minor": amount,
        "currency": job.owner.currency,
        "accounts": job.count("present"),
        "columns": list(job.sheet.headers),
        "gaps": diagnosis.gaps(job),
    }


def _changes(job: Job) -> dict[str, int]:
    (created,) = job.one("SELECT count(*) FROM account_ids WHERE new")
    (updated,) = job.one(
        "SELECT count(*) FROM account_ids WHERE NOT new AND (id IN (SELECT id FROM changed_accounts) "
        "OR id IN (SELECT id FROM moved) OR id IN (SELECT account_id FROM deltas) "
        "OR debtor_id IN (SELECT id FROM changed_debtors) OR debtor_id IN (SELECT id FROM changed_points))"
    )
    return {"created": created, "updated": updated, "unchanged": job.count("accepted") - created - updated}


def _reasons_to_wait(order: Order, job: Job) -> list[dict[str, Any]]:
    document, reasons = order.document, []
    found = job.count("present")
    (open_,) = job.one("SELECT count(*) FROM known_accounts WHERE status = 'OPEN'")
    if not document.options.partial and found < open_ * (1 - document.options.shrink_limit):
        reasons.append({"code": "shrunk", "found": found, "known": open_})
    total = job.count("keys") + job.count("broken")
    if document.control_rows not in {None, total}:
        reasons.append({"code": "control_rows", "given": document.control_rows, "found": total})
    (amount_minor,) = job.one("SELECT coalesce(sum(amount_minor), 0)::BIGINT FROM accepted")
    amount = Decimal(amount_minor).scaleb(-job.owner.decimals)
    if document.control_amount is not None and document.control_amount != amount:
        reasons.append({"code": "control_amount", "given": str(document.control_amount), "found": str(amount)})
    return [] if order.confirmed else reasons


def keep_file(path: Path, *, load_id: int, folder: Path) -> Path:
    """Copy a file that waits for confirmation to where it will be found again."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{load_id}{path.suffix.lower()[:8]}"
    shutil.copyfile(path, target)
    return target

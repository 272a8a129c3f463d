"""Fingerprints of a portfolio's last load: account, fingerprint and amount, and its warnings, kept as Parquet.

A memory that may be lost, never a truth: without it every row is read again. Personal data: none beyond the creditor's
account numbers. Superseded by each load.
"""

from __future__ import annotations

from pathlib import Path

from recobra.intake.load_context import LoadContext
from recobra.intake.models import Load
from recobra.intake.relations import ExaminedFile
from recobra.kit import database
from recobra.tabular.formats.sheet import escape_glob
from recobra.tabular.workspace import Relation, Workspace


def folder(portfolio_id: int) -> Path:
    """Return the folder of a portfolio's fingerprints."""
    return database.data_dir() / "lake" / "intake" / str(portfolio_id)


def is_remembered(context: LoadContext, load: Load) -> bool:
    """Return whether the fingerprints and the warnings of a load are still there."""
    return _path(context, load.pk).exists() and _warnings_path(context, load.pk).exists()


def recall(context: LoadContext, duck: Workspace, load: Load | None) -> Relation:
    """Return the accounts of a load (account, print, amount_minor); empty where it is not remembered."""
    if load is None or not is_remembered(context, load):
        return duck.create_empty("previous_load", "account VARCHAR, print UBIGINT, amount_minor BIGINT")
    return duck.create(
        "previous_load",
        "SELECT account, print, amount_minor FROM read_parquet(?)",
        [escape_glob(_path(context, load.pk))],
    )


def recall_warnings(context: LoadContext, duck: Workspace, load: Load | None) -> Relation:
    """Return what a load warned of (account, print of the row, col, code); empty where it is not remembered."""
    if load is None or not is_remembered(context, load):
        return duck.create_empty("previous_warnings", "account VARCHAR, print UBIGINT, col VARCHAR, code VARCHAR")
    return duck.create(
        "previous_warnings",
        "SELECT account, print, col, code FROM read_parquet(?)",
        [escape_glob(_warnings_path(context, load.pk))],
    )


def remember(context: LoadContext, duck: Workspace, examined: ExaminedFile, *, load_id: int) -> None:
    """Keep the fingerprints of what this load accepted and what it warned of; delete those of earlier loads."""
    query = (
        f"SELECT account, print, amount_minor FROM {examined.stated.accepted} "
        f"JOIN {examined.keys.accounts} USING (account)"
    )
    warned = f"SELECT account, print, col, code FROM {examined.checked.warnings} JOIN {examined.keys.rows} USING (line)"
    if context.document.options.partial:
        # A part says nothing about the accounts that it leaves out: theirs stay as they were.
        query += (
            f" UNION ALL SELECT account, print, amount_minor FROM {examined.known.previous} "
            f"ANTI JOIN {examined.changes.present} USING (account)"
        )
        warned += (
            f" UNION ALL SELECT account, print, col, code FROM {examined.known.warned} "
            f"ANTI JOIN {examined.changes.present} USING (account)"
        )
    kept = {_warnings_path(context, load_id): warned, _path(context, load_id): query}
    for target, rows in kept.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(".part")  # half a file under the right name would break every later load
        duck.execute(f"COPY ({rows}) TO '{str(unfinished).replace(chr(39), chr(39) * 2)}' (FORMAT parquet)")
        unfinished.replace(target)
    for old in folder(context.portfolio.pk).glob("*.parquet"):
        if old not in kept:
            old.unlink(missing_ok=True)


def _path(context: LoadContext, load_id: int) -> Path:
    """Return the Parquet file of a load's fingerprints."""
    return folder(context.portfolio.pk) / f"{load_id}.parquet"


def _warnings_path(context: LoadContext, load_id: int) -> Path:
    """Return the Parquet file of a load's warnings."""
    return folder(context.portfolio.pk) / f"{load_id}-warnings.parquet"

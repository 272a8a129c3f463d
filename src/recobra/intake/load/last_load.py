"""What the last load of a portfolio saw: account, fingerprint and amount. A memory that may be lost, never a truth.

Personal data: none beyond the creditor's account numbers. Superseded by each load.
"""

from __future__ import annotations

from pathlib import Path

from recobra.intake.sources.sheet import only
from recobra.intake.stage.load_context import Job
from recobra.kit import database


def folder(portfolio_id: int) -> Path:
    """Return where the portfolio's memory lies."""
    return database.data_dir() / "lake" / "intake" / str(portfolio_id)


def recall(job: Job, load_id: int | None) -> bool:
    """Make `previous` (account, print, amount_minor) of a load; empty where it is not remembered."""
    path = folder(job.owner.portfolio_id) / f"{load_id}.parquet"
    if load_id is not None and path.exists():
        job.run(
            "CREATE OR REPLACE TABLE previous AS SELECT account, print, amount_minor FROM read_parquet(?)",
            [only(path)],
        )
        return True
    job.run("CREATE OR REPLACE TABLE previous (account VARCHAR, print UBIGINT, amount_minor BIGINT)")
    return False


def remember(job: Job, load_id: int) -> None:
    """Keep what this load accepted, and let go of what earlier ones did."""
    kept = (
        " UNION ALL SELECT account, print, amount_minor FROM previous ANTI JOIN present USING (account)"
        if job.document.options.partial
        else ""
    )
    home = folder(job.owner.portfolio_id)
    home.mkdir(parents=True, exist_ok=True)
    target = home / f"{load_id}.parquet"
    unfinished = target.with_suffix(".part")  # half a memory under the right name would break every later load
    job.run(
        "COPY (SELECT account, print, amount_minor FROM accepted JOIN prints USING (account)"
        f"{kept}) TO '{str(unfinished).replace(chr(39), chr(39) * 2)}' (FORMAT parquet)"
    )
    unfinished.replace(target)
    for old in home.glob("*.parquet"):
        if old != target:
            old.unlink(missing_ok=True)

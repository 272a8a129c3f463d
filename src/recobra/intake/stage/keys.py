"""Every row's account and fingerprint, so that yesterday's unchanged rows need not be read again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from recobra.intake.stage.load_context import Job

from .columns import literal


def seed(job: Job) -> str:
    """Return what a row's meaning depends on beside the row: mapping, columns, currency and country."""
    facts: dict[str, Any] = asdict(job.document) | {"control_rows": None, "control_amount": None, "name": ""}
    facts["options"] = facts["options"] | {"shrink_limit": None, "partial": None}
    told = [job.document.columns(), job.owner.currency, job.owner.country]
    return hashlib.sha256(json.dumps([facts, told], sort_keys=True, default=str).encode()).hexdigest()[:16]


def fingerprint(job: Job) -> None:
    """Make `keys` (line, account, number, print) of every row laid out in columns.

    The print is half the MD5 of the mapped cells, compared with one other print only: it detects change.
    """
    columns = job.columns
    cells = ", ".join(f"coalesce(c{columns.positions[name]}, '')" for name in job.document.columns())
    fields = job.document.fields
    number = f"coalesce({columns.text(fields['instalment.number'])}, '1')" if several(job) else "'1'"
    job.run(
        f"CREATE OR REPLACE TABLE keys AS SELECT line, {columns.text(fields['account.external_id'])} AS account, "
        f"{number} AS number, md5_number_lower(concat_ws(chr(31), {literal(seed(job))}, {cells})) AS print FROM raw"
    )


def several(job: Job) -> bool:
    """Return whether an account may have several rows, one for each thing due."""
    return job.document.options.due_rows == "several"


def duplicates(job: Job) -> None:
    """Make `twice` (line, lines): rows that share their key with others, and the lines of all of them."""
    job.run(
        "CREATE OR REPLACE TABLE twice AS SELECT line, lines FROM keys JOIN (SELECT account, number, "
        "array_to_string(list_sort(list(line))[:20], ', ') AS lines FROM keys WHERE account IS NOT NULL "
        "GROUP BY account, number HAVING count(*) > 1) AS shared USING (account, number)"
    )


def by_account(job: Job) -> None:
    """Make `prints` (account, print): one for each account of the file, whatever its number of rows."""
    if several(job):
        together = "md5_number_lower(string_agg(CAST(print AS VARCHAR), ' ' ORDER BY print))"
        body = f"SELECT account, {together} AS print FROM keys WHERE account IS NOT NULL GROUP BY account"
    else:
        body = "SELECT account, any_value(print) AS print FROM keys WHERE account IS NOT NULL GROUP BY account"
    job.run(f"CREATE OR REPLACE TABLE prints AS {body}")

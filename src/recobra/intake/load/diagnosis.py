"""What a portfolio is made of when it is first seen: figures only, shares between 0 and 1."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from recobra.intake.stage.load_context import Job

BUCKETS: Final = ((1, 30), (31, 60), (61, 90), (91, 120), (121, 180), (181, 360), (361, None))


def diagnose(job: Job) -> dict[str, Any]:
    """Return composition, ageing, amounts, concentration, gaps and contactability of the accepted rows."""
    return {
        "composition": _rows(
            job,
            "SELECT product, count(*) AS accounts, sum(amount_minor)::BIGINT AS amount_minor "
            "FROM account_ids GROUP BY product ORDER BY amount_minor DESC, product",
        ),
        "ageing": _ageing(job),
        "amounts": _row(
            job,
            "SELECT count(*) AS accounts, coalesce(sum(amount_minor), 0)::BIGINT AS total_minor, "
            "avg(amount_minor)::BIGINT AS average_minor, median(amount_minor)::BIGINT AS median_minor, "
            "max(amount_minor) AS largest_minor FROM account_ids",
        ),
        "concentration": _concentration(job),
        "gaps": gaps(job),
        "contactability": _contactability(job),
    }


def gaps(job: Job) -> dict[str, Any]:
    """Return how much is missing in the rows that were read: accepted, but listed as work."""
    return _row(
        job,
        "SELECT (SELECT count(*) FROM people WHERE key NOT IN (SELECT key FROM points WHERE valid)) "
        "AS no_contact_point, (SELECT count(DISTINCT account) FROM good WHERE due IS NULL) AS no_due_date, "
        "count(*) FILTER (national_id IS NULL) AS no_national_id, count(*) FILTER (national_id_valid "
        "= false) AS invalid_national_id, "
        "count(*) FILTER (name IS NULL) AS no_name FROM people",
    )


def _ageing(job: Job) -> list[dict[str, Any]]:
    bounds = [("not_due", None, 0), *((f"{low}-{high}" if high else f"{low}+", low, high) for low, high in BUCKETS)]
    cases = " ".join(
        f"WHEN {'days <= 0' if low is None else f'days >= {low}' + (f' AND days <= {high}' if high else '')} THEN {n}"
        for n, (_name, low, high) in enumerate(bounds)
    )
    found = job.connection.execute(
        f"SELECT CASE {cases} ELSE {len(bounds)} END AS n, count(DISTINCT account), sum(amount_minor)::BIGINT FROM "
        f"(SELECT account, amount_minor, DATE '{job.as_of}' - due AS days FROM due WHERE amount_minor > 0) GROUP BY n"
    ).fetchall()
    figures = {n: (accounts, amount) for n, accounts, amount in found}
    names = [*bounds, ("no_due_date", None, None)]
    return [
        {
            "bucket": name,
            "from_days": low,
            "to_days": high,
            "accounts": figures.get(n, (0, 0))[0],
            "amount_minor": figures.get(n, (0, 0))[1],
        }
        for n, (name, low, high) in enumerate(names)
    ]


def _concentration(job: Job) -> dict[str, Any]:
    """Return the share of the ten largest debtors, the Herfindahl index and the Gini coefficient."""
    return _row(
        job,
        "WITH d AS (SELECT debtor_id, sum(amount_minor)::DOUBLE AS owes FROM account_ids GROUP BY debtor_id "
        "HAVING sum(amount_minor) > 0), r AS (SELECT owes, row_number() OVER (ORDER BY owes DESC, debtor_id) AS place, "
        "row_number() OVER (ORDER BY owes, debtor_id) AS up, sum(owes) OVER () AS total, count(*) OVER () AS n FROM d) "
        "SELECT count(*) AS debtors, coalesce(sum(owes) FILTER (place <= 10) / any_value(total), 0) AS top10_share, "
        "coalesce(sum((owes / total) ** 2), 0) AS hhi, "
        "coalesce(2 * sum(up * owes) / (any_value(n) * any_value(total)) - (any_value(n) + 1) / "
        "any_value(n), 0) AS gini "
        "FROM r",
    )


def _contactability(job: Job) -> dict[str, Any]:
    def share(condition: str) -> str:
        return f"(SELECT count(DISTINCT key) FROM points WHERE valid AND {condition}) / greatest(count(*), 1)"

    shares = {
        "phone": "kind = 'PHONE'",
        "mobile": "kind = 'PHONE' AND line IN ('MOBILE', 'BOTH')",
        "email": "kind = 'EMAIL'",
        "address": "kind = 'ADDRESS'",
        "reachable": "kind IN ('PHONE', 'EMAIL')",
    }
    columns = ", ".join(f"{share(condition)} AS {name}" for name, condition in shares.items())
    return _row(job, f"SELECT count(*) AS debtors, {columns} FROM people")


def _rows(job: Job, query: str) -> list[dict[str, Any]]:
    found = job.arrow(query).to_pylist()
    return [{name: int(value) if isinstance(value, Decimal) else value for name, value in row.items()} for row in found]


def _row(job: Job, query: str) -> dict[str, Any]:
    return _rows(job, query)[0]

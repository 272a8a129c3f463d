"""Diagnosis of a portfolio at its first load: figures only, shares between 0 and 1."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from recobra.intake.load_context import LoadContext
from recobra.intake.relations import AssignedIds, ExaminedFile, People, StatedDebts
from recobra.intake.workspace import Workspace

BUCKETS: Final = ((1, 30), (31, 60), (61, 90), (91, 120), (121, 180), (181, 360), (361, None))


def diagnose(context: LoadContext, duck: Workspace, examined: ExaminedFile, ids: AssignedIds) -> dict[str, Any]:
    """Return composition, ageing, amounts, concentration, gaps and contactability of the accepted rows."""
    return {
        "composition": _fetch_figures(
            duck,
            "SELECT product, count(*) AS accounts, sum(amount_minor)::BIGINT AS amount_minor "
            f"FROM {ids.accounts} GROUP BY product ORDER BY amount_minor DESC, product",
        ),
        "ageing": _compute_ageing(context, duck, examined.stated),
        "amounts": _fetch_figure_row(
            duck,
            "SELECT count(*) AS accounts, coalesce(sum(amount_minor), 0)::BIGINT AS total_minor, "
            "avg(amount_minor)::BIGINT AS average_minor, median(amount_minor)::BIGINT AS median_minor, "
            f"max(amount_minor) AS largest_minor FROM {ids.accounts}",
        ),
        "concentration": _compute_concentration(duck, ids),
        "gaps": count_gaps(duck, examined),
        "contactability": _compute_contactability(duck, examined.people),
    }


def count_gaps(duck: Workspace, examined: ExaminedFile) -> dict[str, Any]:
    """Return how much is missing in the rows that were read: accepted, but listed as work."""
    debtors, points = examined.people.debtors, examined.people.points
    return _fetch_figure_row(
        duck,
        f"SELECT (SELECT count(*) FROM {debtors} WHERE key NOT IN (SELECT key FROM {points} WHERE valid)) "
        f"AS no_contact_point, (SELECT count(DISTINCT account) FROM {examined.checked.good} WHERE due IS NULL) "
        "AS no_due_date, "
        "count(*) FILTER (national_id IS NULL) AS no_national_id, count(*) FILTER (national_id_valid "
        "= false) AS invalid_national_id, "
        f"count(*) FILTER (name IS NULL) AS no_name FROM {debtors}",
    )


def _compute_ageing(context: LoadContext, duck: Workspace, stated: StatedDebts) -> list[dict[str, Any]]:
    bounds = [("not_due", None, 0), *((f"{low}-{high}" if high else f"{low}+", low, high) for low, high in BUCKETS)]
    cases = " ".join(
        f"WHEN {'days <= 0' if low is None else f'days >= {low}' + (f' AND days <= {high}' if high else '')} THEN {n}"
        for n, (_name, low, high) in enumerate(bounds)
    )
    rows = duck.fetch_all(
        f"SELECT CASE {cases} ELSE {len(bounds)} END AS n, count(DISTINCT account), sum(amount_minor)::BIGINT FROM "
        f"(SELECT account, amount_minor, DATE '{context.as_of}' - due AS days FROM {stated.amounts} "
        "WHERE amount_minor > 0) GROUP BY n"
    )
    figures = {n: (accounts, amount) for n, accounts, amount in rows}
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


def _compute_concentration(duck: Workspace, ids: AssignedIds) -> dict[str, Any]:
    """Return the share of the ten largest debtors, the Herfindahl index and the Gini coefficient."""
    return _fetch_figure_row(
        duck,
        f"WITH d AS (SELECT debtor_id, sum(amount_minor)::DOUBLE AS owes FROM {ids.accounts} GROUP BY debtor_id "
        "HAVING sum(amount_minor) > 0), r AS (SELECT owes, row_number() OVER (ORDER BY owes DESC, debtor_id) AS place, "
        "row_number() OVER (ORDER BY owes, debtor_id) AS up, sum(owes) OVER () AS total, count(*) OVER () AS n FROM d) "
        "SELECT count(*) AS debtors, coalesce(sum(owes) FILTER (place <= 10) / any_value(total), 0) AS top10_share, "
        "coalesce(sum((owes / total) ** 2), 0) AS hhi, "
        "coalesce(2 * sum(up * owes) / (any_value(n) * any_value(total)) - (any_value(n) + 1) / "
        "any_value(n), 0) AS gini "
        "FROM r",
    )


def _compute_contactability(duck: Workspace, people: People) -> dict[str, Any]:
    def share(condition: str) -> str:
        return f"(SELECT count(DISTINCT key) FROM {people.points} WHERE valid AND {condition}) / greatest(count(*), 1)"

    shares = {
        "phone": "kind = 'PHONE'",
        "mobile": "kind = 'PHONE' AND line IN ('MOBILE', 'BOTH')",
        "email": "kind = 'EMAIL'",
        "address": "kind = 'ADDRESS'",
        "reachable": "kind IN ('PHONE', 'EMAIL')",
    }
    columns = ", ".join(f"{share(condition)} AS {name}" for name, condition in shares.items())
    return _fetch_figure_row(duck, f"SELECT count(*) AS debtors, {columns} FROM {people.debtors}")


def _fetch_figures(duck: Workspace, query: str) -> list[dict[str, Any]]:
    # DuckDB sums integers into 128 bits, which Arrow hands on as decimals and JSON would write as text.
    return [
        {name: int(value) if isinstance(value, Decimal) else value for name, value in row.items()}
        for row in duck.fetch_arrow(query).to_pylist()
    ]


def _fetch_figure_row(duck: Workspace, query: str) -> dict[str, Any]:
    return _fetch_figures(duck, query)[0]

"""Diagnosis of a portfolio at its first load: figures only, shares between 0 and 1."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from recobra.intake.load_context import LoadContext
from recobra.intake.relations import AssignedIds, ExaminedFile, People, StatedDebts
from recobra.tabular import identity
from recobra.tabular.workspace import Workspace

LISTED_LINES: Final = 1000
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
    debtors = examined.people.debtors
    return _fetch_figure_row(
        duck,
        f"""
        SELECT
            (SELECT count(*) FROM {examined.people.unreachable}) AS no_contact_point,
            (SELECT count(DISTINCT account) FROM {examined.checked.good} WHERE due IS NULL) AS no_due_date,
            count(*) FILTER (WHERE coalesce(national_id, '') = '') AS no_national_id,
            -- NULL means that nobody can check this kind of id.
            count(*) FILTER (WHERE national_id_valid = false) AS invalid_national_id,
            count(*) FILTER (WHERE name IS NULL) AS no_name
        FROM {debtors}
        """,
    )


def count_identities(context: LoadContext, duck: Workspace, examined: ExaminedFile) -> dict[str, Any]:
    """Return how many ids of the rows that were read tell nobody apart, by why, with the first lines of each.

    `stand_in`: it stands for no document; `invalid`: it is none of its kind; `doubtful`: it joins only with the name.
    """
    good = examined.checked.good
    ids = [f"SELECT line, verdict FROM {good}"]
    ids += [f"SELECT line, party_{n}_verdict FROM {good}" for n in range(len(context.document.parties))]
    verdicts = {"stand_in": identity.STAND_IN, "invalid": identity.INVALID, "doubtful": identity.DOUBTFUL}
    figures: dict[str, Any] = {}
    for name, verdict in verdicts.items():
        count, lines = duck.fetch_row(
            f"SELECT count(*), coalesce(list_sort(list(DISTINCT line))[:{LISTED_LINES}], []) "
            f"FROM ({' UNION ALL '.join(ids)}) WHERE verdict = '{verdict}'"
        )
        figures[name] = {"count": count, "lines": lines}
    return figures


def _compute_ageing(context: LoadContext, duck: Workspace, stated: StatedDebts) -> list[dict[str, Any]]:
    """Return accounts and amounts by how late they are: not due, each of BUCKETS, and without a due date.

    `from_days` and `to_days` are days past due, both included; None where a bucket has no such bound.
    """
    buckets: list[tuple[str, int | None, int | None]] = [("not_due", None, 0)]
    # The number of days selects the bucket; the first case that is true wins.
    cases = ["WHEN days IS NULL THEN 'no_due_date'", "WHEN days <= 0 THEN 'not_due'"]
    for low, high in BUCKETS:
        if high is None:
            name = f"{low}+"
            cases.append(f"WHEN days >= {low} THEN '{name}'")
        else:
            name = f"{low}-{high}"
            cases.append(f"WHEN days <= {high} THEN '{name}'")
        buckets.append((name, low, high))
    buckets.append(("no_due_date", None, None))
    rows = duck.fetch_all(
        f"""
        WITH late AS (
            SELECT account, amount_minor, DATE '{context.as_of}' - due AS days
            FROM {stated.amounts} WHERE amount_minor > 0
        )
        SELECT CASE {" ".join(cases)} END AS bucket, count(DISTINCT account), sum(amount_minor)::BIGINT
        FROM late GROUP BY bucket
        """
    )
    figures = {bucket: (accounts, amount_minor) for bucket, accounts, amount_minor in rows}
    ageing = []
    for name, from_days, to_days in buckets:
        accounts, amount_minor = figures.get(name, (0, 0))
        ageing.append(
            {
                "bucket": name,
                "from_days": from_days,
                "to_days": to_days,
                "accounts": accounts,
                "amount_minor": amount_minor,
            }
        )
    return ageing


def _compute_concentration(duck: Workspace, ids: AssignedIds) -> dict[str, Any]:
    """Return the share of the ten largest debtors, the Herfindahl index and the Gini coefficient.

    Both are 0 to 1 and grow with the concentration: Herfindahl is 1 where one debtor owes everything, Gini is 0 where
    all owe the same.
    """
    return _fetch_figure_row(
        duck,
        f"""
        WITH debtors AS (
            SELECT debtor_id, sum(amount_minor)::DOUBLE AS owes
            FROM {ids.accounts} GROUP BY debtor_id HAVING sum(amount_minor) > 0
        ), ranked AS (
            SELECT
                owes,
                row_number() OVER (ORDER BY owes DESC, debtor_id) AS rank_from_largest,
                row_number() OVER (ORDER BY owes, debtor_id) AS rank_from_smallest,
                sum(owes) OVER () AS total,
                count(*) OVER () AS debtor_count
            FROM debtors
        )
        SELECT
            count(*) AS debtors,
            coalesce(sum(owes) FILTER (WHERE rank_from_largest <= 10) / any_value(total), 0) AS top10_share,
            coalesce(sum((owes / total) ** 2), 0) AS hhi,
            coalesce(
                2 * sum(rank_from_smallest * owes) / (any_value(debtor_count) * any_value(total))
                    - (any_value(debtor_count) + 1) / any_value(debtor_count),
                0
            ) AS gini
        FROM ranked
        """,
    )


def _compute_contactability(duck: Workspace, people: People) -> dict[str, Any]:
    """Return how many debtors there are and which share has a valid contact point of each kind."""
    conditions = {
        "phone": "kind = 'PHONE'",
        "mobile": "kind = 'PHONE' AND line IN ('MOBILE', 'BOTH')",
        "email": "kind = 'EMAIL'",
        "address": "kind = 'ADDRESS'",
        "reachable": "kind IN ('PHONE', 'EMAIL')",
    }
    shares = []
    for name, condition in conditions.items():
        reached = f"SELECT count(DISTINCT key) FROM {people.points} WHERE valid AND {condition}"
        shares.append(f"({reached}) / greatest(count(*), 1) AS {name}")
    columns = ", ".join(shares)
    return _fetch_figure_row(duck, f"SELECT count(*) AS debtors, {columns} FROM {people.debtors}")


def _fetch_figures(duck: Workspace, query: str) -> list[dict[str, Any]]:
    """Return the rows of a query as dictionaries that can be stored as JSON."""
    rows: list[dict[str, Any]] = duck.fetch_arrow(query).to_pylist()
    for row in rows:
        for name, value in row.items():
            # DuckDB sums integers into 128 bits, which Arrow hands on as decimals and JSON would write as text.
            if isinstance(value, Decimal):
                row[name] = int(value)
    return rows


def _fetch_figure_row(duck: Workspace, query: str) -> dict[str, Any]:
    """Return the only row of a query as a dictionary that can be stored as JSON."""
    (row,) = _fetch_figures(duck, query)
    return row

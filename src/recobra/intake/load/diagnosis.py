"""Diagnosis of a portfolio at its first load: figures only, shares between 0 and 1."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from recobra.intake.load_context import LoadContext
from recobra.intake.relations import AssignedIds, ExaminedFile, People, StatedDebts
from recobra.tabular import identity
from recobra.tabular.workspace import Relation, Workspace

LISTED_LINES: Final = 1000
RISKS: Final = (("none", 0), ("low", 30), ("medium", 90), ("high", 180), ("very_high", None))
"""Classes of risk by the days past due of an account's oldest debt, each with its last day; None has no end."""
CRITICAL: Final = 20
SOON_DAYS: Final = 7
EARLY_DAYS: Final = 30
BUCKETS: Final = ((1, 30), (31, 60), (61, 90), (91, 120), (121, 180), (181, 360), (361, None))


def diagnose(context: LoadContext, duck: Workspace, examined: ExaminedFile, ids: AssignedIds) -> dict[str, Any]:
    """Return composition, ageing, amounts, concentration, gaps and contactability of the accepted rows.

    With them the classes of risk, the critical accounts by their ids, and the chances: where money is nearest.
    """
    late = _create_late_accounts(context, duck, examined, ids)
    return {
        "risk": _compute_risk(duck, late),
        "critical": _fetch_figures(
            duck,
            f"SELECT id AS account_id, amount_minor, overdue_minor, days, is_reachable FROM {late} "
            f"WHERE overdue_minor > 0 ORDER BY overdue_minor DESC, id LIMIT {CRITICAL}",
        ),
        "chances": _compute_chances(duck, late),
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


def _create_late_accounts(context: LoadContext, duck: Workspace, examined: ExaminedFile, ids: AssignedIds) -> Relation:
    """Return each account that owes: id, debtor_id, amount_minor, overdue_minor, days, due_days, is_reachable.

    `days` is how late its oldest debt is, None without a due date; `due_days` in how many days the next one falls due.
    """
    as_of = f"DATE '{context.as_of}'"
    return duck.create(
        "late_accounts",
        f"""
        WITH stated AS (
            SELECT
                account,
                max({as_of} - due) AS days,
                min(due - {as_of}) FILTER (due >= {as_of}) AS due_days,
                coalesce(sum(amount_minor) FILTER (due < {as_of}), 0)::BIGINT AS overdue_minor
            FROM {examined.stated.amounts} WHERE amount_minor > 0 GROUP BY account
        ), reached AS (
            SELECT DISTINCT key FROM {examined.people.points} WHERE valid AND kind IN ('PHONE', 'EMAIL')
        )
        SELECT
            owing.id, owing.debtor_id, owing.amount_minor, stated.overdue_minor, stated.days, stated.due_days,
            reached.key IS NOT NULL AS is_reachable
        FROM {ids.accounts} owing
        JOIN stated ON stated.account = owing.account
        LEFT JOIN reached ON reached.key = owing.debtor
        WHERE owing.amount_minor > 0
        """,
    )


def _compute_risk(duck: Workspace, late: Relation) -> list[dict[str, Any]]:
    """Return accounts and amounts of each class of RISKS, and of those without a due date, with what is reachable."""
    cases = ["WHEN days IS NULL THEN 'unknown'"]
    for name, last_day in RISKS:
        cases.append(f"WHEN true THEN '{name}'" if last_day is None else f"WHEN days <= {last_day} THEN '{name}'")
    rows = _fetch_figures(
        duck,
        f"""
        SELECT CASE {" ".join(cases)} END AS risk, count(*) AS accounts, sum(amount_minor)::BIGINT AS amount_minor,
            coalesce(sum(amount_minor) FILTER (is_reachable), 0)::BIGINT AS reachable_minor
        FROM {late} GROUP BY risk
        """,
    )
    found = {row["risk"]: row for row in rows}
    nothing = {"accounts": 0, "amount_minor": 0, "reachable_minor": 0}
    return [{**nothing, "risk": name, **found.get(name, {})} for name, _last_day in (*RISKS, ("unknown", None))]


def _compute_chances(duck: Workspace, late: Relation) -> list[dict[str, Any]]:
    """Return where money is nearest: accounts and amounts, or the few debtors who owe half of everything.

    `early`: late for EARLY_DAYS at most, and reachable; `soon`: falls due within SOON_DAYS; `unreachable`: worth a
    search before anything else; `half`: the largest debtors, counted as `accounts`, who together owe half.
    """
    return _fetch_figures(
        duck,
        f"""
        WITH debtors AS (
            SELECT debtor_id, sum(amount_minor) AS owes FROM {late} GROUP BY debtor_id
        ), ranked AS (
            SELECT owes, sum(owes) OVER (ORDER BY owes DESC, debtor_id) - owes AS before, sum(owes) OVER () AS total
            FROM debtors
        ), chances AS (
            SELECT 1 AS place, 'early' AS chance, count(*) AS accounts, sum(overdue_minor)::BIGINT AS amount_minor
            FROM {late} WHERE overdue_minor > 0 AND days <= {EARLY_DAYS} AND is_reachable
            UNION ALL
            SELECT 2, 'soon', count(*), sum(amount_minor)::BIGINT
            FROM {late} WHERE overdue_minor = 0 AND due_days <= {SOON_DAYS}
            UNION ALL
            SELECT 3, 'half', count(*), sum(owes)::BIGINT FROM ranked WHERE before < total / 2
            UNION ALL
            SELECT 4, 'unreachable', count(*), sum(amount_minor)::BIGINT FROM {late} WHERE NOT is_reachable
        )
        SELECT chance, accounts, coalesce(amount_minor, 0)::BIGINT AS amount_minor FROM chances
        WHERE accounts > 0 ORDER BY place
        """,
    )


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

"""Numbers that are equal but for leading zeros, or for what a spreadsheet does to a number."""

from __future__ import annotations

from typing import Final

from .workspace import Relation, Workspace

_EXACT_FIGURES: Final = 15  # a spreadsheet keeps so many of a number, and shows the others as zeros
_MOST_FIGURES: Final = 38  # more are no number to DuckDB
_COLUMNS: Final = "number VARCHAR, known VARCHAR, known_last VARCHAR, other VARCHAR, spelled VARCHAR"


def find_alike(duck: Workspace, name: str, *, new: str, known: str) -> Relation:
    """Return which new numbers are like known ones, or like other new ones.

    Both are queries of `number`; no new one is known. Columns: number; known and known_last, the first and the last of
    the known ones that it is like; other, a new one that only zeros tell from it; spelled, how to write it where that
    is sure: as the only known one, without any as the new ones that are like it are written with most zeros.
    """
    numbers = f"SELECT number, true FROM ({new}) UNION ALL SELECT number, false FROM ({known})"
    parts = f"SELECT number, is_new, rtrim(number, '0123456789') AS head FROM ({numbers}) AS numbers (number, is_new)"
    heads = _find_heads(duck, f"{name}_heads", parts)
    if not duck.count(heads):
        duck.drop(heads)
        return duck.create_empty(name, _COLUMNS)
    forms = _write_forms(duck, f"{name}_forms", parts, heads=heads)
    shared = duck.create(
        f"{name}_shared", f"SELECT form FROM {forms} GROUP BY form HAVING count(*) > 1 AND bool_or(is_new)"
    )
    # What one form has in common is told by its first and last: pairs would grow with the square.
    alike = duck.create(
        name,
        f"""
        WITH candidates AS (SELECT * FROM {forms} SEMI JOIN {shared} USING (form)), groups AS (
            SELECT
                form,
                is_bare,
                min(number) FILTER (NOT is_new) AS known,
                max(number) FILTER (NOT is_new) AS known_last,
                min(number) FILTER (is_new AND is_bare) AS new_first,
                max(number) FILTER (is_new AND is_bare) AS new_last,
                last(number ORDER BY length(number), number) FILTER (is_new AND is_bare) AS widest
            FROM candidates GROUP BY form, is_bare
        ), likenesses AS (
            SELECT
                number,
                candidates.is_bare,
                groups.known,
                groups.known_last,
                nullif(CASE WHEN new_first = number THEN new_last ELSE new_first END, number) AS other,
                widest
            FROM candidates JOIN groups USING (form)
            -- Rounding may make the same of two numbers that are whole, so one of them must be rounded already.
            WHERE is_new AND (candidates.is_bare OR groups.is_bare)
        )
        SELECT
            number,
            min(known) AS known,
            max(known_last) AS known_last,
            min(other) FILTER (is_bare) AS other,
            CASE
                WHEN min(known) IS NULL THEN min(widest) FILTER (is_bare)
                WHEN min(known) = max(known_last) THEN min(known)
            END AS spelled
        FROM likenesses GROUP BY number HAVING min(known) IS NOT NULL OR min(other) FILTER (is_bare) IS NOT NULL
        """,
    )
    duck.drop(forms)
    duck.drop(shared)
    return alike


def _write_forms(duck: Workspace, name: str, parts: str, *, heads: Relation) -> Relation:
    """Return what the spellings of each number have in common: number, is_new, form, is_bare; `heads` is dropped.

    The bare form has no leading zeros, at the beginning or behind the mark of a series (F001-0627 is F1-627), no
    capitals told apart and no «.0» at its end. The others are what a spreadsheet makes of the number. Numbers that
    can be like no other are left out.
    """
    tail = "substr(number, length(head) + 1)"
    figures = f"CASE WHEN {tail} = '' THEN '' ELSE coalesce(nullif(ltrim({tail}, '0'), ''), '0') END"
    forms = duck.create(
        name,
        f"""
        SELECT
            number,
            is_new,
            CASE WHEN is_decimal AND {figures} = '0' THEN rtrim(form, '.') ELSE form || {figures} END AS form,
            true AS is_bare
        FROM ({parts}) JOIN {heads} USING (head)
        """,
    )
    duck.drop(heads)
    kept = f"left(form, {_EXACT_FIGURES})"
    duck.execute(
        f"""
        INSERT INTO {forms}
        WITH long AS (
            SELECT *, length(form)::INTEGER AS width FROM {forms}
            WHERE length(form) BETWEEN {_EXACT_FIGURES + 1} AND {_MOST_FIGURES} AND NOT regexp_matches(form, '[^0-9]')
        ), made AS (
            SELECT number, is_new, rpad({kept}, width, '0') AS form FROM long
            UNION ALL
            SELECT number, is_new, rpad(({kept}::BIGINT + 1)::VARCHAR, width, '0')
            FROM long WHERE substr(form, {_EXACT_FIGURES + 1}, 1) >= '5'
            UNION ALL
            -- 12E3 is a number to a spreadsheet: 12000.
            SELECT number, is_new, TRY_CAST(TRY_CAST(form AS DOUBLE) AS HUGEINT)::VARCHAR FROM {forms}
            WHERE contains(form, 'E') AND regexp_full_match(form, '[0-9]+E[0-9]{{1,2}}')
        )
        SELECT number, is_new, form, false FROM made WHERE form IS NOT NULL
        """
    )
    return forms


def _find_heads(duck: Workspace, name: str, parts: str) -> Relation:
    """Return what stands before the last figures of the numbers that may be like others: head, form, is_decimal.

    Heads are few where numbers are many, and numbers of one head and one length are never alike: that spares them the
    patterns, which are slow.
    """
    return duck.create(
        name,
        rf"""
        WITH heads AS (
            SELECT
                head,
                min(length(number)) AS shortest,
                max(length(number)) AS longest,
                bool_or(NOT is_new) AS has_known
            FROM ({parts}) GROUP BY head
        ), described AS (
            SELECT
                *,
                regexp_replace(upper(head), '(^|[^0-9])0+([0-9])', '\1\2', 'g') AS form,
                regexp_full_match(head, '[0-9]+\.') AS is_decimal,
                regexp_full_match(head, '[0-9]+[.Ee]') AS is_number
            FROM heads
        ), shared AS (
            SELECT form FROM described GROUP BY form HAVING count(*) > 1 OR min(shortest) < max(longest)
        )
        SELECT head, form, is_decimal FROM described
        WHERE is_number OR form IN (FROM shared)
            OR head = '' AND longest > {_EXACT_FIGURES} AND (SELECT bool_or(has_known) FROM described)
            OR head = '' AND (SELECT bool_or(is_number) FROM described)
        """,
    )

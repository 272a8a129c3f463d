"""What each national id of a file proves, judged once for all its rows."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from recobra.intake.load_context import LoadContext
from recobra.tabular import identity, stand_ins
from recobra.tabular.sql_text import fold, literal
from recobra.tabular.workspace import Relation, Workspace

_LOST_ZEROS: Final = 2  # more are no document of anybody alive


def bare_sql(text: str) -> str:
    """Return SQL for a national id without blanks, points and dashes; NULL where nothing is left."""
    # Most ids need no cleaning, which is slow.
    return (
        f"CASE WHEN regexp_full_match({text}, '[0-9A-Z]+') THEN {text} "
        f"ELSE nullif(regexp_replace(upper({text}), '[^0-9A-ZÑ&]', '', 'g'), '') END"
    )


def whole_sql(context: LoadContext, text: str) -> str:
    """Return SQL for a bare national id; where zeros do not count, with those that it lost at its beginning.

    The widths are those of the country's documents that may begin with a zero.
    """
    bare = bare_sql(text)
    widths = identity.WIDTHS.get(context.portfolio.country, ())
    if context.document.options.id_zeros == "keep" or not widths:
        return bare
    cases = " ".join(
        f"WHEN length({bare}) BETWEEN {width - _LOST_ZEROS} AND {width - 1} THEN lpad({bare}, {width}, '0')"
        for width in widths
    )
    return f"CASE WHEN NOT regexp_full_match({bare}, '[0-9]+') THEN {bare} {cases} ELSE {bare} END"


def kind_sql(context: LoadContext, text: str) -> str:
    """Return SQL for the code of a stated kind of id, by the names that people of the country use; NULL: unknown."""
    names = identity.kind_names(context.portfolio.country)
    listed = ", ".join(f"{literal(name)}: {literal(code)}" for name, code in names.items())
    known = f"(MAP {{{listed}}})[regexp_replace({fold(text)}, '[^a-z0-9]', '', 'g')]"
    # Where no kind of the country is known, nobody can say that one is not.
    return known if context.portfolio.country in identity.KINDS else f"coalesce({known}, {text})"


def judge_ids(context: LoadContext, duck: Workspace, pairs: str) -> Relation:
    """Return what each distinct id proves: id_kind, id_value, verdict (see `identity.judge`).

    `pairs` is a query of id_kind and id_value. Patterns are tried in SQL, check digits by stdnum.
    """
    distinct = duck.create("distinct_ids", f"SELECT DISTINCT id_kind, id_value FROM ({pairs}) WHERE id_value <> ''")
    patterns = identity.pattern_kinds()
    country = context.portfolio.country
    fits = " ".join(
        f"WHEN id_kind = {literal(code)} THEN regexp_full_match(id_value, {literal(pattern)}) "
        "AND length(regexp_replace(id_value, '[^0-9]', '', 'g')) >= 4"
        for code, pattern in patterns.items()
    )
    by_pattern = ", ".join(literal(code) for code in patterns)
    judged = duck.create(
        "judged_ids",
        f"""
        SELECT
            id_kind,
            id_value,
            CASE
                WHEN regexp_full_match(id_value, {literal(stand_ins.pattern(country))}) THEN '{identity.STAND_IN}'
                WHEN CASE {fits} END THEN '{identity.PROOF}'
                ELSE '{identity.INVALID}'
            END AS verdict
        FROM {distinct} WHERE id_kind IN ({by_pattern})
        """,
    )
    others = duck.fetch_all(f"SELECT id_kind, id_value FROM {distinct} WHERE id_kind NOT IN ({by_pattern})")
    verdicts = [identity.judge(country, code, value) for code, value in others]
    duck.append_arrow(
        judged,
        pa.table(
            {
                "id_kind": pa.array([code for code, _value in others], pa.string()),
                "id_value": pa.array([value for _code, value in others], pa.string()),
                "verdict": pa.array(verdicts, pa.string()),
            }
        ),
    )
    duck.drop(distinct)
    return judged

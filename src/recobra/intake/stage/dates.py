"""Dates as people and spreadsheets write them, and the SQL that reads them; a 30 February is not a date."""

from __future__ import annotations

from typing import Final

import duckdb

from recobra.intake.refusals import LoadRefused

from .amounts import SAMPLE_ROWS, TOLERATED_SHARE

MONTH_FIRST_COUNTRIES: Final = ("US",)
UNUSUAL_SHARE: Final = 1 / 3  # so many dates must speak against a country's usual order; fewer are taken for errors
_PARTS: Final = r"^(\d{1,2})[/.\-](\d{1,2})[/.\-]\d{2,4}\b"
_FORMATS: Final = {
    "dmy": ("%d/%m/%Y", "%d/%m/%y", "%d%m%Y"),
    "mdy": ("%m/%d/%Y", "%m/%d/%y", "%m%d%Y"),
    "ymd": ("%d/%m/%Y", "%y/%m/%d", "%d%m%Y"),
}
_EXAMPLES: Final = {"dmy": "31/12/2026", "mdy": "12/31/2026", "ymd": "2026-12-31"}


def usual_order(country: str) -> str:
    """Return how dates are written where nothing in the file tells."""
    return "mdy" if country in MONTH_FIRST_COUNTRIES else "dmy"


def date_order(connection: duckdb.DuckDBPyConnection, text: str, *, country: str) -> str:
    """Return `dmy` or `mdy` for a column of `raw`, judged by days beyond 12. Raises LoadRefused."""
    for limit in (f" WHERE line <= {SAMPLE_ROWS}", ""):
        day_first, month_first, written, dmy, mdy = connection.execute(
            "SELECT count(*) FILTER (a > 12 AND b <= 12), count(*) FILTER (b > 12 AND a <= 12), count(*), "
            "min(v) FILTER (a > 12 AND b <= 12), min(v) FILTER (b > 12 AND a <= 12) FROM ("
            "SELECT v, TRY_CAST(regexp_extract(v, ?, 1) AS INT) AS a, TRY_CAST(regexp_extract(v, ?, 2) AS INT) AS b "
            f"FROM (SELECT {text} AS v FROM raw{limit})) WHERE a IS NOT NULL",
            [_PARTS, _PARTS],
        ).fetchall()[0]
        if day_first or month_first:
            if min(day_first, month_first) > TOLERATED_SHARE * (day_first + month_first):
                raise LoadRefused("mixed_dates", dmy=dmy, mdy=mdy)
            told = "dmy" if day_first > month_first else "mdy"
            usual = usual_order(country)
            return told if told == usual or month_first + day_first >= UNUSUAL_SHARE * written else usual
        if not written:
            break
    return usual_order(country)


def parsed(text: str, order: str) -> str:
    """Return SQL for the date in `text`, or NULL where there is none."""
    four, two, eight = _FORMATS[order]
    slashed = f"replace(replace({text}, '-', '/'), '.', '/')"
    head = f"split_part({slashed}, ' ', 1)"
    day = f"left({text}, 8)"
    return (
        f"(CASE WHEN {text} IS NULL THEN NULL "
        rf"WHEN regexp_matches({text}, '^\d{{4}}-\d{{2}}-\d{{2}}($|[T ])') THEN TRY_CAST(left({text}, 10) AS DATE) "
        rf"WHEN regexp_matches({text}, '^\d{{1,2}}[/.\-]\d{{1,2}}[/.\-]\d{{4}}( .*)?$') "
        f"THEN CAST(try_strptime({head}, '{four}') AS DATE) "
        rf"WHEN regexp_matches({text}, '^\d{{8}}(\.0*)?$') "
        f"THEN CAST(coalesce(CASE WHEN {text} BETWEEN '19' AND '22' THEN try_strptime({day}, '%Y%m%d') END, "
        f"try_strptime({day}, '{eight}')) AS DATE) "
        rf"WHEN regexp_matches({text}, '^[2-7]\d{{4}}(\.\d*)?$') "
        f"THEN DATE '1899-12-30' + CAST(left({text}, 5) AS INT) "
        rf"WHEN regexp_matches({text}, '^\d{{4}}[/.\-]\d{{1,2}}[/.\-]\d{{1,2}}([T ].*)?$') "
        f"THEN CAST(try_strptime({head}, '%Y/%m/%d') AS DATE) "
        rf"WHEN regexp_matches({text}, '^\d{{1,2}}[/.\-]\d{{1,2}}[/.\-]\d{{2}}( .*)?$') "
        f"THEN CAST(try_strptime({head}, '{two}') AS DATE) END)"
    )


def example(order: str) -> str:
    """Return a right date in this order, for messages."""
    return _EXAMPLES[order]

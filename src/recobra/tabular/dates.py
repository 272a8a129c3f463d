"""Dates in text: detection of the order of day and month, and the SQL that reads them; 30 February is no date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from recobra.tabular.refusals import FileRefused
from recobra.tabular.workspace import Relation, Workspace

from .amounts import SAMPLE_ROWS, TOLERATED_SHARE

MONTH_FIRST_COUNTRIES: Final = ("US",)
BOTH_ORDERS_COUNTRIES: Final = ("PA",)
"""Where people write the day first and programs the month (CLDR): what the file leaves open is asked."""
UNUSUAL_SHARE: Final = 1 / 3  # so many dates must speak against a country's usual order; fewer are taken for errors
SLIPS: Final = 3  # fewer dates of the other order are errors of their rows
_PARTS: Final = r"^(\d{1,2})[/.\-](\d{1,2})[/.\-]\d{2,4}\b"
_SHORT_YEAR: Final = r"^\d{2}[/.\-]\d{1,2}[/.\-](\d{2})\b"
# By order: with a year of four digits, with one of two, and as eight digits without separators.
_FORMATS: Final = {
    "dmy": ("%d/%m/%Y", "%d/%m/%y", "%d%m%Y"),
    "mdy": ("%m/%d/%Y", "%m/%d/%y", "%m%d%Y"),
    "ymd": ("%d/%m/%Y", "%y/%m/%d", "%d%m%Y"),
}
_EXAMPLES: Final = {"dmy": "31/12/2026", "mdy": "12/31/2026", "ymd": "2026-12-31"}


def usual_order(country: str) -> str:
    """Return the order in which a country writes day and month, for files that do not show it."""
    return "mdy" if country in MONTH_FIRST_COUNTRIES else "dmy"


def detect_order(duck: Workspace, raw: Relation, text: str, *, country: str, column: str) -> str:
    """Return `dmy` or `mdy` for a column (SQL text) of a file, judged by days beyond 12. Raises FileRefused."""
    # A sample usually proves it; the whole file is read only where the sample says nothing.
    for last_line in (SAMPLE_ROWS, None):
        evidence = _gather_evidence(duck, raw, text, last_line=last_line)
        if evidence.year_first:
            raise FileRefused("year_first", column=column, value=evidence.year_first)
        if evidence.proofs["dmy"] or evidence.proofs["mdy"]:
            return _choose_order(evidence, country, column)
        if not evidence.written:
            break
    if evidence.doubtful and country in BOTH_ORDERS_COUNTRIES:
        raise FileRefused("ambiguous_dates", column=column, value=evidence.doubtful)
    return usual_order(country)


@dataclass(frozen=True)
class _Evidence:
    """Counts of the dates with separators and of those that prove each order, with examples, also of a doubtful one.

    `year_first` is a date such as 26-10-01 where the year seems to come first, '' where none does.
    """

    written: int
    proofs: dict[str, int]
    examples: dict[str, str]
    doubtful: str
    year_first: str

    def has_weight(self, order: str) -> bool:
        """Return whether the dates of an order are too many to be slips of the pen."""
        return self.proofs[order] >= SLIPS and self.proofs[order] > TOLERATED_SHARE * self.written


def _gather_evidence(duck: Workspace, raw: Relation, text: str, *, last_line: int | None) -> _Evidence:
    """Return what the dates of one column, up to a line or to the end, say about the order of day and month.

    `text` is SQL for the column's text. A number above 12 cannot be a month, so it shows which part is the day.
    """
    rows = raw if last_line is None else f"{raw} WHERE line <= {last_line}"
    (
        written,
        day_first_count,
        month_first_count,
        day_first_example,
        month_first_example,
        doubtful,
        year_first,
    ) = duck.fetch_row(
        f"""
        WITH texts AS (
            SELECT {text} AS written FROM {rows}
        ), parts AS (
            SELECT
                written,
                TRY_CAST(regexp_extract(written, ?, 1) AS INT) AS first_part,
                TRY_CAST(regexp_extract(written, ?, 2) AS INT) AS second_part,
                TRY_CAST(regexp_extract(written, ?, 1) AS INT) AS short_year
            FROM texts
        )
        SELECT
            count(*),
            count(*) FILTER (WHERE first_part > 12 AND second_part <= 12),
            count(*) FILTER (WHERE second_part > 12 AND first_part <= 12),
            min(written) FILTER (WHERE first_part > 12 AND second_part <= 12),
            min(written) FILTER (WHERE second_part > 12 AND first_part <= 12),
            min(written) FILTER (WHERE first_part <= 12 AND second_part <= 12 AND first_part <> second_part),
            -- Years are few and recent, days are many.
            CASE
                WHEN count(short_year) >= {SLIPS} AND max(short_year) <= 31
                    AND min(first_part) FILTER (WHERE short_year > 0) >= 20
                    AND 2 * count(DISTINCT first_part) FILTER (WHERE short_year > 0) <= count(DISTINCT short_year)
                THEN min(written) FILTER (WHERE short_year > 0)
            END
        FROM parts
        -- Dates with separators only: the others tell their order by their form.
        WHERE first_part IS NOT NULL
        """,
        [_PARTS, _PARTS, _SHORT_YEAR],
    )
    return _Evidence(
        written=written,
        proofs={"dmy": day_first_count, "mdy": month_first_count},
        examples={"dmy": day_first_example, "mdy": month_first_example},
        doubtful=doubtful or "",
        year_first=year_first or "",
    )


def _choose_order(evidence: _Evidence, country: str, column: str) -> str:
    """Return the order that the evidence shows. Raises FileRefused where it would be a guess for the other dates."""
    proofs = evidence.proofs
    proven = sum(proofs.values())
    if proofs["dmy"] > proofs["mdy"]:
        likely, other = "dmy", "mdy"
    else:
        likely, other = "mdy", "dmy"
    if evidence.has_weight(other) or proofs[other] >= UNUSUAL_SHARE * proven:
        raise FileRefused("mixed_dates", column=column, **evidence.examples)
    usual = usual_order(country)
    is_open = country in BOTH_ORDERS_COUNTRIES
    if (likely == usual and not is_open) or proven >= UNUSUAL_SHARE * evidence.written:
        return likely
    # Only a few dates speak against the country's usual order: errors of their rows, unless they are too many for that.
    if evidence.doubtful and (is_open or evidence.has_weight(likely)):
        raise FileRefused("unclear_dates", column=column, told=evidence.examples[likely], value=evidence.doubtful)
    return usual


def date_sql(text: str, order: str) -> str:
    """Return SQL for the date in `text`, or NULL where there is none; `written_days.rewrite_days` comes before it.

    `order` decides only where the text leaves it open: `2026-12-31` and day numbers of Excel need none.
    """
    four_digit_year, two_digit_year, eight_digits = _FORMATS[order]
    slashed = f"replace(replace({text}, '-', '/'), '.', '/')"
    head = f"split_part({slashed}, ' ', 1)"
    day = f"left({text}, 8)"
    return (
        f"(CASE WHEN {text} IS NULL THEN NULL "
        rf"WHEN regexp_matches({text}, '^\d{{4}}-\d{{2}}-\d{{2}}($|[T ])') THEN TRY_CAST(left({text}, 10) AS DATE) "
        rf"WHEN regexp_matches({text}, '^\d{{1,2}}[/.\-]\d{{1,2}}[/.\-]\d{{4}}( .*)?$') "
        f"THEN CAST(try_strptime({head}, '{four_digit_year}') AS DATE) "
        rf"WHEN regexp_matches({text}, '^\d{{8}}(\.0*)?$') "
        f"THEN CAST(coalesce(CASE WHEN {text} BETWEEN '19' AND '22' THEN try_strptime({day}, '%Y%m%d') END, "
        f"try_strptime({day}, '{eight_digits}')) AS DATE) "
        rf"WHEN regexp_matches({text}, '^[2-7]\d{{4}}([.,]\d*)?$') "
        # Five digits are a day number of Excel, which counts from the end of 1899.
        f"THEN DATE '1899-12-30' + CAST(left({text}, 5) AS INT) "
        rf"WHEN regexp_matches({text}, '^\d{{4}}[/.\-]\d{{1,2}}[/.\-]\d{{1,2}}([T ].*)?$') "
        f"THEN CAST(try_strptime({head}, '%Y/%m/%d') AS DATE) "
        rf"WHEN regexp_matches({text}, '^\d{{1,2}}[/.\-]\d{{1,2}}[/.\-]\d{{2}}( .*)?$') "
        f"THEN CAST(try_strptime({head}, '{two_digit_year}') AS DATE) END)"
    )


def example_date(order: str) -> str:
    """Return a date in this order, for messages."""
    return _EXAMPLES[order]

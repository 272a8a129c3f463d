"""Amounts in text: detection of the decimal mark, and the SQL that reads them exactly.

Digits, one decimal mark, thousands marks, a currency sign, a minus or parentheses; a dash alone is zero. What `1.234`
means is decided by the other amounts of the file; a currency without decimals decides it too. Where nothing decides,
the file is refused: an error of a thousand times is worse than a question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from recobra.tabular.refusals import FileRefused
from recobra.tabular.workspace import Relation, Workspace
from recobra_core.money import EXPONENTS

SAMPLE_ROWS: Final = 20_000
TOLERATED_SHARE: Final = 0.02  # of values written the other way, taken for errors of their rows
# What proves that the comma is the decimal mark; the same for the point; and what either mark could have written.
_PROVES_COMMA: Final = (
    r"(\.\d{3},\d+"  # 1.234,5
    r"|\d,\d{1,2}"  # 12,50
    r"|,\d{4,}"  # 12,5000
    r"|^\D*\d{1,3}(\.\d{3}){2,}"  # 1.234.567
    r"|^\D*0+,\d+"  # 0,125
    r"|^\D*\d{4,},\d+"  # 1234,125
    r")[^\d.,]*$"
)
_PROVES_POINT: Final = (
    r"(,\d{3}\.\d+"  # 1,234.5
    r"|\d\.\d{1,2}"  # 12.50
    r"|\.\d{4,}"  # 12.5000
    r"|^\D*\d{1,3}(,\d{3}){2,}"  # 1,234,567
    r"|^\D*0+\.\d+"  # 0.125
    r"|^\D*\d{4,}\.\d+"  # 1234.125
    r")[^\d.,]*$"
)
_AMBIGUOUS: Final = r"^\D*[1-9]\d{0,2}[.,]\d{3}[^\d.,]*$"  # 1.234 or 1,234
# Marks and codes of currencies, and a star that leads to a note.
_SIGNS: Final = (
    r"(?i)\bU\$[SD]|\$US\b|\b(US|R|RD|C|MX)\$|[$€£¥₡₲¢₱*]|\bS/\.?|\bB/\.?|\bBs\.?|\bGs\.?|\b[A-Z]{3}\b|\bQ|\bL"
)
# RE2 knows the blanks of ASCII alone; thousands are parted by others too, and by apostrophes.
_BLANKS: Final = r"\s\x{A0}\x{1680}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}"
_GAPS: Final = rf"[{_BLANKS}'´’‘`]"
_SPACED: Final = rf"[(+-]*\d{{1,3}}({_GAPS}\d{{3}})+([.,]\d+)?[)-]*"
_MINUS_SIGNS: Final = r"[\x{2010}-\x{2015}\x{2212}\x{FE63}\x{FF0D}]"
_NO_CENTS: Final = r"(\d)[.,][-=]{1,2}\s*$"  # «1.234.-» in Chile, Bolivia and elsewhere: nothing behind the mark
_NOTE: Final = r"\([^()]*[A-Za-z]{2}[^()]*\)\s*$"  # a remark behind the number, such as «(parcial)»
_NOTHING: Final = r"\(?-{1,3}\)?"  # how spreadsheets for accounts show zero
# Currency marks that belong to one currency only; a bare «$» belongs to many.
_CURRENCY_MARKS: Final = (
    (r"\bUS\$|\bU\$[SD]|\$US\b", "USD"),
    (r"\bR\$", "BRL"),
    (r"\bRD\$", "DOP"),
    (r"\bMX\$", "MXN"),
    (r"\bC\$", "NIO"),
    ("€", "EUR"),
    ("£", "GBP"),
    ("₡", "CRC"),
    (r"₲|\bGS\b", "PYG"),
    (r"\bS/", "PEN"),
    (r"\bB/", "PAB"),
)
CURRENCY_SIGNS: Final = "€£¥₡₲¢₱"
"""Marks of currencies that are no letters."""
# By decimal mark: a number without thousands marks, and one with them.
_SHAPES: Final = {
    "point": (r"-?\d+(\.\d+)?|-?\.\d+", r"-?\d{1,3}(,\d{3})+(\.\d+)?"),
    "comma": (r"-?\d+(,\d+)?|-?,\d+", r"-?\d{1,3}(\.\d{3})+(,\d+)?"),
}
# A number with a fraction as the readers of typed sources write it, except what 1.234 may mean.
_OWN_NUMBER: Final = r"-?(0\.\d+|\d{4,}\.\d+|\d+\.\d{1,2}|\d+\.\d{4,})"


@dataclass(frozen=True)
class _Evidence:
    """Counts of the amounts in a column that prove each mark, and of ambiguous ones, with an example of each.

    An example is empty where its count is zero.
    """

    comma_count: int
    point_count: int
    ambiguous_count: int
    comma_example: str
    point_example: str
    ambiguous_example: str


def detect_decimal_mark(
    duck: Workspace, raw: Relation, columns: Sequence[tuple[str, str]], *, decimals: int, is_typed: bool
) -> str:
    """Return `comma` or `point` for the amount columns (label, SQL text) of a file. Raises FileRefused.

    `is_typed`: the source has numbers of its own, which are always written with a point.
    """
    # A sample usually proves it; the whole file is read only where the sample says nothing.
    for last_line in (SAMPLE_ROWS, None):
        evidence = [_gather_evidence(duck, raw, text, last_line=last_line) for _label, text in columns]
        if any(column.comma_count or column.point_count for column in evidence):
            return _choose_mark(evidence)
    if is_typed:
        return "point"
    for (label, _text), column in zip(columns, evidence, strict=True):
        if not column.ambiguous_count:
            continue
        # A currency without decimals has no decimal mark, so the mark in the amount groups thousands.
        if decimals == 0:
            return "comma" if "." in column.ambiguous_example else "point"
        raise FileRefused("ambiguous_decimal", column=label, value=column.ambiguous_example)
    return "point"


def _gather_evidence(duck: Workspace, raw: Relation, text: str, *, last_line: int | None) -> _Evidence:
    """Return what the amounts of one column, up to a line or to the end, say about the decimal mark.

    `text` is SQL for the column's text.
    """
    rows = raw if last_line is None else f"{raw} WHERE line <= {last_line}"
    (
        comma_count,
        point_count,
        ambiguous_count,
        comma_example,
        point_example,
        ambiguous_example,
    ) = duck.fetch_row(
        f"""
        WITH amounts AS (
            SELECT regexp_replace({text}, '{_NO_CENTS}', '\\1') AS amount FROM {rows}
        ), judged AS (
            SELECT
                amount,
                regexp_matches(amount, ?) AS proves_comma,
                regexp_matches(amount, ?) AS proves_point,
                regexp_matches(amount, ?) AS is_ambiguous
            FROM amounts
            -- Amounts without any mark prove nothing.
            WHERE contains(amount, ',') OR contains(amount, '.')
        )
        SELECT
            count(*) FILTER (WHERE proves_comma),
            count(*) FILTER (WHERE proves_point),
            count(*) FILTER (WHERE is_ambiguous),
            min(amount) FILTER (WHERE proves_comma),
            min(amount) FILTER (WHERE proves_point),
            min(amount) FILTER (WHERE is_ambiguous)
        FROM judged
        """,
        [_PROVES_COMMA, _PROVES_POINT, _AMBIGUOUS],
    )
    return _Evidence(
        comma_count=comma_count,
        point_count=point_count,
        ambiguous_count=ambiguous_count,
        comma_example=comma_example or "",
        point_example=point_example or "",
        ambiguous_example=ambiguous_example or "",
    )


def _choose_mark(columns: Sequence[_Evidence]) -> str:
    """Return the mark that most amounts of the file prove. Raises FileRefused where too many prove the other."""
    comma_count = sum(column.comma_count for column in columns)
    point_count = sum(column.point_count for column in columns)
    # A few amounts of the other kind are errors of their rows; more mean that nobody can tell.
    if min(comma_count, point_count) > TOLERATED_SHARE * (comma_count + point_count):
        raise FileRefused(
            "mixed_decimal",
            comma=next(column.comma_example for column in columns if column.comma_count),
            point=next(column.point_example for column in columns if column.point_count),
        )
    return "comma" if comma_count > point_count else "point"


def number_sql(text: str, mark: str, *, is_typed: bool) -> str:
    """Return SQL for a number as text such as `-1234.56`, NULL where `text` is no number with this decimal mark.

    Currency signs are dropped, and blanks and apostrophes that part thousands. Parentheses or a final minus make a
    negative number: with a comma as the mark, `(US$ 1.234,50)` becomes `-1234.50`; a dash alone is zero. `is_typed`:
    the source's own numbers, such as 150.75, are taken with any mark; 1.234 alone, which may as well be a text whose
    point groups thousands, is read by the mark.
    """
    simple, grouped = _SHAPES[mark]
    if mark == "comma":
        plain_text = f"replace({text}, ',', '.')"
        plain_signed = "replace(signed, ',', '.')"
        ungrouped = "replace(replace(signed, '.', ''), ',', '.')"
    else:
        plain_text = text
        plain_signed = "signed"
        ungrouped = "replace(signed, ',', '')"
    own_number = f"WHEN regexp_full_match({text}, '{_OWN_NUMBER}') THEN {text} " if is_typed else ""
    signed = (
        "CASE WHEN bare LIKE '(%)' OR bare LIKE '%_-' "
        "THEN '-' || regexp_replace(bare, '[()-]', '', 'g') ELSE ltrim(bare, '+') END"
    )
    # A workbook's own number with the mark of its format.
    own_marked = f"WHEN regexp_full_match(signed, '{_OWN_NUMBER}') THEN signed " if is_typed else ""
    number = (
        f"CASE WHEN regexp_full_match(signed, '{simple}') THEN {plain_signed} {own_marked}"
        f"WHEN regexp_full_match(signed, '{grouped}') THEN {ungrouped} "
        f"WHEN regexp_full_match(signed, '{_NOTHING}') THEN '0' END"
    )
    # The bare text first: most amounts need no cleaning, which is slow.
    return (
        f"(CASE WHEN regexp_full_match({text}, '{simple}') THEN {plain_text} "
        f"WHEN {text} IS NULL THEN NULL {own_number}"
        f"ELSE {_let('bare', _bare_sql(text), _let('signed', signed, number))} END)"
    )


def _let(name: str, value: str, expression: str) -> str:
    """Return SQL for an expression in which a name stands for a value, so that the value stands in it once."""
    return f"list_transform([{value}], lambda {name}: {expression})[1]"


def _bare_sql(text: str) -> str:
    """Return SQL for an amount's figures and marks alone; blanks stay where they part anything but thousands."""
    gaps = _GAPS.replace("'", "''")
    spaced = _SPACED.replace("'", "''")
    dashed = f"regexp_replace(regexp_replace({text}, '{_MINUS_SIGNS}', '-', 'g'), '{_NOTE}', '')"
    unmarked = f"regexp_replace(regexp_replace({dashed}, '{_NO_CENTS}', '\\1'), '{_SIGNS}', '', 'g')"
    # A blank that stands beside no figure parts nothing.
    tight = (
        f"regexp_replace(regexp_replace({unmarked}, '(^|[^\\d])[{_BLANKS}]+', '\\1', 'g'), "
        f"'[{_BLANKS}]+([^\\d]|$)', '\\1', 'g')"
    )
    joined = (
        f"CASE WHEN regexp_full_match(tight, '{spaced}') THEN regexp_replace(tight, '{gaps}', '', 'g') ELSE tight END"
    )
    return _let("tight", tight, joined)


def currency_sql(text: str) -> str:
    """Return SQL for the currency that an amount's own text names (`US$ 10`, `10 USD`), '' where it names none."""
    cases = " ".join(f"WHEN regexp_matches(upper({text}), '{mark}') THEN '{code}'" for mark, code in _CURRENCY_MARKS)
    codes = "|".join(EXPONENTS)
    return f"(CASE {cases} ELSE regexp_extract(upper({text}), '\\b({codes})\\b') END)"


def example_amount(mark: str) -> str:
    """Return an amount with this decimal mark, for messages."""
    return "1.234,56" if mark == "comma" else "1,234.56"

"""Amounts in text: detection of the decimal mark, and the SQL that reads them exactly.

Digits, one decimal mark, thousands marks, a currency sign, a minus or parentheses. What `1.234` means is decided by
the other amounts of the file; a currency without decimals decides it too. Where nothing decides, the file is refused:
an error of a thousand times is worse than a question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from recobra.intake.refusals import LoadRefused
from recobra.intake.workspace import Relation, Workspace
from recobra_core.money.currencies import EXPONENTS

SAMPLE_ROWS: Final = 20_000
TOLERATED_SHARE: Final = 0.02
ABSURD: Final = 10**13
_COMMA: Final = r"(\.\d{3},\d+|\d,\d{1,2}|,\d{4,}|^\D*\d{1,3}(\.\d{3}){2,}|^\D*0+,\d+|^\D*\d{4,},\d+)[^\d.,]*$"
_POINT: Final = r"(,\d{3}\.\d+|\d\.\d{1,2}|\.\d{4,}|^\D*\d{1,3}(,\d{3}){2,}|^\D*0+\.\d+|^\D*\d{4,}\.\d+)[^\d.,]*$"
_EITHER: Final = r"^\D*[1-9]\d{0,2}[.,]\d{3}[^\d.,]*$"
_SIGNS: Final = r"(?i)[\s'´’$€£₡₲¢]|\b(US|R|RD|C|MX)\$|\bS/\.?|\bB/\.?|\bBs\.?|\bGs\.?|\b[A-Z]{3}\b|\bQ|\bL"
_MARKS: Final = (
    (r"\bUS\$", "USD"),
    (r"\bR\$", "BRL"),
    (r"\bRD\$", "DOP"),
    (r"\bMX\$", "MXN"),
    ("€", "EUR"),
    (r"\bS/", "PEN"),
)
_SHAPES: Final = {
    "point": (r"-?\d+(\.\d+)?|-?\.\d+", r"-?\d{1,3}(,\d{3})+(\.\d+)?"),
    "comma": (r"-?\d+(,\d+)?|-?,\d+", r"-?\d{1,3}(\.\d{3})+(,\d+)?"),
}


@dataclass(frozen=True)
class _Evidence:
    """Counts of the amounts that prove each mark and of those that could be either, with an example of each."""

    comma: int
    point: int
    either: int
    comma_value: str
    point_value: str
    either_value: str


def detect_decimal_mark(
    duck: Workspace, raw: Relation, columns: Sequence[tuple[str, str]], *, decimals: int, is_typed: bool
) -> str:
    """Return `comma` or `point` for the amount columns (label, SQL text) of a file. Raises LoadRefused.

    `is_typed`: the source has numbers of its own, which are always written with a point.
    """
    # A sample usually proves it; the whole file is read only where the sample says nothing.
    for limit in (f" WHERE line <= {SAMPLE_ROWS}", ""):
        by_column = [(label, _gather_evidence(duck, raw, text, limit)) for label, text in columns]
        comma = sum(evidence.comma for _label, evidence in by_column)
        point = sum(evidence.point for _label, evidence in by_column)
        if comma or point:
            return _choose_mark([evidence for _label, evidence in by_column], comma, point)
    doubtful = [(label, evidence.either_value) for label, evidence in by_column if evidence.either]
    if not doubtful or is_typed:
        return "point"
    # A currency without decimals has no decimal mark, so the mark in the amount groups thousands.
    if decimals == 0:
        return "comma" if "." in doubtful[0][1] else "point"
    raise LoadRefused("ambiguous_decimal", column=doubtful[0][0], value=doubtful[0][1])


def _gather_evidence(duck: Workspace, raw: Relation, text: str, limit: str) -> _Evidence:
    row = duck.fetch_row(
        "SELECT count(*) FILTER (comma), count(*) FILTER (point), count(*) FILTER (either), min(v) "
        "FILTER (comma), min(v) FILTER (point), "
        "min(v) FILTER (either) FROM (SELECT v, regexp_matches(v, ?) AS comma, regexp_matches(v, ?) AS point, "
        f"regexp_matches(v, ?) AS either FROM (SELECT {text} AS v FROM {raw}{limit}) "
        "WHERE contains(v, ',') OR contains(v, '.'))",
        [_COMMA, _POINT, _EITHER],
    )
    return _Evidence(*row)


def _choose_mark(columns: list[_Evidence], comma: int, point: int) -> str:
    # A few amounts of the other kind are errors of their rows; more mean that nobody can tell.
    if min(comma, point) > TOLERATED_SHARE * (comma + point):
        raise LoadRefused(
            "mixed_decimal",
            comma=next(evidence.comma_value for evidence in columns if evidence.comma),
            point=next(evidence.point_value for evidence in columns if evidence.point),
        )
    return "comma" if comma > point else "point"


def number_sql(text: str, mark: str) -> str:
    """Return SQL for a number as text such as `-1234.56`, NULL where `text` is no number with this decimal mark."""
    simple, grouped = _SHAPES[mark]
    stripped = f"regexp_replace({text}, '{_SIGNS.replace(chr(39), chr(39) * 2)}', '', 'g')"
    signed = (
        f"(CASE WHEN {text} LIKE '%(%)%' OR {text} LIKE '%-' "
        f"THEN '-' || regexp_replace({stripped}, '[()-]', '', 'g') ELSE {stripped} END)"
    )
    decimal = "replace({}, ',', '.')" if mark == "comma" else "{}"
    ungrouped = "replace(replace({}, '.', ''), ',', '.')" if mark == "comma" else "replace({}, ',', '')"
    return (
        f"(CASE WHEN regexp_full_match({text}, '{simple}') THEN {decimal.format(text)} "
        f"WHEN {text} IS NULL THEN NULL "
        f"WHEN regexp_full_match({signed}, '{simple}') THEN {decimal.format(signed)} "
        f"WHEN regexp_full_match({signed}, '{grouped}') THEN {ungrouped.format(signed)} END)"
    )


def currency_sql(text: str) -> str:
    """Return SQL for the currency that an amount's own text names (`US$ 10`, `10 USD`), '' where it names none."""
    named = " ".join(f"WHEN regexp_matches(upper({text}), '{mark}') THEN '{code}'" for mark, code in _MARKS)
    return f"(CASE {named} ELSE regexp_extract(upper({text}), '\\b({'|'.join(EXPONENTS)})\\b') END)"


def example_amount(mark: str) -> str:
    """Return an amount with this decimal mark, for messages."""
    return "1.234,56" if mark == "comma" else "1,234.56"

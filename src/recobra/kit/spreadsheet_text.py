"""Text that goes to spreadsheets, which run as a formula whatever begins like one."""

from __future__ import annotations

import re

# Blanks and invisible signs before it do not keep a spreadsheet from running it, nor do full-width forms of the signs.
_FORMULA = re.compile("[\\s\u200b\u2060\ufeff]*[=@+\\-＝＠＋－]|[\\t\\r\\n]")
_SIGNED_FIGURES = re.compile(r"[+-][\d\s().,/-]*")


def escape_formula(text: str, *, keep_figures: bool = False) -> str:
    """Return a cell that no spreadsheet runs: an apostrophe comes before =, +, -, @, a tab or a line end.

    With `keep_figures` a sign before figures alone stays, such as that of a telephone number or of an amount: for files
    that are mended and read again.
    """
    if not _FORMULA.match(text) or (keep_figures and _SIGNED_FIGURES.fullmatch(text)):
        return text
    return f"'{text}"

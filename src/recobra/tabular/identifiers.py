"""Numbers by which something is known, such as an account's: text, of which no figure may be missing."""

from __future__ import annotations

import re
from typing import Final

# Spreadsheets write the plus; programs leave it out, and then only a decimal mark tells «4.5E12» from a code.
_SCIENTIFIC: Final = r"[+-]?\d+([.,]\d+)?[Ee]\+\d+|[+-]?\d[.,]\d+[Ee]\d{1,3}"


def is_scientific(text: str) -> bool:
    """Return whether a spreadsheet rounded a number: of «1,91431E+15» nobody knows the last ten figures."""
    return re.fullmatch(_SCIENTIFIC, text) is not None


def scientific_sql(text: str) -> str:
    """Return SQL for `is_scientific` of a text."""
    # A search for the signs spares nearly all texts the pattern.
    has_letter = f"(contains({text}, 'E') OR contains({text}, 'e'))"
    has_mark = f"(contains({text}, '+') OR contains({text}, '.') OR contains({text}, ','))"
    return f"({has_letter} AND {has_mark} AND regexp_full_match({text}, '{_SCIENTIFIC}'))"

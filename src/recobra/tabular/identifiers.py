"""Numbers by which something is known, such as an account's: text, of which no figure may be missing."""

from __future__ import annotations

import re
from typing import Final

_SCIENTIFIC: Final = r"[+-]?\d+([.,]\d+)?[Ee]\+\d+"


def is_scientific(text: str) -> bool:
    """Return whether a spreadsheet rounded a number: of «1,91431E+15» nobody knows the last ten figures."""
    return re.fullmatch(_SCIENTIFIC, text) is not None


def scientific_sql(text: str) -> str:
    """Return SQL for `is_scientific` of a text."""
    # A search for two signs spares nearly all texts the pattern.
    may_be = f"(contains({text}, 'E+') OR contains({text}, 'e+'))"
    return f"{may_be} AND regexp_full_match({text}, '{_SCIENTIFIC}')"

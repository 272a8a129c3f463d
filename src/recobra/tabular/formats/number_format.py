"""What a number format of a workbook shows beside a number: leading zeros, and the mark of a currency.

1234 under «00000000» is read as 00001234, and 100 under «[$US$-409] #,##0.00» as US$ 100.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from recobra_core.money import EXPONENTS

_LONGEST_FORMAT: Final = 255
_SIGN: Final = re.compile(r'"([^"]*)"|\\(.)|_(.)|\[[^\]]*\]|(.)')
_MARK: Final = re.compile(r'\[\$([^\]-]*)[^\]]*\]|"([^"]*)"')
# Marks of one currency or a few; a bare «$» says nothing that the portfolio does not know.
_MARKS: Final = frozenset(
    {"US$", "U$S", "USD$", "R$", "RD$", "MX$", "C$", "S/", "S/.", "B/.", "B/", "€", "£", "₡", "₲", "GS.", "GS"}
)


class NumberFormat(NamedTuple):
    """A format: the signs of one that shows zeros, empty for others, and the mark of its currency, '' for none.

    Of the signs «0» stands for a figure, anything else for its last character.
    """

    zeros: tuple[str, ...] = ()
    currency: str = ""

    def write(self, number: float, text: str) -> str:
        """Return what a person sees of a number; `text` is the number without a format."""
        if self.zeros and number >= 0 and number == int(number):
            return _write_zeros(int(number), self.zeros)
        return f"{self.currency} {text}" if self.currency else text


PLAIN: Final = NumberFormat()


def read_format(code: str) -> NumberFormat:
    """Return what a format shows beside the number."""
    code = code[:_LONGEST_FORMAT]
    currency = ""
    for match in _MARK.finditer(code.partition(";")[0]):
        mark = (match[1] or match[2] or "").strip().upper()
        if mark in _MARKS or mark in EXPONENTS:
            currency = mark
    return NumberFormat(_read_zeros(code), currency)


def _read_zeros(code: str) -> tuple[str, ...]:
    """Return the signs of a format with figures that are always shown and signs between them, as «0000-0000»."""
    signs: list[str] = []
    for match in _SIGN.finditer(code):
        quoted, escaped, blank, plain = match.groups()
        if plain == ";":  # what follows is for negative numbers
            break
        if plain is not None and plain not in "0- /()":
            return ()
        literal = quoted or escaped or (" " if blank else "")
        # A figure that the format writes itself stands for itself.
        signs += [f"\\{sign}" for sign in literal] if literal else [plain] if plain else []
    return tuple(signs) if signs.count("0") > 1 else ()


def _write_zeros(number: int, signs: tuple[str, ...]) -> str:
    """Return a number by the signs of a format; figures beyond the format's come before its first one."""
    figures = list(str(number).zfill(signs.count("0")))
    shown = [figures.pop() if sign == "0" else sign[-1] for sign in reversed(signs)][::-1]
    first = signs.index("0")
    return "".join([*shown[:first], *figures, *shown[first:]]).strip()

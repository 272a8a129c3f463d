"""Spanish number words, from one to millions."""

from __future__ import annotations

from typing import Final

_SMALL: Final = {
    name: value
    for value, names in {
        1: "un uno una primero primera",
        2: "dos",
        3: "tres",
        4: "cuatro",
        5: "cinco",
        6: "seis",
        7: "siete",
        8: "ocho",
        9: "nueve",
        10: "diez",
        11: "once",
        12: "doce",
        13: "trece",
        14: "catorce",
        15: "quince",
        16: "dieciseis",
        17: "diecisiete",
        18: "dieciocho",
        19: "diecinueve",
        20: "veinte",
        21: "veintiuno veintiun",
        22: "veintidos",
        23: "veintitres",
        24: "veinticuatro",
        25: "veinticinco",
        26: "veintiseis",
        27: "veintisiete",
        28: "veintiocho",
        29: "veintinueve",
        30: "treinta",
        40: "cuarenta",
        50: "cincuenta",
        60: "sesenta",
        70: "setenta",
        80: "ochenta",
        90: "noventa",
        100: "cien ciento",
        200: "doscientos doscientas",
        300: "trescientos trescientas",
        400: "cuatrocientos cuatrocientas",
        500: "quinientos quinientas",
        600: "seiscientos seiscientas",
        700: "setecientos setecientas",
        800: "ochocientos ochocientas",
        900: "novecientos novecientas",
    }.items()
    for name in names.split()
}
_LARGE: Final = {"mil": 1_000, "millon": 1_000_000, "millones": 1_000_000}
PATTERN: Final = "|".join(sorted((*_SMALL, *_LARGE), key=len, reverse=True))
"""A pattern of any number word, longer ones first."""


def parse_number(words: list[str]) -> int | None:
    """Return the number that words in the plain form say («mil quinientos» is 1500); None when they say none."""
    # `total` is what «mil» and «millones» have closed so far, `block` the part below a thousand that is being read.
    total = 0
    block = 0
    for word in words:
        if word == "y":
            continue
        if word in _SMALL:
            if block and _SMALL[word] >= _limit_after(block):
                # «Veinte treinta» is two numbers, not one.
                return None
            block += _SMALL[word]
        elif word in _LARGE:
            # A bare «mil» is one thousand.
            total += (block or 1) * _LARGE[word]
            block = 0
        else:
            return None
    return total + block or None


def _limit_after(value: int) -> int:
    """Return the limit below which a further word must be: 1500 may be followed by tens, 20 by ones."""
    if value % 100 == 0:
        return 100
    # From 30 on ones are a word of their own («treinta y uno»); below, they are one word («veintiuno»).
    if value % 10 == 0 and value % 100 >= 30:
        return 10
    return 0

"""Folding of text: accents, letters that look alike, signs without a shape. The only place that takes letters apart.

Whoever compares texts folds both sides by the same function. The search index of PostgreSQL has its own
(`lower_unaccent`), and so has DuckDB (`strip_accents`): an index and a scan of a million rows cannot call Python.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

_LOWER_LOOKALIKES = {
    # Cyrillic and Armenian, Greek, and Latin letters whose stroke or lost dot is no accent that could be taken off.
    **dict(zip("авгекмнорстухьѕіјԁһоցզ", "abrekmhopctyxbsijdhogq", strict=True)),
    **dict(zip("αβεικνορτυχω", "abeiknoptuxw", strict=True)),
    **dict(zip("ıłøđħŧɑɡ", "ilodhtag", strict=True)),
}
# Capitals look like other letters than their small ones: «Ν» like N, «Μ» like M, and «μ» like nothing.
_UPPER_LOOKALIKES = {
    **dict(zip("АВЕКМНОРСТУХІЈЅ", "ABEKMHOPCTYXIJS", strict=True)),
    **dict(zip("ΑΒΕΙΚΜΝΟΡΤΥΧΖ", "ABEIKMNOPTYXZ", strict=True)),
}


def _build_lookalikes() -> dict[int, str]:
    """Return the Latin letter for each letter that looks like one; a capital of none of its own follows its small."""
    upper = {letter.upper(): latin.upper() for letter, latin in _LOWER_LOOKALIKES.items()}
    letters = {**upper, **_LOWER_LOOKALIKES, **_UPPER_LOOKALIKES}
    # The capital of «ı» is a plain I.
    return {ord(letter): latin for letter, latin in letters.items() if not letter.isascii()}


LOOKALIKES: Mapping[int, str] = MappingProxyType(_build_lookalikes())
"""By code point, the Latin letter that another alphabet's letter looks like: «ВАЈА» in Cyrillic reads BAJA."""
# Fillers of Korean, which have no shape and count as letters.
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")


def strip_accents(text: str, *, keep: str = "", plain_forms: bool = False) -> str:
    """Return a text without its accents; letters of `keep` stay whole: in Spanish «ñ» is a letter, no accent.

    With `plain_forms` also full-width and raised letters and ligatures become plain ones («Ｎº» is «No»), and one
    character may become several.
    """
    if text.isascii():
        return text
    form: Literal["NFD", "NFKD"] = "NFKD" if plain_forms else "NFD"
    letters: list[str] = []
    # Composed first, so that a letter to keep is one character however it was typed.
    for letter in unicodedata.normalize("NFC", text):
        if letter in keep:
            letters.append(letter)
        else:
            parts = unicodedata.normalize(form, letter)
            letters += [part for part in parts if not unicodedata.combining(part)]
    return "".join(letters)


def replace_lookalikes(text: str) -> str:
    """Return a text in which letters of other alphabets that look Latin are Latin."""
    return text.translate(LOOKALIKES)


def is_invisible(character: str) -> bool:
    """Return whether a character has no shape, such as a zero-width space, and can only hide what is written."""
    return unicodedata.category(character) == "Cf" or character in _FILLERS


def fold_name(name: str) -> str:
    """Return the name of a column as names are compared: without accents, capitals and double blanks."""
    plain = strip_accents(name, plain_forms=True).encode("ascii", "ignore").decode()
    return " ".join(plain.split()).casefold()


def fold_words(name: str) -> str:
    """Return a name as its words alone: «Nro_Préstamo» and «NroPrestamo» are «nro prestamo»."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    plain = strip_accents(spaced, plain_forms=True).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", " ", plain.lower()).strip()

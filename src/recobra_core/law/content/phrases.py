"""Compiler of the small language in which the data write phrases, to regular expressions over folded text.

    dem~                 a word that begins so (dem, demora, demanda)
    accion(es)? legal    a part that may be missing, alternatives (a|b)
    hasta ... pagar      up to four words between
    en N horas           a number

Letters match the digits and signs that stand for them (d3manda) and, where a language is spelled by ear,
the letters that sound alike (jusgado, enbargo). A phrase only matches whole words.
"""

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

_LOOKALIKES: Final = {
    "a": "a4@",
    "e": "e3",
    "i": "i1!|",
    "o": "o0",
    "s": "s5$",
    "l": "l1|",
    "t": "t7",
    "b": "b8",
    "g": "g9",
}
_GAP: Final = r"(?:(?:[^\w.!?;\n]|[._](?=\w)|\n(?!\n)){1,4})"
_SPREAD: Final = r"[ \n.\-_*·|/\\,]{0,2}"
_WORD: Final = r"[^\W_]+"
_BEFORE, _AFTER = r"(?<![^\W_])", r"(?![^\W_])"
NOTHING: Final = re.compile(r"(?!)")


def compile_phrases(phrases: Iterable[str], *, by_ear: bool, strong: Iterable[str] = ()) -> re.Pattern[str]:
    """Return one expression for any of the phrases; `strong` words are found also when split or mistyped."""
    plain = [_compile_phrase(phrase, by_ear=by_ear) for phrase in phrases]
    words = list(strong)
    split = [_SPREAD.join(_letter_class(word, at, by_ear=by_ear) for at in range(len(word))) for word in words]
    mistyped = [re.escape(slip) for word in words for slip in _mistyped_forms(word)]
    alternatives = plain + split + mistyped
    return re.compile(f"{_BEFORE}(?:{'|'.join(alternatives)}){_AFTER}") if alternatives else NOTHING


_SIGNS: Final = {
    **{sign: sign for sign in ")|?*+,%-"},
    " ": _GAP,
    "(": "(?:",
    ".": r"\.",
    "~": r"[^\W_]*",
    "N": r"\d[\d.,]*",
}


def _compile_phrase(phrase: str, *, by_ear: bool) -> str:
    """Return the pattern of one phrase, written in the language that this module describes."""
    parts = []
    place = 0
    while place < len(phrase):
        sign = phrase[place]
        if phrase.startswith(" ... ", place):
            parts.append(f"{_GAP}(?:{_WORD}{_GAP}){{0,4}}")
            place += 5
            continue
        if sign.isalpha() and sign.islower():
            # A letter matches one or more times already, so the second of a double adds nothing.
            parts.append("" if place and phrase[place - 1] == sign else _letter_class(phrase, place, by_ear=by_ear))
        else:
            parts.append(_SIGNS[sign])
        place += 1
    return "".join(parts)


_SOFT: Final = {"c": "sz5$", "s": "zc", "g": "j", "j": "g9"}
_HARD: Final = {"b": "v", "v": "b8", "z": "s5$c2", "s": "z", "c": "k", "q": "k"}


def _letter_class(word: str, at: int, *, by_ear: bool) -> str:
    """Return the class of what may stand for a letter, one or more times."""
    letter, following = word[at], word[at + 1 : at + 2]
    alike = ""
    if by_ear:
        # In Spanish: what a letter sounds like depends on the next (c before e, n before v).
        nasal = {"m": "n", "n": "m"}.get(letter, "") if following in {"b", "p", "v"} else ""
        alike = _HARD.get(letter, "") or nasal
        if following in {"e", "i"}:
            alike = _SOFT.get(letter, alike)
    # A letter that may be missing carries its own question mark, so a repeated one has to be a group.
    return f"(?:[{re.escape(_LOOKALIKES.get(letter, letter) + alike)}]+){'?' if by_ear and letter == 'h' else ''}"


def _mistyped_forms(word: str) -> set[str]:
    """Return a word with two letters swapped or one left out, as fingers do; only long ones, so that none is a word."""
    if len(word) < 7:
        return set()
    swapped = {
        word[:at] + right + left + word[at + 2 :] for at, (left, right) in enumerate(pairwise(word)) if left != right
    }
    return swapped | {word[:at] + word[at + 1 :] for at in range(1, len(word) - 1)}

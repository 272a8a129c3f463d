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
"""Between two words: up to four blanks or signs, but neither the end of a sentence nor a blank line."""
_SPREAD: Final = r"[ \n.\-_*·|/\\,]{0,2}"
"""Between the letters of a word that was split: d-e-m-a-n-d-a."""
_WORD: Final = r"[^\W_]+"
# A phrase only matches whole words: no letter or digit before it, none after it.
_BEFORE: Final = r"(?<![^\W_])"
_AFTER: Final = r"(?![^\W_])"
NOTHING: Final = re.compile(r"(?!)")
"""The expression that matches no text."""
_MISTYPED_LETTERS_MIN: Final = 7
"""Shorter words are looked for as written only: a slip in one of them often makes another word."""


def compile_phrases(phrases: Iterable[str], *, by_ear: bool, strong: Iterable[str] = ()) -> re.Pattern[str]:
    """Return one expression for any of the phrases; `strong` words are found also when split or mistyped."""
    words = list(strong)
    alternatives = [_compile_phrase(phrase, by_ear=by_ear) for phrase in phrases]
    for word in words:
        letters = [_letter_class(word, at, by_ear=by_ear) for at in range(len(word))]
        alternatives.append(_SPREAD.join(letters))
    for word in words:
        alternatives += [re.escape(form) for form in _mistyped_forms(word)]
    if not alternatives:
        return NOTHING
    return re.compile(f"{_BEFORE}(?:{'|'.join(alternatives)}){_AFTER}")


_SIGNS: Final = {
    **{sign: sign for sign in ")|?*+,%-"},
    " ": _GAP,
    "(": "(?:",
    ".": r"\.",
    "~": r"[^\W_]*",
    "N": r"\d[\d.,]*",
}


_UP_TO_FOUR_WORDS: Final = " ... "


def _compile_phrase(phrase: str, *, by_ear: bool) -> str:
    """Return the pattern of one phrase, written in the language that this module describes."""
    parts = []
    place = 0
    while place < len(phrase):
        sign = phrase[place]
        if phrase.startswith(_UP_TO_FOUR_WORDS, place):
            parts.append(f"{_GAP}(?:{_WORD}{_GAP}){{0,4}}")
            place += len(_UP_TO_FOUR_WORDS)
            continue
        if not (sign.isalpha() and sign.islower()):
            parts.append(_SIGNS[sign])
        # A letter matches one or more times already, so the second of a double adds nothing.
        elif place == 0 or phrase[place - 1] != sign:
            parts.append(_letter_class(phrase, place, by_ear=by_ear))
        place += 1
    return "".join(parts)


_SOFT: Final = {"c": "sz5$", "s": "zc", "g": "j", "j": "g9"}
"""What sounds like a letter before e and i."""
_HARD: Final = {"b": "v", "v": "b8", "z": "s5$c2", "s": "z", "c": "k", "q": "k"}
"""What sounds like a letter before any other, and before e and i where `_SOFT` has nothing."""


def _letter_class(word: str, at: int, *, by_ear: bool) -> str:
    """Return the class of what may stand for the letter at a place of a word, one or more times."""
    letter = word[at]
    following = word[at + 1 : at + 2]
    alike = ""
    if by_ear:
        # In Spanish: what a letter sounds like depends on the next (c before e, n before v).
        nasal = {"m": "n", "n": "m"}.get(letter, "") if following in {"b", "p", "v"} else ""
        alike = _HARD.get(letter, "") or nasal
        if following in {"e", "i"}:
            alike = _SOFT.get(letter, alike)
    letters = re.escape(_LOOKALIKES.get(letter, letter) + alike)
    # By ear an h is silent, so it may be missing; the group keeps its question mark from changing the repetition.
    optional = "?" if by_ear and letter == "h" else ""
    return f"(?:[{letters}]+){optional}"


def _mistyped_forms(word: str) -> set[str]:
    """Return a word with two letters swapped or one left out, as fingers do; only long ones, so that none is a word."""
    if len(word) < _MISTYPED_LETTERS_MIN:
        return set()
    forms = set()
    for at, (left, right) in enumerate(pairwise(word)):
        if left != right:
            forms.add(word[:at] + right + left + word[at + 2 :])
    # The first and the last letter are seldom left out.
    for at in range(1, len(word) - 1):
        forms.add(word[:at] + word[at + 1 :])
    return forms

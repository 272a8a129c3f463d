"""Normal form of a text: no accents, capitals or hidden characters, lookalike letters made one."""

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from recobra_core.folding import is_invisible, replace_lookalikes

_TAG = re.compile(r"<!--.*?-->|<(/?[a-zA-Z][a-zA-Z0-9]*)\b[^<>]*>", re.DOTALL)
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_ENTITY = re.compile(r"&(#\d+|#[xX][0-9a-fA-F]+|[a-zA-Z]+\d*);")
_INLINE: Final = frozenset({"b", "i", "u", "em", "strong", "span", "small", "a", "font", "mark", "sub", "sup", "code"})
_OTHER_SCRIPTS: Final = frozenset({"CYRILLIC", "GREEK", "ARMENIAN"})
TEMPLATE_VARIABLES = re.compile(r"\{(?:\{-?|%-?\s*(?:for\s+\w+\s+in|if|elif))\s*(?:not\s+)?([a-z_]\w*)")
"""The variables a template speaks of, by their first word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldedText:
    """`text` is the folded one; `places[i]` is where its i-th character begins in the text it was made from.

    `hidden` are the places of characters that only serve to split or disguise a word.
    """

    text: str
    places: tuple[int, ...]
    ends: tuple[int, ...]
    hidden: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a stretch of the folded text stands in the original."""
        return self.places[start], self.ends[end - 1]


@lru_cache(maxsize=256)
def fold_text(text: str, *, markup: bool = False, template: bool = False) -> FoldedText:
    """Fold a text. White space becomes a blank, a line feed, or two for a blank line; a template's value one sign."""
    letters: list[str] = []
    places: list[int] = []
    ends: list[int] = []
    hidden: list[int] = []
    for start, end, raw in _split_pieces(text, markup=markup, template=template):
        for letter in _fold_letters(raw):
            # A blank line is two line feeds in a row; more of them say no more.
            begins_blank_line = letter == "\n" and letters[-1:] == ["\n"] and letters[-2:-1] != ["\n"]
            if letter == "" and letters and letters[-1].isalpha():
                hidden.append(start)
            elif letter.isspace() and letters and letters[-1].isspace() and not begins_blank_line:
                # White space in a row is one; a line feed among it is what stays.
                if letter == "\n":
                    letters[-1] = "\n"
                ends[-1] = end
            elif letter:
                letters.append(letter)
                places.append(start)
                ends.append(end)
    hidden += _find_mixed_words(text)
    return FoldedText(text="".join(letters), places=tuple(places), ends=tuple(ends), hidden=tuple(hidden))


def _split_pieces(text: str, *, markup: bool, template: bool) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and what a reader sees there: code as a blank, inline tags as nothing, blocks as a line."""
    patterns = []
    if template:
        patterns.append(_JINJA)
    if markup:
        patterns += [_TAG, _ENTITY]
    place = 0
    while place < len(text):
        match = None
        # Code begins with one of these; trying the patterns at every letter would take long.
        if text[place] in "{<&":
            matches = (pattern.match(text, place) for pattern in patterns)
            match = next(filter(None, matches), None)
        if match is None:
            yield place, place + 1, text[place]
            place += 1
            continue
        visible = _visible_text(match)
        if visible:
            yield place, match.end(), visible
        place = match.end()


def _visible_text(match: re.Match[str]) -> str:
    """Return what a reader sees of a tag, an entity or a template's code."""
    raw = match.group()
    if raw.startswith("{{"):
        return "\ufffc"
    if raw.startswith(("{%", "{#", "<!--")):
        return ""
    if raw.startswith("&"):
        return html.unescape(raw)
    tag = (match.group(1) or "").lstrip("/").lower()
    return "" if tag in _INLINE else "\n\n"


def _fold_letters(raw: str) -> Iterator[str]:
    """Yield the folded letters of what a reader sees in one place; '' stands for a hidden character."""
    if raw == "\n\n":
        yield from "\n\n"
        return
    if raw.isascii() and raw.isalnum():
        yield from raw.lower()
        return
    for character in unicodedata.normalize("NFKD", raw):
        # Mn are accents, which NFKD has parted from their letter.
        if unicodedata.category(character) == "Mn":
            continue
        if is_invisible(character):
            yield ""
        elif character.isspace():
            yield "\n" if character in "\n\u2029" else " "
        else:
            yield replace_lookalikes(character).lower()


def _find_mixed_words(text: str) -> list[int]:
    """Return where words begin that mix Latin with letters of another alphabet."""
    starts: list[int] = []
    # Letters of other alphabets are never ASCII.
    if text.isascii():
        return starts
    for word in re.finditer(r"[^\W\d_]{2,}", text):
        # A letter's name begins with its script: LATIN SMALL LETTER A.
        scripts = {unicodedata.name(letter, "").split(" ")[0] for letter in word.group()}
        if "LATIN" in scripts and scripts & _OTHER_SCRIPTS:
            starts.append(word.start())
    return starts

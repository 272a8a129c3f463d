"""Text as the fonts can show it. A character that they lack is named: `[U+1F600 grinning face]`."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any, Final

import typst

from recobra.kit.typeset.typst import PDF_STANDARD, load_fonts

_LINE_ENDS: Final = re.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_KNOWN_GLYPHS: Final = re.compile(r"[\n -~\u00a0-\u00ac\u00ae-\u017f]*")
_LONG_WORD: Final = 30  # letters that fit a narrow column
_ZERO_WIDTH_SPACE: Final = "\u200b"
_PROBE_TEMPLATE: Final = (
    b'#set text(font: ("Libertinus Serif", "New Computer Modern", "DejaVu Sans Mono"))\n#sys.inputs.c'
)


def displayable_text(text: str, *, unseen: bool = True) -> str:
    """Return a text with every character that the fonts lack named in brackets, and long words breakable.

    Invisible characters that change how others are read (direction, joining) are named as well; `unseen` false drops
    them, as in an address.
    """
    text = unicodedata.normalize("NFC", _LINE_ENDS.sub("\n", text))
    if not _KNOWN_GLYPHS.fullmatch(text):
        text = "".join(_displayable_character(character, unseen=unseen) for character in text)
    return re.sub(rf"\S{{{_LONG_WORD},}}", _break_word, text)


def displayable_data(data: Any) -> Any:
    """Return JSON-like data with every text as `displayable_text`; keys are ours and stay."""
    if isinstance(data, str):
        return displayable_text(data)
    if isinstance(data, dict):
        return {key: displayable_data(value) for key, value in data.items()}
    return [displayable_data(item) for item in data] if isinstance(data, list | tuple) else data


def _break_word(match: re.Match[str]) -> str:
    """Return a long word with an invisible place for a line break after every few letters."""
    word = match[0]
    step = _LONG_WORD // 3
    return _ZERO_WIDTH_SPACE.join(word[start : start + step] for start in range(0, len(word), step))


def _displayable_character(character: str, *, unseen: bool) -> str:
    """Return a character that the fonts have, or its name in brackets; `unseen` false drops an invisible one."""
    if _has_glyph(character):
        return character
    category = unicodedata.category(character)
    if category == "Zs" or character == "\t":
        return " "
    if not unseen and category in {"Cf", "Cc"}:
        return ""
    name = f"U+{ord(character):04X} {unicodedata.name(character, '').lower()}"
    return f"[{name.strip()}]"


@lru_cache(maxsize=4096)
def _has_glyph(character: str) -> bool:
    """Tell if the fonts have a character."""
    if _KNOWN_GLYPHS.fullmatch(character):
        return True
    if unicodedata.category(character)[0] in {"C", "M", "Z"}:
        return False
    # The typesetter itself is asked, once for each character: in PDF/A a missing glyph is an error.
    compiler = typst.Compiler(
        _PROBE_TEMPLATE, font_paths=load_fonts(), ignore_system_fonts=True, sys_inputs={"c": character}
    )
    try:
        compiler.compile(format="pdf", pdf_standards=PDF_STANDARD)
    except typst.TypstError:
        return False
    return True

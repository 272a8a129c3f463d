"""Text as the fonts can show it. What they cannot is named, never left out: `[U+1F600 grinning face]`."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any, Final

import typst

from recobra.kit.typeset.typst import STANDARD, fonts

_ENDS: Final = re.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_PLAIN: Final = re.compile(r"[\n -~\u00a0-\u00ac\u00ae-\u017f]*")
_LONG: Final = 30
_BREAK: Final = "\u200b"
_PROBE: Final = b'#set text(font: ("Libertinus Serif", "New Computer Modern", "DejaVu Sans Mono"))\n#sys.inputs.c'


def shown(text: str, *, unseen: bool = True) -> str:
    """Return a text with every character that the fonts lack named in brackets, and long words breakable.

    Characters without shape of their own that change how others are read (direction, joining) are named as well;
    `unseen` false leaves them out, as in an address.
    """
    text = unicodedata.normalize("NFC", _ENDS.sub("\n", text))
    if not _PLAIN.fullmatch(text):
        text = "".join(character if _has_glyph(character) else _named(character, unseen) for character in text)
    return re.sub(rf"\S{{{_LONG},}}", _breakable, text)


def shown_in(data: Any) -> Any:
    """Return JSON-like data with every text of it as `shown`; keys are ours and stay."""
    if isinstance(data, str):
        return shown(data)
    if isinstance(data, dict):
        return {key: shown_in(value) for key, value in data.items()}
    return [shown_in(each) for each in data] if isinstance(data, list | tuple) else data


def _breakable(word: re.Match[str]) -> str:
    return _BREAK.join(word[0][at : at + _LONG // 3] for at in range(0, len(word[0]), _LONG // 3))


def _named(character: str, unseen: bool) -> str:  # noqa: FBT001 - private, one caller
    category = unicodedata.category(character)
    if category == "Zs" or character == "\t":
        return " "
    if not unseen and category in {"Cf", "Cc"}:
        return ""
    name = unicodedata.name(character, "").lower()
    return f"[U+{ord(character):04X}{' ' if name else ''}{name}]"


@lru_cache(maxsize=4096)
def _has_glyph(character: str) -> bool:
    """Ask the typesetter itself, once per character: in PDF/A a missing glyph is an error."""
    if _PLAIN.fullmatch(character):
        return True
    if unicodedata.category(character)[0] in {"C", "M", "Z"}:
        return False
    compiler = typst.Compiler(_PROBE, font_paths=fonts(), ignore_system_fonts=True, sys_inputs={"c": character})
    try:
        compiler.compile(format="pdf", pdf_standards=STANDARD)
    except typst.TypstError:
        return False
    return True

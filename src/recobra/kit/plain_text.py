"""Normal form of messages, in which case, accents, punctuation and emoji make no difference."""

from __future__ import annotations

import re

from recobra_core.folding import strip_accents

_REPEATED_LETTERS = re.compile(r"([a-z])\1{2,}")
_SPACED_LETTERS = re.compile(r"\b(?:[a-z] ){2,}[a-z]\b")
_NOT_WORDS = re.compile(r"[^a-z0-9ñ]+")
_SYMBOL_WORDS = {"🛑": " stop ", "🚫": " stop ", "☎": " llamenme ", "👍": " ok ", "✅": " ok ", "%": " por ciento "}
MAX_LENGTH = 1000


def normalise_text(text: str) -> str:
    """Return a message in lower case without accents or punctuation, «B A J A» and «bajaaa» as «baja».

    Longer messages are read up to their first thousand characters.
    """
    symbols = "".join(_SYMBOL_WORDS.get(character, character) for character in text[:MAX_LENGTH])
    # «ñ» is a letter of its own and no accent: «ano» and «año» stay apart.
    bare = strip_accents(symbols.casefold(), keep="ñ", plain_forms=True)
    words = _NOT_WORDS.sub(" ", bare).strip()
    joined = _SPACED_LETTERS.sub(lambda match: match.group().replace(" ", ""), words)
    return _REPEATED_LETTERS.sub(r"\1", joined)

"""Messages in one plain form, so that case, accents, punctuation and pictures make no difference."""

from __future__ import annotations

import re
import unicodedata

_REPEATED_LETTERS = re.compile(r"([a-z])\1{2,}")
_SPACED_LETTERS = re.compile(r"\b(?:[a-z] ){2,}[a-z]\b")
_NOT_WORDS = re.compile(r"[^a-z0-9ñ]+")
_SYMBOL_WORDS = {"🛑": " stop ", "🚫": " stop ", "☎": " llamenme ", "👍": " ok ", "✅": " ok ", "%": " por ciento "}
MAX_LENGTH = 1000


def normalise_text(text: str) -> str:
    """Return a message in lower case without accents or punctuation, «B A J A» and «bajaaa» as «baja».

    Longer messages are read up to their first thousand characters.
    """
    signs = "".join(_SYMBOL_WORDS.get(sign, sign) for sign in text[:MAX_LENGTH])
    folded = unicodedata.normalize("NFKD", signs.casefold().replace("ñ", "\0"))
    bare = "".join(sign for sign in folded if not unicodedata.combining(sign)).replace("\0", "ñ")
    words = _NOT_WORDS.sub(" ", bare).strip()
    joined = _SPACED_LETTERS.sub(lambda found: found.group().replace(" ", ""), words)
    return _REPEATED_LETTERS.sub(r"\1", joined)

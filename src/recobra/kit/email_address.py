"""What an e-mail address is: the one judge for what comes in by file and for what is written to.

A valid one is what messages are sent to. The part before the at sign may have letters outside ASCII (RFC 6531), and the
domain too, which then travels in ASCII (RFC 5890). Quoted names before the at sign are taken for no address.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LENGTH_MAX: Final = 254  # RFC 5321
USER_LENGTH_MAX: Final = 64
_ATOM_SIGN: Final = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]"
_ATOM: Final = rf"{_ATOM_SIGN}+"
_DOMAIN: Final = r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,63}|xn--[a-z0-9-]{1,58}[a-z0-9])"
PLAIN_PATTERN: Final = rf"{_ATOM}(\.{_ATOM})*@{_DOMAIN}"
"""A valid address in small letters of ASCII; its length is not judged."""
_PLAIN: Final = re.compile(PLAIN_PATTERN)
_DOMAIN_ALONE: Final = re.compile(_DOMAIN)
_LETTER: Final = r"[^\W_\x00-\x7f]"  # of any alphabet, outside ASCII
_USER_WITH_LETTERS: Final = re.compile(rf"({_ATOM_SIGN}|{_LETTER})+(\.({_ATOM_SIGN}|{_LETTER})+)*")
_LONGEST_TEXT: Final = 4_000
# Between addresses, and around one: «Ana Pérez <ana@example.com>», «mailto:ana@example.com».
_BETWEEN: Final = re.compile(r"[\s<>()\[\]{},;:|\"“”«»\\\u200b\u2060\ufeff]+")
_QUERY: Final = re.compile(r"(@[^?]*)\?.*")  # the rest of a link: «mailto:ana@example.com?subject=Hola»
_AROUND: Final = ".'’‘´`-–—*"


def is_address(text: str) -> bool:
    """Return whether a text is an address that can be written to."""
    plain = text.lower()
    if len(plain) > LENGTH_MAX:
        return False
    user, _at, domain = plain.rpartition("@")
    if len(user.encode()) > USER_LENGTH_MAX:
        return False
    if plain.isascii():
        return bool(_PLAIN.fullmatch(plain))
    try:
        return bool(_USER_WITH_LETTERS.fullmatch(user) and _DOMAIN_ALONE.fullmatch(encode_domain(domain)))
    except ValueError:
        return False


def encode_domain(domain: str) -> str:
    """Return a domain in ASCII. Raises ValueError where it is none."""
    return domain if domain.isascii() else domain.encode("idna").decode()


def find_addresses(text: str) -> list[str]:
    """Return the addresses in a text that people wrote, in small letters, each once and in their order.

    Names, brackets and a full stop at the end are left out. Whatever has an at sign and is no address is left out too.
    """
    found: dict[str, None] = {}
    for word in _BETWEEN.split(unicodedata.normalize("NFC", text[:_LONGEST_TEXT]).lower()):
        # A slash may be part of an address; between two of them it parts them.
        for part in word.split("/") if word.count("@") > 1 else [word]:
            address = _QUERY.sub(r"\1", part).strip(_AROUND)
            if is_address(address):
                found[address] = None
    return list(found)

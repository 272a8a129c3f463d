"""What WhatsApp wants of a template: numbered places, no logic, limits (Meta Cloud API, message templates)."""

from __future__ import annotations

import re
from typing import Final

MAX_BODY_CHARACTERS: Final = 1024
MAX_BUTTONS: Final = 3
MAX_TITLE_CHARACTERS: Final = 20
_PLACE = re.compile(r"\{\{-?\s*([a-z_]\w*)\s*-?\}\}")
_LOGIC = re.compile(r"\{%|\{#|\{\{(?!-?\s*[a-z_]\w*\s*-?\}\})")


def number_variables(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a body with {{1}}, {{2}}… in the places of its variables, and their names in that order.

    A variable that is named twice has one number, as Meta counts parameters by number.
    """
    names = tuple(dict.fromkeys(_PLACE.findall(text)))
    return _PLACE.sub(lambda match: f"{{{{{names.index(match.group(1)) + 1}}}}}", text).strip(), names


def has_logic(text: str) -> bool:
    """Return whether a body has loops, conditions, filters or fields, which WhatsApp's templates have not."""
    return _LOGIC.search(text) is not None


def has_variable_at_edge(text: str) -> bool:
    """Return whether a body begins or ends with a variable, which WhatsApp refuses."""
    body = text.strip()
    places = [match.span() for match in _PLACE.finditer(body)]
    return bool(places) and (places[0][0] == 0 or places[-1][1] == len(body))

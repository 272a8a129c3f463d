"""Form of WhatsApp templates: numbered placeholders, no logic, limits (Meta Cloud API, message templates)."""

from __future__ import annotations

import re
from typing import Final

MAX_BODY_CHARACTERS: Final = 1024
MAX_BUTTONS: Final = 3
MAX_TITLE_CHARACTERS: Final = 20
_VARIABLE = re.compile(r"\{\{-?\s*([a-z_]\w*)\s*-?\}\}")
_ADJACENT = re.compile(r"\}\}[ \t]*\{\{")
_LOGIC = re.compile(r"\{%|\{#|\{\{(?!-?\s*[a-z_]\w*\s*-?\}\})")


def number_variables(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a body with {{1}}, {{2}}… in place of its variables, and their names in that order."""
    # Meta counts parameters by number: a variable that is used twice has one.
    names = tuple(dict.fromkeys(_VARIABLE.findall(text)))
    placeholders = {name: "{{" + str(number) + "}}" for number, name in enumerate(names, start=1)}
    body = _VARIABLE.sub(lambda match: placeholders[match.group(1)], text)
    return body.strip(), names


def has_logic(text: str) -> bool:
    """Return whether a body has loops, conditions, filters or fields, which WhatsApp does not take."""
    return _LOGIC.search(text) is not None


def has_adjacent_variables(text: str) -> bool:
    """Return whether two variables of a line have no words between them, which Meta rejects."""
    return _ADJACENT.search(text) is not None


def has_variable_at_edge(text: str) -> bool:
    """Return whether a body begins or ends with a variable, which WhatsApp refuses."""
    body = text.strip()
    matches = list(_VARIABLE.finditer(body))
    if not matches:
        return False
    return matches[0].start() == 0 or matches[-1].end() == len(body)

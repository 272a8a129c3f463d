"""Names of countries."""

from __future__ import annotations

from babel import Locale

from recobra.kit.language import active_language


def country_name(code: str) -> str:
    """Return a country's name in the active language, the code where it has none."""
    return str(Locale(active_language()).territories.get(code, code))

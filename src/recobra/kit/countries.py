"""Names of countries."""

from __future__ import annotations

from babel import Locale
from django.utils.translation import get_language


def country_name(code: str) -> str:
    """Return a country's name in the active language, the code where it has none."""
    # The language alone: Babel knows no «es-419» by this spelling.
    language = (get_language() or "es").partition("-")[0]
    return str(Locale(language).territories.get(code, code))

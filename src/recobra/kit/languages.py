"""The language in force."""

from __future__ import annotations

from django.utils.translation import get_language


def active_language() -> str:
    """Return the active language alone, without a country: Babel knows no «es-419» by this spelling."""
    return (get_language() or "es").partition("-")[0]

"""The language of whoever reads the screen."""

from contextlib import AbstractContextManager
from typing import Literal

from django.conf import settings
from django.utils.translation import get_language, override


def active_language() -> str:
    """Return the active language alone, without a country: Babel knows no «es-419» by this spelling."""
    return (get_language() or "es").partition("-")[0]


def screen_language() -> Literal["en", "es"]:
    """Return the active language as the core names it."""
    return "en" if active_language() == "en" else "es"


def in_installation_language() -> AbstractContextManager[None]:
    """Write texts that are kept in the installation's language: who reads them later is not who asked for the work."""
    return override(settings.LANGUAGE_CODE)

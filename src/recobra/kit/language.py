"""Language of whoever reads the screen, as the core names it."""

from typing import Literal

from django.utils.translation import get_language


def screen_language() -> Literal["en", "es"]:
    """Return the language of the screen as the core names it."""
    return "en" if get_language() == "en" else "es"

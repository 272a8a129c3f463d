"""Reglas de la empresa: what the company asks beyond the law, with versions; loosening is refused with the article."""

from .pages import urlpatterns

__all__ = ["urlpatterns"]

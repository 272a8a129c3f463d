"""Reglas de la empresa: what the company asks beyond the law, with versions; loosening is refused with the article."""

from recobra.console.screens.company_rules.pages import urlpatterns

__all__ = ["urlpatterns"]

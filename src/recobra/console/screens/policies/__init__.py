"""Políticas: what the company decides for each portfolio, in versions that begin on a day."""

from recobra.console.screens.policies.pages import urlpatterns

__all__ = ["urlpatterns"]

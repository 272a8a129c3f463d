"""Países: the law of each country as the gate reads it, who may be contacted now, and the calendar."""

from .pages import urlpatterns

__all__ = ["urlpatterns"]

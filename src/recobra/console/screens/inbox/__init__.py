"""Conversaciones: what debtors write and what is answered, by people and by the bot."""

from .routes import urlpatterns

__all__ = ["urlpatterns"]

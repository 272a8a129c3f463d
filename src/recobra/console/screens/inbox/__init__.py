"""Conversaciones: messages of debtors, and the answers of people and of the bot."""

from .routes import urlpatterns

__all__ = ["urlpatterns"]

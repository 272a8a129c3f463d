"""E-mail by SMTP."""

from .channel import EmailChannel

__all__ = ["EmailChannel"]

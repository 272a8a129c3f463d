"""E-mail by SMTP."""

from .adapter import ADAPTER

__all__ = ["ADAPTER"]

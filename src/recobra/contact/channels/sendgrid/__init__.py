"""E-mail by SendGrid's API."""

from .adapter import ADAPTER

__all__ = ["ADAPTER"]

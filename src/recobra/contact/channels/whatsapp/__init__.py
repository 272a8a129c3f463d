"""WhatsApp by Meta's Cloud API."""

from .adapter import ADAPTER

__all__ = ["ADAPTER"]

"""SMS by Twilio."""

from .adapter import ADAPTER

__all__ = ["ADAPTER"]

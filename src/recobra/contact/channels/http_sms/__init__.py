"""SMS by any HTTP gateway that a small document describes (docs/sms_gateways.md)."""

from .adapter import ADAPTER

__all__ = ["ADAPTER"]

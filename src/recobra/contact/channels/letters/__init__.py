"""Letters: what is handed over waits for the next print batch."""

from .adapter import ADAPTER

__all__ = ["ADAPTER"]

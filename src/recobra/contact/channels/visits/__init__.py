"""Visits: what is handed over stands on the route of its day."""

from .adapter import ADAPTER

__all__ = ["ADAPTER"]

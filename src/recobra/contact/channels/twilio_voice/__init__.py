"""Automatic calls by Twilio Voice, answered on the keypad."""

from .adapter import ADAPTER

__all__ = ["ADAPTER"]

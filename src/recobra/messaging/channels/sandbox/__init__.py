"""The built-in mailbox, which takes every channel in demonstration mode."""

from recobra.messaging.channels.sandbox.adapter import ADAPTER

__all__ = ["ADAPTER"]

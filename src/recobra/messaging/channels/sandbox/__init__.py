"""The demonstration's own way out for every channel: the built-in mailbox."""

from recobra.messaging.channels.sandbox.adapter import ADAPTER

__all__ = ["ADAPTER"]

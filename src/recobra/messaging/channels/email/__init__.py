"""E-mail by SMTP."""

from recobra.messaging.channels.email.adapter import ADAPTER

__all__ = ["ADAPTER"]

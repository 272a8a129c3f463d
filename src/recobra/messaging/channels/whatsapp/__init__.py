"""WhatsApp by Meta's Cloud API."""

from recobra.messaging.channels.whatsapp.adapter import ADAPTER

__all__ = ["ADAPTER"]

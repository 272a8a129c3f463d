"""E-mail by SendGrid's API."""

from recobra.messaging.channels.sendgrid.adapter import ADAPTER

__all__ = ["ADAPTER"]

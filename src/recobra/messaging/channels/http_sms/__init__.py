"""SMS by any HTTP gateway that a small document describes (docs/sms_gateways.md)."""

from recobra.messaging.channels.http_sms.adapter import ADAPTER

__all__ = ["ADAPTER"]

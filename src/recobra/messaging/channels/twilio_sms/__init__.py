"""SMS by Twilio."""

from recobra.messaging.channels.twilio_sms.adapter import ADAPTER

__all__ = ["ADAPTER"]

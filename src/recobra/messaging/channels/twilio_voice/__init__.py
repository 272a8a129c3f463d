"""Automatic calls by Twilio Voice, answered on the keypad."""

from recobra.messaging.channels.twilio_voice.adapter import ADAPTER

__all__ = ["ADAPTER"]

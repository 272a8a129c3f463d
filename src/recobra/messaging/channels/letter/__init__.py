"""Letters: what is handed over waits for the next print batch."""

from recobra.messaging.channels.letter.adapter import ADAPTER

__all__ = ["ADAPTER"]

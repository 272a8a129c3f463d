"""Letters, which wait for the next print batch once they are handed over."""

from recobra.messaging.channels.letter.adapter import ADAPTER

__all__ = ["ADAPTER"]

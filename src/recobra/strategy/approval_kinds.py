"""The kinds of change of this app that need a second person."""

from .operations.publication import STRATEGY

KINDS = (STRATEGY,)

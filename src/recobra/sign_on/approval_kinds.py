"""The kinds of change of this app that need a second person."""

from .approval import SIGN_ON

KINDS = (SIGN_ON,)

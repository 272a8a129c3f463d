"""The kinds of change of this app that need a second person."""

from .providers.approval import PROVIDER
from .templates.approval import TEMPLATE

KINDS = (PROVIDER, TEMPLATE)

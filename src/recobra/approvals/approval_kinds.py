"""The kinds of change of this app that need a second person."""

from .exports import EXPORT
from .second_person import RULE

KINDS = (EXPORT, RULE)

"""The kinds of change of this app that need a second person."""

from .account_access import ACCOUNT_ACCESS
from .exports import EXPORT
from .second_person import RULE

KINDS = (ACCOUNT_ACCESS, EXPORT, RULE)

"""Everything that may be said about being contacted."""

from .ledger import OptOutRefused, carry_over, grant, withdraw_consent
from .opt_out import not_me, opt_out, resume

__all__ = [
    "OptOutRefused",
    "carry_over",
    "grant",
    "not_me",
    "opt_out",
    "resume",
    "withdraw_consent",
]

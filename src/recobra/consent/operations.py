"""The operations on consent that other packages call, gathered from `ledger` and `opt_out`."""

from .ledger import OptOutRefused, apply_to_new_points, apply_to_points, grant_consent, withdraw_consent
from .opt_out import record_opt_out, record_wrong_person, resume_messages

__all__ = [
    "OptOutRefused",
    "apply_to_new_points",
    "apply_to_points",
    "grant_consent",
    "record_opt_out",
    "record_wrong_person",
    "resume_messages",
    "withdraw_consent",
]

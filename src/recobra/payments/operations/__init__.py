"""Public writes of payments."""

from .files import Notation, guess_columns, load_file, preview_file
from .mappings import save_payment_mapping
from .move import move_with_accounts
from .record import PaymentRefused, record_payment, record_payments
from .reverse import reverse_payment

__all__ = [
    "Notation",
    "PaymentRefused",
    "guess_columns",
    "load_file",
    "move_with_accounts",
    "preview_file",
    "record_payment",
    "record_payments",
    "reverse_payment",
    "save_payment_mapping",
]

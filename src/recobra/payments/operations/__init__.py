"""Public writes of payments."""

from .files import Notation, load_file
from .record import PaymentRefused, record_payment, record_payments
from .reverse import reverse_payment

__all__ = ["Notation", "PaymentRefused", "load_file", "record_payment", "record_payments", "reverse_payment"]

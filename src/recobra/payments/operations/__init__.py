"""Public writes of payments."""

from .files import load_file
from .record import PaymentRefused, record_inferred, record_payment
from .reverse import reverse_payment

__all__ = ["PaymentRefused", "load_file", "record_inferred", "record_payment", "reverse_payment"]

"""Kinds of facts about money received."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext_lazy as _

from recobra.journal.facts import Fact, fact


@fact("payment.recorded", _("Payment received"))
class PaymentRecorded(Fact):
    """A payment was received and applied; `unapplied_minor` of it found no open amount."""

    payment_id: int
    amount_minor: int
    currency: str
    unapplied_minor: int
    paid_date: date
    source: str


@fact("payment.reversed", _("Payment reversed"))
class PaymentReversed(Fact):
    """A payment proved void, and the debt that it paid is open again."""

    payment_id: int
    amount_minor: int


@fact("payments.file_loaded", _("Payment file loaded"))
class PaymentFileLoaded(Fact):
    """A file of payments was read to its end; `known` rows were recorded before, `amount_minor` is new.

    `repeated` rows say the same as another one of the file.
    """

    rows: int
    accepted: int
    rejected: int
    known: int
    amount_minor: int
    currency: str
    repeated: int = 0


@fact("payments.mapping_saved", _("Mapping of payment files saved"))
class PaymentMappingSaved(Fact):
    """A version of a mapping of payment files is the newest of its name."""

    mapping_id: int
    version: int

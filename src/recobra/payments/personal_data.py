"""What payments hold about people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Final

from django.db.models import F, Max
from django.db.models.functions import TruncDate
from django.utils.translation import gettext_noop

from recobra.kit.personal_data import ERASED, Block, Holding, Row, erase_by
from recobra.kit.tables import is_any_of

from .models import Payment

_ERASE: Final = f"""
    UPDATE payments_payment SET reference = '{ERASED}' || id, reversal_reason = ''
    WHERE debtor_id = ANY(%(debtor_ids)s) AND NOT starts_with(reference, '{ERASED}')"""


def _find_unapplied(debtor_ids: Sequence[int], _day: date) -> Collection[int]:
    unapplied = Payment.objects.filter(
        is_any_of("debtor_id", debtor_ids), unapplied_minor__gt=0, reversed_at__isnull=True
    )
    return set(unapplied.values_list("debtor_id", flat=True))


def _last_payments(debtor_ids: Sequence[int]) -> Mapping[int, date]:
    payments = Payment.objects.filter(is_any_of("debtor_id", debtor_ids))
    return dict(payments.values_list("debtor_id").annotate(last=Max(TruncDate("received_at"))))


def _copy(debtor_id: int) -> Iterable[Row]:
    payments = Payment.objects.filter(debtor_id=debtor_id).order_by("paid_date", "pk")
    return payments.values(
        "paid_date",
        "received_at",
        "amount_minor",
        "unapplied_minor",
        "source",
        "reference",
        "reversed_at",
        "reversal_reason",
        currency=F("portfolio__currency"),
        account_number=F("account__external_id"),
    )


HOLDINGS = (
    Holding(
        model="payments.Payment",
        data_class="ledger_notes",
        erase=erase_by(_ERASE),
        copy=_copy,
        last_days=_last_payments,
        blocks=(
            Block(
                code="unapplied_payment",
                text=gettext_noop("A payment is not applied yet: the money belongs to somebody."),
                find=_find_unapplied,
            ),
        ),
    ),
)

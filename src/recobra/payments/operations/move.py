"""Payments that follow their accounts to another debtor."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import F, OuterRef, Subquery

from recobra.access.permissions import consequence
from recobra.kit import tables
from recobra.payments.models import Payment
from recobra.portfolio.models import Account


@consequence
def move_with_accounts(*, debtor_ids: Collection[int]) -> None:
    """Give payments of single accounts that left these debtors to whoever has the account now.

    Otherwise the money in hand would be nobody's, and what a load inferred would stand beside the payment itself.
    """
    left = Payment.objects.filter(tables.is_any_of("debtor_id", debtor_ids), account__isnull=False)
    owner = Account.objects.filter(pk=OuterRef("account_id")).values("debtor_id")
    left.exclude(account__debtor_id=F("debtor_id")).update(debtor_id=Subquery(owner))

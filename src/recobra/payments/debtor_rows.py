"""What of the payments follows a debtor who is joined with another."""

from __future__ import annotations

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_noop

from recobra.kit.debtor_rows import DebtorRows, Joining, Objection

from .models import Payment
from .operations.move import move_with_accounts


def _has_same_movement(joining: Joining) -> bool:
    """Tell if both have the same movement of money, which one debtor could have once only."""
    same = Payment.objects.filter(
        debtor_id=joining.kept_id,
        account__isnull=True,
        **{name: OuterRef(name) for name in ("portfolio", "reference", "amount_minor", "paid_date")},
    )
    return Payment.objects.filter(Exists(same), debtor_id=joining.joined_id, account__isnull=True).exists()


def _part(joining: Joining) -> None:
    # What came without an account went back already, and may have been applied to one of who stays meanwhile.
    move_with_accounts(debtor_ids=[joining.kept_id, joining.joined_id])


FOLLOWING = (
    DebtorRows(
        model="payments.Payment",
        part=_part,
        objections=(
            Objection(
                text=gettext_noop(
                    "Both have the same payment without an account: reverse the one that is too many, or apply it to "
                    "an account."
                ),
                holds=_has_same_movement,
            ),
        ),
    ),
)

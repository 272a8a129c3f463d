"""What keeps a load and a join of debtors apart."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from recobra.kit.debtor_rows import DebtorRows, Joining, Objection
from recobra.portfolio.models import Debtor

from .portfolio_lock import hold_off_loads


def _is_loading(joining: Joining) -> bool:
    """Tell if a file of the creditor is being loaded; no load of one begins until the transaction ends."""
    creditor_id = Debtor.objects.values_list("creditor_id", flat=True).get(pk=joining.kept_id)
    return creditor_id in hold_off_loads({creditor_id})


FOLLOWING = (
    DebtorRows(
        model="intake.Load",
        stays="A load is of a portfolio.",
        objections=(
            Objection(
                text=gettext_noop("A file of the creditor is being loaded: try again in a few minutes."),
                holds=_is_loading,
                is_passing=True,
            ),
        ),
    ),
)

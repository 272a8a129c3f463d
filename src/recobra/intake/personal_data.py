"""What loads hold about people."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from django.utils.translation import gettext_noop

from recobra.kit.personal_data import Block, Holding
from recobra.kit.tables import is_any_of
from recobra.portfolio.models import Debtor

from .operations.retention import delete_rejected_rows
from .portfolio_lock import hold_off_loads


def _find_loading(debtor_ids: Sequence[int], _day: date) -> Collection[int]:
    """Return the debtors of creditors whose file is being loaded; no load of the others begins meanwhile."""
    creditors = dict(Debtor.objects.filter(is_any_of("id", debtor_ids)).values_list("pk", "creditor_id"))
    loading = hold_off_loads(set(creditors.values()))
    return {debtor_id for debtor_id, creditor_id in creditors.items() if creditor_id in loading}


def _erase_rejected_rows(until: datetime, _at: datetime) -> int:
    return delete_rejected_rows(until=until)


HOLDINGS = (
    Holding(
        model="intake.RejectedRow",
        data_class="loaded_files",
        erase_before=_erase_rejected_rows,
        blocks=(
            Block(
                code="load_running",
                text=gettext_noop("A file of the creditor is being loaded."),
                find=_find_loading,
                is_passing=True,
            ),
        ),
    ),
)

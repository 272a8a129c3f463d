"""What of the strategies follows a debtor who is joined with another."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q

from recobra.kit.debtor_rows import DebtorRows, Joining, MovedRow, move_rows

from .models import AccountState, CampaignMember
from .operations.commit import block_cycle_commit


def _lock(debtor_ids: Sequence[int]) -> None:
    """Wait for a cycle that commits, keep the next one off, and lock both debtors in the order in which all do."""
    block_cycle_commit(debtor_ids=debtor_ids)


def _part_states(joining: Joining) -> None:
    AccountState.objects.filter(debtor_id=joining.kept_id, account__debtor_id=joining.joined_id).update(
        debtor_id=joining.joined_id
    )


def _move_members(joining: Joining) -> list[MovedRow]:
    """Move the places in campaigns; in one that has both, who stays keeps the own arm."""
    both = CampaignMember.objects.filter(debtor_id=joining.kept_id).values("campaign")
    return move_rows("strategy.CampaignMember", joining, which=~Q(campaign__in=both))


FOLLOWING = (
    DebtorRows(model="strategy.AccountState", lock=_lock, part=_part_states),
    DebtorRows(model="strategy.CampaignMember", move=_move_members),
)

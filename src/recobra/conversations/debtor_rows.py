"""What of the conversations follows a debtor who is joined with another."""

from __future__ import annotations

from collections.abc import Sequence

from recobra.kit.debtor_rows import DebtorRows, Joining
from recobra.portfolio.models import ContactPoint

from .models import Conversation, Dispute


def _lock(debtor_ids: Sequence[int]) -> None:
    """Wait for messages under way, which lock their conversation before its debtor."""
    list(Conversation.objects.select_for_update().filter(debtor__in=debtor_ids).order_by("pk").values_list("pk"))


def _part(joining: Joining) -> None:
    """Give who goes again the conversations since with a number of the own, and what was contested in them."""
    own = ContactPoint.objects.filter(debtor_id=joining.joined_id).values("value")
    kept = ContactPoint.objects.filter(debtor_id=joining.kept_id).values("value")
    talks = Conversation.objects.filter(debtor_id=joining.kept_id, address__in=own).exclude(address__in=kept)
    talks.update(debtor_id=joining.joined_id)
    Dispute.objects.filter(debtor_id=joining.kept_id, conversation__debtor_id=joining.joined_id).update(
        debtor_id=joining.joined_id
    )


FOLLOWING = (
    DebtorRows(model="conversations.Conversation", lock=_lock, part=_part),
    DebtorRows(model="conversations.IdentityAttempt"),
    DebtorRows(model="conversations.Dispute"),
)

"""Silences that hold for another address of the same person than the one at which they were asked for."""

from __future__ import annotations

from recobra.access.actors import Actor
from recobra.access.permissions import consequence
from recobra.consent.ledger import Act, ConsentStatement, Source, find_address, latest_entry
from recobra.consent.opt_out import apply_opt_out
from recobra.conversations.models import Conversation
from recobra.portfolio import address_forms


@consequence
def carry_silence(source: str, target: str, *, channel: str, actor: Actor) -> None:
    """Let the last opt-out from one address of a person hold for another of theirs, unless resumed there since."""
    kind = address_forms.point_kind(channel)
    if source == target:
        return
    entry = latest_entry(find_address(kind=kind, value=source), Act.OPTED_OUT, Act.NOT_ME, Act.RESUMED)
    if entry is None or entry.act == Act.RESUMED:
        return
    statement = ConsentStatement(source=Source.PROVIDER, channel=channel, at=entry.at, actor=actor)
    apply_opt_out(find_address(kind=kind, value=target), statement)


@consequence
def carry_to_debtor(conversation: Conversation, *, actor: Actor) -> bool:
    """Let a silence that somebody without a number asked for hold for the numbers of the debtor who writes.

    Returns whether it is known who that is.
    """
    if conversation.debtor is None:
        return False
    points = conversation.debtor.points.filter(kind=address_forms.point_kind(conversation.channel))
    for number in points.order_by("pk").values_list("value", flat=True):
        carry_silence(conversation.address, number, channel=conversation.channel, actor=actor)
    return True

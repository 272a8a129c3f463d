"""Reactions to what becomes of users."""

from __future__ import annotations

from recobra.access.facts import UserShutOut
from recobra.access.queries import User
from recobra.conversations.operations import hand_over_conversations
from recobra.journal.reactions import Recorded
from recobra.workbench.visits import hand_over_visits


def hand_over_work(recorded: Recorded[UserShutOut]) -> None:
    """Hand the open conversations and visits of who was shut out to a colleague, or back to everybody."""
    for _subject, shut_out in recorded:
        successor = User.objects.filter(pk=shut_out.handed_to_id or 0, is_active=True).first()
        hand_over_conversations(from_id=shut_out.user_id, to=successor, actor=recorded.actor)
        hand_over_visits(from_id=shut_out.user_id, to=successor, actor=recorded.actor)

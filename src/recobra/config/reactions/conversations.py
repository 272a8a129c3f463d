"""Reactions of conversations."""

from __future__ import annotations

from recobra.conversations import operations as conversations
from recobra.journal.facts import F
from recobra.journal.reactions import Recorded

from .planned import without_planned


def flag_unsent_replies(recorded: Recorded[F]) -> None:
    """Show in their conversation the replies that could not be sent."""
    conversations.flag_unsent_replies(contact_ids=without_planned(recorded).contact_ids())

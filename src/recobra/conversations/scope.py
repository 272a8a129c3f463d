"""What of the conversations is within an actor's reach, as operations check it themselves."""

from __future__ import annotations

from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import OutOfScope
from recobra.access.roles import Right
from recobra.conversations.models import Conversation
from recobra.portfolio.scope import check_whole_debtor


def check_conversation(actor: Actor, conversation: Conversation) -> None:
    """Raise OutOfScope for a conversation that the actor may not see; only leads see those of unknown numbers."""
    if conversation.debtor_id is None:
        # The bot asks whoever writes who that is.
        if actor.service is None and Right.LEAD_CONVERSATIONS not in actor.rights:
            raise OutOfScope(_("There is no such conversation."))
    else:
        check_whole_debtor(actor, conversation.debtor_id)

"""What of the conversations is within an actor's reach, as operations check it themselves."""

from __future__ import annotations

from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import OutOfScope
from recobra.access.roles import Right
from recobra.conversations.models import Conversation
from recobra.portfolio.models import Account
from recobra.portfolio.scope import check_debtor


def check_conversation(actor: Actor, conversation: Conversation) -> None:
    """Raise OutOfScope for a conversation that the actor may not see; only leads see those of unknown numbers."""
    if conversation.debtor_id is None:
        # The bot asks whoever writes who that is.
        if actor.service is None and Right.LEAD_CONVERSATIONS not in actor.rights:
            raise OutOfScope(_("There is no such conversation."))
    else:
        check_whole_debtor(actor, conversation.debtor_id)


def check_whole_debtor(actor: Actor, debtor_id: int) -> None:
    """Raise OutOfScope for a debtor who owes nothing within the actor's reach, or something beyond it.

    Messages speak of all that is owed.
    """
    if actor.portfolio_codes is None:
        return
    check_debtor(actor, debtor_id)
    codes = Account.objects.filter(debtor=debtor_id).values_list("portfolio__code", flat=True)
    if not actor.portfolio_codes.issuperset(codes):
        raise OutOfScope(_("There is no such debtor."))

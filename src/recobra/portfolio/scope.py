"""What of the receivables is within an actor's reach, as operations check it themselves."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import OutOfScope, check_scope

from .models import Account, Portfolio


def check_debtor(actor: Actor, debtor_id: int) -> None:
    """Raise OutOfScope for a debtor without an account, or a part in one, in the actor's portfolios."""
    if actor.portfolio_codes is None:
        return
    # Co-debtors and guarantors are debtors without an account of their own.
    concerned = Account.objects.filter(Q(debtor=debtor_id) | Q(parties__debtor=debtor_id))
    if not concerned.filter(portfolio__code__in=actor.portfolio_codes).exists():
        raise OutOfScope(_("There is no such debtor."))


def check_portfolio(actor: Actor, portfolio_id: int) -> None:
    """Raise OutOfScope for a portfolio that is not within the actor's reach."""
    if actor.portfolio_codes is None:
        return
    code = Portfolio.objects.filter(pk=portfolio_id).values_list("code", flat=True).first()
    check_scope(actor, code or "")

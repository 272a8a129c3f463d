"""Whether what an operation is given lies within the actor's reach; who reaches every portfolio costs no query."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import NotAllowed, OutOfScope, check_scope

from .models import Account, Creditor, Debtor, Portfolio


def debtors_in(portfolios: Iterable[int] | QuerySet[Portfolio]) -> QuerySet[Debtor]:
    """Return the debtors with an account, or a part in one, in some portfolios."""
    own_accounts = Account.objects.filter(debtor=OuterRef("pk"), portfolio__in=portfolios)
    # Co-debtors and guarantors are debtors without an account of their own.
    party_accounts = Account.objects.filter(parties__debtor=OuterRef("pk"), portfolio__in=portfolios)
    return Debtor.objects.filter(Q(Exists(own_accounts)) | Q(Exists(party_accounts)))


def check_every_portfolio(actor: Actor) -> None:
    """Raise NotAllowed for who does not reach every portfolio, and so may not change what holds for all."""
    if actor.portfolio_codes is not None:
        raise NotAllowed(_("«%(name)s» may not do this.") % {"name": actor.name})


def check_portfolio(actor: Actor, portfolio_id: int) -> None:
    """Raise OutOfScope for a portfolio that is not within reach."""
    if actor.portfolio_codes is not None:
        code = Portfolio.objects.filter(pk=portfolio_id).values_list("code", flat=True).first()
        check_scope(actor, code or "")


def check_debtor(actor: Actor, debtor_id: int) -> None:
    """Raise OutOfScope for a debtor without an account, or a part in one, within reach."""
    if actor.portfolio_codes is None:
        return
    within_reach = Portfolio.objects.filter(code__in=actor.portfolio_codes)
    if not debtors_in(within_reach).filter(pk=debtor_id).exists():
        raise OutOfScope(_("There is no such debtor."))


def check_whole_debtor(actor: Actor, debtor_id: int) -> None:
    """Raise OutOfScope for a debtor who owes nothing within the actor's reach, or something beyond it."""
    if actor.portfolio_codes is None:
        return
    check_debtor(actor, debtor_id)
    codes = Account.objects.filter(debtor=debtor_id).values_list("portfolio__code", flat=True)
    if not actor.portfolio_codes.issuperset(codes):
        raise OutOfScope(_("There is no such debtor."))


def check_account(actor: Actor, account_id: int) -> None:
    """Raise OutOfScope for an account of a portfolio that is not within reach."""
    if actor.portfolio_codes is not None:
        code = Account.objects.filter(pk=account_id).values_list("portfolio__code", flat=True).first()
        check_scope(actor, code or "")


def check_creditor(actor: Actor, creditor_id: int) -> None:
    """Raise OutOfScope for a creditor none of whose portfolios is within reach."""
    if actor.portfolio_codes is None:
        return
    creditors = Creditor.objects.filter(portfolios__code__in=actor.portfolio_codes)
    if not creditors.filter(pk=creditor_id).exists():
        raise OutOfScope(_("There is no such creditor."))

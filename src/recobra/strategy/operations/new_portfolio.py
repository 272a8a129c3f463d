"""Opening of a portfolio that can be worked: its settings, its policy, the texts and the strategy that it follows."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor, Service, service_actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.messaging import operations as messaging
from recobra.portfolio import setup
from recobra.portfolio.description import PortfolioDescription, PortfolioSettings
from recobra.portfolio.models import Creditor, Portfolio
from recobra.portfolio.scope import check_every_portfolio
from recobra.portfolio.setup import PortfolioRefused

from .publication import ensure_ready_made
from .versions import StrategyRefused, follow_strategy

READY_MADE: Final = {"CONSUMER": "consumo", "SERVICES": "servicios", "INVOICES": "facturas"}
"""The ready-made strategy of each industry."""


@requires(Right.OPEN_PORTFOLIOS)
@transaction.atomic
def open_described_portfolio(*, description: PortfolioDescription, code: str, actor: Actor) -> Portfolio:
    """Open a portfolio, and its creditor where that is new, as the mapping of a first file describes them."""
    creditor = setup.open_creditor(**description.creditor.model_dump(), actor=actor)
    settings = PortfolioSettings(**description.model_dump(exclude={"creditor"}))
    return open_followed_portfolio(creditor_id=creditor.pk, code=code, settings=settings, actor=actor)


@requires(Right.OPEN_PORTFOLIOS)
@transaction.atomic
def open_followed_portfolio(
    *,
    creditor_id: int,
    code: str,
    settings: PortfolioSettings,
    strategy: str = "",
    settings_of: int | None = None,
    actor: Actor,
) -> Portfolio:
    """Open a portfolio that follows a strategy, so that its first load is worked. Raises PortfolioRefused.

    `strategy` is the code of a published one, '' for the ready-made one of the industry. `settings_of` is a portfolio
    whose policy of today the new one begins with, None for the product's own.
    """
    # Who sees some portfolios alone would not see the new one.
    check_every_portfolio(actor)
    creditor = Creditor.objects.get(pk=creditor_id)
    setup.refuse_portfolio(creditor=creditor, code=code, settings=settings, settings_of=settings_of, actor=actor)
    portfolio = setup.open_portfolio(
        creditor=creditor, code=code, settings_of=settings_of, actor=actor, **settings.model_dump()
    )
    library = service_actor(Service.LIBRARY, now=actor.now)
    messaging.ensure_library(actor=library)
    ensure_ready_made(actor=library)
    try:
        follow_strategy(portfolio_id=portfolio.pk, code=strategy or READY_MADE[portfolio.industry], actor=actor)
    except StrategyRefused as refusal:
        raise PortfolioRefused({"strategy": str(refusal) or _("Choose a strategy.")}) from refusal
    return portfolio

"""Opening of creditors and portfolios, and reads of all of them for the administrator of the installation."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.portfolio.description import PortfolioDescription
from recobra.portfolio.facts import CreditorOpened, PortfolioOpened
from recobra.portfolio.models import Creditor, Portfolio


class PortfolioUnknown(Exception):
    """No portfolio has this code; the text names those that exist."""


@requires(Right.OPEN_PORTFOLIOS)
@transaction.atomic
def open_described_portfolio(description: PortfolioDescription, *, code: str, actor: Actor) -> Portfolio:
    """Open a portfolio as its first mapping describes it."""
    creditor = open_creditor(**description.creditor.model_dump(), actor=actor)
    return open_portfolio(creditor=creditor, code=code, actor=actor, **description.model_dump(exclude={"creditor"}))


@requires(Right.OPEN_PORTFOLIOS)
@transaction.atomic
def open_creditor(*, code: str, name: str, actor: Actor, **details: str) -> Creditor:
    """Open a creditor, or return the one that has the code. `details`: the model's own text fields."""
    creditor, is_new = Creditor.objects.get_or_create(code=code, defaults={"name": name, **details})
    if is_new:
        record_fact(CreditorOpened(creditor_id=creditor.pk, code=code), actor=actor)
    return creditor


@requires(Right.OPEN_PORTFOLIOS)
@transaction.atomic
def open_portfolio(
    *,
    creditor: Creditor,
    code: str,
    name: str,
    industry: str,
    country: str,
    currency: str,
    time_zone: str,
    actor: Actor,
) -> Portfolio:
    """Open a portfolio, or return the one that has the code. Its policy begins with the product's own."""
    fields = {
        "creditor": creditor,
        "name": name,
        "industry": industry,
        "country": country,
        "currency": currency,
        "time_zone": time_zone,
    }
    portfolio, is_new = Portfolio.objects.get_or_create(code=code, defaults=fields)
    if is_new:
        record_fact(PortfolioOpened(code=code), actor=actor, portfolio_id=portfolio.pk)
    return portfolio


def list_portfolios() -> list[Portfolio]:
    """Return every portfolio of the installation, by code."""
    return list(Portfolio.objects.select_related("creditor").order_by("code"))


def get_portfolio(*, code: str) -> Portfolio:
    """Return the portfolio that has a code. Raises PortfolioUnknown."""
    portfolio = Portfolio.objects.filter(code=code).first()
    if portfolio is None:
        known = ", ".join(Portfolio.objects.order_by("code").values_list("code", flat=True)) or _("none yet")
        refusal = _("There is no portfolio «%(code)s»; there are: %(known)s.")
        raise PortfolioUnknown(refusal % {"code": code, "known": known})
    return portfolio

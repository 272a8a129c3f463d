"""Open creditors and portfolios, and list them for those who look after the whole installation."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from recobra.journal.operations import record

from .models import Creditor, Portfolio


class PortfolioUnknown(Exception):
    """No portfolio has this code; the text names those that exist."""


@transaction.atomic
def open_creditor(*, code: str, name: str, actor: str, now: datetime, **details: str) -> Creditor:
    """Open a creditor, or return the one that has the code. `details`: the model's own text fields."""
    creditor, made = Creditor.objects.get_or_create(code=code, defaults={"name": name, **details})
    if made:
        record("creditor.opened", at=now, actor=actor, payload={"creditor_id": creditor.pk, "code": code})
    return creditor


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
    actor: str,
    now: datetime,
    **settings: Any,
) -> Portfolio:
    """Open a portfolio, or return the one that has the code. `settings`: attributes, waterfall, limits, freshness."""
    given = {
        "creditor": creditor, "name": name, "industry": industry, "country": country, "currency": currency,
        "time_zone": time_zone, **settings,
    }  # fmt: skip
    portfolio, made = Portfolio.objects.get_or_create(code=code, defaults=given)
    if made:
        record("portfolio.opened", at=now, actor=actor, portfolio_id=portfolio.pk, payload={"code": code})
    return portfolio


def all_portfolios() -> list[Portfolio]:
    """Return every portfolio of the installation, by code."""
    return list(Portfolio.objects.select_related("creditor").order_by("code"))


def portfolio_of(*, code: str) -> Portfolio:
    """Return the portfolio that has a code. Raises PortfolioUnknown."""
    found = Portfolio.objects.filter(code=code).first()
    if found is None:
        known = ", ".join(Portfolio.objects.order_by("code").values_list("code", flat=True)) or "none yet"
        raise PortfolioUnknown(f"There is no portfolio «{code}»; there are: {known}.")
    return found

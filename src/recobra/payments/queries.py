"""Read access to the mappings of payment files, scoped to the portfolios that the user may see."""

from __future__ import annotations

from django.db.models import QuerySet

from recobra.access.models import User
from recobra.access.queries import portfolio_codes

from .models import PaymentMapping as PaymentMapping  # noqa: PLC0414 - the doors name the type from here


def payment_mappings_for(user: User, portfolio_code: str) -> QuerySet[PaymentMapping]:
    """Return the newest version of each mapping of a portfolio's payment files, if the user may see it."""
    codes = portfolio_codes(user)
    if codes is not None and portfolio_code not in codes:
        return PaymentMapping.objects.none()
    versions = PaymentMapping.objects.filter(portfolio__code=portfolio_code)
    newest = versions.order_by("name", "-version").distinct("name").values("pk")
    return versions.filter(pk__in=newest).order_by("name")

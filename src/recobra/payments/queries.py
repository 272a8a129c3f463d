"""Read access to payments and the mappings of their files, scoped to the portfolios that the user may see."""

from __future__ import annotations

from django.db.models import QuerySet, Sum

from recobra.access.models import User
from recobra.access.queries import portfolio_codes
from recobra.portfolio.queries import portfolios_for

from .models import Payment
from .models import PaymentMapping as PaymentMapping  # noqa: PLC0414 - the doors name the type from here


def money_in_hand_for(user: User, debtor_id: int) -> dict[str, int]:
    """Return by currency what a debtor has paid and found no open amount, in minor units."""
    standing = Payment.objects.filter(debtor=debtor_id, unapplied_minor__gt=0, reversed_at__isnull=True)
    rows = standing.filter(portfolio__in=portfolios_for(user)).order_by().values_list("portfolio__currency")
    return dict(rows.annotate(total=Sum("unapplied_minor")))


def payment_mappings_for(user: User, portfolio_code: str) -> QuerySet[PaymentMapping]:
    """Return the newest version of each mapping of a portfolio's payment files, if the user may see it."""
    codes = portfolio_codes(user)
    if codes is not None and portfolio_code not in codes:
        return PaymentMapping.objects.none()
    versions = PaymentMapping.objects.filter(portfolio__code=portfolio_code)
    newest = versions.order_by("name", "-version").distinct("name").values("pk")
    return versions.filter(pk__in=newest).order_by("name")

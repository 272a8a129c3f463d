"""Read access to visits, scoped to the user."""

from __future__ import annotations

from datetime import date

from django.db.models import QuerySet

from recobra.access.queries import User, portfolio_codes
from recobra.workbench.models import Visit

Result = Visit.Result


def visits_for(user: User, *, route_date: date, only_own: bool = False) -> list[Visit]:
    """Return the visits of a day in the order of the route; with `only_own` those assigned to the user."""
    visits = _visits_in_scope(user).filter(route_date=route_date).order_by("area", "position", "pk")
    if only_own:
        visits = visits.filter(assigned_to_id=user.pk)
    return list(visits)


def visit_for(user: User, visit_id: int) -> Visit:
    """Return one visit. Raises Visit.DoesNotExist."""
    return _visits_in_scope(user).get(pk=visit_id)


def count_open_visits_of(user: User) -> int:
    """Return how many visits without a result a person has."""
    return Visit.objects.filter(assigned_to_id=user.pk, result="").count()


def _visits_in_scope(user: User) -> QuerySet[Visit]:
    """Return the visits of the portfolios that a user may see, with their debtors."""
    visits = Visit.objects.select_related("contact__debtor", "contact__portfolio")
    codes = portfolio_codes(user)
    return visits if codes is None else visits.filter(contact__portfolio__code__in=codes)

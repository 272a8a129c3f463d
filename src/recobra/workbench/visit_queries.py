"""Visits, narrowed to what the user may see."""

from __future__ import annotations

from datetime import date

from django.db.models import QuerySet

from recobra.access.queries import User, portfolio_codes
from recobra.workbench.models import Visit

Result = Visit.Result


def visits_for(user: User, *, route_date: date, mine: bool = False) -> list[Visit]:
    """Return the visits of a day in the order of the route; `mine` only those given to the user."""
    found = _visits(user).filter(route_date=route_date).order_by("area", "position", "pk")
    return list(found.filter(assigned_to_id=user.pk) if mine else found)


def visit_for(user: User, visit_id: int) -> Visit:
    """Return one visit. Raises Visit.DoesNotExist."""
    return _visits(user).get(pk=visit_id)


def _visits(user: User) -> QuerySet[Visit]:
    found = Visit.objects.select_related("contact__debtor", "contact__portfolio")
    codes = portfolio_codes(user)
    return found if codes is None else found.filter(contact__portfolio__code__in=codes)

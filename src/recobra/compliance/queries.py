"""The register of incidents, narrowed to what the user may see."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from recobra.access.queries import User, portfolio_codes
from recobra.compliance.models import Incident

Kind = Incident.Kind


def incidents_for(user: User, *, country: str = "", kind: str = "", only_open: bool = False) -> QuerySet[Incident]:
    """Return the register a user may see, newest first; what belongs to no portfolio is seen by who recorded it."""
    found = Incident.objects.select_related("debtor", "contact", "portfolio").order_by("-happened_at", "-pk")
    codes = portfolio_codes(user)
    if codes is not None:
        own = Q(portfolio__isnull=True, recorded_by=user.username)
        found = found.filter(Q(portfolio__code__in=codes) | own)
    asked = {"country": country, "kind": kind, "closed_at__isnull": only_open}
    return found.filter(**{name: value for name, value in asked.items() if value})


def incident_for(user: User, incident_id: int) -> Incident:
    """Return one incident. Raises Incident.DoesNotExist."""
    return incidents_for(user).get(pk=incident_id)

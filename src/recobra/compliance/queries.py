"""Read access to the register of incidents, scoped to the user."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from recobra.access.queries import User, portfolio_codes
from recobra.compliance.models import Incident

Kind = Incident.Kind
Breach = Incident.Breach


def incidents_for(user: User, *, country: str = "", kind: str = "", only_open: bool = False) -> QuerySet[Incident]:
    """Return the incidents a user may see, newest first. Those of no portfolio are seen by who recorded them."""
    incidents = Incident.objects.select_related("debtor", "contact", "portfolio").order_by("-happened_at", "-pk")
    codes = portfolio_codes(user)
    if codes is not None:
        own = Q(portfolio__isnull=True, recorded_by=user.username)
        incidents = incidents.filter(Q(portfolio__code__in=codes) | own)
    if country:
        incidents = incidents.filter(country=country)
    if kind:
        incidents = incidents.filter(kind=kind)
    if only_open:
        incidents = incidents.filter(closed_at__isnull=True)
    return incidents


def incident_for(user: User, incident_id: int) -> Incident:
    """Return one incident. Raises Incident.DoesNotExist."""
    return incidents_for(user).get(pk=incident_id)

"""What may be read of letters, visits and incidents, narrowed to what the user may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet

from recobra.access.queries import User, portfolio_codes
from recobra.contact.models import Incident, Letter, LetterBatch, Visit

Kind = Incident.Kind
Result = Visit.Result
FILES: Final = {"letters.pdf": "application/pdf", "courier.csv": "text/csv"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The letters of one country that wait to be printed."""

    country: str
    count: int
    oldest: datetime


def waiting_for(user: User) -> list[Waiting]:
    """Return what lies in the tray, by country."""
    found = _letters(user).filter(status="WAITING").order_by().values("contact__portfolio__country")
    rows = found.annotate(n=Count("pk"), oldest=Min("changed_at")).order_by("contact__portfolio__country")
    return [Waiting(country=r["contact__portfolio__country"], count=r["n"], oldest=r["oldest"]) for r in rows]


def batches_for(user: User) -> QuerySet[LetterBatch]:
    """Return the batches all of whose letters a user may see, newest first, with counts of their ends."""
    found = LetterBatch.objects.annotate(
        delivered=Count("letters", filter=Q(letters__status="DELIVERED")),
        returned=Count("letters", filter=Q(letters__status="RETURNED")),
    ).order_by("-pk")
    codes = portfolio_codes(user)
    if codes is None:
        return found
    others = Letter.objects.filter(batch=OuterRef("pk")).exclude(contact__portfolio__code__in=codes)
    return found.filter(~Exists(others))


def batch_file_for(user: User, batch_id: int, name: str) -> Path:
    """Return where a file of a batch is. Raises ObjectDoesNotExist."""
    batch = batches_for(user).get(pk=batch_id)
    path = Path(settings.MEDIA_ROOT) / batch.path / name
    if name not in FILES or not batch.path or not path.is_file():
        raise ObjectDoesNotExist
    return path


def visits_for(user: User, *, route_date: date, mine: bool = False) -> list[Visit]:
    """Return the visits of a day in the order of the route; `mine` only those given to the user."""
    found = _visits(user).filter(route_date=route_date).order_by("area", "position", "pk")
    return list(found.filter(assigned_to_id=user.pk) if mine else found)


def visit_for(user: User, visit_id: int) -> Visit:
    """Return one visit. Raises Visit.DoesNotExist."""
    return _visits(user).get(pk=visit_id)


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


def _letters(user: User) -> QuerySet[Letter]:
    codes = portfolio_codes(user)
    return Letter.objects.all() if codes is None else Letter.objects.filter(contact__portfolio__code__in=codes)


def _visits(user: User) -> QuerySet[Visit]:
    found = Visit.objects.select_related("contact__debtor", "contact__portfolio")
    codes = portfolio_codes(user)
    return found if codes is None else found.filter(contact__portfolio__code__in=codes)

"""What compliance holds about people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from django.db.models import Max
from django.db.models.functions import TruncDate
from django.utils.translation import gettext_noop

from recobra.kit.personal_data import Block, Holding, Row
from recobra.kit.tables import is_any_of

from .models import Incident, PersonRequest


def _find_open_incidents(debtor_ids: Sequence[int], _day: date) -> Collection[int]:
    incidents = Incident.objects.filter(is_any_of("debtor_id", debtor_ids), closed_at__isnull=True)
    return {debtor_id for debtor_id in incidents.values_list("debtor_id", flat=True) if debtor_id is not None}


def _last_incidents(debtor_ids: Sequence[int]) -> Mapping[int, date]:
    incidents = Incident.objects.filter(is_any_of("debtor_id", debtor_ids))
    days = incidents.values_list("debtor_id").annotate(last=Max(TruncDate("recorded_at")))
    return {debtor_id: day for debtor_id, day in days if debtor_id is not None}


def _copy_incidents(debtor_id: int) -> Iterable[Row]:
    incidents = Incident.objects.filter(debtor_id=debtor_id).order_by("happened_at", "pk")
    return incidents.values("kind", "happened_at", "rule", "article", "description", "corrective_action", "closed_at")


def _find_open_requests(debtor_ids: Sequence[int], _day: date) -> Collection[int]:
    requests = PersonRequest.objects.filter(is_any_of("debtor_id", debtor_ids), answered_at__isnull=True)
    return set(requests.values_list("debtor_id", flat=True))


def _copy_requests(debtor_id: int) -> Iterable[Row]:
    requests = PersonRequest.objects.filter(debtor_id=debtor_id).order_by("pk")
    return requests.values("kind", "asked_on", "note", "answered_at", "outcome")


HOLDINGS = (
    Holding(
        model="compliance.Incident",
        data_class="incidents",
        copy=_copy_incidents,
        last_days=_last_incidents,
        blocks=(
            Block(
                code="open_incident",
                text=gettext_noop("An incident or complaint is not closed yet."),
                find=_find_open_incidents,
            ),
        ),
    ),
    Holding(
        model="compliance.PersonRequest",
        data_class="requests",
        copy=_copy_requests,
        blocks=(
            Block(
                code="open_request",
                text=gettext_noop("A request of the person waits for its answer."),
                find=_find_open_requests,
            ),
        ),
    ),
    Holding(model="compliance.ErasedClass", data_class="requests"),
)

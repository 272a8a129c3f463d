"""What may be read of the ledger of consent: what was said about a debtor's numbers and addresses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from recobra.consent.models import ConsentEntry, Silence
from recobra.portfolio import address_forms
from recobra.portfolio.models import ContactPoint, Debtor

CHANNELS: Final = {
    "PHONE": ("call", "ivr", "sms", "whatsapp"),
    "EMAIL": ("email",),
    "ADDRESS": ("letter", "visit"),
}
"""By which channels a kind of contact point is reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """An entry of the ledger. `words` is what was said or proved, '' where it was said by another debtor."""

    at: datetime
    act: str
    source: str
    channel: str
    words: str
    actor: str
    by_this_debtor: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PointConsent:
    """A contact point with all that was said about its number or address, newest first."""

    point: ContactPoint
    silent_since: datetime | None
    entries: tuple[EntryView, ...]
    channels: tuple[str, ...]


def consent_by_point(debtor: Debtor) -> list[PointConsent]:
    """Return a debtor's contact points with their wishes; the silence of a line holds for every debtor that has it."""
    points = list(debtor.points.order_by("retired_at", "-quality", "pk"))
    forms = {point.pk: address_forms.list_forms(point.value, kind=point.kind) for point in points}
    values = {value for each in forms.values() for value in each}
    entries = list(ConsentEntry.objects.filter(value__in=values).order_by("-at", "-pk"))
    silences = {(each.kind, each.value): each.since for each in Silence.objects.filter(value__in=values)}
    return [_line(point, forms[point.pk], entries, silences, debtor) for point in points]


def point_of(debtor: Debtor, point_id: int) -> ContactPoint:
    """Return a contact point of a debtor. Raises ContactPoint.DoesNotExist."""
    return debtor.points.get(pk=point_id)


def _line(
    point: ContactPoint,
    forms: tuple[str, ...],
    entries: Iterable[ConsentEntry],
    silences: dict[tuple[str, str], datetime],
    debtor: Debtor,
) -> PointConsent:
    mine = tuple(_said(each, debtor) for each in entries if each.kind == point.kind and each.value in forms)
    since = min((silences[point.kind, form] for form in forms if (point.kind, form) in silences), default=None)
    return PointConsent(point=point, silent_since=since, entries=mine, channels=CHANNELS[point.kind])


def _said(entry: ConsentEntry, debtor: Debtor) -> EntryView:
    own = entry.debtor_id in {None, debtor.pk}
    return EntryView(
        at=entry.at,
        act=entry.act,
        source=entry.source,
        channel=entry.channel,
        actor=entry.actor if own else "",
        words=(entry.said or entry.text_shown) if own else "",
        by_this_debtor=own,
    )

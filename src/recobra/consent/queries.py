"""Read access to the ledger of consent: the entries about a debtor's numbers and addresses."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from recobra.consent.address_digest import digest_addresses, list_known_forms
from recobra.consent.models import ConsentEntry, Silence
from recobra.portfolio import address_forms
from recobra.portfolio.models import ContactPoint, Debtor
from recobra_core.channels import CHANNELS_BY_KIND


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """An entry of the ledger. `words` and `actor` are '' where another debtor of the same address said it."""

    at: datetime
    act: str
    source: str
    channel: str
    words: str
    actor: str
    by_this_debtor: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PointConsent:
    """A contact point with the entries about its number or address, newest first."""

    point: ContactPoint
    silent_since: datetime | None
    entries: tuple[EntryView, ...]
    channels: tuple[str, ...]


def is_silenced(*, kind: str, value: str) -> bool:
    """Return whether nothing may be sent to a number or address, whoever has it and however it is written."""
    return Silence.objects.at_address(kind=kind, forms=list_known_forms(value, kind=kind)).exists()


def find_digested_silences(addresses: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return those of some kinds and values that are silent by their digest."""
    digests = digest_addresses(addresses)
    if not digests:
        return set()
    silent = set(Silence.objects.filter(value__in=set(digests.values())).values_list("kind", "value"))
    return {address for address, digest in digests.items() if (address[0], digest) in silent}


def consent_by_point(debtor: Debtor) -> list[PointConsent]:
    """Return a debtor's contact points with their entries; a silence holds for every debtor at the address."""
    from recobra.portfolio.queries import with_joined  # noqa: PLC0415 - every command loads this module as it begins

    points = list(debtor.points.order_by("retired_at", "-quality", "pk"))
    forms_by_point = {point.pk: address_forms.list_forms(point.value, kind=point.kind) for point in points}
    values: set[str] = set()
    for forms in forms_by_point.values():
        values.update(forms)
    debtor_ids = set(with_joined([debtor.pk]))
    entries = list(ConsentEntry.objects.filter(value__in=values).order_by("-at", "-pk"))
    silences = {(silence.kind, silence.value): silence.since for silence in Silence.objects.filter(value__in=values)}
    return [_point_consent(point, forms_by_point[point.pk], entries, silences, debtor_ids) for point in points]


def point_of(debtor: Debtor, point_id: int) -> ContactPoint:
    """Return a contact point of a debtor. Raises ContactPoint.DoesNotExist."""
    return debtor.points.get(pk=point_id)


def _point_consent(
    point: ContactPoint,
    forms: tuple[str, ...],
    entries: Iterable[ConsentEntry],
    silences: dict[tuple[str, str], datetime],
    debtor_ids: Collection[int],
) -> PointConsent:
    """Return a contact point with those of the entries that are about one of its forms.

    `silences` holds the start of each silence by kind and form; words and names of other debtors than `debtor_ids` are
    left out.
    """
    views = []
    for entry in entries:
        if entry.kind != point.kind or entry.value not in forms:
            continue
        # The names and words of others who have the number are personal data of other debtors.
        is_own = entry.debtor_id is None or entry.debtor_id in debtor_ids
        views.append(
            EntryView(
                at=entry.at,
                act=entry.act,
                source=entry.source,
                channel=entry.channel,
                actor=entry.actor if is_own else "",
                words=(entry.said or entry.text_shown) if is_own else "",
                by_this_debtor=is_own,
            )
        )
    starts = [silences[point.kind, form] for form in forms if (point.kind, form) in silences]
    return PointConsent(
        point=point,
        silent_since=min(starts, default=None),
        entries=tuple(views),
        channels=CHANNELS_BY_KIND[point.kind],
    )

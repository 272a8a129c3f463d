"""Wishes whose number is gone: how they are digested when people are anonymised, and found again by a new load."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from recobra.consent.address_digest import canonical_form, digest_addresses, is_digest, make_digests
from recobra.consent.models import ConsentEntry, Silence
from recobra.kit.personal_data import DIGEST, ERASED
from recobra.kit.tables import is_any_of
from recobra.portfolio import address_forms
from recobra.portfolio.models import ContactPoint
from recobra.portfolio.personal_data import replace_point_value
from recobra.portfolio.sql import authorise_channel

Address = tuple[str, str]
"""A kind of contact point and a value."""
_POINTS_AT_A_TIME: Final = 50_000
_WITHDRAWN = ConsentEntry.Act.WITHDRAWN
# What was said are the words of the person; the guard of the table lets nothing else change.
_DIGEST_ENTRIES: Final = """
    UPDATE consent_consententry entry SET value = given.value, said = ''
    FROM unnest(%s::bigint[], %s::text[]) AS given(id, value) WHERE entry.id = given.id"""


@transaction.atomic
def digest_wishes(debtor_ids: Sequence[int], _at: datetime) -> int:
    """Put digests in the place of the numbers of some debtors in the ledger; return how many rows changed.

    A number that somebody else has too stays as it is: it still is that person's.
    """
    points = list(ContactPoint.objects.filter(is_any_of("debtor_id", debtor_ids)).exclude(value__startswith=ERASED))
    addresses = {(point.kind, point.value) for point in points if not is_digest(point.value)}
    about = Q(is_any_of("debtor_id", debtor_ids)) | Q(value__in=_spell_out(addresses))
    entries = list(ConsentEntry.objects.filter(about).exclude(value__startswith=DIGEST))
    addresses |= {(entry.kind, entry.value) for entry in entries}
    silences = list(Silence.objects.filter(value__in=_spell_out(addresses)).exclude(value__startswith=DIGEST))
    living = _find_living(addresses, debtor_ids)
    wished = {_canonical((each.kind, each.value)) for each in entries}
    wished |= {_canonical((each.kind, each.value)) for each in silences}
    digests = make_digests(wished - living) if wished - living else {}
    changed = _digest_entries(entries, digests, set(debtor_ids))
    changed += _digest_silences(silences, digests)
    # A point of which the ledger speaks keeps the digest: opt-outs by an old link, and figures that join both, hold.
    marked = [point for point in points if _canonical((point.kind, point.value)) in digests]
    values = [digests[_canonical((point.kind, point.value))] for point in marked]
    _replace_points(marked, values)
    return changed


def revive_digested(points: QuerySet[ContactPoint]) -> int:
    """Write out again the silences and withdrawals of numbers that have come back as some points; return how many.

    The number is the company's again, by another person's file or the same: what was asked about it holds.
    """
    if not digest_addresses([("PHONE", "")]):
        return 0
    known = _read_digested()
    revived = 0
    loaded = points.values_list("kind", "value").order_by("pk")
    for addresses in _in_parts(loaded.iterator(chunk_size=_POINTS_AT_A_TIME)):
        for address, digest in digest_addresses(addresses).items():
            if (address[0], digest) in known:
                _write_out(address, digest)
                revived += 1
    return revived


def _canonical(address: Address) -> Address:
    kind, value = address
    return kind, value if is_digest(value) else canonical_form(value, kind=kind)


def _spell_out(addresses: Iterable[Address]) -> set[str]:
    """Return every spelling of some numbers and addresses."""
    forms: set[str] = set()
    for kind, value in addresses:
        forms.update(address_forms.list_forms(value, kind=kind))
    return forms


def _find_living(addresses: Collection[Address], debtor_ids: Sequence[int]) -> set[Address]:
    """Return which numbers and addresses somebody else has, in their canonical form."""
    others = ContactPoint.objects.filter(value__in=_spell_out(addresses)).exclude(is_any_of("debtor_id", debtor_ids))
    return {_canonical(address) for address in others.values_list("kind", "value")}


def _digest_entries(entries: Sequence[ConsentEntry], digests: dict[Address, str], debtor_ids: Collection[int]) -> int:
    """Write the digests of entries, and take out what the debtors said where the number stays."""
    values = {}
    for entry in entries:
        digest = digests.get(_canonical((entry.kind, entry.value)))
        if digest or (entry.said and entry.debtor_id in debtor_ids):
            values[entry.pk] = digest or entry.value
    with connection.cursor() as cursor:
        cursor.execute(_DIGEST_ENTRIES, [list(values), list(values.values())])
        return cursor.rowcount


def _digest_silences(silences: Sequence[Silence], digests: dict[Address, str]) -> int:
    """Let one silence stand for all spellings of each number, by its digest and since the first."""
    by_digest: dict[Address, Silence] = {}
    for silence in sorted(silences, key=lambda each: (each.since, each.pk)):
        digest = digests.get(_canonical((silence.kind, silence.value)))
        if digest:
            by_digest.setdefault((silence.kind, digest), silence)
    rows = [
        Silence(kind=kind, value=digest, since=first.since, entry_id=first.entry_id)
        for (kind, digest), first in by_digest.items()
    ]
    Silence.objects.bulk_create(rows, ignore_conflicts=True)
    gone = [silence.pk for silence in silences if _canonical((silence.kind, silence.value)) in digests]
    return Silence.objects.filter(pk__in=gone).delete()[0]


def _replace_points(points: Sequence[ContactPoint], values: Sequence[str]) -> None:
    """Write the digests of points; a second spelling of the same line of a debtor goes the way of the others."""
    first: dict[tuple[int, str, str], int] = {}
    for point, value in zip(points, values, strict=True):
        first.setdefault((point.debtor_id, point.kind, value), point.pk)
    replace_point_value(list(first.values()), [value for _debtor_id, _kind, value in first])


def _read_digested() -> set[Address]:
    """Return the digests of which something is silent or withdrawn."""
    silent = Silence.objects.filter(value__startswith=DIGEST).values_list("kind", "value")
    withdrawn = ConsentEntry.objects.filter(value__startswith=DIGEST, act=_WITHDRAWN).values_list("kind", "value")
    return {*silent, *withdrawn}


def _in_parts(addresses: Iterator[Address]) -> Iterator[list[Address]]:
    """Yield addresses in lists that fit in memory."""
    part: list[Address] = []
    for address in addresses:
        part.append(address)
        if len(part) == _POINTS_AT_A_TIME:
            yield part
            part = []
    if part:
        yield part


def _write_out(address: Address, digest: str) -> None:
    """Let what is known of a digest hold for the number: its silence in every spelling, its withdrawals by channel."""
    kind, value = address
    forms = address_forms.list_forms(value, kind=kind)
    for silence in Silence.objects.filter(kind=kind, value=digest):
        rows = [Silence(kind=kind, value=form, since=silence.since, entry_id=silence.entry_id) for form in forms]
        Silence.objects.bulk_create(rows, ignore_conflicts=True)
    said = ConsentEntry.objects.filter(kind=kind, value=digest, act__in=[ConsentEntry.Act.GRANTED, _WITHDRAWN])
    # The last word about each channel; what was granted was granted to somebody who is gone.
    last = {entry.channel: entry.act for entry in said.order_by("at", "pk")}
    for channel, act in last.items():
        if act == _WITHDRAWN:
            authorise_channel(kind=kind, forms=forms, channel=channel, is_granted=False)

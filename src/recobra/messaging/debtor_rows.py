"""What of the outbox follows a debtor who is joined with another: caps count the history of both."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Exists, OuterRef, Q, QuerySet

from recobra.kit.debtor_rows import DebtorRows, Joining, MovedRow, put_rows_back
from recobra.portfolio.models import ContactPoint

from .models import Contact

_HAS_SLOT = Q(status__in=["DUE", "LEASED", "SENT", "UNCERTAIN"]) & ~Q(purpose="REPLY")
"""A contact that has the place of its debtor, channel and day: `contact_one_per_debtor_channel_day` is the same."""


def _move(joining: Joining) -> list[MovedRow]:
    """Move all contacts, and let those to a number that both have point to the one that is left."""
    # Nobody hands one over meanwhile.
    contacts = list(Contact.objects.select_for_update().filter(debtor_id=joining.joined_id).order_by("pk").only("pk"))
    ids = [contact.pk for contact in contacts]
    going = Contact.objects.filter(pk__in=ids)
    _clear_slots(going, debtor_id=joining.kept_id)
    doubled_ids = _mark_doubled(going, debtor_id=joining.kept_id)
    before: dict[int, dict[str, int | bool]] = {contact_id: {} for contact_id in ids}
    for contact_id in doubled_ids:
        before[contact_id]["is_doubled"] = True
    for point_id, kept_id in joining.points.items():
        about = going.filter(point_id=point_id)
        for contact_id in about.values_list("pk", flat=True):
            before[contact_id]["point"] = point_id
        about.update(point_id=kept_id)
    going.update(debtor_id=joining.kept_id)
    return [MovedRow(row_id=contact_id, before=before[contact_id]) for contact_id in ids]


def _clear_slots(contacts: QuerySet[Contact], *, debtor_id: int) -> None:
    """Let what has left keep its place: whatever of who stays has it and has not left is taken back after the join."""
    left = contacts.filter(
        _HAS_SLOT,
        handed_over_at__isnull=False,
        is_doubled=False,
        channel=OuterRef("channel"),
        planned_for=OuterRef("planned_for"),
    )
    waiting = Contact.objects.filter(_HAS_SLOT, Exists(left), debtor_id=debtor_id, handed_over_at__isnull=True)
    waiting.update(is_doubled=True)


def _mark_doubled(contacts: QuerySet[Contact], *, debtor_id: int) -> list[int]:
    """Mark the contacts whose place another one of a debtor has whom they come to; return their ids."""
    taken = Contact.objects.filter(
        _HAS_SLOT,
        debtor_id=debtor_id,
        is_doubled=False,
        channel=OuterRef("channel"),
        planned_for=OuterRef("planned_for"),
    )
    doubled_ids = list(contacts.filter(_HAS_SLOT, Exists(taken), is_doubled=False).values_list("pk", flat=True))
    Contact.objects.filter(pk__in=doubled_ids).update(is_doubled=True)
    return doubled_ids


def _put_back(joining: Joining, moved: Sequence[MovedRow]) -> None:
    put_rows_back("messaging.Contact", joining, moved)
    doubled_ids = [each.row_id for each in moved if "is_doubled" in each.before]
    Contact.objects.filter(pk__in=doubled_ids).update(is_doubled=False)
    by_point: dict[int, list[int]] = {}
    for each in moved:
        if "point" in each.before:
            by_point.setdefault(each.before["point"], []).append(each.row_id)
    for point_id, contact_ids in by_point.items():
        Contact.objects.filter(pk__in=contact_ids).update(point_id=point_id)


def _part(joining: Joining) -> None:
    """Give who goes again what was sent since to the own numbers."""
    points = ContactPoint.objects.filter(debtor_id=joining.joined_id)
    since = Contact.objects.filter(debtor_id=joining.kept_id, point__in=points)
    _mark_doubled(since, debtor_id=joining.joined_id)
    since.update(debtor_id=joining.joined_id)


FOLLOWING = (DebtorRows(model="messaging.Contact", move=_move, put_back=_put_back, part=_part),)

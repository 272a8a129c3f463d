"""Visits: who goes where on a day, and what came of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from recobra.journal.operations import record
from recobra.kit.zones import local_date
from recobra.messaging.channels.adapter import ReceiptEvent
from recobra.messaging.receipts.record import record_receipts
from recobra.portfolio.models import Hold
from recobra.portfolio.operations import place_hold
from recobra.workbench.models import Visit

NOTE_LIMIT: Final = 2_000
# A person who was met has been reached, whatever was said; an address that is wrong will never work.
_ENDS: Final = {
    "MET": ("ANSWERED", None),
    "PROMISE": ("ANSWERED", None),
    "REFUSED": ("ANSWERED", None),
    "ABSENT": ("NOT_ANSWERED", None),
    "WRONG_ADDRESS": ("BOUNCED", True),
}


class VisitRefused(Exception):
    """The visit cannot be noted or given to somebody; the text says why and is shown as it is."""


@transaction.atomic
def order_route(*, route_date: date, portfolio_codes: Collection[str] | None, now: datetime) -> int:
    """Number the open visits of a day by area and address; return how many there are.

    A door's number decides inside a street: «12» comes before «110».
    """
    del now
    visits = list(_open(route_date, portfolio_codes).select_related("contact__point"))
    for position, visit in enumerate(sorted(visits, key=_by_way), start=1):
        visit.position = position
    Visit.objects.bulk_update(visits, ["position"])
    return len(visits)


@transaction.atomic
def assign_visits(
    *,
    route_date: date,
    areas: Sequence[str],
    user_id: int,
    portfolio_codes: Collection[str] | None,
    actor: str,
    actor_id: int | None = None,
    now: datetime,
) -> int:
    """Give the open visits of some areas to a person; return how many."""
    given = _open(route_date, portfolio_codes).filter(area__in=areas).update(assigned_to_id=user_id)
    payload = {"date": route_date.isoformat(), "user_id": user_id, "visits": given}
    record("visit.assigned", at=now, actor=actor, actor_id=actor_id, payload=payload)
    return given


@transaction.atomic
def note_visit(
    *,
    visit_id: int,
    result: str,
    words: str = "",
    promised_on: date | None = None,
    portfolio_codes: Collection[str] | None,
    actor: str,
    actor_id: int | None = None,
    now: datetime,
) -> Visit:
    """Note what came of a visit, once. A promise pauses the pursuit until its day. Raises VisitRefused."""
    found = Visit.objects.select_for_update(of=("self",)).select_related("contact").filter(pk=visit_id)
    if portfolio_codes is not None:
        found = found.filter(contact__portfolio__code__in=portfolio_codes)
    visit = found.first()
    if visit is None:
        raise VisitRefused(_("There is no such visit."))
    today = local_date(visit.contact.zones, now) or now.date()
    _check(visit, result, words, promised_on, today)
    visit.result, visit.note, visit.noted_at, visit.noted_by = result, words.strip(), now, actor
    visit.save(update_fields=["result", "note", "noted_at", "noted_by"])
    contact = visit.contact
    record(
        "visit.noted",
        at=now,
        actor=actor,
        actor_id=actor_id,
        portfolio_id=contact.portfolio_id,
        debtor_id=contact.debtor_id,
        contact_id=contact.pk,
        payload={"visit_id": visit.pk, "result": result},
    )
    _tell(visit, now)
    if promised_on is not None:
        place_hold(
            debtor_id=contact.debtor_id,
            reason=Hold.Reason.PROMISE,
            starts_on=today,
            ends_on=promised_on,
            actor=actor,
            actor_id=actor_id,
            now=now,
        )
    return visit


def _check(visit: Visit, result: str, words: str, promised_on: date | None, today: date) -> None:
    if visit.result:
        raise VisitRefused(_("The result of this visit is noted already."))
    if result not in _ENDS:
        raise VisitRefused(_("Say what came of the visit."))
    if len(words) > NOTE_LIMIT:
        raise VisitRefused(_("The note is too long."))
    if (promised_on is not None) != (result == "PROMISE"):
        raise VisitRefused(_("A promise needs its day, and only a promise has one."))
    if promised_on is not None and promised_on < today:
        raise VisitRefused(_("The day of a promise cannot be past."))


def _open(route_date: date, portfolio_codes: Collection[str] | None) -> QuerySet[Visit]:
    found = Visit.objects.filter(route_date=route_date, result="")
    return found if portfolio_codes is None else found.filter(contact__portfolio__code__in=portfolio_codes)


def _by_way(visit: Visit) -> tuple[str, list[tuple[int, str]]]:
    words = visit.contact.address.casefold().replace(",", " ").split()
    return visit.area, [(int(word), "") if word.isdecimal() else (-1, word) for word in words]


def _tell(visit: Visit, now: datetime) -> None:
    kind, permanent = _ENDS[visit.result]
    event = ReceiptEvent(
        kind=kind,
        at=now,
        event_key=f"visit-{visit.contact.public_id}",
        public_id=visit.contact.public_id,
        permanent=permanent,
        detail={"code": visit.result.lower()},
    )
    record_receipts(events=[event], provider_id=None, now=now)

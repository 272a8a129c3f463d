"""Routes of visits, their assignment to people, and the results of visits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from recobra.access.actors import Actor, Service, service_actor
from recobra.access.permissions import consequence, requires
from recobra.access.queries import User, portfolio_codes
from recobra.access.roles import Right, has_right
from recobra.agreements.operations import PromiseRefused, register_promise
from recobra.journal.operations import record_fact
from recobra.kit.zones import local_date
from recobra.messaging.channels.adapter import ReceiptEvent
from recobra.messaging.receipts.record import record_receipts
from recobra.portfolio.models import Channel
from recobra.workbench.facts import VisitNoted, VisitsAssigned
from recobra.workbench.models import Visit

NOTE_LIMIT: Final = 2_000
# Result -> kind of receipt, and whether the address is unusable for good. A debtor who was met has been reached,
# whatever was said.
_RECEIPTS: Final = {
    "MET": ("ANSWERED", None),
    "PROMISE": ("ANSWERED", None),
    "REFUSED": ("ANSWERED", None),
    "ABSENT": ("NOT_ANSWERED", None),
    "WRONG_ADDRESS": ("BOUNCED", True),
}


class VisitRefused(Exception):
    """The result of a visit cannot be recorded; the text is shown as it is."""


@requires(Right.VISIT)
@transaction.atomic
def order_route(*, route_date: date, actor: Actor) -> int:
    """Give the open visits of a day within reach their positions by area and address; return how many there are."""
    visits = list(_open_visits(route_date, actor.portfolio_codes).select_related("contact__point"))
    for position, visit in enumerate(sorted(visits, key=_route_key), start=1):
        visit.position = position
    Visit.objects.bulk_update(visits, ["position"])
    return len(visits)


@requires(Right.VISIT)
@transaction.atomic
def assign_visits(*, route_date: date, areas: Sequence[str], user_id: int, actor: Actor) -> int:
    """Assign the open visits of some areas within reach to a person; return how many there are."""
    visits = _open_visits(route_date, actor.portfolio_codes).filter(area__in=areas)
    assigned = visits.update(assigned_to_id=user_id)
    record_fact(VisitsAssigned(route_date=route_date, user_id=user_id, visits=assigned), actor=actor)
    return assigned


@consequence
@transaction.atomic
def hand_over_visits(*, from_id: int, to: User | None, actor: Actor) -> int:
    """Give the open visits of a person to another one, as far as that one may make them, the rest back to everybody.

    Returns how many there are.
    """
    visits = Visit.objects.filter(assigned_to_id=from_id, result="")
    count = 0
    if to is not None and has_right(to, Right.VISIT):
        codes = portfolio_codes(to)
        within = visits if codes is None else visits.filter(contact__portfolio__code__in=codes)
        count = _reassign(within, to.pk, actor)
    return count + _reassign(visits, None, actor)


def _reassign(visits: QuerySet[Visit], user_id: int | None, actor: Actor) -> int:
    """Assign visits to a person or to nobody, with a fact for each day; return how many there are."""
    by_day = Counter(visits.select_for_update(of=("self",)).order_by("pk").values_list("route_date", flat=True))
    visits.update(assigned_to_id=user_id)
    for route_date, count in sorted(by_day.items()):
        record_fact(VisitsAssigned(route_date=route_date, user_id=user_id, visits=count), actor=actor)
    return by_day.total()


@requires(Right.VISIT)
@transaction.atomic
def record_visit_result(
    *,
    visit_id: int,
    result: str,
    note: str = "",
    promised_on: date | None = None,
    promised_minor: int | None = None,
    actor: Actor,
) -> Visit:
    """Record the result of a visit, once, and the promise that was made at the door. Raises VisitRefused.

    `promised_minor` is None for all that is overdue.
    """
    visits = Visit.objects.select_for_update(of=("self",)).select_related("contact").filter(pk=visit_id)
    if actor.portfolio_codes is not None:
        visits = visits.filter(contact__portfolio__code__in=actor.portfolio_codes)
    visit = visits.first()
    if visit is None:
        raise VisitRefused(_("There is no such visit."))
    # The day of the promise is the debtor's own, not the server's.
    today = local_date(visit.contact.zones, actor.now) or actor.now.date()
    _check_result(visit, result, note, promised_on)
    if promised_minor is not None and promised_on is None:
        raise VisitRefused(_("An amount needs the day of its promise."))
    visit.result = result
    visit.note = note.strip()
    visit.noted_at = actor.now
    visit.noted_by = actor.name
    visit.save(update_fields=["result", "note", "noted_at", "noted_by"])
    contact = visit.contact
    record_fact(
        VisitNoted(visit_id=visit.pk, result=result),
        actor=actor,
        portfolio_id=contact.portfolio_id,
        debtor_id=contact.debtor_id,
        contact_id=contact.pk,
    )
    receipt_kind, is_permanent = _RECEIPTS[result]
    receipt = ReceiptEvent(
        kind=receipt_kind,
        at=actor.now,
        event_key=f"visit-{contact.public_id}",
        public_id=contact.public_id,
        permanent=is_permanent,
        detail={"code": result.lower()},
    )
    record_receipts(events=[receipt], provider_id=None, actor=service_actor(Service.PROVIDER, now=actor.now))
    if promised_on is not None:
        _register_promise(visit, promised_on, promised_minor, today, actor)
    return visit


def _register_promise(visit: Visit, promised_on: date, promised_minor: int | None, today: date, actor: Actor) -> None:
    """Register what was promised at the door. Raises VisitRefused with what the agreements say against it."""
    try:
        register_promise(
            portfolio_id=visit.contact.portfolio_id,
            debtor_id=visit.contact.debtor_id,
            promised_on=promised_on,
            amount_minor=promised_minor,
            today=today,
            channel=Channel.VISIT,
            contact_id=visit.contact_id,
            actor=actor,
        )
    except PromiseRefused as refusal:
        raise VisitRefused(str(refusal)) from refusal


def _check_result(visit: Visit, result: str, note: str, promised_on: date | None) -> None:
    """Raise VisitRefused for a second result, an unknown one, a long note, or a promise without its day."""
    if visit.result:
        raise VisitRefused(_("The result of this visit is noted already."))
    if result not in _RECEIPTS:
        raise VisitRefused(_("Say what came of the visit."))
    if len(note) > NOTE_LIMIT:
        raise VisitRefused(_("The note is too long."))
    if (promised_on is not None) != (result == "PROMISE"):
        raise VisitRefused(_("A promise needs its day, and only a promise has one."))


def _open_visits(route_date: date, portfolio_codes: Collection[str] | None) -> QuerySet[Visit]:
    """Return the visits of a day without a result, in some portfolios or, with None, in all."""
    visits = Visit.objects.filter(route_date=route_date, result="")
    return visits if portfolio_codes is None else visits.filter(contact__portfolio__code__in=portfolio_codes)


def _route_key(visit: Visit) -> tuple[str, list[tuple[int, str]]]:
    """Return the sort key of a visit on its route: its area, then the words of its address.

    Numbers compare as numbers, so that house 12 comes before house 110; a name comes before any number.
    """
    words = visit.contact.address.casefold().replace(",", " ").split()
    word_keys = [(int(word), "") if word.isdecimal() else (-1, word) for word in words]
    return visit.area, word_keys

"""The counterparty of a conversation: the debtor at a number or address, and what is needed to write back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db import connection
from django.db.models import F, Max

from recobra.consent.queries import is_silenced
from recobra.kit.zones import local_date
from recobra.messaging.channels.adapter import InboundEvent
from recobra.messaging.models import Contact
from recobra.portfolio import address_forms
from recobra.portfolio.models import Account, ContactPoint, Debtor, Portfolio
from recobra.tabular import identity
from recobra_core.law import zones_for

_LOCK_SEED: Final = 5
_REACHED = (Contact.Status.SENT, Contact.Status.UNCERTAIN, Contact.Status.LEASED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterparty:
    """A debtor at one address, and the portfolio in whose name he or she is answered.

    `point` is None where the address is no contact point of the debtor; `today` is the debtor's local day, None in an
    unknown zone.
    """

    debtor: Debtor
    portfolio: Portfolio
    point: ContactPoint | None
    country: str
    zones: str
    today: date | None


def find_counterparty(debtor: Debtor, *, channel: str, address: str, now: datetime) -> Counterparty | None:
    """Return the counterparty that a debtor is at an address; None for a debtor without an account."""
    portfolio = _answering_portfolio(debtor)
    if portfolio is None:
        return None
    country = debtor.country or portfolio.country
    zones = zones_for(country=country, subdivision=debtor.subdivision or None, stated_zone=debtor.time_zone or None)
    kind = address_forms.point_kind(channel)
    points = debtor.points.filter(kind=kind, value__in=address_forms.list_forms(address, kind=kind))
    # Where there is no live point, a retired one still shows how the debtor was reached.
    live_first = F("retired_at").asc(nulls_first=True)
    return Counterparty(
        debtor=debtor,
        portfolio=portfolio,
        point=points.order_by(live_first, "pk").first(),
        country=country,
        zones=zones,
        today=local_date(zones, now),
    )


def _answering_portfolio(debtor: Debtor) -> Portfolio | None:
    """Return the portfolio of the last contact, else that of an account, open ones first."""
    # A debtor with several portfolios answers what was sent last.
    last = Contact.objects.filter(debtor=debtor, status__in=_REACHED).order_by("-planned_for", "-pk").first()
    if last is not None:
        return last.portfolio
    accounts = Account.objects.filter(debtor=debtor).select_related("portfolio").order_by("pk")
    account = accounts.filter(status=Account.Status.OPEN).first() or accounts.first()
    return account.portfolio if account else None


def find_answered_contact(
    event: InboundEvent, *, address: str, channel: str, provider_id: int | None
) -> Contact | None:
    """Return the contact that a message answers: the one it names, else the last that went to the address."""
    forms = address_forms.list_forms(address, kind=address_forms.point_kind(channel))
    sent = Contact.objects.filter(address__in=forms, channel=channel, status__in=_REACHED)
    if event.answers_id is not None:
        # Also from another address than it went to: only who got it can name it.
        answered = Contact.objects.filter(public_id=event.answers_id, channel=channel).first()
        if answered is not None:
            return answered
    if event.context_reference:
        named = sent.filter(provider_reference=event.context_reference, provider=provider_id).first()
        if named is not None:
            return named
    return sent.filter(handed_over_at__lte=event.at).order_by("-handed_over_at", "-pk").first()


def lock_address(address: str, *, channel: str) -> None:
    """Let nobody else open a conversation at an address, in any of its forms, before this transaction ends.

    One conversation is open per address: two first messages at once must not open two.
    """
    forms = address_forms.list_forms(address, kind=address_forms.point_kind(channel))
    with connection.cursor() as cursor:
        # The seed keeps these locks apart from those of other modules; the least form stands for all of them.
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [f"{channel} {min(forms)}", _LOCK_SEED]
        )


def debtors_at(address: str, *, channel: str) -> list[Debtor]:
    """Return the debtors who have a live contact point at an address, the last contacted first."""
    kind = address_forms.point_kind(channel)
    points = ContactPoint.objects.filter(
        kind=kind, value__in=address_forms.list_forms(address, kind=kind), retired_at__isnull=True
    )
    debtors = Debtor.objects.select_related("creditor").filter(pk__in=points.values("debtor"))
    last_contacted = F("last").desc(nulls_last=True)
    return list(debtors.annotate(last=Max("contacts__handed_over_at")).order_by(last_contacted, "pk"))


def single_person(debtors: Sequence[Debtor]) -> Debtor | None:
    """Return the first of the debtors if all are the same person; None if there are several persons, or none."""
    # One person is a debtor once per creditor; a valid national id shows that they are the same.
    persons: set[tuple[str, str, str] | int] = set()
    for debtor in debtors:
        is_proved = identity.is_proof(debtor.country, debtor.national_id_kind, debtor.national_id)
        person = (debtor.country, debtor.national_id_kind, debtor.national_id)
        persons.add(person if is_proved else debtor.pk)
    return debtors[0] if len(persons) == 1 else None


def is_address_silenced(address: str, *, channel: str) -> bool:
    """Return whether nothing may be sent to an address by which a conversation goes."""
    return is_silenced(kind=address_forms.point_kind(channel), value=address)

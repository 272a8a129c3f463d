"""Who stands before the page of a debtor's statement, and what it may show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from recobra.consent.models import ConsentEntry
from recobra.conversations import identity_attempts
from recobra.kit.zones import local_date
from recobra.messaging.models import Contact
from recobra.messaging.templates.page import Page, build_page
from recobra.messaging.tokens import read_statement_token, unsubscribe_url
from recobra.portfolio import address_forms
from recobra.portfolio.models import Debtor
from recobra.portfolio.statement import fetch_statements

LINK_LIFETIME: Final = timedelta(days=90)
_FIGURES: Final = 4


class IdentityQuestion(StrEnum):
    """What proves that somebody is the debtor: the last four figures of one of these."""

    NATIONAL_ID = "national_id"
    CUSTOMER_NUMBER = "customer_number"
    NOTHING = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLink:
    """The page before anybody has proved anything: nothing here tells of a debt.

    `closed` after too many wrong answers, here or elsewhere; `reach` is how to go on by another way; `stop_path` stops
    messages.
    """

    contact_id: int
    debtor_id: int
    portfolio_id: int
    asks: IdentityQuestion
    closed: bool
    reach: str
    stop_path: str


def find_statement_link(token: str, *, now: datetime) -> StatementLink | None:
    """Return the door that a link opens; None where it was not made by us, never left, is too old or was denied.

    A link dies when somebody at its number or address says that the debtor is not there.
    """
    contact = _contact(token)
    left = contact.handed_over_at if contact else None
    if contact is None or left is None or now >= left + LINK_LIFETIME or _denied(contact):
        return None
    debtor = contact.debtor
    asks, _figures = expected_answer(debtor)
    ways = (debtor.creditor.agency_phone.strip(), parseaddr(settings.MAIL_FROM)[1])
    return StatementLink(
        contact_id=contact.pk,
        debtor_id=debtor.pk,
        portfolio_id=contact.portfolio_id,
        asks=asks,
        closed=identity_attempts.is_exhausted(debtor.pk, now=now),
        reach=" · ".join(way for way in ways if way),
        stop_path=urlsplit(unsubscribe_url(contact.public_id)).path,
    )


def expected_answer(debtor: Debtor) -> tuple[IdentityQuestion, str]:
    """Return what a debtor is asked for, and its last four figures; NOTHING and '' where neither number has four."""
    for asks, number in (
        (IdentityQuestion.NATIONAL_ID, debtor.national_id),
        (IdentityQuestion.CUSTOMER_NUMBER, debtor.external_id),
    ):
        figures = "".join(sign for sign in number if sign.isascii() and sign.isdigit())[-_FIGURES:]
        if len(figures) == _FIGURES:
            return asks, figures
    return IdentityQuestion.NOTHING, ""


def statement_page(door: StatementLink, *, now: datetime) -> Page:
    """Return what a debtor owes, for who has proved to be that debtor: all of it at this creditor, on the local day."""
    contact = Contact.objects.select_related("debtor__creditor", "portfolio").get(pk=door.contact_id)
    day = local_date(contact.zones, now) or now.date()
    return build_page(
        statement=fetch_statements({door.debtor_id: day})[door.debtor_id],
        day=day,
        country=contact.debtor.country or contact.portfolio.country,
        creditor=contact.debtor.creditor,
        sender=settings.MAIL_FROM,
    )


def _contact(token: str) -> Contact | None:
    contact_id = read_statement_token(token)
    found = Contact.objects.select_related("debtor__creditor", "point")
    return found.filter(pk=contact_id).first() if contact_id is not None else None


def _denied(contact: Contact) -> bool:
    kind = contact.point.kind if contact.point else address_forms.point_kind(contact.channel)
    values = {value for value in (contact.address, contact.point.value if contact.point else "") if value}
    forms = {form for value in values for form in address_forms.list_forms(value, kind=kind)}
    return ConsentEntry.objects.filter(kind=kind, value__in=forms, act=ConsentEntry.Act.NOT_ME).exists()

"""Access to the page of a debtor's statement: which link opens it, what proves identity, and what it then shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from recobra.consent.address_digest import list_known_forms
from recobra.consent.models import ConsentEntry
from recobra.conversations import identity_attempts
from recobra.kit.zones import local_date
from recobra.messaging.models import Contact
from recobra.messaging.providers.queries import find_reply_address
from recobra.messaging.templates.page import Page, build_page
from recobra.messaging.tokens import read_statement_token, unsubscribe_url
from recobra.payments.owed import fetch_statements
from recobra.portfolio import address_forms
from recobra.portfolio.models import Debtor

LINK_LIFETIME: Final = timedelta(days=90)
_FIGURES: Final = 4


class IdentityQuestion(StrEnum):
    """The number whose last four figures prove that somebody is the debtor."""

    NATIONAL_ID = "national_id"
    CUSTOMER_NUMBER = "customer_number"
    NOTHING = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLink:
    """A link to a statement before identity is proved. Nothing in it reveals a debt.

    `closed` after too many wrong answers, here or elsewhere; `reach` names other ways to reach the creditor;
    `stop_path` is the page that stops messages.
    """

    contact_id: int
    debtor_id: int
    portfolio_id: int
    asks: IdentityQuestion
    closed: bool
    reach: str
    stop_path: str


def find_statement_link(token: str, *, now: datetime) -> StatementLink | None:
    """Return the link that a token is of; None where we did not make it, it never left, or it is too old.

    Also None after a wrong-person entry, for somebody at the address says that the debtor is not there, and after the
    debtor is anonymised: no number is left that could prove anything.
    """
    contact_id = read_statement_token(token)
    if contact_id is None:
        return None
    contact = Contact.objects.select_related("debtor__creditor", "point").filter(pk=contact_id).first()
    if contact is None or contact.handed_over_at is None or contact.debtor.erased_at is not None:
        return None
    if now >= contact.handed_over_at + LINK_LIFETIME or _has_wrong_person_entry(contact):
        return None
    debtor = contact.debtor
    question, _figures = expected_answer(debtor)
    phone = debtor.creditor.agency_phone.strip()
    return StatementLink(
        contact_id=contact.pk,
        debtor_id=debtor.pk,
        portfolio_id=contact.portfolio_id,
        asks=question,
        closed=identity_attempts.is_exhausted(debtor.pk, now=now),
        reach=" · ".join(filter(None, (phone, find_reply_address()))),
        stop_path=urlsplit(unsubscribe_url(contact.public_id)).path,
    )


def expected_answer(debtor: Debtor) -> tuple[IdentityQuestion, str]:
    """Return the question for a debtor and its answer, four figures; NOTHING and '' where no number has four."""
    for question, number in (
        (IdentityQuestion.NATIONAL_ID, debtor.national_id),
        (IdentityQuestion.CUSTOMER_NUMBER, debtor.external_id),
    ):
        # Some digits of other scripts are digits to Python, and nobody could type them.
        figures = "".join(character for character in number if character.isascii() and character.isdigit())
        if len(figures) >= _FIGURES:
            return question, figures[-_FIGURES:]
    return IdentityQuestion.NOTHING, ""


def statement_page(link: StatementLink, *, now: datetime) -> Page:
    """Return all that a debtor owes to this creditor on the local day; to be shown only after proof of identity."""
    contact = Contact.objects.select_related("debtor__creditor", "portfolio").get(pk=link.contact_id)
    day = local_date(contact.zones, now) or now.date()
    return build_page(
        statement=fetch_statements({link.debtor_id: day})[link.debtor_id],
        day=day,
        country=contact.debtor.country or contact.portfolio.country,
        creditor=contact.debtor.creditor,
        sender=find_reply_address(),
    )


def _has_wrong_person_entry(contact: Contact) -> bool:
    """Return whether somebody said that the debtor is not at the address that the contact went to."""
    values = [contact.address]
    kind = address_forms.point_kind(contact.channel)
    if contact.point is not None:
        values.append(contact.point.value)
        kind = contact.point.kind
    forms: set[str] = set()
    for value in filter(None, values):
        forms.update(list_known_forms(value, kind=kind))
    return ConsentEntry.objects.filter(kind=kind, value__in=forms, act=ConsentEntry.Act.NOT_ME).exists()

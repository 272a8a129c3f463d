"""Proof of identity on the page of the statement, where an answer is checked, counted and recorded."""

from __future__ import annotations

import hmac
import re
from dataclasses import replace
from enum import StrEnum
from typing import Final

from django.db import transaction

from recobra.access.actors import Actor, Service, service_actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.conversations import identity_attempts
from recobra.conversations.facts import StatementOpened, StatementRefused
from recobra.conversations.statement_access import IdentityQuestion, StatementLink, expected_answer, find_statement_link
from recobra.journal.operations import record_fact
from recobra.messaging.channels.adapter import ReceiptEvent
from recobra.messaging.models import Contact, Receipt
from recobra.messaging.receipts.record import record_receipts
from recobra.portfolio.models import Debtor

_FOUR_FIGURES: Final = re.compile(r"[0-9]{4}")


class Proof(StrEnum):
    """The result of an answer. UNREADABLE is not four figures and no try; CLOSED was not compared with anything."""

    RIGHT = "right"
    WRONG = "wrong"
    UNREADABLE = "unreadable"
    CLOSED = "closed"


@requires(Right.SERVE)
def record_page_opening(*, contact_id: int, actor: Actor) -> None:
    """Record the first opening of a contact's page as a followed link; later ones change nothing."""
    public_id = Contact.objects.values_list("public_id", flat=True).get(pk=contact_id)
    clicked = ReceiptEvent(
        kind=Receipt.Kind.CLICKED, at=actor.now, event_key=f"statement:{public_id}", public_id=public_id
    )
    record_receipts(events=[clicked], provider_id=None, actor=service_actor(Service.PROVIDER, now=actor.now))


@requires(Right.SERVE)
@transaction.atomic
def check_identity(*, token: str, figures: str, actor: Actor) -> tuple[StatementLink, Proof] | None:
    """Check an answer and record it; None where the link opens no page (any more).

    Wrong answers count together with those given to the bot and to automatic calls.
    """
    link = find_statement_link(token, now=actor.now)
    if link is None:
        return None
    identity_attempts.lock_attempts([link.debtor_id])
    # Read again under the lock: another answer may have used up the tries meanwhile.
    link = find_statement_link(token, now=actor.now)
    if link is None:
        return None
    if link.closed or link.asks == IdentityQuestion.NOTHING:
        return link, Proof.CLOSED
    if not _FOUR_FIGURES.fullmatch(figures.strip()):
        return link, Proof.UNREADABLE
    _question, expected = expected_answer(Debtor.objects.get(pk=link.debtor_id))
    if hmac.compare_digest(figures.strip(), expected):
        opened = StatementOpened(asked=str(link.asks))
        record_fact(
            opened, actor=actor, portfolio_id=link.portfolio_id, debtor_id=link.debtor_id, contact_id=link.contact_id
        )
        return link, Proof.RIGHT
    identity_attempts.record_wrong_answer(
        StatementRefused(asked=str(link.asks)),
        debtor_id=link.debtor_id,
        portfolio_id=link.portfolio_id,
        contact_id=link.contact_id,
        actor=actor,
    )
    # A third wrong answer closes the page.
    updated = find_statement_link(token, now=actor.now)
    return (updated or replace(link, closed=True)), Proof.WRONG

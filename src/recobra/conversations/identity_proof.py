"""Show a debtor what is owed, after proof: the last figures of a number that only the debtor should know."""

from __future__ import annotations

import hmac
import re
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.db import transaction

from recobra.conversations import identity_attempts
from recobra.conversations.statement_access import IdentityQuestion, StatementLink, expected_answer, find_statement_link
from recobra.journal.operations import record
from recobra.messaging.channels.adapter import ReceiptEvent
from recobra.messaging.models import Contact, Receipt
from recobra.messaging.receipts.record import record_receipts
from recobra.portfolio.models import Debtor

_FOUR: Final = re.compile(r"[0-9]{4}")


class Proof(StrEnum):
    """What came of an answer. UNREADABLE is none: it is not four figures and does not count as a try."""

    RIGHT = "right"
    WRONG = "wrong"
    UNREADABLE = "unreadable"
    CLOSED = "closed"


def record_page_opening(*, contact_id: int, now: datetime) -> None:
    """Let the first opening of a contact's page count as a followed link; again changes nothing."""
    public_id = Contact.objects.values_list("public_id", flat=True).get(pk=contact_id)
    clicked = ReceiptEvent(kind=Receipt.Kind.CLICKED, at=now, event_key=f"statement:{public_id}", public_id=public_id)
    record_receipts(events=[clicked], provider_id=None, now=now)


@transaction.atomic
def check_identity(*, token: str, figures: str, now: datetime) -> tuple[StatementLink, Proof] | None:
    """Judge an answer and put it down; None where the link opens no door (any more).

    Answers about one debtor are judged one after another, and count together with those given to the bot and to calls.
    """
    door = find_statement_link(token, now=now)
    if door is None:
        return None
    identity_attempts.lock_attempts([door.debtor_id])
    door = find_statement_link(token, now=now)
    if door is None:
        return None
    if door.closed or door.asks == IdentityQuestion.NOTHING:
        return door, Proof.CLOSED
    if not _FOUR.fullmatch(figures.strip()):
        return door, Proof.UNREADABLE
    _asks, expected = expected_answer(Debtor.objects.get(pk=door.debtor_id))
    right = hmac.compare_digest(figures.strip(), expected)
    _record("statement.opened" if right else identity_attempts.WRONG_PAGE_ANSWER, door, now)
    if right:
        return door, Proof.RIGHT
    after = find_statement_link(token, now=now)
    return (after or replace(door, closed=True)), Proof.WRONG


def _record(kind: str, door: StatementLink, now: datetime) -> None:
    record(
        kind,
        at=now,
        actor="debtor",
        portfolio_id=door.portfolio_id,
        debtor_id=door.debtor_id,
        contact_id=door.contact_id,
        payload={"asked": str(door.asks)},
    )

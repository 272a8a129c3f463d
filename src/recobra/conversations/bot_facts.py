"""The facts that the bot answers a message by: from the ledger, the holds, the law and the creditor's settings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final

from recobra.agreements.queries import open_promise
from recobra.conversations import identity_attempts
from recobra.conversations.bot.identity import digest_figures
from recobra.conversations.bot.replies import format_hours
from recobra.conversations.bot.turns import Facts, Limits
from recobra.conversations.counterparty import Counterparty, debtors_at
from recobra.conversations.models import Conversation, ConversationMessage
from recobra.kit.zones import first_zone
from recobra.payments.owed import fetch_statements
from recobra.policy.portfolio_policies import policy_on
from recobra.policy.settings import Policy
from recobra.portfolio.identity import IDENTITY_FIGURES, MAX_TRIES
from recobra.portfolio.models import Debtor, Hold, Portfolio
from recobra.portfolio.statement import Statement
from recobra_core.law.calendar import find_open_state

WRONG_IDENTITY: Final = "identity_wrong"
# Holds that wait for money which is already promised or paid; they do not end the pursuit of the rest.
_HOLDS_THAT_ALLOW: Final = (Hold.Reason.PROMISE, Hold.Reason.PAYMENT_IN_PROCESS)


def collect_facts(
    counterparty: Counterparty, conversation: Conversation, *, salt: bytes, tries: int, now: datetime
) -> Facts:
    """Return the facts of one debtor for one message; `tries` is the number of wrong answers that count."""
    policy = policy_on(counterparty.portfolio.pk, counterparty.today or now.date())
    creditor = counterparty.debtor.creditor
    # A debt on hold, such as a disputed one, is not collected.
    collectable = _load_statement(counterparty, now).without_held()
    currency = counterparty.portfolio.currency
    expected = identity_digits(counterparty.debtor)
    return Facts(
        creditor=creditor.name,
        sender=creditor.agency_name or creditor.name,
        country=counterparty.country,
        currency=currency,
        overdue_minor=collectable.overdue_minor(currency),
        may_collect=_may_collect(counterparty, conversation, now),
        is_office_open=is_office_open(counterparty.portfolio, policy, now),
        office_hours=format_hours(begin=f"{policy.people_from:%H:%M}", end=f"{policy.people_to:%H:%M}"),
        limits=Limits(promise_days=policy.promise_days, promise_min_minor=policy.promise_min_minor),
        identity=digest_figures(expected, salt=salt) if expected else None,
        salt=salt,
        identity_blocked=tries >= MAX_TRIES or _is_guessing(conversation, now),
        # No payment link is connected yet: the bot says how to pay.
        can_pay_by_link=False,
        how_to_pay=" ".join(creditor.payment_instructions.split()),
        promise_open_until=_promised_day(counterparty, now),
    )


def identity_digits(debtor: Debtor) -> str:
    """Return what a debtor is asked for: the last digits of the identity document, '' where it has too few."""
    digits = "".join(character for character in debtor.national_id if character.isdecimal())[-IDENTITY_FIGURES:]
    return digits if len(digits) == IDENTITY_FIGURES else ""


def has_other_currencies(counterparty: Counterparty, now: datetime) -> bool:
    """Return whether the debtor owes in another currency too, so that no single amount is what is owed."""
    currency = counterparty.portfolio.currency
    return any(document.currency != currency for document in _load_statement(counterparty, now).overdue)


def candidate_debtor_ids(conversation: Conversation) -> list[int]:
    """Return the debtors whose identity an answer may prove: the known one, else all at the address."""
    if conversation.debtor_id is not None:
        return [conversation.debtor_id]
    return [debtor.pk for debtor in debtors_at(conversation.address, channel=conversation.channel)]


def count_wrong_answers(conversation: Conversation, now: datetime) -> int:
    """Return the wrong answers that count against a conversation: the most about any of its candidates."""
    counts = [
        len(identity_attempts.recent_wrong_answers(debtor_id, now=now))
        for debtor_id in candidate_debtor_ids(conversation)
    ]
    return max(counts, default=0)


def _load_statement(counterparty: Counterparty, now: datetime) -> Statement:
    """Return what the debtor owes on the local day."""
    debtor_id = counterparty.debtor.pk
    return fetch_statements({debtor_id: counterparty.today or now.date()})[debtor_id]


def _holds_in_force(counterparty: Counterparty, now: datetime) -> Iterable[Hold]:
    """Return the holds of the debtor, not of single accounts, on the local day."""
    day = counterparty.today or now.date()
    return Hold.objects.in_force(day).filter(debtor=counterparty.debtor, account__isnull=True)


def _may_collect(counterparty: Counterparty, conversation: Conversation, now: datetime) -> bool:
    """Return whether the law's hours and the holds let the bot speak of paying now; False in an unknown zone."""
    if first_zone(counterparty.zones) is None:
        return False
    if any(hold.reason not in _HOLDS_THAT_ALLOW for hold in _holds_in_force(counterparty, now)):
        return False
    opening = find_open_state(
        country=counterparty.country,
        subdivision=counterparty.debtor.subdivision,
        channel=conversation.channel,
        at_utc=now,
    )
    return opening.is_open


def is_office_open(portfolio: Portfolio, policy: Policy, now: datetime) -> bool:
    """Return whether people of a portfolio are there to talk to, by its policy of the day and its own clock."""
    zone = first_zone(portfolio.time_zone)
    return zone is not None and policy.is_office_open(now.astimezone(zone))


def _is_guessing(conversation: Conversation, now: datetime) -> bool:
    """Return whether too many wrong answers came from an address, about whichever debtors."""
    wrong = ConversationMessage.objects.filter(conversation__address=conversation.address, intent=WRONG_IDENTITY)
    return wrong.filter(received_at__gt=now - identity_attempts.ATTEMPT_WINDOW).count() >= MAX_TRIES


def _promised_day(counterparty: Counterparty, now: datetime) -> date | None:
    """Return the day of the promise that is waited for, None without one."""
    promise = open_promise(counterparty.debtor.pk, as_of=counterparty.today or now.date())
    return promise.promised_on if promise else None

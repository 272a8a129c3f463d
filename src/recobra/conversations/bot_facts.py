"""What is so, for the bot, when a message comes: from the ledger, the holds, the law and the creditor's own words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any, Final

from django.db.models import Q

from recobra.conversations import identity_attempts
from recobra.conversations.bot.identity import TRIES_MAX, digest_figures
from recobra.conversations.bot.replies import format_hours
from recobra.conversations.bot.turns import Facts, Limits
from recobra.conversations.counterparty import Counterparty, debtors_at
from recobra.conversations.models import Conversation, ConversationMessage
from recobra.kit.zones import first_zone
from recobra.portfolio.models import CompanyHoliday, Debtor, Hold, Portfolio
from recobra.portfolio.statement import Statement, fetch_statements
from recobra_core.law.calendar import find_open_state

WRONG_IDENTITY: Final = "identity_wrong"
_FIGURES: Final = 4
# Who waits for money already promised, or looks for a payment, is not asked for less because of that.
_GO_ON: Final = (Hold.Reason.PROMISE, Hold.Reason.PAYMENT_IN_PROCESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationSettings:
    """How a portfolio talks: what may be promised, and when people answer (`attributes.conversation`)."""

    promise_days: int = 7
    promise_min_minor: int = 1
    promise_grace_days: int = 2
    people_from: time = time(9)
    people_to: time = time(18)


def conversation_settings(portfolio: Portfolio) -> ConversationSettings:
    """Return a portfolio's manners; what it does not say is as in `Manners`. Raises ValueError, TypeError."""
    given: Mapping[str, Any] = portfolio.attributes.get("conversation", {})
    read: dict[str, Any] = {
        name: time.fromisoformat(value) if name.startswith("people") else int(value) for name, value in given.items()
    }
    return replace(ConversationSettings(), **read)


def collect_facts(who: Counterparty, conversation: Conversation, *, salt: bytes, tries: int, now: datetime) -> Facts:
    """Return the facts of one debtor for one message. `tries`: the wrong answers that count already."""
    manners, creditor = conversation_settings(who.portfolio), who.debtor.creditor
    expected = identity_digits(who.debtor)
    hours = format_hours(begin=f"{manners.people_from:%H:%M}", end=f"{manners.people_to:%H:%M}")
    return Facts(
        creditor=creditor.name,
        sender=creditor.agency_name or creditor.name,
        country=who.country,
        currency=who.portfolio.currency,
        overdue_minor=_overdue(who, now),
        may_collect=_may_collect(who, conversation, now),
        people_now=_people_now(who, manners, now),
        people_when=hours,
        limits=Limits(promise_days=manners.promise_days, promise_min_minor=manners.promise_min_minor),
        identity=digest_figures(expected, salt=salt) if expected else None,
        salt=salt,
        identity_blocked=tries >= TRIES_MAX or _is_guessing(conversation, now),
        can_pay_by_link=False,
        how_to_pay=" ".join(creditor.payment_instructions.split()),
        promise_open_until=_promised(who, manners, now),
    )


def identity_digits(debtor: Debtor) -> str:
    """Return what a debtor is asked for: the last digits of the identity document, '' where it has too few."""
    figures = "".join(sign for sign in debtor.national_id if sign.isdecimal())[-_FIGURES:]
    return figures if len(figures) == _FIGURES else ""


def has_other_currencies(who: Counterparty, now: datetime) -> bool:
    """Return whether one amount cannot say what is owed."""
    return any(each.currency != who.portfolio.currency for each in _statement(who, now).overdue)


def _statement(who: Counterparty, now: datetime) -> Statement:
    return fetch_statements({who.debtor.pk: who.today or now.date()})[who.debtor.pk]


def _overdue(who: Counterparty, now: datetime) -> int:
    """Return what may be asked for: a disputed debt is not."""
    documents = _statement(who, now).without_held().overdue
    return sum(each.owed_minor for each in documents if each.currency == who.portfolio.currency)


def _holds(who: Counterparty, now: datetime) -> Iterable[Hold]:
    day = who.today or now.date()
    standing = Hold.objects.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day), lifted_at__isnull=True)
    return standing.filter(debtor=who.debtor, account__isnull=True, starts_on__lte=day)


def _may_collect(who: Counterparty, conversation: Conversation, now: datetime) -> bool:
    zone = first_zone(who.zones)
    if zone is None or any(hold.reason not in _GO_ON for hold in _holds(who, now)):
        return False
    found = find_open_state(
        country=who.country, subdivision=who.debtor.subdivision, channel=conversation.channel, at_utc=now
    )
    return found.is_open


def _people_now(who: Counterparty, manners: ConversationSettings, now: datetime) -> bool:
    zone = first_zone(who.portfolio.time_zone)
    if zone is None:
        return False
    local = now.astimezone(zone)
    closed = CompanyHoliday.objects.filter(country=who.portfolio.country, day=local.date()).exists()
    return not closed and local.weekday() < 5 and manners.people_from <= local.time() < manners.people_to


def candidate_debtor_ids(conversation: Conversation) -> list[int]:
    """Return the debtors who the answer may prove to be there: who is known, else all who have the line."""
    if conversation.debtor_id is not None:
        return [conversation.debtor_id]
    return [debtor.pk for debtor in debtors_at(conversation.address, channel=conversation.channel)]


def count_wrong_answers(conversation: Conversation, now: datetime) -> int:
    """Count the wrong answers about whoever a conversation may be with, given here or elsewhere."""
    return max(
        (len(identity_attempts.recent_wrong_answers(pk, now=now)) for pk in candidate_debtor_ids(conversation)),
        default=0,
    )


def _is_guessing(conversation: Conversation, now: datetime) -> bool:
    """Tell whether too many wrong answers came from a line, about whomever."""
    wrong = ConversationMessage.objects.filter(conversation__address=conversation.address, intent=WRONG_IDENTITY)
    return wrong.filter(received_at__gt=now - identity_attempts.ATTEMPT_WINDOW).count() >= TRIES_MAX


def _promised(who: Counterparty, manners: ConversationSettings, now: datetime) -> Any:
    ends = [hold.ends_on for hold in _holds(who, now) if hold.reason == Hold.Reason.PROMISE and hold.ends_on]
    return max(ends) - timedelta(days=manners.promise_grace_days) if ends else None

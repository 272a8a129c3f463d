"""Public writes of agreements: a promise is registered the same way, wherever it was made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recobra.access.actors import Actor
from recobra.access.permissions import check_scope, requires
from recobra.access.roles import Right
from recobra.agreements.facts import PromiseRegistered
from recobra.agreements.models import Promise, PromiseShare
from recobra.journal.operations import record_fact
from recobra.messaging.models import Contact
from recobra.payments.owed import fetch_statements
from recobra.policy.portfolio_policies import policy_on
from recobra.portfolio.models import Account, Debtor, Portfolio, Posting
from recobra.portfolio.scope import check_debtor


class PromiseRefused(Exception):
    """The promise is not one that may be taken; the text is shown as it is."""


@requires(Right.REGISTER_PROMISE)
@transaction.atomic
def register_promise(
    *,
    portfolio_id: int,
    debtor_id: int,
    promised_on: date,
    today: date,
    channel: str,
    amount_minor: int | None = None,
    shares: Mapping[int, int] | None = None,
    contact_id: int | None = None,
    conversation_id: int | None = None,
    message_id: int | None = None,
    actor: Actor,
) -> Promise:
    """Register a debtor's promise to pay by a day, within the limits of the portfolio's policy. Raises PromiseRefused.

    `amount_minor` is of the whole debt in the portfolio's currency, None for all that is overdue, or, where nothing is
    yet, for what falls due by the promised day; `shares` are amounts by account instead. `today` is the debtor's own
    day, `contact_id` the message, call or visit in which it was made. `conversation_id` and `message_id` tell the
    journal where it was typed. The debtor is left in peace until the promised day and its days of grace are over.
    """
    portfolio = Portfolio.objects.get(pk=portfolio_id)
    check_scope(actor, portfolio.code)
    check_debtor(actor, debtor_id)
    debtor = _lock_debtor(debtor_id, portfolio, contact_id)
    policy = policy_on(portfolio.pk, today)
    _check_day(promised_on, today, policy.promise_days)
    amounts = dict(shares or {})
    if amounts:
        _check_accounts(amounts, debtor, portfolio.currency)
        amount_minor = sum(amounts.values())
    # Who is reminded before the day promises what will be due then.
    due_minor = _overdue_minor(debtor, portfolio.currency, today) or _overdue_minor(
        debtor, portfolio.currency, promised_on + timedelta(days=1)
    )
    if amount_minor is None:
        amount_minor = due_minor
    _check_amount(amount_minor, _balance_minor(debtor, portfolio.currency), due_minor, policy.promise_min_minor)
    promise = Promise.objects.create(
        portfolio=portfolio,
        debtor=debtor,
        amount_minor=amount_minor,
        currency=portfolio.currency,
        promised_on=promised_on,
        grace_days=policy.promise_grace_days,
        channel=channel,
        contact_id=contact_id,
        registered_on=today,
        registered_at=actor.now,
        registered_by=actor.name,
        registered_by_id=actor.user_id,
    )
    PromiseShare.objects.bulk_create(
        PromiseShare(promise=promise, account_id=account_id, amount_minor=minor)
        for account_id, minor in amounts.items()
    )
    _record_promise(promise, conversation_id=conversation_id, message_id=message_id, actor=actor)
    return promise


def _record_promise(promise: Promise, *, conversation_id: int | None, message_id: int | None, actor: Actor) -> None:
    """Record a promise in the journal; the hold and the task follow from it."""
    fact = PromiseRegistered(
        promise_id=promise.pk,
        promised_on=promise.promised_on,
        grace_days=promise.grace_days,
        amount_minor=promise.amount_minor,
        currency=promise.currency,
        channel=promise.channel,
        conversation_id=conversation_id,
        message_id=message_id,
    )
    record_fact(
        fact,
        actor=actor,
        portfolio_id=promise.portfolio_id,
        debtor_id=promise.debtor_id,
        contact_id=promise.contact_id,
    )


def _lock_debtor(debtor_id: int, portfolio: Portfolio, contact_id: int | None) -> Debtor:
    """Return who promises, locked. Raises PromiseRefused for somebody else's portfolio, message, call or visit."""
    # Of two promises at once the second sees the first.
    debtor = Debtor.objects.select_for_update(no_key=True).get(pk=debtor_id)
    if debtor.creditor_id != portfolio.creditor_id:
        raise PromiseRefused(_("The debtor does not belong to this portfolio's creditor."))
    if contact_id is not None and not Contact.objects.filter(pk=contact_id, debtor=debtor).exists():
        raise PromiseRefused(_("There is no such message."))
    return debtor


def _check_day(promised_on: date, today: date, days_max: int) -> None:
    """Raise PromiseRefused for a day that is over, or that lies further ahead than the policy allows."""
    if promised_on < today:
        raise PromiseRefused(_("The day of a promise cannot be past."))
    if promised_on > today + timedelta(days=days_max):
        text = ngettext(
            "A promise may lie at most %(count)d day ahead.",
            "A promise may lie at most %(count)d days ahead.",
            days_max,
        )
        raise PromiseRefused(text % {"count": days_max})


def _check_accounts(amounts: Mapping[int, int], debtor: Debtor, currency: str) -> None:
    """Raise PromiseRefused for accounts that are not the debtor's own in the currency, and for amounts of nothing."""
    own = Account.objects.filter(pk__in=amounts, debtor=debtor, portfolio__currency=currency)
    if own.count() != len(amounts):
        raise PromiseRefused(_("A promise names accounts of the debtor in one currency."))
    if min(amounts.values()) <= 0:
        raise PromiseRefused(_("A promise needs an amount above zero."))


def _check_amount(promised_minor: int, owed_minor: int, due_minor: int, minimum: int) -> None:
    """Raise PromiseRefused for an amount of nothing, below the least, or above all that is owed."""
    # Who owes less than the least amount may promise all that is due.
    least_minor = min(minimum, due_minor or owed_minor)
    if owed_minor <= 0:
        raise PromiseRefused(_("Nothing is owed that could be promised."))
    if promised_minor <= 0:
        raise PromiseRefused(_("Nothing is due by then: the promise needs its amount."))
    if promised_minor < least_minor:
        raise PromiseRefused(_("The amount is below the least that a promise may name."))
    if promised_minor > owed_minor:
        raise PromiseRefused(_("The amount is more than what is owed."))


def _overdue_minor(debtor: Debtor, currency: str, day: date) -> int:
    """Return what a debtor owes that is overdue on a day, without what is held or contested."""
    return fetch_statements({debtor.pk: day})[debtor.pk].without_held().overdue_minor(currency)


def _balance_minor(debtor: Debtor, currency: str) -> int:
    """Return all that a debtor owes in a currency, due or not."""
    open_postings = Posting.objects.filter(
        account__debtor=debtor, account__status=Account.Status.OPEN, account__portfolio__currency=currency
    )
    return open_postings.aggregate(minor=Sum("amount_minor"))["minor"] or 0

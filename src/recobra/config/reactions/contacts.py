"""Reactions that take back what was planned."""

from __future__ import annotations

from recobra.conversations.facts import ConversationReceived
from recobra.journal.reactions import Recorded
from recobra.messaging import operations as messaging
from recobra.messaging import reasons
from recobra.payments.facts import PaymentRecorded
from recobra.portfolio.facts import (
    ContactPointCorrected,
    ContactPointPlaced,
    ContactPointRetired,
    DebtorJoined,
    DebtorPartedAgain,
    HoldPlaced,
    PortfolioDisabled,
    PreferencesSet,
)
from recobra.strategy import operations as strategy
from recobra.strategy import schedule
from recobra.strategy.operations.redecide import REDECIDE_LIMIT
from recobra_core.law.clauses import OF_OTHERS


def cancel_contacts_of_payer(recorded: Recorded[PaymentRecorded]) -> None:
    """Cancel what was planned for debtors who have paid."""
    debtor_ids = recorded.debtor_ids()
    actor = recorded.actor
    # The debtors of a whole load are not locked: they wait for the cycle that follows it.
    strategy.block_cycle_commit(debtor_ids=debtor_ids if len(debtor_ids) <= REDECIDE_LIMIT else ())
    messaging.cancel_planned(debtor_ids=debtor_ids, reason="payment", actor=actor)


def cancel_contacts_of_writer(recorded: Recorded[ConversationReceived]) -> None:
    """Cancel what was planned for debtors who have just written: they are answered first."""
    debtor_ids = recorded.debtor_ids()
    actor = recorded.actor
    strategy.block_cycle_commit(debtor_ids=debtor_ids)
    messaging.cancel_planned(debtor_ids=debtor_ids, reason="replied", keep_answers=True, actor=actor)


def cancel_contacts_on_hold(recorded: Recorded[HoldPlaced]) -> None:
    """Cancel what was planned for debtors on hold from today or earlier, as far as the hold is of the whole debtor."""
    actor = recorded.actor
    _judge_once_more(recorded)
    today = schedule.today(actor.now)
    debtor_ids = []
    for subject, hold in recorded:
        is_current = hold.starts_on is None or hold.starts_on <= today
        # A hold of one account leaves the rest to be pursued, and the plan of a day knows the holds that it places.
        if subject.debtor_id is not None and subject.account_id is None and is_current and not hold.is_planned:
            debtor_ids.append(subject.debtor_id)
    if debtor_ids:
        messaging.cancel_planned(debtor_ids=debtor_ids, reason="hold", keep_answers=True, actor=actor)


def cancel_contacts_of_portfolio(recorded: Recorded[PortfolioDisabled]) -> None:
    """Cancel what was planned for the debtors of a portfolio that is no longer worked."""
    for subject in recorded.subjects:
        assert subject.portfolio_id is not None, "a portfolio that was disabled"
        messaging.cancel_planned_of_portfolio(
            portfolio_id=subject.portfolio_id, reason=reasons.PORTFOLIO_DISABLED, actor=recorded.actor
        )


def cancel_contacts_of_joined(recorded: Recorded[DebtorJoined]) -> None:
    """Cancel what was planned for debtors who are one now: it is decided anew."""
    _decide_anew(recorded)


def cancel_contacts_of_parted(recorded: Recorded[DebtorPartedAgain]) -> None:
    """Cancel what was planned for debtors who are two again: it is decided anew for each."""
    _decide_anew(recorded)


def cancel_contacts_to_corrected(recorded: Recorded[ContactPointCorrected]) -> None:
    """Cancel what was to go to a number or address that was corrected: it is decided anew, for the right one."""
    _cancel_to_points(recorded, [fact.point_id for _subject, fact in recorded])


def cancel_contacts_to_retired(recorded: Recorded[ContactPointRetired]) -> None:
    """Cancel what was to go to a number or address that was taken out of use."""
    _cancel_to_points(recorded, [fact.point_id for _subject, fact in recorded])


def cancel_contacts_to_placed(recorded: Recorded[ContactPointPlaced]) -> None:
    """Cancel what was to go to a number or address that is not the debtor's own."""
    _cancel_to_points(recorded, [fact.point_id for _subject, fact in recorded if fact.place in OF_OTHERS])


def cancel_contacts_of_preferring(recorded: Recorded[PreferencesSet]) -> None:
    """Cancel what was planned for debtors who would rather be contacted otherwise: it is decided anew."""
    debtor_ids = recorded.debtor_ids()
    strategy.block_cycle_commit(debtor_ids=debtor_ids)
    messaging.cancel_planned(debtor_ids=debtor_ids, reason=reasons.PREFERENCES, keep_answers=True, actor=recorded.actor)


def _cancel_to_points(
    recorded: Recorded[ContactPointCorrected] | Recorded[ContactPointRetired] | Recorded[ContactPointPlaced],
    point_ids: list[int],
) -> None:
    """Cancel all that waits for some contact points, answers too: they lead to nobody, or to somebody else."""
    debtor_ids = recorded.debtor_ids()
    strategy.block_cycle_commit(debtor_ids=debtor_ids)
    messaging.cancel_to_points(
        debtor_ids=debtor_ids, point_ids=point_ids, reason=reasons.POINT_RETIRED, actor=recorded.actor
    )


def _decide_anew(recorded: Recorded[DebtorJoined] | Recorded[DebtorPartedAgain]) -> None:
    """Cancel what was planned.

    Answers to what a debtor wrote stay, and what a person wrote: a dispatcher that has judged them already judges once
    more, by what is known of both.
    """
    _judge_once_more(recorded)
    messaging.cancel_planned(
        debtor_ids=recorded.debtor_ids(), reason=reasons.JOINED, keep_answers=True, actor=recorded.actor
    )


def _judge_once_more(recorded: Recorded[HoldPlaced] | Recorded[DebtorJoined] | Recorded[DebtorPartedAgain]) -> None:
    """Let a contact that a dispatcher has judged and not handed over meet what has become known."""
    messaging.judge_again(debtor_ids=recorded.debtor_ids())

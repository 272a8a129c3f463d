"""Reactions that look for debtors who look like one."""

from __future__ import annotations

from recobra.intake.facts import LoadDone
from recobra.journal.reactions import Recorded
from recobra.portfolio import jobs


def compare_debtors(recorded: Recorded[LoadDone]) -> None:
    """Compare the creditor's debtors once a load is over: a job does it, and the load does not wait."""
    for subject, _done in recorded:
        assert subject.portfolio_id is not None, "a load is of a portfolio"
        jobs.queue_survey(portfolio_id=subject.portfolio_id)

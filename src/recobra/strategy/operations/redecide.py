"""Decide again for one debtor, at once, by the same expressions as the daily cycle."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max

from recobra.kit import engine
from recobra.payments.models import Payment
from recobra.portfolio.snapshot import Part
from recobra.strategy.models import CycleRun
from recobra.strategy.operations.day_facts import read_facts
from recobra.strategy.operations.decision import run_decisions, small_tables, statements_for
from recobra.strategy.policies import policies_in_force

from .commit import block_cycle_commit, commit_decisions

REDECIDE_LIMIT = 50
"""More debtors than this wait for the next cycle: a load that infers thousands of payments is followed by one."""


@transaction.atomic
def redecide_debtors(
    *, debtor_ids: Sequence[int], as_of: date | None = None, now: datetime, actor: str
) -> dict[str, int]:
    """Classify a few debtors again and plan what is due for them; return the counts of `commit`.

    `as_of` is the day of the last cycle unless given, or that of a later payment of theirs: decided on the day
    before, who has paid would be written to again. Before the first cycle there is nothing to decide.
    Raises ValueError for more than REDECIDE_LIMIT debtors.
    """
    if len(debtor_ids) > REDECIDE_LIMIT:
        raise ValueError(f"{len(debtor_ids)} debtors were given; at most {REDECIDE_LIMIT} are decided again at once.")
    last = CycleRun.objects.filter(status=CycleRun.Status.DONE).order_by("-as_of").values_list("as_of", flat=True)
    day = as_of or _not_before_payments(debtor_ids, last.first())
    if day is None:
        return {}
    block_cycle_commit(debtor_ids=debtor_ids)
    policies = policies_in_force(_portfolios_of(debtor_ids))
    part = Part(portfolio_ids=policies.portfolio_ids, debtor_ids=list(debtor_ids))
    tables = read_facts(part, as_of=day, contactable=policies.followed & _fresh_portfolios(policies.portfolio_ids, day))
    recipe = statements_for(policies, as_of=day)
    duck = engine.thread_duckdb("decisions")
    engine.register_tables(duck, {"raw_accounts": tables.pop("accounts"), **tables})
    duck.execute(recipe.accounts)
    engine.run_statements(duck, recipe.classify)
    decisions = run_decisions(duck, recipe, lambda: small_tables(tables, policies, as_of=day))
    return commit_decisions(decisions, policies=policies, part=part, as_of=day, actor=actor, now=now)


def _not_before_payments(debtor_ids: Sequence[int], last_cycle: date | None) -> date | None:
    paid = Payment.objects.filter(debtor__in=debtor_ids, reversed_at__isnull=True).aggregate(last=Max("paid_date"))
    return last_cycle and max(last_cycle, paid["last"] or last_cycle)


def _portfolios_of(debtor_ids: Sequence[int]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT portfolio_id FROM portfolio_account WHERE debtor_id = ANY(%s)", [list(debtor_ids)]
        )
        return [pk for (pk,) in cursor.fetchall()]


def _fresh_portfolios(portfolio_ids: Sequence[int], day: date) -> frozenset[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT p.id, p.freshness_days, max(l.as_of) FROM portfolio_portfolio p
               JOIN intake_load l ON l.portfolio_id = p.id AND l.status = 'DONE'
               WHERE p.id = ANY(%s) GROUP BY p.id""",
            [list(portfolio_ids)],
        )
        return frozenset(pk for pk, days, last in cursor.fetchall() if last >= day - timedelta(days))

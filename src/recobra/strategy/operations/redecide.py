"""Immediate decision for a few debtors, by the same expressions as the daily cycle."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial

from django.db import transaction
from django.db.models import Max

from recobra.access.actors import Actor
from recobra.access.permissions import consequence
from recobra.kit import engine
from recobra.payments.models import Payment
from recobra.portfolio.models import Account
from recobra.portfolio.snapshot import Scope
from recobra.strategy.freshness import fresh_portfolios
from recobra.strategy.models import CycleRun
from recobra.strategy.operations.day_facts import read_facts
from recobra.strategy.operations.decision import prepare_day, run_decisions, small_tables, statements_for
from recobra.strategy.policies import policies_in_force

from .commit import block_cycle_commit, commit_decisions

REDECIDE_LIMIT = 50
"""Facts about more debtors wait for the next cycle: a load that infers thousands of payments is followed by one."""


@consequence
@transaction.atomic
def redecide_debtors(*, debtor_ids: Sequence[int], as_of: date | None = None, actor: Actor) -> dict[str, int]:
    """Classify a few debtors again and plan what is due for them; return the counts of `commit_decisions`.

    `as_of` is, unless given, the day of the last cycle or of a later payment of theirs. Nothing is decided before the
    first cycle. Raises ValueError for more than REDECIDE_LIMIT debtors.
    """
    if len(debtor_ids) > REDECIDE_LIMIT:
        raise ValueError(f"{len(debtor_ids)} debtors were given; at most {REDECIDE_LIMIT} are decided again at once.")
    day = as_of or _day_to_decide(debtor_ids)
    if day is None:
        return {}
    block_cycle_commit(debtor_ids=debtor_ids)
    accounts = Account.objects.filter(debtor__in=list(debtor_ids))
    policies = policies_in_force(accounts.values_list("portfolio_id", flat=True).distinct(), day=day)
    scope = Scope(portfolio_ids=policies.portfolio_ids, debtor_ids=list(debtor_ids))
    contactable = policies.followed & fresh_portfolios(policies.by_portfolio, day=day)
    tables = read_facts(
        scope,
        as_of=day,
        contactable=contactable,
        columns=policies.columns_read,
        company_rules=policies.company_rules,
    )
    statements = statements_for(policies)
    prepared = engine.thread_prepared(
        ("decisions", policies.fingerprint(), day), set_up=partial(prepare_day, statements=statements, as_of=day)
    )
    with prepared.fill({"raw_accounts": tables.pop("accounts"), **tables}):
        prepared.run(statements.classify)
        decisions = run_decisions(
            prepared.run,
            statements=statements,
            fill_small_tables=lambda: prepared.add(small_tables(tables, policies=policies, as_of=day)),
        )
    return commit_decisions(decisions, policies=policies, scope=scope, as_of=day, actor=actor)


def _day_to_decide(debtor_ids: Sequence[int]) -> date | None:
    """Return the day of the last cycle, or of a later payment of these debtors; None before the first cycle."""
    runs = CycleRun.objects.filter(status=CycleRun.Status.DONE).order_by("-as_of")
    last_cycle = runs.values_list("as_of", flat=True).first()
    if last_cycle is None:
        return None
    # Decided on the day before their payment, debtors who have paid would be written to again.
    paid = Payment.objects.filter(debtor__in=debtor_ids, reversed_at__isnull=True).aggregate(last=Max("paid_date"))
    return max(last_cycle, paid["last"] or last_cycle)

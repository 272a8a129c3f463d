"""What a breach may cost where the law names no amount: the company's own figure, dated."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.compliance.facts import BreachCostSet
from recobra.compliance.models import BreachCost, Incident
from recobra.journal.operations import record_fact
from recobra.portfolio.scope import check_every_portfolio
from recobra_core import law


class BreachCostRefused(Exception):
    """The cost cannot be kept; the text is shown as it is."""


class BreachCosts:
    """The company's figures, read once; the newest that holds on a day counts."""

    def __init__(self, countries: Collection[str]) -> None:
        """Read the figures of some countries, those that begin later too."""
        self._costs = list(BreachCost.objects.filter(country__in=countries))

    def find(self, *, country: str, breach: str, day: date) -> BreachCost | None:
        """Return the figure of a day, None where the company gave none."""
        own = self._of(country, breach)
        return next((cost for cost in own if cost.holds_from <= day), None)

    def coming(self, *, country: str, breach: str, day: date) -> tuple[BreachCost, ...]:
        """Return the figures that begin after a day, the earliest first."""
        own = self._of(country, breach)
        return tuple(cost for cost in reversed(own) if cost.holds_from > day)

    def _of(self, country: str, breach: str) -> list[BreachCost]:
        return [cost for cost in self._costs if (cost.country, cost.breach) == (country, breach)]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBreach:
    """A kind of breach for which the law names no amount: what counts today, and what is to follow."""

    breach: str
    label: str
    cost: BreachCost | None
    coming: tuple[BreachCost, ...]


@requires(Right.EDIT_RULES)
@transaction.atomic
def set_breach_cost(
    *, country: str, breach: str, amount_minor: int, holds_from: date, reason: str, today: date, actor: Actor
) -> BreachCost:
    """Say what a kind of breach may cost in a country, from a day on, in its currency. Raises BreachCostRefused."""
    check_every_portfolio(actor)
    home = law.load_countries().get(country)
    if home is None:
        raise BreachCostRefused(_("There are no contact rules for this country."))
    if breach not in law.BREACHES:
        raise BreachCostRefused(_("Say which rule was broken."))
    if _has_amount_by_law(country, breach, holds_from):
        raise BreachCostRefused(_("The law says what this breach may cost there: its figure counts."))
    if amount_minor <= 0:
        raise BreachCostRefused(_("The amount must be more than zero."))
    if holds_from < today:
        raise BreachCostRefused(_("A cost begins today or later: incidents valued by another stay as they are."))
    if not reason.strip():
        raise BreachCostRefused(_("Say why: who decided it, or which rule of the company."))
    cost = BreachCost.objects.create(
        country=country,
        breach=breach,
        amount_minor=amount_minor,
        currency=home.currency,
        holds_from=holds_from,
        reason=reason.strip(),
        created_at=actor.now,
        created_by=actor.name,
        created_by_id=actor.user_id,
    )
    changed = BreachCostSet(
        country=country, breach=breach, amount_minor=amount_minor, currency=home.currency, holds_from=holds_from
    )
    record_fact(changed, actor=actor)
    return cost


def list_open_breaches(*, country: str, day: date) -> list[OpenBreach]:
    """Return the kinds of breach for which the law of a country names no amount on a day."""
    costs = BreachCosts([country])
    return [
        OpenBreach(
            breach=breach,
            label=str(Incident.Breach(breach).label),
            cost=costs.find(country=country, breach=breach, day=day),
            coming=costs.coming(country=country, breach=breach, day=day),
        )
        for breach in law.BREACHES
        if not _has_amount_by_law(country, breach, day)
    ]


def _has_amount_by_law(country: str, breach: str, day: date) -> bool:
    penalty = law.find_penalty(country=country, breach=breach, day=day)
    return penalty is not None and penalty.most is not None

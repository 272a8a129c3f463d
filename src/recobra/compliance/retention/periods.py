"""How long each class stays: the product's period, or the company's own, dated and never shorter than the law's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.compliance.facts import RetentionPeriodSet
from recobra.compliance.models import RetentionPeriod
from recobra.journal.operations import record_fact
from recobra.portfolio.scope import check_every_portfolio

from .classes import COMPANY_DECIDES, DataClass, Term, data_classes

_COUNTRY: Final = re.compile("[A-Z]{2}")
DAYS_MAX: Final = 36_525
"""A hundred years: more is a slip of the hand."""


class PeriodRefused(Exception):
    """The period cannot be kept; the text is shown as it is."""


class Periods:
    """The periods in force on a day, the company's own read once."""

    def __init__(self, day: date) -> None:
        self.day = day
        rows: Iterable[RetentionPeriod] = RetentionPeriod.objects.filter(holds_from__lte=day).order_by(
            "holds_from", "pk"
        )
        # The last of each class and country counts.
        self._own = {(row.data_class, row.country): row for row in rows}

    def term(self, data_class: DataClass, country: str) -> Term:
        """Return how long a class stays in a country; a law that demands more than the company's period counts."""
        own = self._own.get((data_class.key, country)) or self._own.get((data_class.key, ""))
        period = data_class.default_on(self.day)
        term = Term(days=period.days, article="" if period.source == COMPANY_DECIDES else period.source)
        if own is not None:
            term = Term(days=own.days, reason=own.reason, is_own=True)
        minimum = data_class.minimum_on(country, self.day)
        if minimum is not None and minimum.days >= term.days:
            return Term(days=minimum.days, article=minimum.source)
        return term

    def shortest(self, classes: Iterable[DataClass]) -> int:
        """Return the fewest days that any of some classes stays in any country."""
        days = [self.term(each, country).days for each in classes for country in self._countries(each)]
        return min(days)

    def _countries(self, data_class: DataClass) -> set[str]:
        own = {country for key, country in self._own if key == data_class.key}
        return {"", *own, *(minimum.country for minimum in data_class.minimums)}


@requires(Right.EDIT_RULES)
@transaction.atomic
def set_period(
    *, data_class: str, country: str, days: int, holds_from: date, reason: str, today: date, actor: Actor
) -> RetentionPeriod:
    """Let a class stay for other days, everywhere ('') or in a country, from a day on. Raises PeriodRefused."""
    check_every_portfolio(actor)
    known = data_classes().get(data_class)
    if known is None or not known.periods:
        raise PeriodRefused(_("The period of this class cannot be changed."))
    if country and not known.is_of_debtors:
        raise PeriodRefused(_("This class belongs to no debtor: its period is the same for all countries."))
    if country and not _COUNTRY.fullmatch(country):
        raise PeriodRefused(_("Give the country by its two letters, such as PE."))
    if not 1 <= days <= DAYS_MAX:
        raise PeriodRefused(_("Give a number of days from 1 to %(most)s.") % {"most": DAYS_MAX})
    if holds_from < today:
        raise PeriodRefused(_("A period begins today or later: what was decided by another one stays as it is."))
    if not reason.strip():
        raise PeriodRefused(_("Say why: who decided it, or which rule of the company."))
    # Under a period for all countries the law of each goes on counting; one for a country alone must obey it.
    minimum = known.minimum_on(country, holds_from)
    if minimum is not None and minimum.days > days:
        raise PeriodRefused(
            _("The law demands %(days)s days there (%(article)s).") % {"days": minimum.days, "article": minimum.source}
        )
    period = RetentionPeriod.objects.create(
        data_class=data_class,
        country=country,
        days=days,
        holds_from=holds_from,
        reason=reason.strip(),
        created_at=actor.now,
        created_by=actor.name,
        created_by_id=actor.user_id,
    )
    changed = RetentionPeriodSet(data_class=data_class, country=country, days=days, holds_from=holds_from)
    record_fact(changed, actor=actor)
    return period

from datetime import date
from typing import Final

from django.db import models

from recobra.portfolio.models import Portfolio


class HouseRule(models.Model):
    """A company rule that tightens the law, per portfolio or for all; a version that judged is never edited.

    One with a `decision` in its document goes before cautions that are no law.

    `document` is what `recobra_core.law.read_company_rules` reads. Personal data: none.
    """

    code = models.SlugField()
    version = models.PositiveIntegerField()
    portfolio = models.ForeignKey(Portfolio, models.PROTECT, null=True, related_name="house_rules")
    document = models.JSONField()
    created_at = models.DateTimeField()
    created_by = models.TextField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["code", "-version"]
        constraints = [models.UniqueConstraint(fields=["code", "version"], name="house_rule_version_once")]

    def __str__(self) -> str:
        return f"{self.code} v{self.version}"


FROM_THE_BEGINNING: Final = date.min
"""The first day of a portfolio's first version: it holds for every day before the second."""


class PortfolioPolicy(models.Model):
    """A version of a portfolio's policy, in force from a day until the day of the next one. Personal data: none.

    `document` is what `policy.settings.read_policy` reads. Once in force a version is never edited.
    """

    portfolio = models.ForeignKey(Portfolio, models.PROTECT, related_name="policies", db_index=False)
    effective_from = models.DateField()
    document = models.JSONField()
    created_at = models.DateTimeField()
    created_by = models.TextField()

    class Meta:
        ordering = ["portfolio", "effective_from"]
        constraints = [models.UniqueConstraint(fields=["portfolio", "effective_from"], name="portfolio_policy_once")]

    def __str__(self) -> str:
        return f"{self.portfolio_id} {self.effective_from}"

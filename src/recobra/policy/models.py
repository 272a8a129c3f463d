from django.db import models

from recobra.portfolio.models import Portfolio


class HouseRule(models.Model):
    """A company rule that tightens the law, per portfolio or for all; a version that judged is never edited.

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

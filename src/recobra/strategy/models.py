from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recobra.portfolio.models import Account, Portfolio


class StrategyVersion(models.Model):
    """A version of a strategy document: draft, published, retired; a published one is never edited.

    Personal data: none.
    """

    class Status(models.TextChoices):
        DRAFT = "DRAFT", _("Draft")
        PUBLISHED = "PUBLISHED", _("In force")
        RETIRED = "RETIRED", _("Retired")

    code = models.TextField()
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=9, choices=Status)
    document = models.JSONField()
    objective = models.TextField(default="")
    created_at = models.DateTimeField()
    created_by = models.TextField()
    published_at = models.DateTimeField(null=True)
    published_by = models.TextField(default="")
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["code", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["code", "number"], name="strategy_version_once"),
            models.UniqueConstraint(fields=["code"], condition=Q(status="PUBLISHED"), name="strategy_one_published"),
            models.UniqueConstraint(fields=["code"], condition=Q(status="DRAFT"), name="strategy_one_draft"),
        ]

    def __str__(self) -> str:
        return f"{self.code} v{self.number}"


class Assignment(models.Model):
    """Which strategy a portfolio follows. Personal data: none."""

    portfolio = models.OneToOneField(Portfolio, models.PROTECT, related_name="assignment")
    strategy_code = models.TextField()
    active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"{self.portfolio_id}: {self.strategy_code}"


class AccountState(models.Model):
    """Derived state of an account after its last classification; recomputable, written only when it changes.

    Days past due are never stored: they follow from `oldest_due_date`. Personal data: none.
    """

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True, related_name="state")
    portfolio_id = models.BigIntegerField()
    debtor_id = models.BigIntegerField()
    balance_minor = models.BigIntegerField()
    overdue_minor = models.BigIntegerField()
    oldest_due_date = models.DateField(null=True)
    next_due_date = models.DateField(null=True)
    bucket = models.CharField(max_length=16)
    stage = models.CharField(max_length=14)
    segment = models.TextField()
    cycle_date = models.DateField(null=True)
    stage_since = models.DateField()

    class Meta:
        indexes = [
            models.Index(fields=["debtor_id"], name="state_by_debtor"),
            models.Index(fields=["portfolio_id", "-overdue_minor"], name="state_by_overdue"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.bucket}"


class StateBefore(models.Model):
    """State of an account before the latest planned day changed it, so that the day can be taken back.

    Personal data: none.
    """

    account_id = models.BigIntegerField(primary_key=True)
    as_of = models.DateField()
    balance_minor = models.BigIntegerField()
    overdue_minor = models.BigIntegerField()
    oldest_due_date = models.DateField(null=True)
    next_due_date = models.DateField(null=True)
    bucket = models.CharField(max_length=16)
    stage = models.CharField(max_length=14)
    segment = models.TextField()
    cycle_date = models.DateField(null=True)
    stage_since = models.DateField()

    def __str__(self) -> str:
        return f"{self.account_id} {self.as_of}"


class Firing(models.Model):
    """A step of a strategy that fired for an account, once per step, delinquency cycle and occurrence.

    A voided firing (its contact was cancelled or blocked) lets the step fire again. Personal data: none.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="firings", db_index=False)
    strategy_code = models.TextField()
    step_key = models.TextField()
    cycle_date = models.DateField()
    occurrence = models.PositiveSmallIntegerField(default=1)
    fired_on = models.DateField()
    contact_id = models.BigIntegerField(null=True)
    task_id = models.BigIntegerField(null=True)
    voided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "strategy_code", "step_key", "cycle_date", "occurrence"],
                condition=Q(voided_at__isnull=True),
                name="firing_once_per_cycle",
            )
        ]
        indexes = [models.Index(fields=["contact_id"], condition=Q(contact_id__isnull=False), name="firing_of_contact")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.step_key}"


class CycleRun(models.Model):
    """One run of the daily cycle for a day. Personal data: none."""

    class Status(models.TextChoices):
        RUNNING = "RUNNING", _("In progress")
        DONE = "DONE", _("Done")
        FAILED = "FAILED", _("Failed")
        UNDONE = "UNDONE", _("Taken back")

    as_of = models.DateField()
    status = models.CharField(max_length=7, choices=Status)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    actor = models.TextField()
    figures = models.JSONField(default=dict)
    reason = models.TextField(default="")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.as_of} {self.status}"


class CycleStep(models.Model):
    """One named step of a run with its count and time. Personal data: none."""

    run = models.ForeignKey(CycleRun, models.CASCADE, related_name="steps")
    name = models.TextField()
    position = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=7, choices=CycleRun.Status)
    count = models.BigIntegerField(default=0)
    seconds = models.FloatField(default=0)
    started_at = models.DateTimeField()

    class Meta:
        ordering = ["run", "position"]
        constraints = [models.UniqueConstraint(fields=["run", "name"], name="cycle_step_once")]

    def __str__(self) -> str:
        return self.name


class KpiDay(models.Model):
    """A KPI of one portfolio on one day. Personal data: none."""

    day = models.DateField()
    portfolio = models.ForeignKey(Portfolio, models.PROTECT, related_name="kpis")
    key = models.TextField()
    value = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "portfolio", "key"], name="kpi_once_a_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.key}"


class Alarm(models.Model):
    """What a person must know: a stale load, missing data, an uncertain message. Personal data: none."""

    portfolio = models.ForeignKey(Portfolio, models.PROTECT, null=True, related_name="alarms")
    kind = models.TextField()
    text = models.TextField()
    raised_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-raised_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["portfolio", "kind"], condition=Q(cleared_at__isnull=True), name="alarm_open_once"
            )
        ]

    def __str__(self) -> str:
        return self.kind


class SavedGroup(models.Model):
    """A version of a rule with a name, for segments, campaigns and lists. Personal data: none.

    The newest is in force. An account of which a fact is not known is not in the group. `portfolio` None: of all.
    """

    code = models.SlugField()
    version = models.PositiveIntegerField()
    name = models.TextField()
    rule = models.TextField()
    portfolio = models.ForeignKey(Portfolio, models.PROTECT, related_name="+", null=True)
    created_at = models.DateTimeField()
    created_by = models.TextField()
    retired_at = models.DateTimeField(null=True)
    retired_by = models.TextField(default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code", "version"], name="group_version_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def reference(self) -> str:
        """Return how a segment or a campaign says which version its rule comes from."""
        return f"{self.code}:{self.version}"


class Campaign(models.Model):
    """A message to a group between two dates, with a control group that gets none. Personal data: none.

    `rule` is a condition of the rule language over the accounts; `control_bps` the share kept out, by hash.
    `from_group` is the version of a saved group whose rule it is (`SavedGroup.reference`), '' for none.
    """

    class Status(models.TextChoices):
        DRAFT = "DRAFT", _("Draft")
        RUNNING = "RUNNING", _("Running")
        PAUSED = "PAUSED", _("Paused")
        ENDED = "ENDED", _("Ended")

    code = models.SlugField(unique=True)
    name = models.TextField()
    portfolio = models.ForeignKey(Portfolio, models.PROTECT, related_name="campaigns")
    rule = models.TextField()
    from_group = models.TextField(default="")
    template_code = models.TextField()
    channels = models.JSONField(default=list)
    starts_on = models.DateField()
    ends_on = models.DateField()
    budget_minor = models.BigIntegerField(null=True)
    budget_currency = models.CharField(max_length=3, default="", blank=True)
    control_bps = models.PositiveIntegerField(default=1000)
    status = models.CharField(max_length=7, choices=Status, default=Status.DRAFT)
    reason = models.TextField(default="")
    created_at = models.DateTimeField()
    created_by = models.TextField()
    created_by_id = models.BigIntegerField(null=True)
    launched_at = models.DateTimeField(null=True)
    launched_by = models.TextField(default="")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=models.F("starts_on")), name="campaign_ends_after_start"),
            models.CheckConstraint(condition=Q(control_bps__lte=9000), name="campaign_control_share"),
            models.CheckConstraint(
                condition=Q(budget_minor__isnull=True) | Q(budget_minor__gt=0), name="campaign_budget_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class CampaignMember(models.Model):
    """A debtor in a campaign: treated or control, fixed when it was launched. Personal data: none."""

    class Arm(models.TextChoices):
        TREATED = "TREATED", _("Treated")
        CONTROL = "CONTROL", _("Control")

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="members", db_index=False)
    debtor_id = models.BigIntegerField()
    arm = models.CharField(max_length=7, choices=Arm)
    contact_id = models.BigIntegerField(null=True)
    overdue_minor = models.BigIntegerField(default=0)
    reason = models.TextField(default="")
    joined_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "debtor_id"], name="campaign_member_once")]
        indexes = [models.Index(fields=["debtor_id"], name="campaign_of_debtor")]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.debtor_id}"

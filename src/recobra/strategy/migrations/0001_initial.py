import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("portfolio", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="CycleRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("as_of", models.DateField()),
                (
                    "status",
                    models.CharField(
                        choices=[("RUNNING", "In progress"), ("DONE", "Done"), ("FAILED", "Failed")], max_length=7
                    ),
                ),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("actor", models.TextField()),
                ("figures", models.JSONField(default=dict)),
                ("reason", models.TextField(default="")),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="AccountState",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="state",
                        serialize=False,
                        to="portfolio.account",
                    ),
                ),
                ("portfolio_id", models.BigIntegerField()),
                ("debtor_id", models.BigIntegerField()),
                ("balance_minor", models.BigIntegerField()),
                ("overdue_minor", models.BigIntegerField()),
                ("oldest_due_date", models.DateField(null=True)),
                ("next_due_date", models.DateField(null=True)),
                ("bucket", models.CharField(max_length=16)),
                ("stage", models.CharField(max_length=14)),
                ("segment", models.TextField()),
                ("cycle_date", models.DateField(null=True)),
                ("stage_since", models.DateField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["debtor_id"], name="state_by_debtor"),
                    models.Index(fields=["portfolio_id", "-overdue_minor"], name="state_by_overdue"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Assignment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("strategy_code", models.TextField()),
                ("active", models.BooleanField(default=True)),
                (
                    "portfolio",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="assignment", to="portfolio.portfolio"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Campaign",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(unique=True)),
                ("name", models.TextField()),
                ("rule", models.TextField()),
                ("template_code", models.TextField()),
                ("channels", models.JSONField(default=list)),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField()),
                ("budget_minor", models.BigIntegerField(null=True)),
                ("budget_currency", models.CharField(blank=True, default="", max_length=3)),
                ("control_bps", models.PositiveIntegerField(default=1000)),
                (
                    "status",
                    models.CharField(
                        choices=[("DRAFT", "Draft"), ("RUNNING", "Running"), ("PAUSED", "Paused"), ("ENDED", "Ended")],
                        default="DRAFT",
                        max_length=7,
                    ),
                ),
                ("reason", models.TextField(default="")),
                ("created_at", models.DateTimeField()),
                ("created_by", models.TextField()),
                ("created_by_id", models.BigIntegerField(null=True)),
                ("launched_at", models.DateTimeField(null=True)),
                ("launched_by", models.TextField(default="")),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "portfolio",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="campaigns", to="portfolio.portfolio"
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="CampaignMember",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("debtor_id", models.BigIntegerField()),
                ("arm", models.CharField(choices=[("TREATED", "Treated"), ("CONTROL", "Control")], max_length=7)),
                ("contact_id", models.BigIntegerField(null=True)),
                ("overdue_minor", models.BigIntegerField(default=0)),
                ("reason", models.TextField(default="")),
                ("joined_at", models.DateTimeField()),
                (
                    "campaign",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="members",
                        to="strategy.campaign",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CycleStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.TextField()),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[("RUNNING", "In progress"), ("DONE", "Done"), ("FAILED", "Failed")], max_length=7
                    ),
                ),
                ("count", models.BigIntegerField(default=0)),
                ("seconds", models.FloatField(default=0)),
                ("started_at", models.DateTimeField()),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="strategy.cyclerun"
                    ),
                ),
            ],
            options={
                "ordering": ["run", "position"],
            },
        ),
        migrations.CreateModel(
            name="Firing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("strategy_code", models.TextField()),
                ("step_key", models.TextField()),
                ("cycle_date", models.DateField()),
                ("occurrence", models.PositiveSmallIntegerField(default=1)),
                ("fired_on", models.DateField()),
                ("contact_id", models.BigIntegerField(null=True)),
                ("task_id", models.BigIntegerField(null=True)),
                ("voided_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="firings",
                        to="portfolio.account",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="KpiDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("key", models.TextField()),
                ("value", models.BigIntegerField()),
                (
                    "portfolio",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="kpis", to="portfolio.portfolio"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="StrategyVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.TextField()),
                ("number", models.PositiveIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[("DRAFT", "Draft"), ("PUBLISHED", "Published"), ("RETIRED", "Retired")], max_length=9
                    ),
                ),
                ("document", models.JSONField()),
                ("objective", models.TextField(default="")),
                ("created_at", models.DateTimeField()),
                ("created_by", models.TextField()),
                ("published_at", models.DateTimeField(null=True)),
                ("published_by", models.TextField(default="")),
                ("retired_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["code", "-number"],
                "constraints": [
                    models.UniqueConstraint(fields=("code", "number"), name="strategy_version_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "PUBLISHED")), fields=("code",), name="strategy_one_published"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "DRAFT")), fields=("code",), name="strategy_one_draft"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Alarm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.TextField()),
                ("text", models.TextField()),
                ("raised_at", models.DateTimeField()),
                ("cleared_at", models.DateTimeField(null=True)),
                (
                    "portfolio",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alarms",
                        to="portfolio.portfolio",
                    ),
                ),
            ],
            options={
                "ordering": ["-raised_at"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("cleared_at__isnull", True)),
                        fields=("portfolio", "kind"),
                        name="alarm_open_once",
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_on__gte", models.F("starts_on"))), name="campaign_ends_after_start"
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(("control_bps__lte", 9000)), name="campaign_control_share"
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(("budget_minor__isnull", True), ("budget_minor__gt", 0), _connector="OR"),
                name="campaign_budget_positive",
            ),
        ),
        migrations.AddIndex(
            model_name="campaignmember",
            index=models.Index(fields=["debtor_id"], name="campaign_of_debtor"),
        ),
        migrations.AddConstraint(
            model_name="campaignmember",
            constraint=models.UniqueConstraint(fields=("campaign", "debtor_id"), name="campaign_member_once"),
        ),
        migrations.AddConstraint(
            model_name="cyclestep",
            constraint=models.UniqueConstraint(fields=("run", "name"), name="cycle_step_once"),
        ),
        migrations.AddIndex(
            model_name="firing",
            index=models.Index(
                condition=models.Q(("contact_id__isnull", False)), fields=["contact_id"], name="firing_of_contact"
            ),
        ),
        migrations.AddConstraint(
            model_name="firing",
            constraint=models.UniqueConstraint(
                condition=models.Q(("voided_at__isnull", True)),
                fields=("account", "strategy_code", "step_key", "cycle_date", "occurrence"),
                name="firing_once_per_cycle",
            ),
        ),
        migrations.AddConstraint(
            model_name="kpiday",
            constraint=models.UniqueConstraint(fields=("day", "portfolio", "key"), name="kpi_once_a_day"),
        ),
    ]

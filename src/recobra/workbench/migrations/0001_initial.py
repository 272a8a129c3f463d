import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("messaging", "0001_initial"),
        ("portfolio", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Task",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.TextField()),
                ("title", models.TextField()),
                (
                    "status",
                    models.CharField(
                        choices=[("OPEN", "Open"), ("DONE", "Done"), ("CANCELLED", "Cancelled")],
                        default="OPEN",
                        max_length=9,
                    ),
                ),
                ("due_date", models.DateField()),
                ("created_at", models.DateTimeField()),
                ("created_by", models.TextField()),
                ("step_key", models.TextField(default="")),
                ("closed_at", models.DateTimeField(null=True)),
                ("closed_by", models.TextField(default="")),
                ("outcome", models.TextField(default="")),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tasks",
                        to="portfolio.account",
                    ),
                ),
                (
                    "debtor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tasks",
                        to="portfolio.debtor",
                    ),
                ),
                (
                    "portfolio",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tasks",
                        to="portfolio.portfolio",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "OPEN")), fields=["portfolio", "due_date"], name="task_open"
                    ),
                    models.Index(fields=["debtor"], name="task_of_debtor"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "unreachable"), ("status", "OPEN")),
                        fields=("debtor", "kind"),
                        name="task_one_open_unreachable",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Visit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("area", models.TextField(default="")),
                ("position", models.PositiveIntegerField(default=0)),
                ("route_date", models.DateField()),
                ("assigned_to_id", models.BigIntegerField(null=True)),
                (
                    "result",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Not yet"),
                            ("MET", "Spoke with the debtor"),
                            ("PROMISE", "Promised to pay"),
                            ("ABSENT", "Nobody was there"),
                            ("WRONG_ADDRESS", "Wrong address"),
                            ("REFUSED", "Refused to speak"),
                        ],
                        default="",
                        max_length=13,
                    ),
                ),
                ("note", models.TextField(default="")),
                ("noted_at", models.DateTimeField(null=True)),
                ("noted_by", models.TextField(default="")),
                (
                    "contact",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="visit", to="messaging.contact"
                    ),
                ),
            ],
            options={
                "ordering": ["route_date", "area", "position"],
                "indexes": [models.Index(fields=["route_date", "assigned_to_id"], name="visit_of_route")],
            },
        ),
    ]

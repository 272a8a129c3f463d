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
            name="Incident",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("ATTEMPT", "Attempted, stopped by the gate"),
                            ("BREACH", "Breach"),
                            ("COMPLAINT", "Complaint"),
                        ],
                        max_length=9,
                    ),
                ),
                ("country", models.CharField(max_length=2)),
                ("happened_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                ("recorded_by", models.TextField()),
                ("actor", models.TextField(default="")),
                ("rule", models.TextField(default="")),
                ("article", models.TextField(default="")),
                ("description", models.TextField()),
                ("potential_fine", models.TextField(default="")),
                ("corrective_action", models.TextField(default="")),
                ("closed_at", models.DateTimeField(null=True)),
                ("closed_by", models.TextField(default="")),
                (
                    "contact",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="incidents",
                        to="messaging.contact",
                    ),
                ),
                (
                    "debtor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="incidents",
                        to="portfolio.debtor",
                    ),
                ),
                (
                    "portfolio",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="incidents",
                        to="portfolio.portfolio",
                    ),
                ),
            ],
            options={
                "ordering": ["-happened_at"],
                "indexes": [models.Index(fields=["country", "happened_at"], name="incident_by_country")],
                "constraints": [
                    models.UniqueConstraint(fields=("contact", "kind", "rule"), name="incident_once_per_contact"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("closed_at__isnull", True),
                            models.Q(("corrective_action", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="incident_closed_with_action",
                    ),
                ],
            },
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("compliance", "0004_incident_breach")]

    operations = [
        migrations.CreateModel(
            "BreachCost",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("country", models.CharField(max_length=2)),
                (
                    "breach",
                    models.TextField(
                        choices=[
                            ("hours", "Hours and days"),
                            ("frequency", "How often"),
                            ("channel", "A channel that is not allowed"),
                            ("third_party", "Third parties or the workplace"),
                            ("wish", "An opt-out or a refusal"),
                            ("stopped", "Collection that the law stops"),
                            ("offer", "Advertising"),
                            ("content", "What was said, or the treatment"),
                            ("other", "Other breach"),
                        ]
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("holds_from", models.DateField()),
                ("reason", models.TextField()),
                ("created_at", models.DateTimeField()),
                ("created_by", models.TextField()),
                ("created_by_id", models.BigIntegerField(null=True)),
            ],
            options={
                "ordering": ["-holds_from", "-id"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="breach_cost_positive")
                ],
            },
        ),
    ]

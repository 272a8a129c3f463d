import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("portfolio", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount_minor", models.BigIntegerField()),
                ("unapplied_minor", models.BigIntegerField(default=0)),
                ("paid_date", models.DateField()),
                ("received_at", models.DateTimeField()),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("SCREEN", "Recorded on screen"),
                            ("FILE", "Payment file"),
                            ("INFERRED", "Inferred from the load"),
                        ],
                        max_length=8,
                    ),
                ),
                ("reference", models.TextField()),
                ("load_id", models.BigIntegerField(null=True)),
                ("actor", models.TextField()),
                ("reversed_at", models.DateTimeField(null=True)),
                ("reversed_by", models.TextField(default="")),
                ("reversal_reason", models.TextField(default="")),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="portfolio.account",
                    ),
                ),
                (
                    "debtor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="payments", to="portfolio.debtor"
                    ),
                ),
                (
                    "portfolio",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="portfolio.portfolio",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["portfolio", "paid_date"], name="payment_by_day")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount_minor__gt", 0)), name="payment_amount_positive"),
                    models.CheckConstraint(
                        condition=models.Q(("unapplied_minor__gte", 0)), name="payment_unapplied_not_negative"
                    ),
                    models.UniqueConstraint(fields=("portfolio", "reference"), name="payment_reference_once"),
                ],
            },
        ),
    ]

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0001_initial"),
        ("portfolio", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="PaymentMapping",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.TextField()),
                ("version", models.PositiveIntegerField()),
                ("document", models.JSONField()),
                ("created_at", models.DateTimeField()),
                ("created_by", models.TextField()),
                (
                    "portfolio",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payment_mappings",
                        to="portfolio.portfolio",
                    ),
                ),
            ],
            options={
                "ordering": ["portfolio", "name", "-version"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("portfolio", "name", "version"), name="payment_mapping_version_once"
                    )
                ],
            },
        ),
    ]

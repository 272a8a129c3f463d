"""The journal's seal of each day leaves the house, and whether it did is kept."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("compliance", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="SealDelivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("way", models.CharField(max_length=10)),
                ("day", models.DateField()),
                ("seal_number", models.BigIntegerField()),
                ("begun_at", models.DateTimeField()),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("sent_at", models.DateTimeField(null=True)),
                ("error", models.TextField(default="")),
            ],
            options={
                "ordering": ["-day", "way"],
                "constraints": [models.UniqueConstraint(fields=("way", "day"), name="seal_delivery_once_a_day")],
            },
        ),
    ]

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("portfolio", "0011_debtors_who_are_one"),
        ("strategy", "0003_planned_day_taken_back"),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedGroup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField()),
                ("version", models.PositiveIntegerField()),
                ("name", models.TextField()),
                ("rule", models.TextField()),
                ("created_at", models.DateTimeField()),
                ("created_by", models.TextField()),
                ("retired_at", models.DateTimeField(null=True)),
                ("retired_by", models.TextField(default="")),
                (
                    "portfolio",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="portfolio.portfolio",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("code", "version"), name="group_version_once")],
            },
        ),
        migrations.AddField(model_name="campaign", name="from_group", field=models.TextField(default="")),
    ]

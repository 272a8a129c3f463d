import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("portfolio", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Mapping",
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="mappings", to="portfolio.portfolio"
                    ),
                ),
            ],
            options={
                "ordering": ["portfolio", "name", "-version"],
            },
        ),
        migrations.CreateModel(
            name="Load",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("file_name", models.TextField()),
                ("file_sha256", models.CharField(max_length=64)),
                ("stored_as", models.TextField(default="")),
                ("as_of", models.DateField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("RUNNING", "In progress"),
                            ("DONE", "Loaded"),
                            ("HELD", "Waiting for confirmation"),
                            ("REFUSED", "Refused"),
                            ("FAILED", "Failed"),
                            ("DISCARDED", "Discarded"),
                        ],
                        max_length=9,
                    ),
                ),
                ("reason", models.TextField(default="")),
                ("figures", models.JSONField(default=dict)),
                ("diagnosis", models.JSONField(default=dict)),
                ("progress", models.JSONField(default=dict)),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("actor", models.TextField()),
                (
                    "portfolio",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="loads", to="portfolio.portfolio"
                    ),
                ),
                (
                    "mapping",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="loads",
                        to="intake.mapping",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="RejectedRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("line", models.BigIntegerField()),
                ("row", models.JSONField()),
                ("errors", models.JSONField()),
                (
                    "load",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rejected", to="intake.load"
                    ),
                ),
            ],
            options={
                "ordering": ["line", "id"],
            },
        ),
        migrations.AddConstraint(
            model_name="mapping",
            constraint=models.UniqueConstraint(fields=("portfolio", "name", "version"), name="mapping_version_once"),
        ),
        migrations.AddIndex(
            model_name="load",
            index=models.Index(fields=["portfolio", "-as_of"], name="load_latest"),
        ),
        migrations.AddConstraint(
            model_name="load",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "RUNNING")), fields=("portfolio",), name="load_one_running_per_portfolio"
            ),
        ),
    ]

"""Sending stops after a restore, until a person lets it go on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0007_provider_proposed"),
    ]

    operations = [
        migrations.CreateModel(
            name="SendingStop",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("began_at", models.DateTimeField()),
                ("began_by", models.TextField()),
                ("state_of", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by", models.TextField(default="")),
                ("cancelled", models.PositiveIntegerField(default=0)),
            ],
            options={
                "ordering": ["-began_at", "-id"],
            },
        ),
    ]

"""Limits of attempts, shared by all processes. Unlogged: nothing of it is worth a write to the log."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0002_roles_and_teams"),
    ]

    operations = [
        migrations.CreateModel(
            name="AttemptLimit",
            fields=[
                ("key", models.BinaryField(primary_key=True, serialize=False)),
                ("busy_until", models.DateTimeField(db_index=True)),
                ("refused", models.IntegerField(default=0)),
            ],
        ),
        migrations.RunSQL("ALTER TABLE access_attemptlimit SET UNLOGGED", "ALTER TABLE access_attemptlimit SET LOGGED"),
    ]

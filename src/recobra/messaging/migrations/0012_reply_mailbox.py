"""How far the mailbox of each sender was read."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0011_news_of_providers"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReplyMailbox",
            fields=[
                (
                    "provider",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="mailbox",
                        serialize=False,
                        to="messaging.provider",
                    ),
                ),
                ("uid_validity", models.BigIntegerField(default=0)),
                ("last_uid", models.BigIntegerField(default=0)),
                ("read_at", models.DateTimeField(null=True)),
                ("failed_since", models.DateTimeField(null=True)),
                ("answer", models.TextField(default="")),
            ],
        ),
    ]

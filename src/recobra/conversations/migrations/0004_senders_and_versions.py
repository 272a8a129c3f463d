"""Who writes without a number, and which message another one edits or takes back."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0003_texts_encrypted"),
    ]

    operations = [
        migrations.AddField(
            model_name="conversation", name="sender_id", field=models.TextField(db_default="", default="")
        ),
        migrations.AddField(
            model_name="conversationmessage",
            name="replaces",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="versions",
                to="conversations.conversationmessage",
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("sender_id", ""), _negated=True),
                fields=["sender_id"],
                name="conversation_of_sender",
            ),
        ),
    ]

import django.db.models.deletion
from django.db import migrations, models

# What the journal has of both is carried over, so that nobody gets new tries and no objection is forgotten.
CARRY_OVER = """
    INSERT INTO conversations_identityattempt (debtor_id, contact_id, turn, at)
    SELECT debtor.id, contact.id, coalesce(entry.payload->>'turn', ''), entry.at FROM journal_entry entry
    JOIN portfolio_debtor debtor ON debtor.id = entry.debtor_id
    LEFT JOIN messaging_contact contact ON contact.id = entry.contact_id
    WHERE entry.kind IN ('identity.refused', 'statement.refused') ORDER BY entry.id;

    INSERT INTO conversations_dispute (debtor_id, conversation_id, message_id, is_verified, opened_at)
    SELECT debtor.id, message.conversation_id, message.id, (entry.payload->>'verified')::boolean, entry.at
    FROM journal_entry entry
    JOIN portfolio_debtor debtor ON debtor.id = entry.debtor_id
    JOIN conversations_conversationmessage message ON message.id = (entry.payload->>'message_id')::bigint
    WHERE entry.kind = 'dispute.opened' ORDER BY entry.id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0001_initial"),
        ("journal", "0001_initial"),
        ("messaging", "0001_initial"),
        ("portfolio", "0001_initial"),
    ]
    operations = [
        migrations.CreateModel(
            name="IdentityAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("turn", models.TextField(default="")),
                ("at", models.DateTimeField()),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="identity_attempts",
                        to="messaging.contact",
                    ),
                ),
                (
                    "debtor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="identity_attempts",
                        to="portfolio.debtor",
                    ),
                ),
            ],
            options={"indexes": [models.Index(fields=["debtor", "at"], name="identity_attempt_recent")]},
        ),
        migrations.CreateModel(
            name="Dispute",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("is_verified", models.BooleanField()),
                ("opened_at", models.DateTimeField()),
                (
                    "conversation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disputes",
                        to="conversations.conversation",
                    ),
                ),
                (
                    "debtor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disputes",
                        to="portfolio.debtor",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disputes",
                        to="conversations.conversationmessage",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(CARRY_OVER, migrations.RunSQL.noop),
    ]

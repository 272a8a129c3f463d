import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("messaging", "0001_initial"),
        ("portfolio", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CannedAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(unique=True)),
                ("title", models.TextField()),
                ("text", models.TextField()),
                ("created_by", models.TextField()),
                ("created_at", models.DateTimeField()),
                ("retired_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["title"],
            },
        ),
        migrations.CreateModel(
            name="Conversation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "E-mail"),
                            ("sms", "SMS"),
                            ("whatsapp", "WhatsApp"),
                            ("call", "Call"),
                            ("ivr", "Automatic call"),
                            ("letter", "Letter"),
                            ("visit", "Visit"),
                        ],
                        max_length=8,
                    ),
                ),
                ("address", models.TextField()),
                (
                    "status",
                    models.CharField(
                        choices=[("OPEN", "Open"), ("WAITING", "Waiting for the debtor"), ("CLOSED", "Closed")],
                        default="OPEN",
                        max_length=7,
                    ),
                ),
                ("mode", models.CharField(choices=[("BOT", "Bot"), ("PERSON", "Person")], default="BOT", max_length=6)),
                ("mode_reason", models.TextField(default="")),
                ("identified_at", models.DateTimeField(null=True)),
                ("bot_state", models.JSONField(default=dict)),
                ("opened_at", models.DateTimeField()),
                ("last_inbound_at", models.DateTimeField(null=True)),
                ("last_at", models.DateTimeField()),
                ("unread", models.PositiveIntegerField(default=0)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "assigned_to",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="conversations",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "debtor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="conversations",
                        to="portfolio.debtor",
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="conversations",
                        to="messaging.provider",
                    ),
                ),
            ],
            options={
                "ordering": ["-last_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="ConversationMessage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "direction",
                    models.CharField(
                        choices=[("IN", "Received"), ("OUT", "Sent"), ("NOTE", "Note for colleagues")], max_length=4
                    ),
                ),
                ("author", models.TextField(default="")),
                ("author_id", models.BigIntegerField(null=True)),
                ("text", models.TextField(default="")),
                ("intent", models.TextField(default="")),
                ("confidence", models.FloatField(null=True)),
                ("at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("provider_reference", models.TextField(default="")),
                (
                    "contact",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="messaging.contact",
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="conversations.conversation",
                    ),
                ),
            ],
            options={
                "ordering": ["at", "id"],
            },
        ),
        migrations.CreateModel(
            name="Attachment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.TextField(default="")),
                ("media_type", models.TextField(default="")),
                ("size", models.BigIntegerField(default=0)),
                ("digest", models.CharField(default="", max_length=64)),
                ("path", models.TextField(default="")),
                (
                    "status",
                    models.CharField(
                        choices=[("WAITING", "To be fetched"), ("KEPT", "Kept"), ("REFUSED", "Refused")],
                        default="WAITING",
                        max_length=7,
                    ),
                ),
                ("reason", models.TextField(default="")),
                ("provider_media_id", models.TextField(default="")),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attachments",
                        to="conversations.conversationmessage",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(fields=["status", "-last_at"], name="conversation_by_time"),
        ),
        migrations.AddConstraint(
            model_name="conversation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "CLOSED"), _negated=True),
                fields=("channel", "address"),
                name="conversation_one_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="conversationmessage",
            constraint=models.UniqueConstraint(
                condition=models.Q(("direction", "IN"), models.Q(("provider_reference", ""), _negated=True)),
                fields=("conversation", "provider_reference"),
                name="conversation_message_once",
            ),
        ),
    ]

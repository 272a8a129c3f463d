import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("portfolio", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="LetterBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField()),
                ("created_by", models.TextField()),
                ("courier", models.TextField(default="")),
                ("letters_count", models.PositiveIntegerField(default=0)),
                ("path", models.TextField(default="")),
                ("handed_over_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Provider",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(unique=True)),
                ("channel", models.CharField(max_length=8)),
                ("kind", models.TextField()),
                ("name", models.TextField()),
                ("settings", models.JSONField(default=dict)),
                ("secrets", models.TextField(default="")),
                ("enabled", models.BooleanField(default=False)),
                ("rank", models.PositiveSmallIntegerField(default=100)),
                ("rate_per_second", models.FloatField(null=True)),
                ("price_micros", models.BigIntegerField(default=0)),
                ("price_currency", models.CharField(default="USD", max_length=3)),
                ("country", models.CharField(default="", max_length=2)),
                ("created_at", models.DateTimeField()),
                ("created_by", models.TextField()),
                ("tested_at", models.DateTimeField(null=True)),
                ("tested_well", models.BooleanField(null=True)),
                ("tested_answer", models.TextField(default="")),
            ],
            options={
                "verbose_name": "provider",
                "ordering": ["channel", "rank", "code"],
            },
        ),
        migrations.CreateModel(
            name="Contact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, unique=True)),
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
                ("template_code", models.TextField()),
                ("strategy_version_id", models.BigIntegerField(null=True)),
                ("step_key", models.TextField(default="")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("DUE", "Planned"),
                            ("LEASED", "Being sent"),
                            ("SENT", "Sent"),
                            ("FAILED", "Failed"),
                            ("BLOCKED", "Blocked"),
                            ("CANCELLED", "Cancelled"),
                            ("UNCERTAIN", "Uncertain"),
                        ],
                        max_length=9,
                    ),
                ),
                ("planned_for", models.DateField()),
                ("planned_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("closes_at", models.DateTimeField(null=True)),
                ("zones", models.TextField()),
                ("reason", models.TextField(default="")),
                ("rule", models.TextField(default="")),
                ("article", models.TextField(default="")),
                ("judged_at", models.DateTimeField(null=True)),
                ("leased_until", models.DateTimeField(null=True)),
                ("lease", models.UUIDField(null=True)),
                ("handed_over_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(null=True)),
                ("local_date", models.DateField(null=True)),
                ("message_id", models.TextField(default="")),
                ("address", models.TextField(default="")),
                ("subject", models.TextField(default="")),
                ("body", models.TextField(default="")),
                ("html", models.TextField(db_default="", default="")),
                ("buttons", models.JSONField(db_default=models.Value([], models.JSONField()), default=list)),
                ("answer", models.TextField(default="")),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("CLAIM", "Claim"),
                            ("NOTICE", "Notice"),
                            ("OFFER", "Offer"),
                            ("MANUAL", "Written by a person"),
                            ("REPLY", "Answer to the debtor"),
                        ],
                        db_default="CLAIM",
                        default="CLAIM",
                        max_length=6,
                    ),
                ),
                ("priority", models.SmallIntegerField(db_default=5, default=5)),
                ("author", models.TextField(db_default="", default="")),
                ("author_id", models.BigIntegerField(null=True)),
                ("variant", models.CharField(blank=True, db_default="", default="", max_length=8)),
                ("campaign_id", models.BigIntegerField(null=True)),
                ("conversation_id", models.BigIntegerField(null=True)),
                ("replies_to_at", models.DateTimeField(null=True)),
                ("provider_reference", models.TextField(db_default="", default="")),
                ("price_micros", models.BigIntegerField(null=True)),
                ("price_currency", models.CharField(blank=True, db_default="", default="", max_length=3)),
                ("verdict", models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict)),
                ("reached", models.BooleanField(null=True)),
                ("delivered_at", models.DateTimeField(null=True)),
                ("read_at", models.DateTimeField(null=True)),
                ("clicked_at", models.DateTimeField(null=True)),
                ("replied_at", models.DateTimeField(null=True)),
                ("undelivered_at", models.DateTimeField(null=True)),
                ("complained_at", models.DateTimeField(null=True)),
                (
                    "debtor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contacts",
                        to="portfolio.debtor",
                    ),
                ),
                (
                    "fallback_of",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fallbacks",
                        to="messaging.contact",
                    ),
                ),
                (
                    "point",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contacts",
                        to="portfolio.contactpoint",
                    ),
                ),
                (
                    "portfolio",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contacts",
                        to="portfolio.portfolio",
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contacts",
                        to="messaging.provider",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Letter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("WAITING", "To be printed"),
                            ("PRINTED", "Printed"),
                            ("DELIVERED", "Delivered"),
                            ("RETURNED", "Returned"),
                        ],
                        default="WAITING",
                        max_length=9,
                    ),
                ),
                ("reference", models.TextField(unique=True)),
                ("content", models.JSONField(default=dict)),
                ("tracking", models.TextField(default="")),
                ("courier_answer", models.TextField(default="")),
                ("changed_at", models.DateTimeField()),
                (
                    "contact",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="letter", to="messaging.contact"
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="letters",
                        to="messaging.letterbatch",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="MailboxMessage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("channel", models.CharField(db_default="email", default="email", max_length=8)),
                ("received_at", models.DateTimeField()),
                ("contact_public_id", models.TextField(default="")),
                ("sender", models.TextField()),
                ("recipients", models.TextField()),
                ("subject", models.TextField()),
                ("raw", models.BinaryField()),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["contact_public_id"], name="mailbox_by_contact")],
            },
        ),
        migrations.CreateModel(
            name="ProviderState",
            fields=[
                (
                    "provider",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="state",
                        serialize=False,
                        to="messaging.provider",
                    ),
                ),
                ("tokens", models.FloatField(default=0)),
                ("refilled_at", models.DateTimeField()),
                ("failures", models.PositiveIntegerField(default=0)),
                ("open_until", models.DateTimeField(null=True)),
                ("trying", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="Template",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.TextField()),
                ("version", models.PositiveIntegerField()),
                ("variant", models.CharField(blank=True, db_default="", default="", max_length=8)),
                ("weight", models.PositiveSmallIntegerField(db_default=1, default=1)),
                ("country", models.CharField(blank=True, db_default="", default="", max_length=2)),
                (
                    "tone",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Any tone"),
                            ("EMPATHETIC", "Empathetic"),
                            ("NEUTRAL", "Neutral"),
                            ("FIRM", "Firm"),
                        ],
                        db_default="",
                        default="",
                        max_length=10,
                    ),
                ),
                ("stage", models.CharField(blank=True, db_default="", default="", max_length=14)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("DRAFT", "Draft"),
                            ("SUBMITTED", "Waiting for approval"),
                            ("APPROVED", "Approved"),
                            ("REJECTED", "Rejected"),
                        ],
                        db_default="APPROVED",
                        default="DRAFT",
                        max_length=9,
                    ),
                ),
                ("legal", models.BooleanField(db_default=False, default=False)),
                ("buttons", models.JSONField(db_default=models.Value([], models.JSONField()), default=list)),
                ("parameters", models.JSONField(db_default=models.Value([], models.JSONField()), default=list)),
                ("findings", models.JSONField(db_default=models.Value([], models.JSONField()), default=list)),
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
                ("language", models.CharField(default="es", max_length=8)),
                ("name", models.TextField()),
                ("subject", models.TextField()),
                ("text", models.TextField()),
                ("html", models.TextField()),
                ("created_at", models.DateTimeField()),
                ("created_by", models.TextField()),
                ("created_by_id", models.BigIntegerField(null=True)),
                ("decided_at", models.DateTimeField(null=True)),
                ("decided_by", models.TextField(db_default="", default="")),
                ("decision_note", models.TextField(db_default="", default="")),
                ("provider_name", models.TextField(db_default="", default="")),
                ("provider_status", models.TextField(db_default="", default="")),
                ("provider_reference", models.TextField(db_default="", default="")),
                ("provider_asked_at", models.DateTimeField(null=True)),
                ("retired_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["code", "-version"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("code", "channel", "language", "country", "tone", "variant", "version"),
                        name="template_version_once",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="contact",
            name="template",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="contacts",
                to="messaging.template",
            ),
        ),
        migrations.CreateModel(
            name="WebhookCall",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("received_at", models.DateTimeField()),
                ("digest", models.CharField(max_length=64)),
                ("body", models.BinaryField()),
                ("content_type", models.TextField(default="")),
                (
                    "status",
                    models.CharField(
                        choices=[("WAITING", "Waiting"), ("DONE", "Done"), ("FAILED", "Failed")],
                        default="WAITING",
                        max_length=7,
                    ),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("error", models.TextField(default="")),
                (
                    "provider",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="calls",
                        to="messaging.provider",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ContactItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("overdue_minor", models.BigIntegerField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contact_items",
                        to="portfolio.account",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="items",
                        to="messaging.contact",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("contact", "account"), name="contact_item_once")],
            },
        ),
        migrations.CreateModel(
            name="Receipt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider_reference", models.TextField(default="")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("ACCEPTED", "Accepted"),
                            ("DELIVERED", "Delivered"),
                            ("READ", "Read"),
                            ("CLICKED", "Clicked"),
                            ("ANSWERED", "Answered"),
                            ("NOT_ANSWERED", "Not answered"),
                            ("BOUNCED", "Bounced"),
                            ("FAILED", "Failed"),
                            ("COMPLAINED", "Complained"),
                            ("OPTED_OUT", "Opted out"),
                        ],
                        max_length=12,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("event_key", models.TextField(unique=True)),
                ("permanent", models.BooleanField(null=True)),
                ("detail", models.JSONField(default=dict)),
                (
                    "contact",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipts",
                        to="messaging.contact",
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipts",
                        to="messaging.provider",
                    ),
                ),
            ],
            options={
                "ordering": ["at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("contact__isnull", True)),
                        fields=["provider_reference"],
                        name="receipt_without_contact",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("status", "DUE")), fields=["priority", "due_at", "id"], name="contact_due"
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("provider_reference", ""), _negated=True),
                fields=["provider_reference"],
                name="contact_by_reference",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("campaign_id__isnull", False)), fields=["campaign_id"], name="contact_of_campaign"
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("conversation_id__isnull", False)),
                fields=["conversation_id"],
                name="contact_of_conversation",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("status", "LEASED")), fields=["leased_until"], name="contact_leased"
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(fields=["debtor", "planned_for"], name="contact_of_debtor"),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(fields=["planned_for", "portfolio"], name="contact_of_day"),
        ),
        migrations.AddConstraint(
            model_name="contact",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("status__in", ["DUE", "LEASED", "SENT", "UNCERTAIN"]),
                    models.Q(("purpose", "REPLY"), _negated=True),
                ),
                fields=("debtor", "channel", "planned_for"),
                name="contact_one_per_debtor_channel_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="contact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["SENT", "UNCERTAIN"]), _negated=True),
                    ("handed_over_at__isnull", False),
                    _connector="OR",
                ),
                name="contact_sent_was_handed_over",
            ),
        ),
        migrations.AddConstraint(
            model_name="contact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["BLOCKED", "CANCELLED", "FAILED", "UNCERTAIN"]), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="contact_end_has_reason",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookcall",
            index=models.Index(
                condition=models.Q(("status", "DONE"), _negated=True), fields=["received_at"], name="webhook_call_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookcall",
            constraint=models.UniqueConstraint(fields=("provider", "digest"), name="webhook_call_once"),
        ),
    ]

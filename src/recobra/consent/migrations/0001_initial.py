"""The ledger of consent only grows."""

import django.db.models.deletion
from django.db import migrations, models


GUARD = """
CREATE TRIGGER consent_append_only BEFORE UPDATE OR DELETE ON consent_consententry
    FOR EACH ROW EXECUTE FUNCTION append_only();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("journal", "0001_initial"),
        ("messaging", "0001_initial"),
        ("portfolio", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ConsentEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("PHONE", "Phone"), ("EMAIL", "E-mail"), ("ADDRESS", "Address")], max_length=7
                    ),
                ),
                ("value", models.TextField()),
                (
                    "channel",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("email", "E-mail"),
                            ("sms", "SMS"),
                            ("whatsapp", "WhatsApp"),
                            ("call", "Call"),
                            ("ivr", "Automatic call"),
                            ("letter", "Letter"),
                            ("visit", "Visit"),
                        ],
                        default="",
                        max_length=8,
                    ),
                ),
                (
                    "act",
                    models.CharField(
                        choices=[
                            ("GRANTED", "Authorised"),
                            ("WITHDRAWN", "Authorisation withdrawn"),
                            ("OPTED_OUT", "Asked for no more messages"),
                            ("NOT_ME", "Is not the person"),
                            ("RESUMED", "Asked for messages again"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("LOAD", "Load"),
                            ("LINK", "Link"),
                            ("KEYWORD", "Keyword"),
                            ("BUTTON", "Button"),
                            ("KEYPAD", "Telephone keypad"),
                            ("STAFF", "Staff"),
                            ("PORTAL", "Portal"),
                            ("PROVIDER", "Provider"),
                        ],
                        max_length=8,
                    ),
                ),
                ("text_shown", models.TextField(default="")),
                ("said", models.TextField(default="")),
                ("actor", models.TextField()),
                ("actor_id", models.BigIntegerField(null=True)),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="wishes",
                        to="messaging.contact",
                    ),
                ),
                (
                    "debtor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="wishes",
                        to="portfolio.debtor",
                    ),
                ),
            ],
            options={
                "ordering": ["at", "id"],
            },
        ),
        migrations.CreateModel(
            name="Silence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("PHONE", "Phone"), ("EMAIL", "E-mail"), ("ADDRESS", "Address")], max_length=7
                    ),
                ),
                ("value", models.TextField()),
                ("since", models.DateTimeField()),
                (
                    "entry",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="silences",
                        to="consent.consententry",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="consententry",
            index=models.Index(fields=["value", "kind", "channel"], name="consent_of_value"),
        ),
        migrations.AddConstraint(
            model_name="silence",
            constraint=models.UniqueConstraint(fields=("value", "kind"), name="silence_once"),
        ),
        migrations.RunSQL(GUARD, "DROP TRIGGER consent_append_only ON consent_consententry"),
    ]

"""The receivables and their ledger, which only grows; people, numbers and documents are found over millions of rows."""

import django.contrib.postgres.fields
import django.db.models.deletion
import uuid
from django.db import migrations, models


LEDGER = """
CREATE TRIGGER posting_append_only BEFORE UPDATE OR DELETE ON portfolio_posting
    FOR EACH ROW EXECUTE FUNCTION append_only();
"""
SEARCH = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;

-- unaccent() is only STABLE; naming its dictionary makes the promise that an index needs.
CREATE FUNCTION lower_unaccent(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS
    $$ SELECT lower(public.unaccent('public.unaccent', value)) $$;

CREATE INDEX debtor_name_search ON portfolio_debtor USING gin (lower_unaccent(name) gin_trgm_ops);
CREATE INDEX debtor_external_id_search ON portfolio_debtor (external_id text_pattern_ops);
CREATE INDEX debtor_national_id_search ON portfolio_debtor (national_id text_pattern_ops)
    WHERE national_id <> '';
CREATE INDEX account_external_id_search ON portfolio_account (external_id text_pattern_ops);
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("journal", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Creditor",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.TextField(unique=True)),
                ("name", models.TextField()),
                ("tax_id", models.TextField(default="")),
                ("complaint_contact", models.TextField(default="")),
                ("payment_instructions", models.TextField(default="")),
                ("address", models.TextField(db_default="", default="")),
                ("agency_name", models.TextField(db_default="", default="")),
                ("agency_address", models.TextField(db_default="", default="")),
                ("agency_phone", models.TextField(db_default="", default="")),
                ("complaint_office", models.TextField(db_default="", default="")),
                ("supervised", models.BooleanField(null=True)),
            ],
            options={
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="CompanyHoliday",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("country", models.CharField(max_length=2)),
                ("day", models.DateField()),
                ("name", models.TextField()),
            ],
            options={
                "ordering": ["day"],
                "constraints": [models.UniqueConstraint(fields=("country", "day"), name="company_holiday_once")],
            },
        ),
        migrations.CreateModel(
            name="Debtor",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("external_id", models.TextField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("PERSON", "Person"), ("COMPANY", "Company")], default="PERSON", max_length=7
                    ),
                ),
                ("name", models.TextField()),
                ("national_id_kind", models.TextField(default="")),
                ("national_id", models.TextField(default="")),
                ("national_id_valid", models.BooleanField(null=True)),
                ("country", models.CharField(max_length=2)),
                ("subdivision", models.CharField(default="", max_length=8)),
                ("time_zone", models.TextField(default="")),
                ("language", models.CharField(blank=True, db_default="", default="", max_length=8)),
                ("preferred_channel", models.CharField(blank=True, db_default="", default="", max_length=8)),
                ("preferred_from", models.TimeField(null=True)),
                ("preferred_to", models.TimeField(null=True)),
                ("load_id", models.BigIntegerField(null=True)),
                (
                    "creditor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="debtors",
                        to="portfolio.creditor",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ContactPoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("PHONE", "Phone"), ("EMAIL", "E-mail"), ("ADDRESS", "Address")], max_length=7
                    ),
                ),
                ("value", models.TextField()),
                ("line", models.CharField(default="", max_length=8)),
                (
                    "place",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Not stated"),
                            ("personal", "Personal"),
                            ("work", "Workplace"),
                            ("other_person", "Another person's"),
                        ],
                        db_default="",
                        default="",
                        max_length=12,
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[("LOAD", "Load"), ("STAFF", "Staff"), ("DEBTOR", "Debtor")],
                        default="LOAD",
                        max_length=6,
                    ),
                ),
                ("valid", models.BooleanField()),
                ("consent", models.BooleanField(null=True)),
                ("opted_out_at", models.DateTimeField(null=True)),
                (
                    "unusable_for",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=8), db_default=[], default=list, size=None
                    ),
                ),
                (
                    "granted_for",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=8), db_default=[], default=list, size=None
                    ),
                ),
                (
                    "denied_for",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=8), db_default=[], default=list, size=None
                    ),
                ),
                ("quality", models.SmallIntegerField(default=50)),
                ("retired_at", models.DateTimeField(null=True)),
                ("load_id", models.BigIntegerField(null=True)),
                (
                    "debtor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="points",
                        to="portfolio.debtor",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Account",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("external_id", models.TextField()),
                (
                    "product",
                    models.CharField(
                        choices=[("LOAN", "Loan"), ("CARD", "Card"), ("SERVICE", "Service"), ("INVOICE", "Invoice")],
                        max_length=8,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("OPEN", "Open"),
                            ("PAID", "Paid"),
                            ("RECALLED", "Recalled"),
                            ("MISSING", "Missing from the load"),
                            ("WRITTEN_OFF", "Written off"),
                        ],
                        default="OPEN",
                        max_length=12,
                    ),
                ),
                ("opened_date", models.DateField(null=True)),
                ("contract", models.TextField(default="")),
                ("attributes", models.JSONField(default=dict)),
                ("load_id", models.BigIntegerField(null=True)),
                (
                    "debtor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="accounts", to="portfolio.debtor"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, unique=True)),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("DISPUTE", "Dispute"),
                            ("PROMISE", "Promise to pay"),
                            ("PAYMENT_IN_PROCESS", "Payment in process"),
                            ("ILLNESS", "Illness or hardship"),
                            ("DECEASED", "Deceased"),
                            ("INSOLVENCY", "Insolvency"),
                            ("DISASTER", "Natural disaster"),
                            ("LEGAL", "Legal decision"),
                            ("SUIT_SERVED", "Suit served"),
                            ("CEASE_LETTER", "Asked in writing not to be contacted"),
                            ("ATTORNEY", "Represented by a lawyer"),
                            ("MINOR", "A minor"),
                            ("PRESCRIBED", "Debt past its limitation"),
                            ("VULNERABLE", "Vulnerable person"),
                            ("OTHER", "Other"),
                        ],
                        max_length=18,
                    ),
                ),
                ("disputed_minor", models.BigIntegerField(null=True)),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField(null=True)),
                ("note", models.TextField(default="")),
                ("author", models.TextField()),
                ("created_at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(null=True)),
                ("lifted_by", models.TextField(default="")),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="holds",
                        to="portfolio.account",
                    ),
                ),
                (
                    "debtor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="holds",
                        to="portfolio.debtor",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Instalment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.TextField(default="1")),
                ("due_date", models.DateField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="instalments",
                        to="portfolio.account",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LegalDecision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("proposed_by", models.TextField()),
                ("approved_by", models.TextField()),
                ("approved_at", models.DateTimeField()),
                ("grounds", models.TextField()),
                ("revoked_at", models.DateTimeField(null=True)),
                ("revoked_by", models.TextField(default="")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="legal_decisions",
                        to="portfolio.account",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Party",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "part",
                    models.CharField(
                        choices=[("CO_DEBTOR", "Co-debtor"), ("GUARANTOR", "Guarantor"), ("REFERENCE", "Reference")],
                        max_length=9,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="parties", to="portfolio.account"
                    ),
                ),
                (
                    "debtor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="parts", to="portfolio.debtor"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Portfolio",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.TextField(unique=True)),
                ("name", models.TextField()),
                (
                    "industry",
                    models.CharField(
                        choices=[("CONSUMER", "Consumer credit"), ("SERVICES", "Services"), ("INVOICES", "Invoices")],
                        max_length=12,
                    ),
                ),
                ("country", models.CharField(max_length=2)),
                ("currency", models.CharField(max_length=3)),
                ("time_zone", models.TextField()),
                ("freshness_days", models.PositiveSmallIntegerField(default=2)),
                ("attributes", models.JSONField(default=dict)),
                ("waterfall", models.JSONField(default=dict)),
                ("limits", models.JSONField(default=dict)),
                (
                    "creditor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="portfolios", to="portfolio.creditor"
                    ),
                ),
            ],
            options={
                "ordering": ["code"],
            },
        ),
        migrations.AddField(
            model_name="account",
            name="portfolio",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="accounts",
                to="portfolio.portfolio",
            ),
        ),
        migrations.CreateModel(
            name="Posting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("CHARGE", "Charge"),
                            ("PAYMENT", "Payment"),
                            ("ADJUSTMENT", "Adjustment"),
                            ("WRITE_OFF", "Write-off"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "concept",
                    models.CharField(
                        choices=[
                            ("PRINCIPAL", "Principal"),
                            ("INTEREST", "Interest"),
                            ("LATE_INTEREST", "Late interest"),
                            ("FEE", "Fee"),
                            ("TAX", "Tax"),
                        ],
                        max_length=13,
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("value_date", models.DateField()),
                ("booked_at", models.DateTimeField()),
                ("payment_id", models.BigIntegerField(null=True)),
                ("load_id", models.BigIntegerField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="postings", to="portfolio.account"
                    ),
                ),
                (
                    "instalment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="postings",
                        to="portfolio.instalment",
                    ),
                ),
                (
                    "reverses",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversal",
                        to="portfolio.posting",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="debtor",
            constraint=models.UniqueConstraint(fields=("creditor", "external_id"), name="debtor_once_per_creditor"),
        ),
        migrations.AddConstraint(
            model_name="debtor",
            constraint=models.CheckConstraint(
                condition=models.Q(("external_id", ""), _negated=True), name="debtor_external_id_given"
            ),
        ),
        migrations.AddIndex(
            model_name="contactpoint",
            index=models.Index(fields=["value"], name="contact_point_value"),
        ),
        migrations.AddConstraint(
            model_name="contactpoint",
            constraint=models.UniqueConstraint(fields=("debtor", "kind", "value"), name="contact_point_once"),
        ),
        migrations.AddConstraint(
            model_name="contactpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("value", ""), _negated=True), name="contact_point_value_given"
            ),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(
                condition=models.Q(("lifted_at__isnull", True)), fields=["debtor"], name="hold_unlifted"
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_on__isnull", True), ("ends_on__gte", models.F("starts_on")), _connector="OR"),
                name="hold_ends_after_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("disputed_minor__isnull", True),
                    models.Q(("account__isnull", False), ("disputed_minor__gt", 0)),
                    _connector="OR",
                ),
                name="hold_disputed_amount_of_account",
            ),
        ),
        migrations.AddConstraint(
            model_name="instalment",
            constraint=models.UniqueConstraint(fields=("account", "number"), name="instalment_once_per_account"),
        ),
        migrations.AddConstraint(
            model_name="legaldecision",
            constraint=models.UniqueConstraint(
                condition=models.Q(("revoked_at__isnull", True)),
                fields=("account",),
                name="legal_decision_one_in_force",
            ),
        ),
        migrations.AddConstraint(
            model_name="legaldecision",
            constraint=models.CheckConstraint(
                condition=models.Q(("proposed_by", models.F("approved_by")), _negated=True),
                name="legal_decision_by_two_people",
            ),
        ),
        migrations.AddConstraint(
            model_name="party",
            constraint=models.UniqueConstraint(fields=("account", "debtor", "part"), name="party_once"),
        ),
        migrations.AddConstraint(
            model_name="portfolio",
            constraint=models.CheckConstraint(
                condition=models.Q(("country__regex", "^[A-Z]{2}$")), name="portfolio_country_iso"
            ),
        ),
        migrations.AddConstraint(
            model_name="portfolio",
            constraint=models.CheckConstraint(
                condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="portfolio_currency_iso"
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.UniqueConstraint(fields=("portfolio", "external_id"), name="account_once_per_portfolio"),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(("external_id", ""), _negated=True), name="account_external_id_given"
            ),
        ),
        migrations.AddConstraint(
            model_name="posting",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor", 0), _negated=True), name="posting_amount_not_zero"
            ),
        ),
        migrations.AddConstraint(
            model_name="posting",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "CHARGE"), ("reverses__isnull", True), _negated=True),
                    ("amount_minor__gt", 0),
                    _connector="OR",
                ),
                name="posting_charge_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="posting",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ["PAYMENT", "WRITE_OFF"]), ("reverses__isnull", True), _negated=True),
                    ("amount_minor__lt", 0),
                    _connector="OR",
                ),
                name="posting_payment_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="posting",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "PAYMENT"), _negated=True), ("payment_id__isnull", False), _connector="OR"
                ),
                name="posting_payment_named",
            ),
        ),
        migrations.RunSQL(LEDGER, "DROP TRIGGER posting_append_only ON portfolio_posting"),
        migrations.RunSQL(
            SEARCH,
            "DROP INDEX debtor_name_search, debtor_external_id_search, debtor_national_id_search,"
            " account_external_id_search; DROP FUNCTION lower_unaccent;",
        ),
    ]

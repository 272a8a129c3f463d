"""The receivables: creditors, portfolios, debtors, contact points, accounts, instalments and the ledger.

Foreign keys carry an index of their own only where no unique constraint already begins with them: on the tables that
hold millions of rows every index is paid for at each load.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from recobra.kit.encrypted_field import EncryptedTextField
from recobra.kit.encryption import Undecryptable


class Channel(models.TextChoices):
    """The ways in which a debtor is contacted."""

    EMAIL = "email", _("E-mail")
    SMS = "sms", _("SMS")
    WHATSAPP = "whatsapp", _("WhatsApp")
    CALL = "call", _("Call")
    IVR = "ivr", _("Automatic call")
    LETTER = "letter", _("Letter")
    VISIT = "visit", _("Visit")


class DisableReason(models.TextChoices):
    """Why a creditor or a portfolio is no longer worked."""

    MANDATE_ENDED = "MANDATE_ENDED", _("The mandate ended")
    CREDITOR_ASKED = "CREDITOR_ASKED", _("The creditor asked to stop")
    COMPANY_DECIDED = "COMPANY_DECIDED", _("The company decided to stop")
    MISTAKE = "MISTAKE", _("It was opened by mistake")


class Creditor(models.Model):
    """A mandante: who is owed. `supervised`: a lender under the financial authority. Personal data: none. Never dies.

    `agency_*` say who collects in its name, where that is not the creditor itself. `payment_instructions` name bank
    accounts, so they are encrypted. While `disabled_at` is set, so are all of its portfolios.
    """

    code = models.TextField(unique=True)
    name = models.TextField()
    tax_id = models.TextField(default="")
    complaint_contact = models.TextField(default="")
    payment_instructions = EncryptedTextField(row="code", default="")
    address = models.TextField(default="", db_default="")
    agency_name = models.TextField(default="", db_default="")
    agency_address = models.TextField(default="", db_default="")
    agency_phone = models.TextField(default="", db_default="")
    complaint_office = models.TextField(default="", db_default="")
    supervised = models.BooleanField(null=True)
    disabled_at = models.DateTimeField(null=True)
    disable_reason = models.CharField(max_length=16, choices=DisableReason, default="", db_default="", blank=True)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name

    def has_readable_instructions(self) -> bool:
        """Tell if `payment_instructions` opens with the keys of this installation."""
        try:
            _ = self.payment_instructions
        except Undecryptable:
            return False
        return True


class Portfolio(models.Model):
    """Receivables of one creditor in one country and currency, worked under one policy. Personal data: none.

    `attributes` declares the creditor's own columns that rules may read. The policy is dated, in the app `policy`.
    While `disabled_at` is set nothing is loaded into it, planned for it or sent about it, answers apart.
    """

    class Industry(models.TextChoices):
        CONSUMER = "CONSUMER", _("Consumer credit")
        SERVICES = "SERVICES", _("Services")
        INVOICES = "INVOICES", _("Invoices")

    creditor = models.ForeignKey(Creditor, models.PROTECT, related_name="portfolios")
    code = models.TextField(unique=True)
    name = models.TextField()
    industry = models.CharField(max_length=12, choices=Industry)
    country = models.CharField(max_length=2)
    currency = models.CharField(max_length=3)
    time_zone = models.TextField()
    attributes = models.JSONField(default=dict)
    disabled_at = models.DateTimeField(null=True)
    disable_reason = models.CharField(max_length=16, choices=DisableReason, default="", db_default="", blank=True)

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=Q(country__regex="^[A-Z]{2}$"), name="portfolio_country_iso"),
            models.CheckConstraint(condition=Q(currency__regex="^[A-Z]{3}$"), name="portfolio_currency_iso"),
        ]

    def __str__(self) -> str:
        return self.name

    def local_day(self, now: datetime) -> date:
        """Return the calendar day of the portfolio's time zone."""
        return now.astimezone(ZoneInfo(self.time_zone)).date()


class Debtor(models.Model):
    """A person or company that owes, once per creditor. Personal data: name and national id.

    Dies by anonymisation when the legal term after the last account's closing is over: `erased_at`. `joined_into`: a
    person said that this is the same one; the row holds the key alone, by which files name it (`DebtorJoin`).
    `preferences_source` is a code of `ContactPoint.Source`, '' where nobody has stated any.
    """

    class Kind(models.TextChoices):
        PERSON = "PERSON", _("Person")
        COMPANY = "COMPANY", _("Company")

    creditor = models.ForeignKey(Creditor, models.PROTECT, related_name="debtors", db_index=False)
    external_id = models.TextField()
    kind = models.CharField(max_length=7, choices=Kind, default=Kind.PERSON)
    name = models.TextField()
    national_id_kind = models.TextField(default="")
    national_id = models.TextField(default="")
    national_id_valid = models.BooleanField(null=True)
    country = models.CharField(max_length=2)
    subdivision = models.CharField(max_length=8, default="")
    time_zone = models.TextField(default="")
    language = models.CharField(max_length=8, default="", db_default="", blank=True)
    preferred_channel = models.CharField(max_length=8, default="", db_default="", blank=True)
    preferred_from = models.TimeField(null=True)
    preferred_to = models.TimeField(null=True)
    preferences_source = models.CharField(max_length=6, default="", db_default="", blank=True)
    erased_at = models.DateTimeField(null=True)
    load_id = models.BigIntegerField(null=True)
    joined_into = models.ForeignKey("self", models.PROTECT, null=True, related_name="joined", db_index=False)

    class Meta:
        indexes = [
            models.Index(fields=["joined_into"], condition=Q(joined_into__isnull=False), name="debtor_joined"),
        ]
        constraints = [
            # By pattern, so that the search by the beginning of a number needs no index of its own.
            models.UniqueConstraint(
                fields=["creditor", "external_id"],
                opclasses=["int8_ops", "text_pattern_ops"],
                name="debtor_once_per_creditor",
            ),
            models.CheckConstraint(condition=~Q(external_id=""), name="debtor_external_id_given"),
        ]

    def __str__(self) -> str:
        return self.external_id


class ContactPoint(models.Model):
    """A way to reach a debtor. Personal data: the number or address itself. Dies with the debtor.

    `unusable_for` names channels that cannot reach it, such as whatsapp for a number without an account there;
    `granted_for` and `denied_for` those that the ledger of consent says were authorised or withdrawn one by one.
    `corrected_by` is the point that a person put in the place of a retired one.
    """

    class Kind(models.TextChoices):
        PHONE = "PHONE", _("Phone")
        EMAIL = "EMAIL", _("E-mail")
        ADDRESS = "ADDRESS", _("Address")

    class Source(models.TextChoices):
        LOAD = "LOAD", _("Load")
        STAFF = "STAFF", _("Staff")
        DEBTOR = "DEBTOR", _("Debtor")

    class Place(models.TextChoices):
        UNKNOWN = "", _("Not stated")
        PERSONAL = "personal", _("Personal")
        WORK = "work", _("Workplace")
        OTHER_PERSON = "other_person", _("Another person's")

    class RetiredBecause(models.TextChoices):
        UNKNOWN = "", _("Not stated")
        WRONG_PERSON = "WRONG_PERSON", _("It is somebody else's")
        OUT_OF_SERVICE = "OUT_OF_SERVICE", _("It does not exist, or is out of service")
        NO_LONGER = "NO_LONGER", _("The debtor no longer uses it")
        DOUBLE = "DOUBLE", _("It is there twice")
        CORRECTED = "CORRECTED", _("It was corrected")

    debtor = models.ForeignKey(Debtor, models.PROTECT, related_name="points", db_index=False)
    kind = models.CharField(max_length=7, choices=Kind)
    value = models.TextField()
    line = models.CharField(max_length=8, default="")
    place = models.CharField(max_length=12, choices=Place, default="", db_default="", blank=True)
    source = models.CharField(max_length=6, choices=Source, default=Source.LOAD)
    valid = models.BooleanField()
    consent = models.BooleanField(null=True)
    opted_out_at = models.DateTimeField(null=True)
    unusable_for = ArrayField(models.CharField(max_length=8), default=list, db_default=[])
    granted_for = ArrayField(models.CharField(max_length=8), default=list, db_default=[])
    denied_for = ArrayField(models.CharField(max_length=8), default=list, db_default=[])
    quality = models.SmallIntegerField(default=50)
    retired_at = models.DateTimeField(null=True)
    retired_because = models.CharField(max_length=14, choices=RetiredBecause, default="", db_default="", blank=True)
    corrected_by = models.BigIntegerField(null=True)
    load_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            # The value comes first: who has a number is asked at each message, and searched by its beginning.
            models.UniqueConstraint(
                fields=["value", "kind", "debtor"],
                opclasses=["text_pattern_ops", "text_ops", "int8_ops"],
                name="contact_point_once",
            ),
            models.CheckConstraint(condition=~Q(value=""), name="contact_point_value_given"),
        ]
        indexes = [models.Index(fields=["debtor"], name="contact_point_of_debtor")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Account(models.Model):
    """One receivable relation: a loan, a card, a service or an invoice. Personal data: none of its own.

    `external_id` is the creditor's number. Dies with its debtor.
    """

    class Product(models.TextChoices):
        LOAN = "LOAN", _("Loan")
        CARD = "CARD", _("Card")
        SERVICE = "SERVICE", _("Service")
        INVOICE = "INVOICE", _("Invoice")

    class Status(models.TextChoices):
        OPEN = "OPEN", _("Open")
        PAID = "PAID", _("Paid")
        RECALLED = "RECALLED", _("Recalled")
        MISSING = "MISSING", _("Missing from the load")
        WRITTEN_OFF = "WRITTEN_OFF", _("Written off")

    portfolio = models.ForeignKey(Portfolio, models.PROTECT, related_name="accounts", db_index=False)
    debtor = models.ForeignKey(Debtor, models.PROTECT, related_name="accounts")
    external_id = models.TextField()
    product = models.CharField(max_length=8, choices=Product)
    status = models.CharField(max_length=12, choices=Status, default=Status.OPEN)
    opened_date = models.DateField(null=True)
    contract = models.TextField(default="")
    attributes = models.JSONField(default=dict)
    load_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["portfolio", "external_id"],
                opclasses=["int8_ops", "text_pattern_ops"],
                name="account_once_per_portfolio",
            ),
            models.CheckConstraint(condition=~Q(external_id=""), name="account_external_id_given"),
        ]

    def __str__(self) -> str:
        return self.external_id


class Party(models.Model):
    """Somebody around an account: a co-debtor, guarantor, reference or payer. Personal data: through its debtor row.

    Nothing is sent to them. One that a person took away stays, retired, so that no file brings it back.
    """

    class Part(models.TextChoices):
        CO_DEBTOR = "CO_DEBTOR", _("Co-debtor")
        GUARANTOR = "GUARANTOR", _("Guarantor")
        REFERENCE = "REFERENCE", _("Reference")
        PAYER = "PAYER", _("Who pays (accounts payable)")

    account = models.ForeignKey(Account, models.PROTECT, related_name="parties")
    debtor = models.ForeignKey(Debtor, models.PROTECT, related_name="parts")
    part = models.CharField(max_length=9, choices=Part)
    source = models.CharField(max_length=6, choices=ContactPoint.Source, default="LOAD", db_default="LOAD")
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "debtor", "part"], name="party_once")]

    def __str__(self) -> str:
        return f"{self.part} {self.account_id}"


class Instalment(models.Model):
    """What falls due on one day: an instalment, an invoice, a bill, a cheque. Personal data: none.

    The amount owed is never here: it is the sum of the instalment's postings. `load_id` and `line` are the row of a
    file that last said something new of it, or of its account or debtor.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="instalments", db_index=False)
    number = models.TextField(default="1")
    due_date = models.DateField(null=True)
    load_id = models.BigIntegerField(null=True)
    line = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "number"], name="instalment_once_per_account")]

    def __str__(self) -> str:
        return f"{self.account_id}/{self.number}"


class Concept(models.TextChoices):
    PRINCIPAL = "PRINCIPAL", _("Principal")
    INTEREST = "INTEREST", _("Interest")
    LATE_INTEREST = "LATE_INTEREST", _("Late interest")
    FEE = "FEE", _("Fee")
    TAX = "TAX", _("Tax")


class Posting(models.Model):
    """One line of the ledger, signed: charges raise what is owed, payments lower it. Never changed, never deleted.

    Effective on `value_date`, known since `booked_at`: any past day can be rebuilt either way. Personal data: none.
    """

    class Kind(models.TextChoices):
        CHARGE = "CHARGE", _("Charge")
        PAYMENT = "PAYMENT", _("Payment")
        ADJUSTMENT = "ADJUSTMENT", _("Adjustment")
        WRITE_OFF = "WRITE_OFF", _("Write-off")

    account = models.ForeignKey(Account, models.PROTECT, related_name="postings")
    instalment = models.ForeignKey(Instalment, models.PROTECT, related_name="postings", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind)
    concept = models.CharField(max_length=13, choices=Concept)
    amount_minor = models.BigIntegerField()
    value_date = models.DateField()
    booked_at = models.DateTimeField()
    payment_id = models.BigIntegerField(null=True)
    load_id = models.BigIntegerField(null=True)
    reverses = models.ForeignKey("self", models.PROTECT, null=True, related_name="reversals", db_index=False)

    class Meta:
        constraints = [
            # Nearly no posting reverses another: the others cost nothing here.
            models.UniqueConstraint(
                fields=["reverses"], condition=Q(reverses__isnull=False), name="posting_reversed_once"
            ),
            models.CheckConstraint(condition=~Q(amount_minor=0), name="posting_amount_not_zero"),
            models.CheckConstraint(
                condition=~Q(kind="CHARGE", reverses__isnull=True) | Q(amount_minor__gt=0),
                name="posting_charge_positive",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["PAYMENT", "WRITE_OFF"], reverses__isnull=True) | Q(amount_minor__lt=0),
                name="posting_payment_negative",
            ),
            models.CheckConstraint(
                condition=~Q(kind="PAYMENT") | Q(payment_id__isnull=False), name="posting_payment_named"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_minor}"


class HoldQuerySet(models.QuerySet["Hold"]):
    """Holds, narrowed."""

    def in_force(self, day: date) -> HoldQuerySet:
        """Return the holds in force on a day; `sql.hold_in_force` is the same rule for set-based readers."""
        is_unlifted_since = Q(lifted_at__isnull=True, starts_on__lte=day)
        return self.filter(is_unlifted_since, Q(ends_on__isnull=True) | Q(ends_on__gte=day))


class Hold(models.Model):
    """A pause of the pursuit: of a debtor, an account or a disputed amount, with reason, start, end and author.

    It ends by itself on `ends_on`; lifting it early is recorded. Personal data: none; `note` is shown to staff only.
    """

    class Reason(models.TextChoices):
        DISPUTE = "DISPUTE", _("Dispute")
        PROMISE = "PROMISE", _("Promise to pay")
        PAYMENT_IN_PROCESS = "PAYMENT_IN_PROCESS", _("Payment in process")
        ILLNESS = "ILLNESS", _("Illness or hardship")
        DECEASED = "DECEASED", _("Deceased")
        INSOLVENCY = "INSOLVENCY", _("Insolvency")
        DISASTER = "DISASTER", _("Natural disaster")
        LEGAL = "LEGAL", _("Legal decision")
        SUIT_SERVED = "SUIT_SERVED", _("Suit served")
        CEASE_LETTER = "CEASE_LETTER", _("Asked in writing not to be contacted")
        ATTORNEY = "ATTORNEY", _("Represented by a lawyer")
        MINOR = "MINOR", _("A minor")
        PRESCRIBED = "PRESCRIBED", _("Debt past its limitation")
        VULNERABLE = "VULNERABLE", _("Vulnerable person")
        OTHER = "OTHER", _("Other")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True)
    debtor = models.ForeignKey(Debtor, models.PROTECT, related_name="holds", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="holds")
    reason = models.CharField(max_length=18, choices=Reason)
    disputed_minor = models.BigIntegerField(null=True)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)
    note = models.TextField(default="")
    author = models.TextField()
    created_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.TextField(default="")

    objects = HoldQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="hold_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(disputed_minor__isnull=True) | Q(disputed_minor__gt=0, account__isnull=False),
                name="hold_disputed_amount_of_account",
            ),
        ]
        indexes = [models.Index(fields=["debtor"], condition=Q(lifted_at__isnull=True), name="hold_unlifted")]

    def __str__(self) -> str:
        return f"{self.reason} {self.starts_on}"


class LegalDecision(models.Model):
    """The approved decision to go to law over an account, without which no legal notice leaves. Personal data: none."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="legal_decisions")
    proposed_by = models.TextField()
    approved_by = models.TextField()
    approved_at = models.DateTimeField()
    grounds = models.TextField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.TextField(default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=Q(revoked_at__isnull=True), name="legal_decision_one_in_force"
            ),
            models.CheckConstraint(
                condition=~Q(proposed_by=models.F("approved_by")), name="legal_decision_by_two_people"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}"


# Django looks for tables here.
from .join_models import DebtorJoin as DebtorJoin  # noqa: E402, PLC0414
from .join_models import DebtorPair as DebtorPair  # noqa: E402, PLC0414
from .join_models import DebtorSurvey as DebtorSurvey  # noqa: E402, PLC0414
from .join_models import JoinedRow as JoinedRow  # noqa: E402, PLC0414
from .note_models import DebtorNote as DebtorNote  # noqa: E402, PLC0414

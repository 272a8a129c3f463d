from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recobra.access.models import User
from recobra.kit.encrypted_field import EncryptedTextField, UnreadableText
from recobra.messaging.models.outbox import Contact
from recobra.messaging.models.providers import Provider
from recobra.portfolio.models import Channel, Debtor


class Conversation(models.Model):
    """A conversation with one number or address over one channel. Personal data: the number.

    `address` stands for somebody without a number too (`address_forms.sender_address`); `sender_id` is the provider's
    own id of who writes, where it gives one. `debtor` is null while nobody knows whose number it is. Dies with the
    legal term of records of the country.
    """

    class Status(models.TextChoices):
        OPEN = "OPEN", _("Open")
        WAITING = "WAITING", _("Waiting for the debtor")
        CLOSED = "CLOSED", _("Closed")

    class Mode(models.TextChoices):
        BOT = "BOT", _("Bot")
        PERSON = "PERSON", _("Person")

    channel = models.CharField(max_length=8, choices=Channel)
    address = models.TextField()
    sender_id = models.TextField(default="", db_default="")
    provider = models.ForeignKey(Provider, models.PROTECT, null=True, related_name="conversations", db_index=False)
    debtor = models.ForeignKey(Debtor, models.PROTECT, null=True, related_name="conversations")
    status = models.CharField(max_length=7, choices=Status, default=Status.OPEN)
    mode = models.CharField(max_length=6, choices=Mode, default=Mode.BOT)
    mode_reason = models.TextField(default="")
    assigned_to = models.ForeignKey(User, models.PROTECT, null=True, related_name="conversations", db_index=False)
    identified_at = models.DateTimeField(null=True)
    bot_state = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    last_inbound_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField()
    unread = models.PositiveIntegerField(default=0)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-last_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "address"], condition=~Q(status="CLOSED"), name="conversation_one_open"
            )
        ]
        indexes = [
            models.Index(fields=["status", "-last_at"], name="conversation_by_time"),
            models.Index(fields=["sender_id"], condition=~Q(sender_id=""), name="conversation_of_sender"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.pk}"


class ConversationMessage(models.Model):
    """A message of a conversation, or a note. What goes out has its contact of the outbox. Personal data: the text.

    `replaces` is the message that this one edits or takes back; both stay.
    """

    class Direction(models.TextChoices):
        IN = "IN", _("Received")
        OUT = "OUT", _("Sent")
        NOTE = "NOTE", _("Note for colleagues")

    conversation = models.ForeignKey(Conversation, models.PROTECT, related_name="messages")
    direction = models.CharField(max_length=4, choices=Direction)
    author = models.TextField(default="")
    author_id = models.BigIntegerField(null=True)
    text = EncryptedTextField(row="conversation_id", was_plain=True, default="")
    intent = models.TextField(default="")
    confidence = models.FloatField(null=True)
    at = models.DateTimeField()
    received_at = models.DateTimeField()
    provider_reference = models.TextField(default="")
    contact = models.ForeignKey(Contact, models.PROTECT, null=True, related_name="messages")
    replaces = models.ForeignKey("self", models.PROTECT, null=True, related_name="versions", db_index=False)

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "provider_reference"],
                condition=Q(direction="IN") & ~Q(provider_reference=""),
                name="conversation_message_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.pk}"


class Attachment(models.Model):
    """A file that came with a message, kept outside the database. Personal data: the file. Dies with its message."""

    class Status(models.TextChoices):
        WAITING = "WAITING", _("To be fetched")
        KEPT = "KEPT", _("Kept")
        REFUSED = "REFUSED", _("Refused")

    message = models.ForeignKey(ConversationMessage, models.PROTECT, related_name="attachments")
    name = models.TextField(default="")
    media_type = models.TextField(default="")
    size = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, default="")
    path = models.TextField(default="")
    status = models.CharField(max_length=7, choices=Status, default=Status.WAITING)
    reason = models.TextField(default="")
    provider_media_id = models.TextField(default="")

    def __str__(self) -> str:
        return self.name


class IdentityAttempt(models.Model):
    """A wrong answer about who a debtor is, at the page of the statement, to the bot or in an automatic call.

    `turn` identifies a turn of a call, which the provider may repeat. Personal data: through its debtor.
    """

    debtor = models.ForeignKey(Debtor, models.PROTECT, related_name="identity_attempts", db_index=False)
    contact = models.ForeignKey(Contact, models.PROTECT, null=True, related_name="identity_attempts", db_index=False)
    turn = models.TextField(default="")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["debtor", "at"], name="identity_attempt_recent")]

    def __str__(self) -> str:
        return f"{self.debtor_id} {self.at:%Y-%m-%d %H:%M}"


class Dispute(models.Model):
    """A debtor's objection in a conversation to the debt or part of it. Personal data: through its debtor.

    `is_verified` says whether the writer had proved to be the debtor.
    """

    debtor = models.ForeignKey(Debtor, models.PROTECT, related_name="disputes")
    conversation = models.ForeignKey(Conversation, models.PROTECT, related_name="disputes", db_index=False)
    message = models.ForeignKey(ConversationMessage, models.PROTECT, related_name="disputes", db_index=False)
    is_verified = models.BooleanField()
    opened_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.debtor_id} {self.opened_at:%Y-%m-%d}"


class CannedAnswer(models.Model):
    """A canned answer of the inbox. Personal data: none."""

    code = models.SlugField(unique=True)
    title = models.TextField()
    text = EncryptedTextField(row="code", was_plain=True)
    created_by = models.TextField()
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title

    def has_readable_words(self) -> bool:
        """Tell if the keys of this installation open its text."""
        return not isinstance(self.text, UnreadableText)

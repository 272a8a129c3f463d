"""What conversations hold about people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final

from django.db import transaction
from django.db.models import F, Max, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat, TruncDate

from recobra.kit.personal_data import ERASED, Holding, Row, list_rows
from recobra.kit.tables import is_any_of

from .attachments import attachments_dir
from .models import Attachment, Conversation, ConversationMessage, Dispute, IdentityAttempt

_ERASED_FILE: Final = "erased"
"""The reason of an attachment whose file is gone."""


def _erase_talks(talks: QuerySet[Conversation], at: datetime) -> int:
    """Close conversations and take out whose they are; they go on counting as conversations."""
    talks.exclude(status=Conversation.Status.CLOSED).update(status=Conversation.Status.CLOSED, closed_at=at)
    named = talks.exclude(address__startswith=ERASED)
    return named.update(address=Concat(Value(ERASED), Cast("pk", TextField())), sender_id="", bot_state={}, unread=0)


def _erase_words(messages: QuerySet[ConversationMessage]) -> int:
    return messages.exclude(text="", provider_reference="").update(text="", provider_reference="")


def _erase_files(attachments: QuerySet[Attachment]) -> int:
    """Take attachments out, and delete their files after the commit where no other message has the same."""
    kept = attachments.exclude(reason=_ERASED_FILE)
    paths = set(kept.exclude(path="").values_list("path", flat=True))
    count = kept.update(
        name="",
        path="",
        digest="",
        provider_media_id="",
        status=Attachment.Status.REFUSED,
        reason=_ERASED_FILE,
    )
    transaction.on_commit(lambda: _delete_unused(paths))
    return count


def _delete_unused(paths: set[str]) -> None:
    """Delete the files that no attachment names."""
    used = set(Attachment.objects.filter(path__in=paths).values_list("path", flat=True))
    for path in paths - used:
        (attachments_dir() / path).unlink(missing_ok=True)


def _erase_conversations(debtor_ids: Sequence[int], at: datetime) -> int:
    return _erase_talks(Conversation.objects.filter(is_any_of("debtor_id", debtor_ids)), at)


def _erase_messages(debtor_ids: Sequence[int], _at: datetime) -> int:
    return _erase_words(ConversationMessage.objects.filter(is_any_of("conversation__debtor_id", debtor_ids)))


def _erase_attachments(debtor_ids: Sequence[int], _at: datetime) -> int:
    return _erase_files(Attachment.objects.filter(is_any_of("message__conversation__debtor_id", debtor_ids)))


def _erase_unknown(until: datetime, at: datetime) -> int:
    """Take out the conversations with numbers of which nobody found out whose they are, last used before an instant."""
    with transaction.atomic():
        talks = Conversation.objects.filter(debtor__isnull=True, last_at__lt=until).exclude(address__startswith=ERASED)
        talk_ids = list(talks.values_list("pk", flat=True))
        count = _erase_words(ConversationMessage.objects.filter(is_any_of("conversation_id", talk_ids)))
        count += _erase_files(Attachment.objects.filter(is_any_of("message__conversation_id", talk_ids)))
        return count + _erase_talks(Conversation.objects.filter(is_any_of("id", talk_ids)), at)


def _last_conversations(debtor_ids: Sequence[int]) -> Mapping[int, date]:
    talks = Conversation.objects.filter(is_any_of("debtor_id", debtor_ids))
    return dict(talks.values_list("debtor_id").annotate(last=Max(TruncDate("last_at"))))


def _copy_conversations(debtor_id: int) -> Iterable[Row]:
    talks = Conversation.objects.filter(debtor_id=debtor_id).order_by("pk")
    return talks.values("channel", "address", "opened_at", "closed_at", "identified_at", conversation=F("pk"))


def _copy_messages(debtor_id: int) -> Iterable[Row]:
    """Return what was said between the person and the company; the notes of colleagues are theirs."""
    messages = ConversationMessage.objects.filter(conversation__debtor_id=debtor_id).exclude(direction="NOTE")
    return list_rows(messages.order_by("at", "pk"), "conversation_id", "at", "direction", "text", "intent")


def _copy_attachments(debtor_id: int) -> Iterable[Row]:
    attachments = Attachment.objects.filter(message__conversation__debtor_id=debtor_id).order_by("pk")
    return attachments.values("name", "media_type", "size", "digest", "path", at=F("message__at"))


def _copy_attempts(debtor_id: int) -> Iterable[Row]:
    return IdentityAttempt.objects.filter(debtor_id=debtor_id).order_by("at", "pk").values("at")


def _copy_disputes(debtor_id: int) -> Iterable[Row]:
    return Dispute.objects.filter(debtor_id=debtor_id).order_by("pk").values("opened_at", "is_verified")


HOLDINGS = (
    Holding(
        model="conversations.Conversation",
        data_class="conversations",
        erase=_erase_conversations,
        copy=_copy_conversations,
        last_days=_last_conversations,
    ),
    Holding(
        model="conversations.ConversationMessage",
        data_class="conversations",
        erase=_erase_messages,
        copy=_copy_messages,
    ),
    Holding(model="conversations.Conversation", data_class="unknown_conversations", erase_before=_erase_unknown),
    Holding(
        model="conversations.Attachment", data_class="attachments", erase=_erase_attachments, copy=_copy_attachments
    ),
    Holding(model="conversations.IdentityAttempt", data_class="ledger", copy=_copy_attempts),
    Holding(model="conversations.Dispute", data_class="ledger", copy=_copy_disputes),
)

"""Files that debtors send: fetched once, kept outside the database by their digest, refused with a reason."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import puremagic
from django.utils.translation import gettext as _

from recobra.conversations.models import Attachment
from recobra.kit import database
from recobra.messaging.channels import ADAPTERS
from recobra.messaging.channels.adapter import Media, Unsuitable
from recobra.messaging.providers import routing

MEGABYTE: Final = 1024 * 1024
# What a receipt may be. Nothing that runs, unpacks or carries a script in a browser.
ACCEPTED_TYPES: Final[Mapping[str, tuple[str, int]]] = {
    "application/pdf": ("pdf", 10 * MEGABYTE),
    "image/jpeg": ("jpg", 8 * MEGABYTE),
    "image/png": ("png", 8 * MEGABYTE),
    "image/webp": ("webp", 8 * MEGABYTE),
    "audio/ogg": ("ogg", 8 * MEGABYTE),
    "audio/mpeg": ("mp3", 8 * MEGABYTE),
    "video/mp4": ("mp4", 16 * MEGABYTE),
}
MAX_BYTES: Final = max(most for _suffix, most in ACCEPTED_TYPES.values())
RETRY_PERIOD: Final = timedelta(hours=1)
BATCH_SIZE: Final = 50
_ALSO: Final = {
    "application/ogg": "audio/ogg",
    "video/ogg": "audio/ogg",
    "image/jpg": "image/jpeg",
    "audio/mp3": "audio/mpeg",
}
_log = logging.getLogger(__name__)


def attachments_dir() -> Path:
    """Return where attachments are kept."""
    return database.data_dir() / "files" / "attachments"


def path_of(attachment: Attachment) -> Path:
    """Return where one that was kept lies."""
    return attachments_dir() / attachment.path


def fetch_waiting(*, now: datetime) -> int:
    """Fetch what providers hold for us; return how many were kept. After an hour without success one is refused."""
    waiting = Attachment.objects.filter(status=Attachment.Status.WAITING).select_related(
        "message__conversation__provider"
    )
    with asyncio.Runner() as runner:
        return sum(_fetch(each, runner, now) for each in waiting.order_by("pk")[:BATCH_SIZE])


def _fetch(attachment: Attachment, runner: asyncio.Runner, now: datetime) -> bool:
    provider = attachment.message.conversation.provider
    if provider is None or provider.kind not in ADAPTERS:
        return _refuse(attachment, _("There is no provider to fetch it from."))
    media = Media(media_id=attachment.provider_media_id, media_type=attachment.media_type, name=attachment.name)
    try:
        config = routing.build_config(provider)
        content = runner.run(ADAPTERS[provider.kind].fetch(media, config, most_bytes=MAX_BYTES))
    except Exception as error:  # noqa: BLE001 - what the provider does wrong now it may do right in a minute
        if now - attachment.message.received_at > RETRY_PERIOD:
            return _refuse(attachment, str(error) if isinstance(error, Unsuitable) else _("It could not be fetched."))
        _log.warning("Attachment %s was not fetched: %s", attachment.pk, type(error).__name__)
        return False
    return store_content(attachment, content)


def store_content(attachment: Attachment, content: bytes) -> bool:
    """Keep a file by what it is, whatever its sender called it; return whether it was taken."""
    kind = sniff_media_type(content)
    if kind not in ACCEPTED_TYPES:
        return _refuse(attachment, _("Files of this kind are not taken."))
    suffix, most = ACCEPTED_TYPES[kind]
    if len(content) > most:
        return _refuse(attachment, _("The file is too large."))
    digest = hashlib.sha256(content).hexdigest()
    relative = Path(digest[:2]) / f"{digest}.{suffix}"
    target = attachments_dir() / relative
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not target.exists():
        partial = target.with_suffix(".partial")
        partial.write_bytes(content)
        partial.replace(target)
    attachment.status, attachment.media_type, attachment.size = Attachment.Status.KEPT, kind, len(content)
    attachment.digest, attachment.path, attachment.reason = digest, str(relative), ""
    attachment.save()
    return True


def sniff_media_type(content: bytes) -> str:
    """Return what a file is by its first bytes, '' where they say nothing that is known."""
    try:
        found = puremagic.magic_string(content)
    except (puremagic.PureError, ValueError):
        return ""
    kinds = [_ALSO.get(each.mime_type, each.mime_type) for each in found]
    return next((kind for kind in kinds if kind), "")


def _refuse(attachment: Attachment, reason: str) -> bool:
    attachment.status, attachment.reason = Attachment.Status.REFUSED, reason[:300]
    attachment.save(update_fields=["status", "reason"])
    return False

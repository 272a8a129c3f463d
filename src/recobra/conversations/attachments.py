"""Attachments of debtors: fetched once, stored outside the database by their digest, or refused with a reason."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.conversations.antivirus import ScannerFailed, find_malware
from recobra.conversations.media_type import sniff_file
from recobra.conversations.models import Attachment
from recobra.kit import database, durable_files
from recobra.kit.cage import CageEnded, CageLimits, run_in_cage
from recobra.kit.sizes import MEGABYTE
from recobra.messaging.channels import ADAPTERS, webhooks
from recobra.messaging.channels.adapter import Media, Unsuitable
from recobra.messaging.channels.email.received import MEDIA_PREFIX, read_file
from recobra.messaging.models import WebhookCall
from recobra.messaging.providers import routing
from recobra.tabular.workspace import open_folder

# Types that a proof of payment may have, with their size limits. None runs, unpacks or carries a script in a browser.
ACCEPTED_TYPES: Final[Mapping[str, tuple[str, int]]] = {
    "application/pdf": ("pdf", 10 * MEGABYTE),
    "image/jpeg": ("jpg", 8 * MEGABYTE),
    "image/png": ("png", 8 * MEGABYTE),
    "image/webp": ("webp", 8 * MEGABYTE),
    "audio/ogg": ("ogg", 8 * MEGABYTE),
    "audio/mpeg": ("mp3", 8 * MEGABYTE),
    "video/mp4": ("mp4", 16 * MEGABYTE),
}
MAX_BYTES: Final = max(limit for _suffix, limit in ACCEPTED_TYPES.values())
RETRY_PERIOD: Final = timedelta(hours=1)
BATCH_SIZE: Final = 50
FILES_AT_A_TIME: Final = 1_000
SETTLED_AFTER: Final = timedelta(days=1)
_REASON_MAX: Final = 300
_LIMITS: Final = CageLimits(seconds=10, memory_bytes=400 * MEGABYTE, disk_bytes=64 * MEGABYTE)
_log = logging.getLogger(__name__)


def attachments_dir() -> Path:
    """Return the folder of the attachments."""
    return database.data_dir() / "files" / "attachments"


def path_of(attachment: Attachment) -> Path:
    """Return the path of a stored attachment."""
    return attachments_dir() / attachment.path


@requires(Right.SERVE)
def delete_unnamed_files(*, actor: Actor) -> int:
    """Delete files that no attachment names any more; return how many.

    An erasure deletes its files after its commit: a process that was killed in between has left them.
    """
    files = [path for path in attachments_dir().glob("*/*") if _is_settled(path, actor.now)]
    deleted = 0
    for begin in range(0, len(files), FILES_AT_A_TIME):
        by_name = {f"{path.parent.name}/{path.name}": path for path in files[begin : begin + FILES_AT_A_TIME]}
        named = set(Attachment.objects.filter(path__in=by_name).values_list("path", flat=True))
        for name in by_name.keys() - named:
            # Looked at again: the same file may have come anew since the list was made.
            if _is_settled(by_name[name], actor.now):
                by_name[name].unlink(missing_ok=True)
                deleted += 1
    return deleted


def _is_settled(path: Path, now: datetime) -> bool:
    """Tell if a file is older than the row that names it can be late: it is written before that is committed."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC) < now - SETTLED_AFTER
    except FileNotFoundError:  # erased meanwhile, or a draft that got its name
        return False


@requires(Right.SERVE)
def fetch_waiting(*, actor: Actor) -> int:
    """Fetch the attachments that providers hold for us, some at a time; return how many were stored."""
    waiting = Attachment.objects.filter(status=Attachment.Status.WAITING).select_related(
        "message__conversation__provider"
    )
    stored = 0
    # One event loop for all of them, since the adapters are asynchronous and this is not.
    with asyncio.Runner() as runner:
        for attachment in waiting.order_by("pk")[:BATCH_SIZE]:
            if _fetch_attachment(attachment, runner, actor.now):
                stored += 1
    return stored


def _fetch_attachment(attachment: Attachment, runner: asyncio.Runner, now: datetime) -> bool:
    """Fetch and store one attachment; return False where it was refused, or where the next run tries again."""
    provider = attachment.message.conversation.provider
    if provider is None or provider.kind not in ADAPTERS:
        return _refuse_attachment(attachment, _("There is no provider to fetch it from."))
    media = Media(media_id=attachment.provider_media_id, media_type=attachment.media_type, name=attachment.name)
    try:
        if media.media_id.startswith(MEDIA_PREFIX):
            content = _read_mail_file(media.media_id)
        else:
            config = routing.build_config(provider)
            content = runner.run(ADAPTERS[provider.kind].fetch_media(media, config, max_bytes=MAX_BYTES))
    except Exception as error:  # noqa: BLE001 - whatever failed at the provider may succeed in a minute
        if now - attachment.message.received_at > RETRY_PERIOD:
            # Only our own errors are written for people.
            reason = str(error) if isinstance(error, Unsuitable) else _("It could not be fetched.")
            return _refuse_attachment(attachment, reason)
        _log.warning("Attachment %s was not fetched: %s", attachment.pk, type(error).__name__)
        return False
    try:
        return store_content(attachment, content)
    except ScannerFailed as failed:
        if now - attachment.message.received_at > RETRY_PERIOD:
            return _refuse_attachment(attachment, _("It could not be looked at for malware."))
        _log.warning("Attachment %s was not looked at for malware: %s", attachment.pk, failed)
        return False


def _read_mail_file(media_id: str) -> bytes:
    """Return a file of an e-mail, which came with the stored message. Raises Unsuitable where that is gone."""
    digest, _colon, number = media_id.removeprefix(MEDIA_PREFIX).partition(":")
    stored = WebhookCall.objects.filter(digest=digest).first()
    if stored is None:
        raise Unsuitable(_("The e-mail that it came with is not kept any more."))
    call = webhooks.restore_call(bytes(stored.body), url="", headers={}, received_at=stored.received_at)
    return read_file(call.body, int(number))


def store_content(attachment: Attachment, content: bytes) -> bool:
    """Store a file, or refuse it for its type, size or malware; return whether it was stored. Raises ScannerFailed."""
    # The type is that of the content, whatever its sender called it.
    media_type = _find_media_type(content)
    if media_type not in ACCEPTED_TYPES:
        return _refuse_attachment(attachment, _("Files of this kind are not taken."))
    suffix, size_limit = ACCEPTED_TYPES[media_type]
    if len(content) > size_limit:
        return _refuse_attachment(attachment, _("The file is too large."))
    if malware := find_malware(content):
        return _refuse_attachment(attachment, _("The file carries malware (%(name)s).") % {"name": malware})
    digest = hashlib.sha256(content).hexdigest()
    relative_path = Path(digest[:2]) / f"{digest}.{suffix}"
    target = attachments_dir() / relative_path
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if target.exists():
        # Fresh again, so that the nightly look does not take it for one that nobody names.
        os.utime(target)
    else:
        # A crash must not leave half a file under its digest.
        durable_files.write_file(target, content)
    attachment.status = Attachment.Status.KEPT
    attachment.reason = ""
    attachment.media_type = media_type
    attachment.size = len(content)
    attachment.digest = digest
    attachment.path = str(relative_path)
    attachment.save()
    return True


def _find_media_type(content: bytes) -> str:
    """Return the media type of a debtor's file, '' where it is unknown or broke the child that looked at it."""
    with open_folder() as folder:
        (folder / "content").write_bytes(content)
        try:
            answer = run_in_cage(sniff_file, limits=_LIMITS, folder=folder, name="content")
        except CageEnded as ended:
            _log.warning("looking at an attachment was ended: %s %s", ended.reason, ended.detail)
            return ""
    return str(answer.get("media_type", ""))


def _refuse_attachment(attachment: Attachment, reason: str) -> bool:
    """Mark an attachment as refused; return False, which its callers return for «not stored»."""
    attachment.status = Attachment.Status.REFUSED
    attachment.reason = reason[:_REASON_MAX]
    attachment.save(update_fields=["status", "reason"])
    return False

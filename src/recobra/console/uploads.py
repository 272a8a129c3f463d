"""Uploaded files between their pages, of a load or of payments; only the person who sent one can read it."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.translation import gettext as _

from recobra.access.queries import User
from recobra.console.guard import StaffRequest
from recobra.intake import jobs
from recobra.kit import clock, disk
from recobra.kit.body_limits import FILE_BYTES_MAX, limit_file_mb
from recobra.kit.database import data_dir
from recobra.kit.sizes import MEGABYTE
from recobra.portfolio.queries import Portfolio, portfolios_for

RETENTION = timedelta(days=1)
FILES_MAX = 20
NAME_LENGTH_MAX = 200
_TOKEN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that waits to be mapped and loaded."""

    token: str
    file_name: str
    portfolio_code: str
    user_id: int

    @property
    def path(self) -> Path:
        """Return the path of the bytes."""
        return _upload_folder() / self.token


class UploadRefused(Exception):
    """A file is not taken in; the text says why."""


def receive_upload(request: StaffRequest, portfolio_codes: Collection[str]) -> Upload:
    """Keep the file that a form brings for one of these portfolios. Raises UploadRefused."""
    file = request.FILES.get("file")
    code = request.POST.get("portfolio", "")
    if file is None or code not in portfolio_codes:
        raise UploadRefused(_("Choose a file and the portfolio it is for."))
    if is_too_large(request, file):
        most = limit_file_mb(request.path_info)
        raise UploadRefused(_("The file is too large: up to %(most)s MB are taken.") % {"most": most})
    return save_upload(file=file, portfolio_code=code, user=request.user, now=clock.now())


def is_too_large(request: HttpRequest, file: UploadedFile[Any]) -> bool:
    """Tell if a file is larger than its page takes."""
    return (file.size or 0) > FILE_BYTES_MAX[request.path_info]


def save_upload(*, file: UploadedFile[Any], portfolio_code: str, user: User, now: datetime) -> Upload:
    """Write an uploaded file in chunks, and delete files older than RETENTION. Raises UploadRefused."""
    _delete_old_files(now - RETENTION)
    _check_room(file.size or 0, user)
    name = Path(file.name or "").name[:NAME_LENGTH_MAX] or "archivo"
    upload = Upload(token=uuid.uuid4().hex, file_name=name, portfolio_code=portfolio_code, user_id=user.pk)
    with upload.path.open("wb") as target:
        for chunk in file.chunks():
            target.write(chunk)
    # Others list the files meanwhile: what is half written has another name.
    written = upload.path.with_suffix(".new")
    written.write_text(json.dumps(asdict(upload)))
    written.replace(upload.path.with_suffix(".json"))
    return upload


def _check_room(size: int, user: User) -> None:
    """Raise UploadRefused where the user's files that wait, or the disk, leave no room for so many bytes."""
    shortage = disk.find_shortage(more_bytes=size)
    if shortage:
        text = _("The disk has %(free)s MB free and the file needs %(needed)s with the reserve; try again later.")
        raise UploadRefused(text % {"free": shortage.free_mb, "needed": shortage.needed_mb})
    sizes = []
    for path in _list_files(user):
        with suppress(FileNotFoundError):  # it was loaded or put aside meanwhile
            sizes.append(path.stat().st_size)
    used = sum(sizes)
    if len(sizes) >= FILES_MAX or used + size > settings.UPLOAD_QUOTA_MB * MEGABYTE:
        text = _(
            "Your files that wait (%(files)s) take %(used)s MB; with this one they would pass the limit of %(most)s MB "
            "and %(most_files)s files. Load them or put them aside first; what is not loaded is deleted after a day."
        )
        raise UploadRefused(
            text
            % {
                "used": -(-used // MEGABYTE),
                "files": len(sizes),
                "most": settings.UPLOAD_QUOTA_MB,
                "most_files": FILES_MAX,
            }
        )


def _list_files(user: User) -> list[Path]:
    """Return the files of a user that wait for the person or for a worker."""
    waiting = {Path(path) for path in jobs.unfinished_uploads(user_id=user.pk)}
    for metadata in _upload_folder().glob("*.json"):
        with suppress(FileNotFoundError):
            upload = Upload(**json.loads(metadata.read_text()))
            if upload.user_id == user.pk:
                waiting.add(upload.path)
    return sorted(waiting)


def find_upload(user: User, token: str) -> tuple[Upload, Portfolio]:
    """Return one of the user's own uploads and the portfolio it is for. Raises ObjectDoesNotExist."""
    if not _TOKEN.fullmatch(token):
        raise ObjectDoesNotExist
    try:
        metadata = (_upload_folder() / f"{token}.json").read_text()
    except FileNotFoundError as error:
        raise ObjectDoesNotExist from error
    upload = Upload(**json.loads(metadata))
    if upload.user_id != user.pk or not upload.path.exists():
        raise ObjectDoesNotExist
    # The scope may have changed since the upload.
    portfolio = next((each for each in portfolios_for(user) if each.code == upload.portfolio_code), None)
    if portfolio is None:
        raise ObjectDoesNotExist
    return upload, portfolio


def discard_upload(upload: Upload, *, keep_bytes: bool = False) -> None:
    """Delete an upload. With `keep_bytes` the file stays: the job that loads it deletes it."""
    upload.path.with_suffix(".json").unlink(missing_ok=True)
    if not keep_bytes:
        upload.path.unlink(missing_ok=True)


def _delete_old_files(before: datetime) -> None:
    """Delete the files that were last written before an instant."""
    # A file that waits for a worker stays, however old it is.
    awaited = jobs.unfinished_uploads()
    for path in _upload_folder().iterdir():
        is_awaited = str(path.with_suffix("")) in awaited
        with suppress(FileNotFoundError):
            if not is_awaited and path.stat().st_mtime < before.timestamp():
                path.unlink()


def _upload_folder() -> Path:
    """Return the folder of uploaded files, and make it where it is not there yet."""
    folder = data_dir() / "files" / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    return folder

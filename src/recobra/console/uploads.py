"""Uploaded files between the pages of a new load; only the person who sent one can read it."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.core.files.uploadedfile import UploadedFile

from recobra.access.queries import User
from recobra.intake import jobs
from recobra.kit.database import data_dir

RETENTION = timedelta(days=1)
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


def save_upload(*, file: UploadedFile[Any], portfolio_code: str, user: User, now: datetime) -> Upload:
    """Write an uploaded file in chunks, and delete files older than RETENTION."""
    _delete_old_files(now - RETENTION)
    name = Path(file.name or "").name[:NAME_LENGTH_MAX] or "archivo"
    upload = Upload(token=uuid.uuid4().hex, file_name=name, portfolio_code=portfolio_code, user_id=user.pk)
    with upload.path.open("wb") as target:
        for chunk in file.chunks():
            target.write(chunk)
    upload.path.with_suffix(".json").write_text(json.dumps(asdict(upload)))
    return upload


def find_upload(user: User, token: str) -> Upload:
    """Return one of the user's own uploads. Raises ObjectDoesNotExist."""
    metadata = _upload_folder() / f"{token}.json"
    if not _TOKEN.fullmatch(token) or not metadata.exists():
        raise ObjectDoesNotExist
    upload = Upload(**json.loads(metadata.read_text()))
    if upload.user_id != user.pk or not upload.path.exists():
        raise ObjectDoesNotExist
    return upload


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
        if not is_awaited and path.stat().st_mtime < before.timestamp():
            path.unlink(missing_ok=True)


def _upload_folder() -> Path:
    """Return the folder of uploaded files, and make it where it is not there yet."""
    folder = data_dir() / "files" / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    return folder

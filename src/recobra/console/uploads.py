"""Uploaded files between the pages of a new load: kept for the person who sent them, and nobody else."""

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

KEPT = timedelta(days=1)
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
        """Return where the bytes are."""
        return _folder() / self.token


def keep(*, file: UploadedFile[Any], portfolio_code: str, user: User, now: datetime) -> Upload:
    """Write an uploaded file down, piece by piece; what was left behind for a day goes."""
    _sweep(now - KEPT)
    name = Path(file.name or "").name[:200] or "archivo"
    upload = Upload(token=uuid.uuid4().hex, file_name=name, portfolio_code=portfolio_code, user_id=user.pk)
    with upload.path.open("wb") as target:
        for chunk in file.chunks():
            target.write(chunk)
    upload.path.with_suffix(".json").write_text(json.dumps(asdict(upload)))
    return upload


def find(user: User, token: str) -> Upload:
    """Return a person's own upload. Raises ObjectDoesNotExist."""
    about = _folder() / f"{token}.json"
    if not _TOKEN.fullmatch(token) or not about.exists():
        raise ObjectDoesNotExist
    upload = Upload(**json.loads(about.read_text()))
    if upload.user_id != user.pk or not upload.path.exists():
        raise ObjectDoesNotExist
    return upload


def forget(upload: Upload, *, keep_bytes: bool = False) -> None:
    """Remove what is known of an upload; its bytes stay where a job will remove them."""
    upload.path.with_suffix(".json").unlink(missing_ok=True)
    if not keep_bytes:
        upload.path.unlink(missing_ok=True)


def _sweep(before: datetime) -> None:
    """Remove what is old, bytes that a load left behind too, but nothing that a worker has still to read."""
    awaited = jobs.waiting_files()
    for path in _folder().iterdir():
        if str(path.with_suffix("")) not in awaited and path.stat().st_mtime < before.timestamp():
            path.unlink(missing_ok=True)


def _folder() -> Path:
    folder = data_dir() / "files" / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    return folder

"""Deletion of what loads leave behind when its term is over."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from typing import Final

from recobra.intake.files import errors_path
from recobra.intake.models import RejectedRow
from recobra.tabular.workspace import list_workspace_folders

REJECTED_ROWS_TERM: Final = timedelta(days=90)
WORKSPACE_TERM: Final = timedelta(days=1)


def delete_expired(*, now: datetime) -> dict[str, int]:
    """Delete rejected rows 90 days after their load and workspaces a day after they broke off; count both."""
    expired = RejectedRow.objects.filter(load__started_at__lt=now - REJECTED_ROWS_TERM)
    load_ids = list(expired.order_by("load_id").values_list("load_id", flat=True).distinct("load_id"))
    rows, _by_model = expired.delete()
    for load_id in load_ids:
        errors_path(load_id).unlink(missing_ok=True)
    oldest = (now - WORKSPACE_TERM).timestamp()
    folders = [folder for folder in list_workspace_folders() if folder.stat().st_mtime < oldest]
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return {"rows": rows, "folders": len(folders)}

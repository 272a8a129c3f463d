"""Deletion of what loads leave behind: workspaces that broke off, and rejected rows when their period is over."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from typing import Final

from recobra.intake.files import errors_path
from recobra.intake.models import LoadWarning, RejectedRow
from recobra.tabular.workspace import list_workspace_folders

WORKSPACE_TERM: Final = timedelta(days=1)


def delete_rejected_rows(*, until: datetime) -> int:
    """Delete the rejected rows of loads from before an instant, their files and warnings; return how many rows.

    How long they stay is a period of the company (`compliance.retention`).
    """
    expired = RejectedRow.objects.filter(load__started_at__lt=until)
    load_ids = list(expired.order_by("load_id").values_list("load_id", flat=True).distinct("load_id"))
    rows, _by_model = expired.delete()
    LoadWarning.objects.filter(load__started_at__lt=until).delete()
    for load_id in load_ids:
        errors_path(load_id).unlink(missing_ok=True)
    return rows


def delete_workspaces(*, now: datetime) -> int:
    """Delete the workspaces of loads a day after they broke off; return how many."""
    oldest = (now - WORKSPACE_TERM).timestamp()
    folders = [folder for folder in list_workspace_folders() if folder.stat().st_mtime < oldest]
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return len(folders)

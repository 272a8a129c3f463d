"""Let go of what loads leave behind when its time is over."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from typing import Final

from recobra.intake.load.engine import workshops
from recobra.intake.models import RejectedRow

from .loads import files_dir

REJECTED: Final = timedelta(days=90)
UNFINISHED: Final = timedelta(days=1)


def forget_old(*, now: datetime) -> dict[str, int]:
    """Delete rejected rows and their files 90 days after the load, and what broken loads left a day ago; count them."""
    old = RejectedRow.objects.filter(load__started_at__lt=now - REJECTED)
    loads = list(old.order_by("load_id").values_list("load_id", flat=True).distinct("load_id"))
    rows, _by_model = old.delete()
    for load_id in loads:
        (files_dir() / f"{load_id}-errors.csv").unlink(missing_ok=True)
    return {"rows": rows, "folders": _sweep(now - UNFINISHED)}


def _sweep(before: datetime) -> int:
    left = [folder for folder in workshops() if folder.stat().st_mtime < before.timestamp()]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return len(left)

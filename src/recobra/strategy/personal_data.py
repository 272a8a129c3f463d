"""What the daily cycle keeps: ids, and the creditor's own columns of open accounts, in each day's snapshot."""

from __future__ import annotations

import shutil
from datetime import date, datetime

from recobra.kit.personal_data import Holding

from .operations.day_facts import snapshots_folder

_DAY = "as_of="


def _erase_snapshots(until: datetime, _at: datetime) -> int:
    """Delete the snapshots of days before an instant; return how many."""
    count = 0
    for folder in sorted(snapshots_folder().glob(f"{_DAY}*")):
        if date.fromisoformat(folder.name.removeprefix(_DAY)) < until.date():
            shutil.rmtree(folder)
            count += 1
    return count


HOLDINGS = (Holding(model="strategy.AccountState", data_class="day_snapshots", erase_before=_erase_snapshots),)

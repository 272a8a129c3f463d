"""The holdings that apps declare in `personal_data.py`, by class, and what stands against erasing some debtors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from recobra.kit.declarations import declared
from recobra.kit.personal_data import Block, Holding


def all_holdings() -> list[Holding]:
    """Return what all apps declare, first what must be erased first."""
    return sorted(declared("personal_data", "HOLDINGS"), key=lambda each: not each.is_first)


def holdings_of(data_class: str) -> list[Holding]:
    """Return the holdings of a class, in the order in which they are erased."""
    return [each for each in all_holdings() if each.data_class == data_class]


def all_blocks() -> dict[str, Block]:
    """Return every reason against an erasure by its code."""
    return {block.code: block for holding in all_holdings() for block in holding.blocks}


def find_blocks(debtor_ids: Sequence[int], day: date) -> dict[int, list[str]]:
    """Return the codes of what stands against erasing each of some debtors; those that are free are not in it."""
    found: dict[int, list[str]] = {}
    for code, block in all_blocks().items():
        for debtor_id in block.find(debtor_ids, day):
            found.setdefault(debtor_id, []).append(code)
    return found


def find_last_days(debtor_ids: Sequence[int]) -> dict[int, date]:
    """Return the last day on which anything moved about each of some debtors."""
    latest: dict[int, date] = {}
    for holding in all_holdings():
        if holding.last_days is not None:
            for debtor_id, day in holding.last_days(debtor_ids).items():
                latest[debtor_id] = max(day, latest.get(debtor_id, day))
    return latest


def erase_classes(data_classes: Iterable[str], debtor_ids: Sequence[int], at: datetime) -> dict[str, int]:
    """Erase classes of some debtors' data in the caller's transaction; return the changed rows by model."""
    wanted = set(data_classes)
    rows: dict[str, int] = {}
    for holding in all_holdings():
        if holding.data_class in wanted and holding.erase is not None:
            rows[holding.model] = rows.get(holding.model, 0) + holding.erase(debtor_ids, at)
    return rows

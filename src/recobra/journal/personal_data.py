"""What the journal holds about people: ids and amounts, never names, numbers or texts."""

from __future__ import annotations

from collections.abc import Iterable

from recobra.kit.personal_data import Holding, Row

from .models import Entry


def _copy(debtor_id: int) -> Iterable[Row]:
    """Return what happened, when, and which member of staff or part of the product did it."""
    return Entry.objects.filter(debtor_id=debtor_id).order_by("id").values("at", "kind", "actor")


HOLDINGS = (Holding(model="journal.Entry", data_class="journal", copy=_copy),)

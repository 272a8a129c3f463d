"""What the ledger of consent holds about people: it stays, by a keyed digest of each number."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from recobra.kit.personal_data import Holding, Row, list_rows
from recobra.portfolio.models import ContactPoint

from .digested_wishes import digest_wishes
from .models import ConsentEntry


def _copy(debtor_id: int) -> Iterable[Row]:
    """Return what was said of the person's numbers; the words of others who share one are theirs."""
    values = ContactPoint.objects.filter(debtor_id=debtor_id).values("value")
    own = Q(debtor_id=debtor_id) | Q(debtor__isnull=True, value__in=values)
    entries = ConsentEntry.objects.filter(own).order_by("at", "pk")
    return list_rows(entries, "at", "kind", "value", "channel", "act", "source", "text_shown", "said")


HOLDINGS = (
    Holding(model="consent.ConsentEntry", data_class="contact_points", erase=digest_wishes, copy=_copy, is_first=True),
    # Its rows follow from the ledger.
    Holding(model="consent.Silence", data_class="contact_points"),
)

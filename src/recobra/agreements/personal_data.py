"""What agreements hold about people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta

from django.db.models import F, Max
from django.utils.translation import gettext_noop

from recobra.kit.personal_data import Block, Holding, Row
from recobra.kit.tables import is_any_of

from .models import Promise, PromiseShare

_GRACE_DAYS_MAX = 365
"""No promise gives more days of grace: those promised longer ago need not be read."""


def _find_promised(debtor_ids: Sequence[int], day: date) -> Collection[int]:
    promises = Promise.objects.filter(
        is_any_of("debtor_id", debtor_ids), promised_on__gte=day - timedelta(days=_GRACE_DAYS_MAX)
    )
    return {promise.debtor_id for promise in promises if promise.until >= day}


def _last_promises(debtor_ids: Sequence[int]) -> Mapping[int, date]:
    promises = Promise.objects.filter(is_any_of("debtor_id", debtor_ids))
    return dict(promises.values_list("debtor_id").annotate(last=Max("promised_on")))


def _copy_promises(debtor_id: int) -> Iterable[Row]:
    promises = Promise.objects.filter(debtor_id=debtor_id).order_by("pk")
    return promises.values("registered_on", "promised_on", "grace_days", "amount_minor", "currency", "channel")


def _copy_shares(debtor_id: int) -> Iterable[Row]:
    shares = PromiseShare.objects.filter(promise__debtor_id=debtor_id).order_by("pk")
    return shares.values(
        "amount_minor", promised_on=F("promise__promised_on"), account_number=F("account__external_id")
    )


HOLDINGS = (
    Holding(
        model="agreements.Promise",
        data_class="ledger",
        copy=_copy_promises,
        last_days=_last_promises,
        blocks=(Block(code="promise", text=gettext_noop("A promise to pay still runs."), find=_find_promised),),
    ),
    Holding(model="agreements.PromiseShare", data_class="ledger", copy=_copy_shares),
)

"""Holds: pauses of the pursuit that end by themselves."""

from __future__ import annotations

import json
import uuid
from datetime import date, datetime

import pyarrow as pa
from django.db import transaction
from django.utils.translation import gettext as _

from recobra.journal.operations import Facts, record, record_all
from recobra.kit import tables

from .models import Account, Debtor, Hold


class HoldRefused(Exception):
    """The hold cannot be placed or lifted; the text is shown as it is."""


@transaction.atomic
def place_hold(
    *,
    debtor_id: int,
    account_id: int | None = None,
    reason: str,
    starts_on: date,
    ends_on: date | None = None,
    note: str = "",
    disputed_minor: int | None = None,
    actor: str,
    actor_id: int | None = None,
    now: datetime,
) -> Hold:
    """Pause the pursuit of a debtor, an account or a disputed amount of it. Raises HoldRefused."""
    debtor = Debtor.objects.select_for_update(no_key=True).get(pk=debtor_id)
    if reason not in Hold.Reason.values:
        raise HoldRefused(_("«%(reason)s» is not a reason for a hold.") % {"reason": reason})
    if ends_on is not None and ends_on < starts_on:
        raise HoldRefused(_("A hold cannot end before it starts."))
    if disputed_minor is not None and (account_id is None or disputed_minor <= 0):
        raise HoldRefused(_("A disputed amount must be positive and belong to one account."))
    if account_id is not None and not Account.objects.filter(pk=account_id, debtor=debtor).exists():
        raise HoldRefused(_("The account does not belong to this debtor."))
    hold = Hold.objects.create(
        debtor=debtor, account_id=account_id, reason=reason, disputed_minor=disputed_minor, starts_on=starts_on,
        ends_on=ends_on, note=note, author=actor, created_at=now,
    )  # fmt: skip
    facts = {"hold_id": hold.pk, "reason": reason, "starts_on": starts_on, "ends_on": ends_on}
    record(
        "hold.placed", at=now, actor=actor, actor_id=actor_id, debtor_id=debtor_id, account_id=account_id, payload=facts
    )
    return hold


@transaction.atomic
def place_holds(*, rows: pa.Table, starts_on: date, actor: str, now: datetime) -> None:
    """Place holds set by set. `rows`: debtor_id, account_id, reason, ends_on."""
    count = rows.num_rows
    first = tables.reserve_ids("portfolio_hold", count)
    ids = list(range(first, first + count))
    constants = {
        "id": pa.array(ids, pa.int64()),
        "public_id": pa.array([str(uuid.uuid4()) for _ in ids]),
        "starts_on": pa.array([starts_on] * count, pa.date32()),
        "note": pa.array([""] * count),
        "author": pa.array([actor] * count),
        "created_at": pa.array([now] * count, pa.timestamp("us", tz="UTC")),
        "lifted_by": pa.array([""] * count),
    }
    tables.copy_in("portfolio_hold", pa.table({**{name: rows[name] for name in rows.column_names}, **constants}))
    payload = pa.array([json.dumps({"hold_id": hold_id}) for hold_id in ids])
    subjects = rows.select(["debtor_id", "account_id"]).append_column("payload", payload)
    record_all(Facts(kind="hold.placed", at=now, actor=actor, rows=subjects))


@transaction.atomic
def lift_hold(*, hold_id: int, actor: str, actor_id: int | None = None, now: datetime) -> Hold:
    """End a hold before its day. Raises HoldRefused."""
    hold = Hold.objects.select_for_update().get(pk=hold_id)
    if hold.lifted_at is not None:
        raise HoldRefused(_("The hold was lifted already."))
    hold.lifted_at, hold.lifted_by = now, actor
    hold.save(update_fields=["lifted_at", "lifted_by"])
    record(
        "hold.lifted", at=now, actor=actor, actor_id=actor_id, debtor_id=hold.debtor_id, account_id=hold.account_id,
        payload={"hold_id": hold.pk, "reason": hold.reason},
    )  # fmt: skip
    return hold

"""Holds, which are pauses of the pursuit that end by themselves; and what messages say of a creditor."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

import pyarrow as pa
from django.db import transaction
from django.utils.translation import gettext as _

from recobra.journal.operations import Facts, record, record_all
from recobra.kit import tables
from recobra_core.law.content import MessageFacts as Words
from recobra_core.law.content import has_blocking, lint_text

from .models import Account, Creditor, Debtor, Hold

CREDITOR_DETAILS: Final = (
    "tax_id",
    "address",
    "payment_instructions",
    "complaint_contact",
    "complaint_office",
    "agency_name",
    "agency_address",
    "agency_phone",
)
"""The texts that messages say of a creditor and of who collects for it."""
LONGEST_DETAIL: Final = 1_000


class HoldRefused(Exception):
    """The hold cannot be placed or lifted; the text is shown as it is."""


class CreditorRefused(Exception):
    """The details cannot be kept so; `errors` say why, by field, and are shown as they are."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("\n".join(errors.values()))
        self.errors = dict(errors)


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
        debtor=debtor,
        account_id=account_id,
        reason=reason,
        disputed_minor=disputed_minor,
        starts_on=starts_on,
        ends_on=ends_on,
        note=note,
        author=actor,
        created_at=now,
    )
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
        "hold.lifted",
        at=now,
        actor=actor,
        actor_id=actor_id,
        debtor_id=hold.debtor_id,
        account_id=hold.account_id,
        payload={"hold_id": hold.pk, "reason": hold.reason},
    )
    return hold


@transaction.atomic
def save_creditor_details(
    *,
    creditor_id: int,
    details: Mapping[str, str],
    supervised: bool | None,
    actor: str,
    actor_id: int | None = None,
    now: datetime,
) -> Creditor:
    """Keep what messages say of a creditor. `details`: any of CREDITOR_DETAILS. Raises CreditorRefused.

    These words leave inside approved templates, so the law reads them as it reads those. The fact names the fields
    that changed, not what they say: a complaint contact may be a person.
    """
    creditor = Creditor.objects.select_for_update(no_key=True).get(pk=creditor_id)
    given: dict[str, Any] = {name: _tidy(details[name]) for name in CREDITOR_DETAILS if name in details}
    errors = {name: wrong for name, text in given.items() if (wrong := _unfit(creditor, text, now))}
    if errors:
        raise CreditorRefused(errors)
    given["supervised"] = supervised
    changed = [name for name, value in given.items() if getattr(creditor, name) != value]
    for name in changed:
        setattr(creditor, name, given[name])
    if changed:
        creditor.save(update_fields=changed)
        payload = {"creditor_id": creditor.pk, "code": creditor.code, "changed": sorted(changed)}
        record("creditor.saved", at=now, actor=actor, actor_id=actor_id, payload=payload)
    return creditor


def _tidy(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())


def _unfit(creditor: Creditor, text: str, now: datetime) -> str:
    """Return why a text may not stand in messages, '' where it may."""
    if len(text) > LONGEST_DETAIL:
        return _("It is too long: up to %(count)s characters.") % {"count": LONGEST_DETAIL}
    for country in creditor.portfolios.order_by("country").values_list("country", flat=True).distinct():
        # As a part of a message: what the message says beside it is not asked for here.
        found = lint_text(
            text, country=country, channel="email", kind="template", facts=Words(on=now.date(), reply=True)
        )
        worst = next((each for each in found if has_blocking((each,))), None)
        if worst is not None:
            said = {"excerpt": worst.excerpt, "why": _(worst.sentence), "country": country}
            return _("«%(excerpt)s» may not be said in %(country)s: %(why)s") % said
    return ""

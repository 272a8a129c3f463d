"""Opt-outs, wrong persons and resumptions: effective at once for every debtor at the address, never undone by staff."""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import partial
from typing import Final

import pyarrow as pa
from django.db import transaction

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.consent.address_digest import list_known_forms
from recobra.consent.facts import OptOutReceived, OptOutResumed, WrongPersonReceived
from recobra.consent.ledger import (
    SUBJECTS,
    Act,
    Address,
    ConsentStatement,
    OptOutRefused,
    Source,
    add_entry,
    cancel_contacts,
    find_address,
    latest_entry,
    lock_address,
)
from recobra.consent.models import ConsentEntry, Silence
from recobra.consent.queries import is_silenced
from recobra.journal.facts import Fact
from recobra.journal.operations import record_facts
from recobra.kit.statistics import refresh_after_commit
from recobra.messaging import reasons
from recobra.portfolio.models import ContactPoint
from recobra.portfolio.scope import check_debtor
from recobra.portfolio.sql import mark_opted_out, retire_points

__all__ = ["OptOutRefused", "record_opt_out", "record_wrong_person", "resume_messages"]

_RESUMING_SOURCES: Final = frozenset({Source.KEYWORD, Source.PORTAL, Source.BUTTON})


@requires(Right.RECORD_CONSENT)
def record_opt_out(
    *,
    source: str,
    at: datetime | None = None,
    public_id: uuid.UUID | str | None = None,
    point_id: int | None = None,
    kind: str = "",
    value: str = "",
    channel: str = "",
    text_shown: str = "",
    said: str = "",
    actor: Actor,
) -> int:
    """Silence an address for every debtor that has it, by every channel; return how many points are new to it.

    The address is that of a contact (`public_id`), of a contact point, or a kind and value that nobody may have yet.
    `channel` is the one it came by, `at` when it was said. Planned contacts are cancelled. A repeated opt-out changes
    nothing, nor does one that arrives after messages were asked for again. Raises OptOutRefused where there is no such
    contact or point.
    """
    address = find_address(public_id=public_id, point_id=point_id, kind=kind, value=value)
    if address.debtor_id is not None:
        check_debtor(actor, address.debtor_id)
    statement = ConsentStatement(source=source, actor=actor, at=at, channel=channel, text_shown=text_shown, said=said)
    return apply_opt_out(address, statement)


@requires(Right.RECORD_CONSENT)
def record_wrong_person(
    *,
    source: str,
    at: datetime | None = None,
    public_id: uuid.UUID | str | None = None,
    point_id: int | None = None,
    kind: str = "",
    value: str = "",
    channel: str = "",
    text_shown: str = "",
    said: str = "",
    actor: Actor,
) -> int:
    """Retire an address for the debtor who was sought there, and silence it; return how many points were retired.

    The same holds for debtors with the same national id at other creditors, and for all debtors at the address where
    only its value is known. It is silenced as well: the person who answered wants no messages for others either.
    Raises OptOutRefused.
    """
    address = find_address(public_id=public_id, point_id=point_id, kind=kind, value=value)
    if address.debtor_id is not None:
        check_debtor(actor, address.debtor_id)
    statement = ConsentStatement(source=source, actor=actor, at=at, channel=channel, text_shown=text_shown, said=said)
    return apply_wrong_person(address, statement)


@requires(Right.RECORD_CONSENT)
def resume_messages(
    *,
    source: str,
    at: datetime | None = None,
    public_id: uuid.UUID | str | None = None,
    kind: str = "",
    value: str = "",
    channel: str = "",
    text_shown: str = "",
    said: str = "",
    actor: Actor,
) -> bool:
    """End the silence of an address whose owner asks for messages again; return False if it stays silent.

    An address with a wrong-person entry stays silent: nobody knows any more whose it is. Staff cannot resume. Raises
    OptOutRefused.
    """
    address = find_address(public_id=public_id, kind=kind, value=value)
    if address.debtor_id is not None:
        check_debtor(actor, address.debtor_id)
    statement = ConsentStatement(source=source, actor=actor, at=at, channel=channel, text_shown=text_shown, said=said)
    return apply_resumption(address, statement)


@transaction.atomic
def apply_opt_out(address: Address, statement: ConsentStatement) -> int:
    """Do what `record_opt_out` says for an address that was found."""
    lock_address(address)
    is_new = not is_silenced(kind=address.kind, value=address.value)
    entry = latest_entry(address, Act.OPTED_OUT, Act.RESUMED, until=statement.effective_at())
    if entry is None or entry.act != Act.OPTED_OUT:
        entry = add_entry(address, Act.OPTED_OUT, statement)
    resumed = latest_entry(address, Act.RESUMED)
    if resumed is not None and resumed.at > statement.effective_at():
        return 0
    _silence_forms(address, entry)
    points = _opt_out_points(address, statement)
    if is_new and points.num_rows == 0:
        # No debtor has the number yet; the opt-out is recorded nevertheless.
        without_point = [{"contact_id": address.contact_id, "debtor_id": address.debtor_id}]
        _record_facts(OptOutReceived, pa.Table.from_pylist(without_point, SUBJECTS), statement)
    _record_facts(OptOutReceived, points, statement)
    return points.num_rows


@transaction.atomic
def apply_wrong_person(address: Address, statement: ConsentStatement) -> int:
    """Do what `record_wrong_person` says for an address that was found."""
    lock_address(address)
    if address.debtor_id:
        debtor_ids = [address.debtor_id]
    else:
        points = ContactPoint.objects.filter(kind=address.kind, value__in=address.forms)
        debtor_ids = sorted(set(points.values_list("debtor_id", flat=True)))
    earlier = ConsentEntry.objects.filter(
        kind=address.kind, value__in=address.forms, act=Act.NOT_ME, debtor=address.debtor_id
    )
    if not earlier.exists():
        _silence_forms(address, add_entry(address, Act.NOT_ME, statement))
    _opt_out_points(address, statement)
    retired_points = retire_points(
        kind=address.kind, forms=address.forms, debtor_ids=debtor_ids, at=statement.effective_at()
    )
    retired = _with_contact(retired_points, address)
    _record_facts(WrongPersonReceived, retired, statement)
    return retired.num_rows


@transaction.atomic
def apply_resumption(address: Address, statement: ConsentStatement) -> bool:
    """Do what `resume_messages` says for an address that was found."""
    if statement.source not in _RESUMING_SOURCES:
        raise ValueError("Only the owner of a number or address may ask for messages again.")
    lock_address(address)
    entry = latest_entry(address, Act.OPTED_OUT, Act.RESUMED, until=statement.effective_at())
    if entry is None or entry.act != Act.RESUMED:
        add_entry(address, Act.RESUMED, statement)
    opt_out = latest_entry(address, Act.OPTED_OUT)
    # The provider may call late: an opt-out since, or in the same instant, outlives the request to resume.
    is_overtaken = opt_out is not None and opt_out.at >= statement.effective_at()
    if is_overtaken or not is_silenced(kind=address.kind, value=address.value) or latest_entry(address, Act.NOT_ME):
        return False
    known_forms = list_known_forms(address.value, kind=address.kind)
    Silence.objects.at_address(kind=address.kind, forms=known_forms).delete()
    points = ContactPoint.objects.filter(kind=address.kind, value__in=address.forms)
    subjects = [
        {"point_id": point_id, "debtor_id": debtor_id, "contact_id": address.contact_id}
        for point_id, debtor_id in points.values_list("pk", "debtor_id")
    ]
    points.update(opted_out_at=None)
    _record_facts(OptOutResumed, pa.Table.from_pylist(subjects, SUBJECTS), statement)
    return True


def _with_contact(points: pa.Table, address: Address) -> pa.Table:
    """Return changed points with the contact that was answered, if any (schema SUBJECTS)."""
    return points.append_column("contact_id", pa.array([address.contact_id] * points.num_rows, pa.int64()))


def _silence_forms(address: Address, entry: ConsentEntry) -> None:
    """Silence every form of an address since the entry that asks for it; forms already silenced stay as they are."""
    rows = [Silence(kind=address.kind, value=form, since=entry.at, entry=entry) for form in address.forms]
    Silence.objects.bulk_create(rows, ignore_conflicts=True)
    refresh_after_commit("consent_silence", rows=len(rows))


def _opt_out_points(address: Address, statement: ConsentStatement) -> pa.Table:
    """Mark the points of an address and cancel the contacts due; return the newly marked ones (schema SUBJECTS)."""
    marked = mark_opted_out(kind=address.kind, forms=address.forms, at=statement.effective_at())
    points = _with_contact(marked, address)
    _cancel_opted_out(address, statement)
    # Again after the commit: a contact planned and judged by a concurrent transaction saw no silence, and this one did
    # not see the contact.
    transaction.on_commit(partial(_cancel_opted_out, address, statement))
    return points


@transaction.atomic
def _cancel_opted_out(address: Address, statement: ConsentStatement) -> None:
    """Cancel the contacts to an address that asked for no more messages."""
    cancel_contacts(address, reason=reasons.OPTED_OUT, actor=statement.actor)


def _record_facts(kind: type[Fact], points: pa.Table, statement: ConsentStatement) -> None:
    """Record one fact of a kind in the journal for each of the points (schema SUBJECTS)."""
    sources = pa.array([str(statement.source)] * points.num_rows, pa.string())
    record_facts(kind, points.append_column("source", sources), actor=statement.actor)

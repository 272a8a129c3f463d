"""The debtor's wish not to be written to any more: at once, everywhere, and nobody of staff can undo it."""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import partial
from typing import Final

import pyarrow as pa
from django.db import transaction

from recobra.consent.ledger import (
    SUBJECTS,
    Act,
    Address,
    ConsentStatement,
    OptOutRefused,
    Source,
    add_entry,
    build_payloads,
    cancel_contacts,
    find_address,
    latest_entry,
    lock_address,
)
from recobra.consent.models import ConsentEntry, Silence
from recobra.journal.operations import Facts, record_all
from recobra.kit import tables
from recobra.messaging import reasons
from recobra.portfolio.models import ContactPoint

__all__ = ["OptOutRefused", "record_opt_out", "record_wrong_person", "resume_messages"]

_RESUMERS: Final = frozenset({Source.KEYWORD, Source.PORTAL, Source.BUTTON})

# NO KEY: planning refers to contact points for minutes, and a wish does not wait for it.
_STOP = """
    WITH same AS (
        SELECT p.id FROM portfolio_contactpoint p
        WHERE p.value = ANY(%s) AND p.kind = %s AND p.opted_out_at IS NULL ORDER BY p.id FOR NO KEY UPDATE)
    UPDATE portfolio_contactpoint p SET opted_out_at = %s FROM same WHERE p.id = same.id
    RETURNING p.id, p.debtor_id, %s::bigint"""

# The same person may be a debtor of several creditors: the number is wrong for all of those.
_RETIRE = """
    WITH meant AS (
        SELECT d.id FROM portfolio_debtor d
        WHERE d.id = ANY(%s) OR (d.national_id <> '' AND (d.country, d.national_id) IN (
            SELECT o.country, o.national_id FROM portfolio_debtor o WHERE o.id = ANY(%s)))
    ), wrong AS (
        SELECT p.id FROM portfolio_contactpoint p JOIN meant ON meant.id = p.debtor_id
        WHERE p.value = ANY(%s) AND p.kind = %s AND p.retired_at IS NULL ORDER BY p.id FOR NO KEY UPDATE OF p)
    UPDATE portfolio_contactpoint p SET retired_at = %s, quality = 0 FROM wrong WHERE p.id = wrong.id
    RETURNING p.id, p.debtor_id, %s::bigint"""


def record_opt_out(
    *,
    source: str,
    now: datetime,
    at: datetime | None = None,
    public_id: uuid.UUID | str | None = None,
    point_id: int | None = None,
    kind: str = "",
    value: str = "",
    channel: str = "",
    text_shown: str = "",
    said: str = "",
    actor: str = "",
    actor_id: int | None = None,
) -> int:
    """Stop writing to a line for every debtor that has it, by every channel; return how many contact points it was.

    The line is that of a contact (`public_id`), of a contact point, or a kind and value that nobody may have yet.
    `channel` says where it was asked, `at` when. What was planned is cancelled. Doing it again changes nothing, nor
    does hearing late of a wish after which messages were asked for again. Raises OptOutRefused where there is no such
    contact or point.
    """
    line = find_address(public_id=public_id, point_id=point_id, kind=kind, value=value)
    words = ConsentStatement(
        source=source, now=now, at=at, channel=channel, text_shown=text_shown, said=said, actor=actor, actor_id=actor_id
    )
    return apply_opt_out(line, words)


def record_wrong_person(
    *,
    source: str,
    now: datetime,
    at: datetime | None = None,
    public_id: uuid.UUID | str | None = None,
    point_id: int | None = None,
    kind: str = "",
    value: str = "",
    channel: str = "",
    text_shown: str = "",
    said: str = "",
    actor: str = "",
    actor_id: int | None = None,
) -> int:
    """Never again use a line for the debtor who was looked for there; return how many contact points were retired.

    The same holds for debtors with the same national id at other creditors, and for all who are said to have the
    line where only its value is known. Whoever answered wants no messages for others either: the line is silent.
    Raises OptOutRefused.
    """
    line = find_address(public_id=public_id, point_id=point_id, kind=kind, value=value)
    words = ConsentStatement(
        source=source, now=now, at=at, channel=channel, text_shown=text_shown, said=said, actor=actor, actor_id=actor_id
    )
    return apply_wrong_person(line, words)


def resume_messages(
    *,
    source: str,
    now: datetime,
    at: datetime | None = None,
    public_id: uuid.UUID | str | None = None,
    kind: str = "",
    value: str = "",
    channel: str = "",
    text_shown: str = "",
    said: str = "",
) -> bool:
    """End the silence of a line because its owner asks for messages again, from the line itself; False if it stays.

    A line that was said to be somebody else's stays silent: nobody knows any more whose it is. Staff cannot resume.
    Raises OptOutRefused.
    """
    line = find_address(public_id=public_id, kind=kind, value=value)
    return apply_resumption(
        line, ConsentStatement(source=source, now=now, at=at, channel=channel, text_shown=text_shown, said=said)
    )


@transaction.atomic
def apply_opt_out(line: Address, words: ConsentStatement) -> int:
    """Do what `opt_out` says for a line that was found."""
    lock_address(line)
    new = not _silent(line)
    before = latest_entry(line, Act.OPTED_OUT, Act.RESUMED, until=words.when())
    if before is None or before.act != Act.OPTED_OUT:
        before = add_entry(line, Act.OPTED_OUT, words)
    resumed = latest_entry(line, Act.RESUMED)
    if resumed is not None and resumed.at > words.when():
        return 0
    _hush(line, before)
    stopped = _stop(line, words)
    if new and stopped.num_rows == 0:  # nobody's number: the wish is a fact all the same
        nobodys = [{"contact_id": line.contact_id, "debtor_id": line.debtor_id}]
        _record("optout.received", pa.Table.from_pylist(nobodys, SUBJECTS), words)
    _record("optout.received", stopped, words)
    return stopped.num_rows


@transaction.atomic
def apply_wrong_person(line: Address, words: ConsentStatement) -> int:
    """Do what `not_me` says for a line that was found."""
    lock_address(line)
    meant = [line.debtor_id] if line.debtor_id else _owners(line)
    told = ConsentEntry.objects.filter(kind=line.kind, value__in=line.forms, act=Act.NOT_ME, debtor=line.debtor_id)
    if not told.exists():
        _hush(line, add_entry(line, Act.NOT_ME, words))
    _stop(line, words)
    values = [meant, meant, list(line.forms), line.kind, words.when(), line.contact_id]
    retired = tables.fetch(_RETIRE, values, SUBJECTS)
    _record("wrong_person.received", retired, words)
    return retired.num_rows


@transaction.atomic
def apply_resumption(line: Address, words: ConsentStatement) -> bool:
    """Do what `resume` says for a line that was found."""
    if words.source not in _RESUMERS:
        raise ValueError("Only the owner of a number or address may ask for messages again.")
    lock_address(line)
    before = latest_entry(line, Act.OPTED_OUT, Act.RESUMED, until=words.when())
    if before is None or before.act != Act.RESUMED:
        add_entry(line, Act.RESUMED, words)
    stopped = latest_entry(line, Act.OPTED_OUT)
    overtaken = stopped is not None and stopped.at >= words.when()
    if overtaken or not _silent(line) or latest_entry(line, Act.NOT_ME):
        return False
    Silence.objects.filter(kind=line.kind, value__in=line.forms).delete()
    points = ContactPoint.objects.filter(kind=line.kind, value__in=line.forms)
    ids = list(points.values_list("pk", "debtor_id"))
    points.update(opted_out_at=None)
    rows = [{"point_id": p, "debtor_id": d, "contact_id": line.contact_id} for p, d in ids]
    _record("optout.resumed", pa.Table.from_pylist(rows, SUBJECTS), words)
    return True


def _silent(line: Address) -> bool:
    return Silence.objects.filter(kind=line.kind, value=line.value).exists()


def _owners(line: Address) -> list[int]:
    found = ContactPoint.objects.filter(kind=line.kind, value__in=line.forms)
    return sorted(set(found.values_list("debtor_id", flat=True)))


def _hush(line: Address, entry: ConsentEntry) -> None:
    rows = [Silence(kind=line.kind, value=form, since=entry.at, entry=entry) for form in line.forms]
    Silence.objects.bulk_create(rows, ignore_conflicts=True)


def _stop(line: Address, said: ConsentStatement) -> pa.Table:
    """Mark the points of a line and cancel what waits for it; return the newly stopped ones (schema SUBJECTS)."""
    stopped = tables.fetch(_STOP, [list(line.forms), line.kind, said.when(), line.contact_id], SUBJECTS)
    _sweep(line, said)
    # A contact that was planned and judged while this transaction ran did not see the silence and was not seen here.
    transaction.on_commit(partial(_sweep, line, said))
    return stopped


@transaction.atomic
def _sweep(line: Address, said: ConsentStatement) -> None:
    cancel_contacts(line, reason=reasons.OPTED_OUT, at=said.now, actor=said.who())


def _record(kind: str, points: pa.Table, said: ConsentStatement) -> None:
    rows = points.select(["debtor_id", "contact_id"]).append_column("payload", build_payloads(points, said))
    record_all(Facts(kind=kind, at=said.now, actor=said.who(), actor_id=said.actor_id, rows=rows))

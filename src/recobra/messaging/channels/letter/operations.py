"""Letters from the tray to the door: print batches, and what the courier says became of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from recobra.journal.operations import SUBJECTS, Facts, record, record_all
from recobra.messaging import reasons
from recobra.messaging.channels.adapter import ReceiptEvent
from recobra.messaging.channels.letter.content import letter_from_json
from recobra.messaging.channels.letter.courier import (
    CourierStatus,
    TrackingError,
    TrackingRow,
    read_tracking,
    write_courier_csv,
)
from recobra.messaging.channels.letter.pdf import BATCH_LIMIT, render_batch
from recobra.messaging.dispatch.facts import is_silenced
from recobra.messaging.models import Contact, Letter, LetterBatch
from recobra.messaging.receipts.record import record_receipts
from recobra.portfolio.statement import Statement, fetch_statements

PRINTED_WITHIN: Final = timedelta(days=7)
"""A letter is printed within a week of being judged; after that the plan has to look at its debtor again."""


class LettersRefused(Exception):
    """Nothing can be printed or imported; the text says why and is shown as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingResult:
    """What came of a courier's file: letters by their end, lines that changed nothing, and what was wrong."""

    delivered: int
    returned: int
    unchanged: int
    errors: tuple[TrackingError, ...]


@transaction.atomic
def print_letters(
    *,
    country: str,
    portfolio_codes: Collection[str] | None,
    courier: str = "",
    actor: str,
    actor_id: int | None = None,
    now: datetime,
    limit: int = BATCH_LIMIT,
) -> LetterBatch:
    """Make a batch of the letters that wait for one country, oldest first; two people never get the same letter.

    Each is looked at once more: where the debtor asked for silence, is on hold, has paid, or the letter waited too
    long, it is set aside as not delivered. `portfolio_codes` None: of all portfolios. Raises LettersRefused.
    """
    waiting = _waiting(country, portfolio_codes, limit)
    good, aside = _sorted(waiting, now)
    batch = LetterBatch.objects.create(created_at=now, created_by=actor, courier=courier) if good else None
    for letter, reason in aside:
        Letter.objects.filter(pk=letter.pk).update(status="RETURNED", courier_answer=reason, changed_at=now)
    record_receipts(
        events=[_event(letter.contact, "FAILED", now, reason, None) for letter, reason in aside],
        provider_id=None,
        now=now,
    )
    if batch is None:
        if aside:
            return LetterBatch(created_at=now, created_by=actor, letters_count=0)
        raise LettersRefused(_("No letter waits to be printed for this country."))
    _print(batch, good, actor, actor_id, now)
    return batch


@transaction.atomic
def import_tracking(
    *, content: bytes, portfolio_codes: Collection[str] | None, actor: str, actor_id: int | None = None, now: datetime
) -> TrackingResult:
    """Read a courier's file: letters are delivered or returned; the address of a returned one is retired.

    The courier's number of a letter is kept, and since when at the latest the courier has had its batch. The same
    file again changes nothing. Bad lines and unknown references are errors that stop no other line.
    """
    rows, errors = read_tracking(content)
    letters = _printed([row.reference for row in rows], portfolio_codes)
    events: list[ReceiptEvent] = []
    counts = {CourierStatus.DELIVERED: 0, CourierStatus.RETURNED: 0, CourierStatus.IN_TRANSIT: 0}
    for row in rows:
        letter = letters.get(row.reference)
        if letter is None:
            errors.append(_unknown(row))
        elif row.fate is CourierStatus.IN_TRANSIT or letter.status != Letter.Status.PRINTED:
            counts[CourierStatus.IN_TRANSIT] += 1
        else:
            _note(letter, row, now)
            events.append(_fate_event(letter, row))
            counts[row.fate] += 1
    known = [(letters[row.reference], row) for row in rows if row.reference in letters]
    _note_numbers(known)
    _note_batches(known, now)
    record_receipts(events=events, provider_id=None, now=now)
    payload = {
        "delivered": counts[CourierStatus.DELIVERED],
        "returned": counts[CourierStatus.RETURNED],
        "errors": len(errors),
    }
    record("letter.tracked", at=now, actor=actor, actor_id=actor_id, payload=payload)
    return TrackingResult(
        delivered=counts[CourierStatus.DELIVERED],
        returned=counts[CourierStatus.RETURNED],
        unchanged=counts[CourierStatus.IN_TRANSIT],
        errors=tuple(sorted(errors, key=lambda error: error.line)),
    )


def batch_folder(batch_id: int) -> Path:
    """Return where the files of a batch are."""
    return Path(settings.MEDIA_ROOT) / "letters" / str(batch_id)


def _waiting(country: str, portfolio_codes: Collection[str] | None, limit: int) -> list[Letter]:
    found = Letter.objects.filter(status="WAITING", contact__portfolio__country=country)
    if portfolio_codes is not None:
        found = found.filter(contact__portfolio__code__in=portfolio_codes)
    found = found.select_related("contact__point", "contact__debtor").prefetch_related("contact__items")
    return list(found.order_by("pk").select_for_update(of=("self",), skip_locked=True)[:limit])


def _sorted(waiting: Sequence[Letter], now: datetime) -> tuple[list[Letter], list[tuple[Letter, str]]]:
    """Return the letters that may be printed, and the others each with the reason against it."""
    days = {each.contact.debtor_id: each.contact.local_date or now.date() for each in waiting}
    owed = fetch_statements(days)
    good: list[Letter] = []
    aside: list[tuple[Letter, str]] = []
    for letter in waiting:
        reason = next((key for key, against in _AGAINST if against(letter, owed[letter.contact.debtor_id], now)), "")
        good.append(letter) if not reason else aside.append((letter, reason))
    return good, aside


def _is_silent(letter: Letter, _statement: Statement, _now: datetime) -> bool:
    point = letter.contact.point
    if point is None or point.retired_at is not None or point.opted_out_at is not None:
        return True
    return is_silenced(kind=point.kind, value=point.value)


def _is_held(_letter: Letter, statement: Statement, _now: datetime) -> bool:
    return bool(statement.hold_reason)


def _is_paid(letter: Letter, statement: Statement, _now: datetime) -> bool:
    """Tell if less is owed on an account than the letter says, or an account of it is on hold."""
    free = statement.without_held()
    owed: dict[int, int] = {}
    for document in (*free.overdue, *free.upcoming):
        owed[document.account_id] = owed.get(document.account_id, 0) + document.owed_minor
    return any(owed.get(item.account_id, 0) < item.overdue_minor for item in letter.contact.items.all())


def _is_stale(letter: Letter, _statement: Statement, now: datetime) -> bool:
    return letter.changed_at < now - PRINTED_WITHIN


_AGAINST: Final[tuple[tuple[str, Callable[[Letter, Statement, datetime], bool]], ...]] = (
    (reasons.OPTED_OUT, _is_silent),
    ("held", _is_held),
    (reasons.PAYMENT, _is_paid),
    (reasons.EXPIRED, _is_stale),
)


def _print(batch: LetterBatch, letters: Sequence[Letter], actor: str, actor_id: int | None, now: datetime) -> None:
    """Write the files and mark the letters; the files of a batch that is rolled back belong to no row."""
    papers = [letter_from_json(letter.content) for letter in letters]
    made = render_batch(papers, code=f"{batch.created_at:%Y%m%d}-{batch.pk}", at=now)
    folder = batch_folder(batch.pk)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / "letters.pdf").write_bytes(made.pdf)
    (folder / "courier.csv").write_bytes(write_courier_csv(papers, sheets=made.sheets))
    Letter.objects.filter(pk__in=[letter.pk for letter in letters]).update(
        status="PRINTED", batch=batch, changed_at=now
    )
    batch.letters_count, batch.path = len(letters), f"letters/{batch.pk}"
    batch.save(update_fields=["letters_count", "path"])
    facts = [_printed_fact(letter.contact, batch.pk) for letter in letters]
    rows = pa.Table.from_pylist(facts, schema=SUBJECTS)
    record_all(Facts(kind="letter.printed", at=now, actor=actor, actor_id=actor_id, rows=rows))


def _printed_fact(contact: Contact, batch_id: int) -> dict[str, object]:
    return {
        "portfolio_id": contact.portfolio_id,
        "debtor_id": contact.debtor_id,
        "contact_id": contact.pk,
        "payload": json.dumps({"batch_id": batch_id}),
    }


def _printed(references: Sequence[str], portfolio_codes: Collection[str] | None) -> dict[str, Letter]:
    found = Letter.objects.filter(reference__in=references, batch__isnull=False).select_related("contact")
    if portfolio_codes is not None:
        found = found.filter(contact__portfolio__code__in=portfolio_codes)
    return {letter.reference: letter for letter in found.order_by("pk").select_for_update(of=("self",))}


def _unknown(row: TrackingRow) -> TrackingError:
    return TrackingError(line=row.line, column="reference", found=row.reference, expected=_("a printed letter"))


def _note(letter: Letter, row: TrackingRow, now: datetime) -> None:
    letter.status, letter.courier_answer, letter.changed_at = row.fate.value, row.detail, now
    letter.save(update_fields=["status", "courier_answer", "changed_at"])


def _note_numbers(known: Sequence[tuple[Letter, TrackingRow]]) -> None:
    numbered = {letter.pk: letter for letter, row in known if row.tracking and row.tracking != letter.tracking}
    for letter, row in known:
        if row.tracking:
            letter.tracking = row.tracking
    Letter.objects.bulk_update(numbered.values(), ["tracking"], batch_size=1_000)


def _note_batches(known: Sequence[tuple[Letter, TrackingRow]], now: datetime) -> None:
    """Keep when a courier first spoke of a letter of a batch: by then it had been given the batch."""
    first: dict[int, datetime] = {}
    for letter, row in known:
        if letter.batch_id is not None:
            first[letter.batch_id] = min(first.get(letter.batch_id, now), row.at)
    for batch in LetterBatch.objects.select_for_update().filter(pk__in=first).order_by("pk"):
        at = max(first[batch.pk], batch.created_at)
        if batch.handed_over_at is None or at < batch.handed_over_at:
            batch.handed_over_at = at
            batch.save(update_fields=["handed_over_at"])


def _fate_event(letter: Letter, row: TrackingRow) -> ReceiptEvent:
    if row.fate is CourierStatus.DELIVERED:
        return _event(letter.contact, "DELIVERED", row.at, "delivered", None)
    return _event(letter.contact, "BOUNCED", row.at, "returned", True)


def _event(contact: Contact, kind: str, at: datetime, code: str, permanent: bool | None) -> ReceiptEvent:  # noqa: FBT001 - private, called in three places
    return ReceiptEvent(
        kind=kind,
        at=at,
        event_key=f"letter-{contact.public_id}-{kind}",
        public_id=contact.public_id,
        permanent=permanent,
        detail={"code": code},
    )

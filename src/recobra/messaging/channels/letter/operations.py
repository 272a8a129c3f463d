"""Print batches of letters, and the courier's tracking of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor, Service, service_actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact, record_facts
from recobra.kit import durable_files
from recobra.kit.encrypted_field import UNREADABLE
from recobra.kit.encryption import Undecryptable
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
from recobra.messaging.facts import LetterPrinted, LettersTracked
from recobra.messaging.models import Contact, Letter, LetterBatch
from recobra.messaging.receipts.record import record_receipts
from recobra.messaging.sending_stop import is_stopped
from recobra.messaging.silence import is_silenced
from recobra.payments.owed import fetch_statements
from recobra.portfolio.statement import Statement

_PRINTED: Final = pa.schema(
    [
        ("portfolio_id", pa.int64()),
        ("debtor_id", pa.int64()),
        ("contact_id", pa.int64()),
        ("batch_id", pa.int64()),
    ]
)
PRINT_PERIOD: Final = timedelta(days=7)
"""How long after the gate's check a letter may be printed; later the plan has to decide anew."""


class LettersRefused(Exception):
    """Nothing can be printed or imported; the text says why and is shown as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingResult:
    """The result of a tracking file: letters by their new status, rows that changed nothing, and errors."""

    delivered: int
    returned: int
    unchanged: int
    errors: tuple[TrackingError, ...]


@requires(Right.RUN_CAMPAIGNS)
@transaction.atomic
def print_letters(*, country: str, courier: str = "", limit: int = BATCH_LIMIT, actor: Actor) -> LetterBatch:
    """Make a batch of the letters that wait for one country, oldest first.

    A letter is set aside as not delivered if the debtor has since opted out, is on hold or has paid, or if the
    letter waited too long. Letters of portfolios out of the actor's reach stay. Raises LettersRefused.
    """
    if is_stopped():
        raise LettersRefused(_("A backup was restored: nothing is sent until somebody confirms it."))
    waiting = _lock_waiting(country, actor.portfolio_codes, limit)
    printable, set_aside = _check_letters(waiting, actor.now)
    batch = (
        LetterBatch.objects.create(created_at=actor.now, created_by=actor.name, courier=courier) if printable else None
    )
    events = []
    for letter, reason in set_aside:
        Letter.objects.filter(pk=letter.pk).update(status="RETURNED", courier_answer=reason, changed_at=actor.now)
        events.append(_build_event(letter.contact, kind="FAILED", at=actor.now, code=reason))
    record_receipts(events=events, provider_id=None, actor=service_actor(Service.PROVIDER, now=actor.now))
    if batch is None:
        if set_aside:
            return LetterBatch(created_at=actor.now, created_by=actor.name, letters_count=0)
        raise LettersRefused(_("No letter waits to be printed for this country."))
    _print_batch(batch, printable, actor)
    return batch


@requires(Right.RUN_CAMPAIGNS)
@transaction.atomic
def import_tracking(*, content: bytes, actor: Actor) -> TrackingResult:
    """Record a tracking file: letters are delivered or returned, and the address of a returned one is retired.

    Also recorded are the courier's number of a letter, and when the courier had its batch at the latest. The same file
    again changes nothing. Bad lines and unknown references are errors that stop no other line.
    """
    rows, errors = read_tracking(content)
    letters = _lock_printed([row.reference for row in rows], actor.portfolio_codes)
    events: list[ReceiptEvent] = []
    counts = {CourierStatus.DELIVERED: 0, CourierStatus.RETURNED: 0, CourierStatus.IN_TRANSIT: 0}
    for row in rows:
        letter = letters.get(row.reference)
        if letter is None:
            expected = _("a printed letter")
            errors.append(TrackingError(line=row.line, column="reference", found=row.reference, expected=expected))
        # Only a printed letter changes: a second row of the same letter, or of one set aside, counts as unchanged.
        elif row.status is CourierStatus.IN_TRANSIT or letter.status != Letter.Status.PRINTED:
            counts[CourierStatus.IN_TRANSIT] += 1
        else:
            letter.status = row.status.value
            letter.courier_answer = row.detail
            letter.changed_at = actor.now
            letter.save(update_fields=["status", "courier_answer", "changed_at"])
            if row.status is CourierStatus.DELIVERED:
                events.append(_build_event(letter.contact, kind="DELIVERED", at=row.at, code="delivered"))
            else:
                events.append(_build_event(letter.contact, kind="BOUNCED", at=row.at, code="returned", permanent=True))
            counts[row.status] += 1
    tracked = [(letters[row.reference], row) for row in rows if row.reference in letters]
    _record_numbers(tracked)
    _record_hand_over(tracked, actor.now)
    record_receipts(events=events, provider_id=None, actor=service_actor(Service.PROVIDER, now=actor.now))
    record_fact(
        LettersTracked(
            delivered=counts[CourierStatus.DELIVERED],
            returned=counts[CourierStatus.RETURNED],
            errors=len(errors),
        ),
        actor=actor,
    )
    return TrackingResult(
        delivered=counts[CourierStatus.DELIVERED],
        returned=counts[CourierStatus.RETURNED],
        unchanged=counts[CourierStatus.IN_TRANSIT],
        errors=tuple(sorted(errors, key=lambda error: error.line)),
    )


def batch_folder(batch_id: int) -> Path:
    """Return the folder of the files of a batch."""
    return Path(settings.MEDIA_ROOT) / "letters" / str(batch_id)


def _lock_waiting(country: str, portfolio_codes: Collection[str] | None, limit: int) -> list[Letter]:
    """Return the oldest letters that wait for a country, locked; `portfolio_codes` None: of all portfolios."""
    waiting = Letter.objects.filter(status="WAITING", contact__portfolio__country=country)
    if portfolio_codes is not None:
        waiting = waiting.filter(contact__portfolio__code__in=portfolio_codes)
    waiting = waiting.select_related("contact__point", "contact__debtor").prefetch_related("contact__items")
    # Locked rows are skipped: two people who print at once never get the same letter.
    return list(waiting.order_by("pk").select_for_update(of=("self",), skip_locked=True)[:limit])


def _check_letters(waiting: Sequence[Letter], now: datetime) -> tuple[list[Letter], list[tuple[Letter, str]]]:
    """Return the letters that may be printed, and the others each with the reason against it."""
    days = {letter.contact.debtor_id: letter.contact.local_date or now.date() for letter in waiting}
    debtor_statements = fetch_statements(days)
    printable: list[Letter] = []
    set_aside: list[tuple[Letter, str]] = []
    for letter in waiting:
        reason = _reason_against(letter, debtor_statements[letter.contact.debtor_id], now)
        if reason:
            set_aside.append((letter, reason))
        else:
            printable.append(letter)
    return printable, set_aside


def _reason_against(letter: Letter, statement: Statement, now: datetime) -> str:
    """Return the reason why a letter may not be printed any more, '' where it may."""
    if _is_opted_out(letter):
        return reasons.OPTED_OUT
    if statement.hold_reason:
        return "held"
    if _is_paid(letter, statement):
        return reasons.PAYMENT
    if letter.changed_at < now - PRINT_PERIOD:
        return reasons.EXPIRED
    return ""


def _is_opted_out(letter: Letter) -> bool:
    """Return whether nothing may be sent to the address any more, or the address is no longer in use."""
    point = letter.contact.point
    if point is None or point.retired_at is not None or point.opted_out_at is not None:
        return True
    return is_silenced(kind=point.kind, value=point.value)


def _is_paid(letter: Letter, statement: Statement) -> bool:
    """Return whether less is owed on an account than the letter says, or an account of it is on hold."""
    without_held = statement.without_held()
    owed: dict[int, int] = {}
    for document in (*without_held.overdue, *without_held.upcoming):
        owed[document.account_id] = owed.get(document.account_id, 0) + document.owed_minor
    return any(owed.get(item.account_id, 0) < item.overdue_minor for item in letter.contact.items.all())


def _print_batch(batch: LetterBatch, letters: Sequence[Letter], actor: Actor) -> None:
    """Write the files of a batch and mark its letters as printed. Raises LettersRefused."""
    try:
        contents = [letter_from_json(letter.content) for letter in letters]
    except Undecryptable:
        raise LettersRefused(str(UNREADABLE)) from None
    rendered = render_batch(contents, code=f"{batch.created_at:%Y%m%d}-{batch.pk}", at=actor.now)
    folder = batch_folder(batch.pk)
    # Files are written before the commit: those of a batch that is rolled back belong to no row and do no harm.
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    durable_files.write_file(folder / "letters.pdf", rendered.pdf)
    durable_files.write_file(folder / "courier.csv", write_courier_csv(contents, sheets=rendered.sheets))
    Letter.objects.filter(pk__in=[letter.pk for letter in letters]).update(
        status="PRINTED", batch=batch, changed_at=actor.now
    )
    batch.letters_count = len(letters)
    batch.path = f"letters/{batch.pk}"
    batch.save(update_fields=["letters_count", "path"])
    rows = [
        {
            "portfolio_id": letter.contact.portfolio_id,
            "debtor_id": letter.contact.debtor_id,
            "contact_id": letter.contact.pk,
            "batch_id": batch.pk,
        }
        for letter in letters
    ]
    record_facts(LetterPrinted, pa.Table.from_pylist(rows, schema=_PRINTED), actor=actor)


def _lock_printed(references: Sequence[str], portfolio_codes: Collection[str] | None) -> dict[str, Letter]:
    """Return the printed letters of these references, locked; `portfolio_codes` None: of all portfolios."""
    letters = Letter.objects.filter(reference__in=references, batch__isnull=False).select_related("contact")
    if portfolio_codes is not None:
        letters = letters.filter(contact__portfolio__code__in=portfolio_codes)
    return {letter.reference: letter for letter in letters.order_by("pk").select_for_update(of=("self",))}


def _record_numbers(tracked: Sequence[tuple[Letter, TrackingRow]]) -> None:
    """Keep the courier's own number of each letter."""
    changed: dict[int, Letter] = {}
    for letter, row in tracked:
        if row.tracking and row.tracking != letter.tracking:
            letter.tracking = row.tracking
            changed[letter.pk] = letter
    Letter.objects.bulk_update(changed.values(), ["tracking"], batch_size=1_000)


def _record_hand_over(tracked: Sequence[tuple[Letter, TrackingRow]], now: datetime) -> None:
    """Record when a courier first reported on a letter of a batch: by then the courier had the batch."""
    first_at: dict[int, datetime] = {}
    for letter, row in tracked:
        if letter.batch_id is not None:
            first_at[letter.batch_id] = min(first_at.get(letter.batch_id, now), row.at)
    for batch in LetterBatch.objects.select_for_update().filter(pk__in=first_at).order_by("pk"):
        at = max(first_at[batch.pk], batch.created_at)
        if batch.handed_over_at is None or at < batch.handed_over_at:
            batch.handed_over_at = at
            batch.save(update_fields=["handed_over_at"])


def _build_event(
    contact: Contact, *, kind: str, at: datetime, code: str, permanent: bool | None = None
) -> ReceiptEvent:
    """Return the receipt of a letter; `code` is why, `permanent` True where the address will never work."""
    return ReceiptEvent(
        kind=kind,
        at=at,
        event_key=f"letter-{contact.public_id}-{kind}",
        public_id=contact.public_id,
        permanent=permanent,
        detail={"code": code},
    )

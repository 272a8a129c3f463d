"""What is compared at the end: what was answered as done with what is there, and what left with what arrived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal

from bench.fault_users import ROWS_OF_FILE, Write

WAITING_JOBS = ("load.take", "load.confirm", "cycle.run")
_LOST_MONEY = """
    SELECT count(*) FROM payments_payment payment
    LEFT JOIN (
        SELECT payment_id, sum(amount_minor) FILTER (WHERE reverses_id IS NULL) AS applied, sum(amount_minor) AS balance
        FROM portfolio_posting WHERE payment_id IS NOT NULL GROUP BY payment_id) share ON share.payment_id = payment.id
    WHERE coalesce(-share.applied, 0) + payment.unapplied_minor <> payment.amount_minor
        OR (payment.reversed_at IS NOT NULL AND coalesce(share.balance, 0) <> 0)
        OR (payment.reversed_at IS NULL AND coalesce(-share.balance, 0) + payment.unapplied_minor
            <> payment.amount_minor)"""
_HANGING = """
    SELECT
        (SELECT count(*) FROM pg_locks WHERE NOT granted),
        (SELECT count(*) FROM pg_stat_activity WHERE xact_start < now() - interval '60 seconds'
            AND pid <> pg_backend_pid() AND backend_type = 'client backend')"""


def count_writes(writes: Iterable[Write], *, minor_per_unit: int) -> dict[str, object]:
    """Compare what people wrote with what is there, kind by kind.

    `lost` was answered as done and is not there, `twice` is there more often than once, `wrong` is there with another
    amount; `kept` had no answer and is there all the same, once.
    """
    by_kind: dict[str, Counter[str]] = {}
    named: dict[str, list[str]] = {"lost": [], "twice": [], "wrong": []}
    for write in writes:
        counts = by_kind.setdefault(write.kind, Counter(asked=0, done=0, refused=0, unanswered=0, repeated=0))
        counts["asked"] += 1
        counts["done" if write.is_done else write.answers[0]] += 1
        counts["repeated"] += len(write.answers) > 1
        there = _COUNTS[write.kind](write)
        if write.is_done and there == 0:
            named["lost"].append(f"{write.token} {write.answers}")
        elif there > 1:
            named["twice"].append(f"{write.token} {write.answers} ×{there}")
        elif there == 1 and not write.is_done and "unanswered" in write.answers:
            counts["kept"] += 1
        if there and write.kind == "payment" and not _has_amount(write, minor_per_unit):
            named["wrong"].append(write.token)
    return {"writes": {kind: dict(counts) for kind, counts in sorted(by_kind.items())}, **named}


def _has_amount(write: Write, minor_per_unit: int) -> bool:
    from recobra.payments.models import Payment

    payment = Payment.objects.filter(reference=write.token).first()
    return payment is not None and payment.amount_minor == int(write.details["amount"]) * minor_per_unit


def _count_payments(write: Write) -> int:
    from recobra.payments.models import Payment

    return Payment.objects.filter(reference=write.token).count()


def _count_file_payments(write: Write) -> int:
    """Return 1 where each payment of the file is there once, more where one is there twice, 0 where any is missing."""
    from recobra.payments.models import Payment

    references = Counter(
        Payment.objects.filter(reference__startswith=f"{write.token}-").values_list("reference", flat=True)
    )
    whole = len(references) == int(write.details["rows"])
    return max(references.values()) if whole else 0


def _count_reversals(write: Write) -> int:
    from recobra.payments.models import Payment

    return Payment.objects.filter(reversal_reason=write.token).count()


def _count_holds(write: Write) -> int:
    from recobra.portfolio.models import Hold

    return Hold.objects.filter(note=write.token).count()


def _count_facts(write: Write) -> int:
    """Return how many facts say that a hold was lifted, or a task closed, by whoever it was."""
    from recobra.journal.models import Entry

    kind, key = {"lift": ("hold.lifted", "hold_id"), "task": ("task.closed", "task_id")}[write.kind]
    return Entry.objects.filter(kind=kind, **{f"payload__{key}": int(write.token)}).count()


def _count_messages(write: Write) -> int:
    from recobra.conversations.models import ConversationMessage

    # The words are encrypted, so that no query finds them.
    return sum(write.token in message.text for message in ConversationMessage.objects.only("text"))


def _count_wishes(write: Write) -> int:
    from recobra.consent.models import ConsentEntry

    return sum(write.token in entry.said for entry in ConsentEntry.objects.only("at", "said"))


def _count_incidents(write: Write) -> int:
    from recobra.compliance.models import Incident

    return Incident.objects.filter(description__contains=write.token).count()


def _count_loads(write: Write) -> int:
    """Return 1 where each row of the file is an account that owes what the file says, and 2 where any owes more.

    A load that is there in part counts as 2, for it must not be.
    """
    from django.db.models import Sum

    from recobra.portfolio.models import Account

    accounts = Account.objects.filter(external_id__startswith=f"{write.token}-")
    owed = [minor for (minor,) in accounts.annotate(owed=Sum("postings__amount_minor")).values_list("owed")]
    if not owed:
        return 0
    return 1 if owed == [100_00] * ROWS_OF_FILE else 2


def _count_cycles(write: Write) -> int:
    """Return 1: that a cycle was asked for leaves nothing but its job, which `count_jobs` looks for."""
    return 1 if write.is_done else 0


_COUNTS = {
    "payment": _count_payments,
    "file": _count_file_payments,
    "reversal": _count_reversals,
    "hold": _count_holds,
    "lift": _count_facts,
    "task": _count_facts,
    "message": _count_messages,
    "note": _count_messages,
    "reply": _count_messages,
    "wish": _count_wishes,
    "incident": _count_incidents,
    "load": _count_loads,
    "cycle": _count_cycles,
}


def count_money() -> dict[str, object]:
    """Return how many payments are not in the ledger as they were received, and what the ledger says altogether."""
    from django.db import connection
    from django.db.models import Sum

    from recobra.payments.models import Payment
    from recobra.portfolio.models import Posting

    with connection.cursor() as cursor:
        cursor.execute(_LOST_MONEY)
        (wrong,) = cursor.fetchone()
    standing = Payment.objects.filter(reversed_at__isnull=True).aggregate(
        received=Sum("amount_minor"), unapplied=Sum("unapplied_minor")
    )
    paid = Posting.objects.filter(payment_id__isnull=False).aggregate(sum=Sum("amount_minor"))["sum"] or 0
    return {
        "payments": Payment.objects.count(),
        "received_minor": str(Decimal(standing["received"] or 0)),
        "differs": wrong + (paid + (standing["received"] or 0) - (standing["unapplied"] or 0) != 0),
    }


def count_mailbox() -> Counter[str]:
    """Return what the demonstration's own mailbox took, by contact: it stands in where the gateway is cut off."""
    from recobra.messaging.models import MailboxMessage

    return Counter(MailboxMessage.objects.values_list("contact_public_id", flat=True))


def count_messages(accepted: Counter[str], message_ids: Counter[str]) -> dict[str, object]:
    """Compare the outbox with what the mail server and the gateway took, by contact and by Message-ID."""
    from recobra.kit import clock
    from recobra.messaging.models import Contact

    now = clock.now()
    ends = {
        str(public_id): (status, reason, due_at)
        for public_id, status, reason, due_at in Contact.objects.filter(channel__in=["email", "sms"]).values_list(
            "public_id", "status", "reason", "due_at"
        )
    }
    by_status: dict[str, set[str]] = {}
    for public_id, (status, *_rest) in ends.items():
        by_status.setdefault(status, set()).add(public_id)
    sent, uncertain = by_status.get("SENT", set()), by_status.get("UNCERTAIN", set())
    arrived = set(accepted) & set(ends)
    return {
        "statuses": {status: len(ids) for status, ids in sorted(by_status.items())},
        "reasons": dict(sorted(Counter(f"{s}/{r}" for s, r, *_ in ends.values() if r).items())),
        "arrived": len(arrived),
        "in_mailbox": count_mailbox().total(),
        "duplicates": sum(count - 1 for count in accepted.values())
        + sum(count - 1 for name, count in message_ids.items() if name),
        "without_end": sum(
            status == "LEASED" or (status == "DUE" and due_at <= now) for status, _reason, due_at in ends.values()
        ),
        "without_reason": sum(s in {"FAILED", "UNCERTAIN", "BLOCKED"} and not r for s, r, *_ in ends.values()),
        "sent_but_not_arrived": len(sent - arrived),
        "arrived_but_neither_sent_nor_uncertain": len(arrived - sent - uncertain),
        "uncertain_that_arrived": len(uncertain & arrived),
    }


def count_jobs() -> dict[str, object]:
    """Return the jobs that are begun and in nobody's hands, those that failed, and loads and cycles without an end."""
    from procrastinate.contrib.django.models import ProcrastinateJob

    from recobra.intake.models import Load
    from recobra.strategy.models import CycleRun

    jobs = ProcrastinateJob.objects
    failed = Counter(jobs.filter(status="failed").values_list("task_name", flat=True))
    return {
        "waiting": jobs.filter(status__in=["todo", "doing"], task_name__in=WAITING_JOBS).count(),
        "hanging": jobs.filter(status="doing").count(),
        "failed_for_good": sum(failed[name] for name in WAITING_JOBS),
        "failed": dict(sorted(failed.items())),
        "running": Load.objects.filter(status="RUNNING").count() + CycleRun.objects.filter(status="RUNNING").count(),
        "loads": dict(Counter(Load.objects.values_list("status", flat=True))),
        "cycles": dict(Counter(CycleRun.objects.values_list("status", flat=True))),
    }


def is_settled() -> bool:
    """Tell if nothing that was begun or is due waits any more."""
    from recobra.kit import clock
    from recobra.messaging.models import Contact

    jobs = count_jobs()
    due = Contact.objects.filter(status="DUE", due_at__lte=clock.now()) | Contact.objects.filter(status="LEASED")
    return not (jobs["waiting"] or jobs["hanging"] or jobs["running"] or due.exists())


def count_hanging() -> dict[str, int]:
    """Return how many locks are waited for, and how many transactions stay open."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(_HANGING)
        waiting, open_transactions = cursor.fetchone()
    return {"locks_waited_for": waiting, "open_transactions": open_transactions}


def find_faults(figures: Mapping[str, object]) -> list[str]:
    """Return the names of figures that have to be none, and are not."""
    groups: list[tuple[str, Mapping[str, object], tuple[str, ...]]] = [
        ("", figures, ("lost", "twice", "wrong", "unsettled", "not_back", "signed_out")),
        (
            "messages.",
            figures["messages"],
            (
                "duplicates",
                "without_end",
                "without_reason",
                "sent_but_not_arrived",
                "arrived_but_neither_sent_nor_uncertain",
            ),
        ),
        ("money.", figures["money"], ("differs",)),
        ("jobs.", figures["jobs"], ("waiting", "hanging", "running", "failed_for_good")),
        ("hanging.", figures["hanging"], ("locks_waited_for", "open_transactions")),
    ]
    found = [f"{prefix}{name}" for prefix, group, names in groups for name in names if group[name]]
    return [*found, *(name for name in ("journal_ok", "health_ok") if not figures[name])]

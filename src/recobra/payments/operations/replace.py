"""One payment that comes twice: inferred from the lower balance of a load, and later as itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import consequence
from recobra.journal.operations import record_facts
from recobra.kit import tables
from recobra.kit.language import in_installation_language
from recobra.payments.facts import PaymentRecorded, PaymentReversed
from recobra.payments.models import Payment
from recobra.portfolio.models import Portfolio, Posting


@dataclass(kw_only=True)
class _InferredPayment:
    """An inferred payment with its shares, of which the last ones still stand for `left_minor`."""

    payment: Payment
    shares: list[Posting]
    left_minor: int

    def take(self, amount_minor: int) -> list[tuple[Posting, int]]:
        """Take an amount away, the oldest shares first; return the shares, each with how much of it went."""
        taken_minor = sum(-share.amount_minor for share in self.shares) - self.left_minor
        self.left_minor -= amount_minor
        return list(_slice_shares(self.shares, taken_minor, amount_minor))


def _slice_shares(shares: Iterable[Posting], start_minor: int, amount_minor: int) -> Iterator[tuple[Posting, int]]:
    """Yield the shares between two points of their sum, each with its amount there."""
    end_minor = start_minor + amount_minor
    reached_minor = 0
    for share in shares:
        share_start, reached_minor = reached_minor, reached_minor - share.amount_minor
        overlap = min(end_minor, reached_minor) - max(start_minor, share_start)
        if overlap > 0:
            yield share, overlap


@consequence
def replace_inferred(*, portfolio: Portfolio, payments: pa.Table, actor: Actor) -> dict[int, int]:
    """Put payments in the place of inferred ones that are the same money; return how much of each, by its id.

    `payments`: payment_id, reference, debtor_id, account_id (null: all of the debtor's), amount_minor, paid_date.
    A balance holds all that was paid up to its day, so a payment replaces those inferred on its day or later, the
    earliest first. What it replaces stays where the load had put it: no balance changes. What is left of an inferred
    payment is recorded as one of its own.
    """
    inferred = _fetch_inferred(portfolio, payments)
    if not inferred:
        return {}
    placed: dict[int, int] = {}
    postings: list[Posting] = []
    references: dict[int, str] = {}  # reference by the id of the inferred payment
    # The latest first: it has the fewest to choose from.
    rows = sorted(payments.to_pylist(), key=lambda row: (row["paid_date"], row["payment_id"]), reverse=True)
    for row in rows:
        left_minor = row["amount_minor"]
        for one in inferred.get(row["debtor_id"], ()):
            amount_minor = min(left_minor, one.left_minor)
            is_same_account = row["account_id"] in {None, one.payment.account_id}
            if not amount_minor or not is_same_account or one.payment.paid_date < row["paid_date"]:
                continue
            pieces = one.take(amount_minor)
            postings += _post_pieces(pieces, row["payment_id"], row["paid_date"], actor.now)
            references.setdefault(one.payment.pk, row["reference"])
            left_minor -= amount_minor
        if left_minor < row["amount_minor"]:
            placed[row["payment_id"]] = row["amount_minor"] - left_minor
    replaced = [one for of_debtor in inferred.values() for one in of_debtor if one.payment.pk in references]
    if replaced:
        _reverse(replaced, references, portfolio=portfolio, actor=actor)
        postings += _record_rests(
            [one for one in replaced if one.left_minor or one.payment.unapplied_minor], portfolio=portfolio, actor=actor
        )
        Posting.objects.bulk_create(postings, batch_size=5_000)
    return placed


def _fetch_inferred(portfolio: Portfolio, payments: pa.Table) -> dict[int, list[_InferredPayment]]:
    """Return the inferred payments of some payers that stand, by debtor, the earliest first."""
    debtor_ids = payments["debtor_id"].unique().to_pylist()
    standing = Payment.objects.select_for_update().filter(
        tables.is_any_of("debtor_id", debtor_ids),
        portfolio=portfolio,
        source=Payment.Source.INFERRED,
        reversed_at__isnull=True,
        paid_date__gte=min(payments["paid_date"].to_pylist()),
    )
    found = list(standing.order_by("paid_date", "pk"))
    shares: dict[int, list[Posting]] = defaultdict(list)
    account_ids = {payment.account_id for payment in found if payment.account_id is not None}
    of_payments = Posting.objects.filter(
        tables.is_any_of("account_id", account_ids),
        tables.is_any_of("payment_id", [payment.pk for payment in found]),
        reverses__isnull=True,
    )
    for posting in of_payments.order_by("pk") if found else ():
        shares[posting.payment_id or 0].append(posting)
    inferred: dict[int, list[_InferredPayment]] = defaultdict(list)
    for payment in found:
        applied_minor = sum(-share.amount_minor for share in shares[payment.pk])
        inferred[payment.debtor_id].append(
            _InferredPayment(payment=payment, shares=shares[payment.pk], left_minor=applied_minor)
        )
    return inferred


def _post_pieces(
    pieces: Iterable[tuple[Posting, int]], payment_id: int, paid_date: date, now: datetime
) -> Iterator[Posting]:
    """Yield the postings by which a payment takes the place of shares."""
    for share, amount_minor in pieces:
        yield Posting(
            account_id=share.account_id,
            instalment_id=share.instalment_id,
            kind=Posting.Kind.PAYMENT,
            concept=share.concept,
            amount_minor=-amount_minor,
            value_date=paid_date,
            booked_at=now,
            payment_id=payment_id,
        )


def build_reversals(*, shares: Iterable[Posting], now: datetime) -> list[Posting]:
    """Return the postings that reverse the shares of a payment."""
    return [
        Posting(
            account_id=share.account_id,
            instalment_id=share.instalment_id,
            kind=share.kind,
            concept=share.concept,
            amount_minor=-share.amount_minor,
            value_date=share.value_date,
            booked_at=now,
            payment_id=share.payment_id,
            reverses=share,
        )
        for share in shares
    ]


def _reverse(
    replaced: list[_InferredPayment], references: dict[int, str], *, portfolio: Portfolio, actor: Actor
) -> None:
    """Reverse the inferred payments that were replaced, each with the reference of the payment in its place."""
    reversals = [posting for one in replaced for posting in build_reversals(shares=one.shares, now=actor.now)]
    Posting.objects.bulk_create(reversals, batch_size=5_000)
    with in_installation_language():
        reason = _("It is the payment «%(reference)s».")
    for one in replaced:
        one.payment.reversed_at = actor.now
        one.payment.reversed_by = actor.name
        one.payment.reversal_reason = reason % {"reference": references[one.payment.pk]}
    written = ["reversed_at", "reversed_by", "reversal_reason"]
    Payment.objects.bulk_update([one.payment for one in replaced], written, batch_size=1_000)
    record_facts(PaymentReversed, _facts_of([one.payment for one in replaced], portfolio), actor=actor)


def _record_rests(rests: list[_InferredPayment], *, portfolio: Portfolio, actor: Actor) -> list[Posting]:
    """Record what is left of inferred payments as payments of their own and return their postings."""
    if not rests:
        return []
    payments = [
        Payment(
            portfolio=portfolio,
            debtor_id=one.payment.debtor_id,
            account_id=one.payment.account_id,
            amount_minor=one.left_minor + one.payment.unapplied_minor,
            unapplied_minor=one.payment.unapplied_minor,
            paid_date=one.payment.paid_date,
            received_at=one.payment.received_at,
            source=Payment.Source.INFERRED,
            reference=one.payment.reference,
            load_id=one.payment.load_id,
            actor=actor.name,
        )
        for one in rests
    ]
    Payment.objects.bulk_create(payments, batch_size=1_000)
    facts = _facts_of(payments, portfolio)
    constants = {
        "paid_date": pa.array([payment.paid_date for payment in payments], pa.date32()),
        "currency": pa.array([portfolio.currency] * len(payments)),
        "unapplied_minor": pa.array([payment.unapplied_minor for payment in payments], pa.int64()),
        "source": pa.array([str(Payment.Source.INFERRED)] * len(payments)),
    }
    for name, values in constants.items():
        facts = facts.append_column(name, values)
    record_facts(PaymentRecorded, facts, actor=actor)
    postings: list[Posting] = []
    for one, payment in zip(rests, payments, strict=True):
        postings += _post_pieces(one.take(one.left_minor), payment.pk, payment.paid_date, actor.now)
    return postings


def _facts_of(payments: list[Payment], portfolio: Portfolio) -> pa.Table:
    """Return what the facts about payments have in common, one row for each."""
    return pa.table(
        {
            "portfolio_id": pa.array([portfolio.pk] * len(payments), pa.int64()),
            "debtor_id": pa.array([payment.debtor_id for payment in payments], pa.int64()),
            "account_id": pa.array([payment.account_id for payment in payments], pa.int64()),
            "payment_id": pa.array([payment.pk for payment in payments], pa.int64()),
            "amount_minor": pa.array([payment.amount_minor for payment in payments], pa.int64()),
        }
    )

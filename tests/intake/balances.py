"""What accounts owe and what was received, as ledger, payments and journal say it alike."""

from django.db.models import Sum

from recobra.journal.models import Entry
from recobra.payments.models import Payment
from recobra.portfolio.models import Account, Posting


def owed():
    sums = Account.objects.order_by("external_id").annotate(owed=Sum("postings__amount_minor"))
    return dict(sums.values_list("external_id", "owed"))


def received():
    """Return what was received, and prove that ledger and journal say the same."""
    standing = Payment.objects.filter(reversed_at=None)
    for payment in Payment.objects.all():
        applied = Posting.objects.filter(payment_id=payment.pk).aggregate(sum=Sum("amount_minor"))["sum"] or 0
        expected = 0 if payment.reversed_at else payment.amount_minor - payment.unapplied_minor
        assert -applied == expected
    told = dict.fromkeys(("payment.recorded", "payment.reversed"), 0)
    for entry in Entry.objects.filter(kind__in=told):
        told[entry.kind] += entry.payload["amount_minor"]
    total = sum(standing.values_list("amount_minor", flat=True))
    assert told["payment.recorded"] - told["payment.reversed"] == total
    return total

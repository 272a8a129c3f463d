"""Reversal of payments: every share gets its reversing posting; nothing is deleted."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.kit import tables
from recobra.payments.facts import PaymentReversed
from recobra.payments.models import Payment
from recobra.portfolio.models import Account, Posting
from recobra.portfolio.scope import check_portfolio

from .record import PaymentRefused
from .replace import build_reversals


@requires(Right.REVERSE_PAYMENT)
@transaction.atomic
def reverse_payment(*, payment_id: int, reason: str, actor: Actor) -> Payment:
    """Reverse a payment, for instance a returned cheque. The debt is open again. Raises PaymentRefused."""
    # As for a payment: a load compares its file with the ledger, and locks accounts before payments.
    tables.lock_id_sequence("portfolio_account")
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    check_portfolio(actor, payment.portfolio_id)
    if payment.reversed_at is not None:
        raise PaymentRefused(_("The payment was reversed already."))
    if not reason.strip():
        raise PaymentRefused(_("Say why the payment is reversed."))
    accounts = Posting.objects.filter(payment_id=payment.pk).values("account_id")
    # A payment at the same moment would otherwise close an account that this opens again.
    list(Account.objects.select_for_update(no_key=True).filter(pk__in=accounts).order_by("pk").values_list("pk"))
    shares = list(Posting.objects.filter(payment_id=payment.pk, reverses__isnull=True).order_by("id"))
    Posting.objects.bulk_create(build_reversals(shares=shares, now=actor.now))
    reopened = Account.objects.filter(pk__in={share.account_id for share in shares}, status=Account.Status.PAID)
    reopened.update(status=Account.Status.OPEN)
    payment.reversed_at = actor.now
    payment.reversed_by = actor.name
    payment.reversal_reason = reason.strip()
    payment.save(update_fields=["reversed_at", "reversed_by", "reversal_reason"])
    record_fact(
        PaymentReversed(payment_id=payment.pk, amount_minor=payment.amount_minor),
        actor=actor,
        portfolio_id=payment.portfolio_id,
        debtor_id=payment.debtor_id,
        account_id=payment.account_id,
    )
    return payment

"""What of the promises follows a debtor who is joined with another."""

from __future__ import annotations

from django.db.models import Exists, OuterRef

from recobra.kit.debtor_rows import DebtorRows, Joining

from .models import Promise, PromiseShare


def _part(joining: Joining) -> None:
    """Give who goes again the promises that speak of the own accounts alone."""
    shares = PromiseShare.objects.filter(promise=OuterRef("pk"))
    own = Promise.objects.filter(
        Exists(shares), ~Exists(shares.exclude(account__debtor_id=joining.joined_id)), debtor_id=joining.kept_id
    )
    own.update(debtor_id=joining.joined_id)


FOLLOWING = (DebtorRows(model="agreements.Promise", part=_part),)

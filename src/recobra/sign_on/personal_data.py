"""What single sign-on holds about people: the id that the company's provider has for a member of staff."""

from __future__ import annotations

from datetime import datetime

from recobra.kit.personal_data import Holding

from .models import Identity


def _erase_leavers(until: datetime, _at: datetime) -> int:
    """Delete the identities of users who were shut out before an instant."""
    leavers = Identity.objects.filter(user__shut_out_at__lt=until, user__is_active=False)
    count, _per_table = leavers.delete()
    return count


HOLDINGS = (Holding(model="sign_on.Identity", data_class="staff", erase_before=_erase_leavers),)

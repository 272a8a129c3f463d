"""What access holds about people: the members of staff."""

from __future__ import annotations

from datetime import datetime

from allauth.mfa.models import Authenticator
from django.db import transaction

from recobra.journal.operations import record_fact
from recobra.kit.personal_data import ERASED, Holding

from .actors import Service, service_actor
from .facts import UserErased
from .models import SavedView, Scope, Session, User


@transaction.atomic
def _erase_leavers(until: datetime, at: datetime) -> int:
    """Take out whose account it was of users who were shut out before an instant; the id stays, for the journal."""
    leavers = User.objects.filter(shut_out_at__lt=until, is_active=False).exclude(username__startswith=ERASED)
    users = list(leavers.select_for_update().order_by("pk"))
    for user in users:
        user.username = f"{ERASED}{user.pk}"
        user.first_name = ""
        user.last_name = ""
        user.email = ""
        user.last_login = None
        user.set_unusable_password()
        user.save()
        # The night does it; who was erased is known by the id alone.
        record_fact(UserErased(user_id=user.pk), actor=service_actor(Service.NIGHT, now=at))
    user_ids = [user.pk for user in users]
    SavedView.objects.filter(user_id__in=user_ids).delete()
    Scope.objects.filter(user_id__in=user_ids).delete()
    Session.objects.filter(user_id__in=user_ids).delete()
    Authenticator.objects.filter(user_id__in=user_ids).delete()
    return len(users)


HOLDINGS = (
    Holding(model="access.User", data_class="staff", erase_before=_erase_leavers),
    Holding(model="access.SavedView", data_class="staff"),
    Holding(model="access.Session", data_class="staff"),
)

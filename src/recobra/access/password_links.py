"""Links by which people set their own password: invitations, and new beginnings for who forgot it.

A link is signed, is of use once, and ends by itself. Only its digest is kept: who reads the database cannot come in.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

from django.core import signing
from django.db import transaction
from django.utils.translation import gettext as _

from recobra.journal.operations import record_fact

from .actors import Actor, actor_for
from .facts import InvitationAccepted, PasswordLinkMade, PasswordSet
from .models import Notice, PasswordLink, User
from .notices import tell_about_account
from .permissions import requires
from .roles import Right
from .sessions import end_every_session
from .users import UserDetails, UserRefused, check_new_password, insert_user

INVITATION_LIFETIME: Final = timedelta(days=3)
NEW_PASSWORD_LIFETIME: Final = timedelta(days=1)
_SIGNER: Final = signing.Signer(salt="recobra.access.password-link")


class LinkRefused(Exception):
    """The link is not one of ours, was used, or has ended; nobody is told which."""


@requires(Right.MANAGE_USERS)
@transaction.atomic
def invite_user(*, username: str, details: UserDetails, actor: Actor) -> tuple[User, str]:
    """Make a user who comes in once he or she has set an own password; return the token of the link for that.

    Raises UserRefused, NotAllowed.
    """
    user = insert_user(username, details, is_active=False, actor=actor)
    return user, _make_link(user, actor)


@requires(Right.MANAGE_USERS)
@transaction.atomic
def make_password_link(*, user_id: int, actor: Actor) -> tuple[User, str]:
    """Make a link by which a user sets an own password, in place of an earlier one; return its token.

    What the user knows now stays good until the link is used. The user and the other administrators are told.
    Doors ask `approvals.account_access`, which knows whose account needs a second person for that.
    Raises User.DoesNotExist, UserRefused.
    """
    user = User.objects.select_for_update().get(pk=user_id)
    if user.shut_out_at is not None:
        raise UserRefused(_("«%(name)s» is shut out: let him or her in first.") % {"name": user.username})
    if user.pk == actor.user_id:
        raise UserRefused(_("Change your own password under «My account»."))
    tell_about_account(Notice.Kind.LINK_MADE, user.pk, actor=actor)
    return user, _make_link(user, actor)


@transaction.atomic
def set_password_by_link(*, token: str, password: str, now: datetime) -> User:
    """Set the password of a link's user, whose sessions end, and let an invited one in.

    Raises LinkRefused, and UserRefused for a password that may not be.
    """
    found = find_link(token, now=now)
    # The user first, as whoever ends links does: in opposite orders the two would wait for each other.
    user = User.objects.select_for_update().get(pk=found.user_id)
    link = PasswordLink.objects.select_for_update().get(pk=found.pk)
    if link.ended_at is not None:
        raise LinkRefused
    check_new_password(password, user)
    is_invitation = not user.is_active
    user.set_password(password)
    user.is_active = True
    user.must_change_password = False
    user.save(update_fields=["password", "is_active", "must_change_password"])
    link.ended_at = now
    link.save(update_fields=["ended_at"])
    actor = actor_for(user, now=now)
    end_every_session(user, actor=actor)
    came_in = InvitationAccepted(user_id=user.pk) if is_invitation else PasswordSet(user_id=user.pk)
    record_fact(came_in, actor=actor)
    return user


def find_link(token: str, *, now: datetime) -> PasswordLink:
    """Return an open link by its token, with its user. Raises LinkRefused."""
    try:
        secret = _SIGNER.unsign(token)
    except signing.BadSignature as error:
        raise LinkRefused from error
    links = PasswordLink.objects.select_related("user").filter(ended_at__isnull=True, expires_at__gt=now)
    link = links.filter(secret_digest=_digest(secret)).first()
    if link is None:
        raise LinkRefused
    return link


def open_link_of(user: User) -> PasswordLink | None:
    """Return the link of a user that was made last, if it was neither used nor replaced; it may have expired."""
    return PasswordLink.objects.filter(user=user, ended_at__isnull=True).first()


def _make_link(user: User, actor: Actor) -> str:
    """Make a link in place of an earlier one; return its token."""
    PasswordLink.objects.filter(user=user, ended_at__isnull=True).update(ended_at=actor.now)
    secret = secrets.token_urlsafe(32)
    is_invitation = not user.is_active
    expires_at = actor.now + (INVITATION_LIFETIME if is_invitation else NEW_PASSWORD_LIFETIME)
    PasswordLink.objects.create(
        user=user, secret_digest=_digest(secret), made_at=actor.now, made_by=actor.name, expires_at=expires_at
    )
    made = PasswordLinkMade(user_id=user.pk, is_invitation=is_invitation, expires_at=expires_at)
    record_fact(made, actor=actor)
    return _SIGNER.sign(secret)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

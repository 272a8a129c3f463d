"""Links by which people set an own password, and what they are told by mail when others change their account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from recobra.access.notices import OWN_TEXTS, Notice
from recobra.access.password_links import INVITATION_LIFETIME, NEW_PASSWORD_LIFETIME
from recobra.access.queries import User
from recobra.console.guard import StaffRequest
from recobra.kit import clock
from recobra.messaging.channels.email.plain_mail import MailFailed, send_plain_mail


@dataclass(frozen=True, kw_only=True)
class ShownLink:
    """How a link reaches its user. `address` is shown this once where it could not be sent, '' where it was.

    `sent_to` is the address it was sent to, '' for none; `problem` why not.
    """

    user: User
    address: str = ""
    sent_to: str = ""
    problem: str = ""


def deliver_link(user: User, token: str, *, now: datetime) -> ShownLink:
    """Send a link to its user where there is an address and a mail server, so that nobody else sees it."""
    address = settings.PUBLIC_URL.rstrip("/") + reverse("console:password-link", args=[token])
    if not user.email or not settings.SMTP_URL:
        return ShownLink(user=user, address=address)
    lifetime = NEW_PASSWORD_LIFETIME if user.is_active else INVITATION_LIFETIME
    with translation.override(user.language):
        subject = _("Your access to Recobra")
        text = _(
            "Your user is «%(name)s». Set your own password here: %(address)s\n"
            "The link is of use once, within %(days)s days. If you did not expect it, ignore it."
        ) % {"name": user.username, "address": address, "days": lifetime.days}
    try:
        send_plain_mail(recipient=user.email, subject=subject, text=text, now=now)
    except (MailFailed, OSError) as error:
        return ShownLink(user=user, address=address, problem=str(error))
    return ShownLink(user=user, sent_to=user.email)


def mail_change(request: StaffRequest, user: User, *, change: Notice.Kind, recipient: str) -> None:
    """Tell a user by mail, where there are an address and a mail server, what somebody else changed of the account.

    Who changed it hears where the mail could not be sent.
    """
    if not recipient or not settings.SMTP_URL or user.pk == request.user.pk:
        return
    with translation.override(user.language):
        subject = _("Your access to Recobra")
        text = _(
            "%(what)s\nUser: %(name)s. Done by: %(who)s.\n"
            "If you do not know why, speak to another administrator of your company at once."
        ) % {"what": OWN_TEXTS[change], "name": user.username, "who": request.user.username}
    try:
        send_plain_mail(recipient=recipient, subject=subject, text=text, now=clock.now())
    except (MailFailed, OSError) as error:
        text = _("%(address)s could not be told by mail (%(reason)s).")
        messages.warning(request, text % {"address": recipient, "reason": error})

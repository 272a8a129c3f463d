"""Links by which people set an own password: how they are written, and how they reach them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from recobra.access.password_links import INVITATION_LIFETIME, NEW_PASSWORD_LIFETIME
from recobra.access.queries import User
from recobra.messaging.channels.email.plain_mail import MailFailed, send_plain_mail


@dataclass(frozen=True, kw_only=True)
class ShownLink:
    """A link that is shown this once. `sent_to` is the address it was sent to, '' for none; `problem` why not."""

    user: User
    address: str
    sent_to: str = ""
    problem: str = ""


def deliver_link(user: User, token: str, *, now: datetime) -> ShownLink:
    """Send a link to its user where there is an address and a mail server; return it to be shown."""
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
    return ShownLink(user=user, address=address, sent_to=user.email)

"""Why a sign-in through the company's provider is refused, each reason with the sentence that its user reads."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Reason(StrEnum):
    """A reason as the journal has it."""

    OFF = "off"
    STATE = "state"
    EXPIRED = "expired"
    DENIED = "denied"
    PROVIDER_ERROR = "provider_error"
    UNREACHABLE = "unreachable"
    DOCUMENT = "document"
    MOVED = "moved"
    ISSUER = "issuer"
    CODE = "code"
    TOKEN = "token"  # noqa: S105 - no token
    ALGORITHM = "algorithm"
    KEY = "key"
    SIGNATURE = "signature"
    AUDIENCE = "audience"
    TIME = "time"
    NONCE = "nonce"
    OLD_SIGN_IN = "old_sign_in"
    GROUP = "group"
    TAKEN = "taken"
    DETAILS = "details"
    INACTIVE = "inactive"
    OTHER_USER = "other_user"
    LINKED = "linked"


_UNTRUSTED: Final = _("The answer of your company's sign-in service cannot be trusted, so nobody was let in.")
_BEGIN_ANEW: Final = _("This sign-in was begun in another window, was used already or has expired. Begin again.")
_ADMINISTRATOR: Final = _("Your company's sign-in service is not set up right. Tell whoever manages users.")
TEXTS: Final[Mapping[Reason, str | Promise]] = {
    Reason.OFF: _("Signing in through the company is switched off."),
    Reason.STATE: _BEGIN_ANEW,
    Reason.EXPIRED: _BEGIN_ANEW,
    Reason.DENIED: _("Your company's sign-in service did not let you in, or you cancelled there."),
    Reason.PROVIDER_ERROR: _("Your company's sign-in service reported an error. Try again in a moment."),
    Reason.UNREACHABLE: _("Your company's sign-in service does not answer. Try again in a moment."),
    Reason.DOCUMENT: _ADMINISTRATOR,
    Reason.MOVED: _("The page of your company's sign-in service has moved: whoever manages users must confirm it."),
    Reason.ISSUER: _UNTRUSTED,
    Reason.CODE: _("Your company's sign-in service did not confirm the sign-in. Begin again."),
    Reason.TOKEN: _UNTRUSTED,
    Reason.ALGORITHM: _UNTRUSTED,
    Reason.KEY: _UNTRUSTED,
    Reason.SIGNATURE: _UNTRUSTED,
    Reason.AUDIENCE: _UNTRUSTED,
    Reason.TIME: _UNTRUSTED,
    Reason.NONCE: _UNTRUSTED,
    Reason.OLD_SIGN_IN: _("Your company's sign-in service did not ask you anew who you are, so it does not count."),
    Reason.GROUP: _(
        "Your company's sign-in service knows you, but none of your groups may use Recobra. "
        "Ask whoever manages users for access."
    ),
    Reason.TAKEN: _(
        "There is already a user with your name or e-mail. Sign in with your password, and link it under «My account»."
    ),
    Reason.DETAILS: _("Your user cannot be set up as your groups say. Tell whoever manages users."),
    Reason.INACTIVE: _("Your access to Recobra has ended. Ask whoever manages users."),
    Reason.OTHER_USER: _("You signed in there as somebody else than here."),
    Reason.LINKED: _("One of the two is linked with somebody else already."),
}


class SignOnRefused(Exception):
    """A sign-in through the provider is refused; the text is shown as it is."""

    def __init__(self, reason: Reason, *, user_id: int | None = None) -> None:
        self.reason = reason
        self.user_id = user_id
        super().__init__(str(TEXTS[reason]))

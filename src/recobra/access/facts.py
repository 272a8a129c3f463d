"""Kinds of facts about users and what they take out."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from recobra.journal.facts import Fact, fact


@fact("user.created", _("User created"))
class UserCreated(Fact):
    """A member of staff was given an account; `portfolios` are codes."""

    user_id: int
    role: str
    portfolios: list[str]


@fact("user.password_set", _("Password changed"))
class PasswordSet(Fact):
    """A user has another password, and all of his or her sessions have ended."""

    user_id: int


@fact("user.scope_set", _("Portfolios of a user set"))
class ScopeSet(Fact):
    """A user sees other portfolios than before; `portfolios` are codes."""

    user_id: int
    portfolios: list[str]


@fact("user.signed_in", _("Signed in"))
class SignedIn(Fact):
    """A user signed in from an address of the network.

    `means` is what proved who it was, such as "password" or "password,totp"; '' in facts from before it was kept.
    """

    address: str
    means: str = ""


@fact("user.sign_in_failed", _("Sign-in failed"))
class SignInFailed(Fact):
    """Somebody failed to sign in; what was typed for a name that nobody has is not kept, for it may be a password.

    `reason` is "password", "code", "passkey", "inactive" or a reason of single sign-on.
    """

    user_id: int | None
    address: str
    reason: str


@fact("user.sign_in_paused", _("Sign-in paused after too many failures"))
class SignInPaused(Fact):
    """Attempts are refused unjudged; `refused` is how many so far: written at 1, 10, 100 and so on."""

    user_id: int | None
    address: str
    refused: int


@fact("user.signed_out", _("Signed out"))
class SignedOut(Fact):
    """A user ended his or her session."""

    address: str


@fact("access.refused", _("Access refused"))
class AccessRefused(Fact):
    """A user asked for something that he or she may not do; `place` is the name of its address."""

    place: str


@fact("export.made", _("List exported"))
class ListExported(Fact):
    """A list left the product as a file, with the conditions that chose its rows."""

    what: str
    rows: int
    conditions: dict[str, str]

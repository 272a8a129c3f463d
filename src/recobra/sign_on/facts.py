"""Kinds of facts about single sign-on. The provider's id of a person stays out of the journal."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from recobra.journal.facts import Fact, fact


@fact("sign_on.saved", _("Single sign-on changed"))
class SignOnSaved(Fact):
    """The identity provider was configured, switched on or off; `changed` names the settings that are others."""

    changed: list[str]
    is_enabled: bool


@fact("sign_on.tested", _("Single sign-on tested"))
class SignOnTested(Fact):
    """The settings were tried without anybody signing in."""

    ok: bool


@fact("user.identity_linked", _("User linked with the company's sign-in"))
class IdentityLinked(Fact):
    """A user is known by the identity provider's id from now on; `is_new` says that the user was made with it."""

    user_id: int
    is_new: bool


@fact("user.identity_unlinked", _("User's link with the company's sign-in removed"))
class IdentityUnlinked(Fact):
    """A user is no longer known by the identity provider's id."""

    user_id: int

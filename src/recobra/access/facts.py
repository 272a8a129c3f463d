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
    """A user signed in from an address of the network."""

    address: str


@fact("export.made", _("List exported"))
class ListExported(Fact):
    """A list left the product as a file, with the conditions that chose its rows."""

    what: str
    rows: int
    conditions: dict[str, str]

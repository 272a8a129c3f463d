"""Kinds of facts about users, roles and teams, and what they take out.

Names and e-mails stay out of the journal: a fact says which of them changed. `*` stands for all portfolios.
"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from recobra.journal.facts import Fact, fact
from recobra.journal.queries import OPENED


@fact("user.created", _("User created"))
class UserCreated(Fact):
    """A member of staff was given an account; `portfolios` are codes."""

    user_id: int
    role: str
    portfolios: list[str]
    team_id: int | None = None


@fact("user.link_made", _("Link for an own password made"))
class PasswordLinkMade(Fact):
    """A user was given a link to set an own password by: an invitation, or a new beginning."""

    user_id: int
    is_invitation: bool
    expires_at: datetime


@fact("user.came_in", _("Invitation accepted"))
class InvitationAccepted(Fact):
    """An invited person set an own password and may come in."""

    user_id: int


@fact("user.changed", _("Details of a user changed"))
class UserChanged(Fact):
    """Some details of a user were changed; `fields` names them."""

    user_id: int
    fields: list[str]


@fact("user.role_set", _("Role of a user changed"))
class RoleSet(Fact):
    """A user has another role; `is_wider` says that it holds rights which the one before did not."""

    user_id: int
    before: str
    after: str
    is_wider: bool


@fact("user.team_set", _("Team of a user changed"))
class TeamSet(Fact):
    """A user is in another team, or in none."""

    user_id: int
    before: int | None
    after: int | None


@fact("user.shut_out", _("User shut out"))
class UserShutOut(Fact):
    """A user may no longer come in, and all sessions have ended.

    Open work goes to the user `handed_to_id`, as far as that one may do it, the rest back to the pool.
    """

    user_id: int
    handed_to_id: int | None


@fact("user.let_in", _("User let in again"))
class UserLetIn(Fact):
    """A user who was shut out may come in again."""

    user_id: int


@fact("user.password_set", _("Password changed"))
class PasswordSet(Fact):
    """A user has another password, and all of his or her sessions have ended."""

    user_id: int


@fact("user.scope_set", _("Portfolios of a user set"))
class ScopeSet(Fact):
    """A user sees other portfolios than before; `portfolios` are codes."""

    user_id: int
    portfolios: list[str]
    before: list[str] | None = None


@fact("users.loaded", _("Users loaded from a file"))
class UsersLoaded(Fact):
    """So many users were made from a file; each has a fact of its own."""

    users: int


@fact("role.saved", _("Role changed"))
class RoleSaved(Fact):
    """A role was defined or changed; `rights_before` is None for a new one."""

    role: str
    rights_before: list[str] | None
    rights_after: list[str]
    saw_all_portfolios: bool
    sees_all_portfolios: bool
    required_second_factor: bool
    requires_second_factor: bool


@fact("role.retired", _("Role taken out of use"))
class RoleRetired(Fact):
    """A role of the company's own is no longer given to anybody."""

    role: str


@fact("team.saved", _("Team changed"))
class TeamSaved(Fact):
    """A team was formed or changed; the ids before are None and empty for a new one."""

    team_id: int
    is_renamed: bool
    supervisor_before: int | None
    supervisor_after: int | None
    members_before: list[int]
    members_after: list[int]


@fact("team.dissolved", _("Team dissolved"))
class TeamDissolved(Fact):
    """A team is no more; its members are in none."""

    team_id: int
    supervisor_id: int | None
    members: list[int]


@fact("user.signed_in", _("Signed in"))
class SignedIn(Fact):
    """A user signed in from an address of the network.

    `means` is what proved who it was, such as "password", "password,totp", or "sign_on" for the company's provider. ''
    in facts from before it was kept.
    """

    address: str
    means: str = ""


@fact("user.sign_in_failed", _("Sign-in failed"))
class SignInFailed(Fact):
    """Somebody failed to sign in; what was typed for a name that nobody has is not kept, for it may be a password.

    `reason` is "password", "code", "passkey", "inactive", "provider_only" where the password was right but the user
    signs in through the company's provider, or "sign_on_" and a reason of single sign-on (`sign_on.refusals`).
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


@fact("user.sessions_ended", _("Sessions of a user ended"))
class SessionsEnded(Fact):
    """Open sessions of a user were ended, by the user or by who manages users."""

    user_id: int
    sessions: int


@fact("user.factor_added", _("Second factor added"))
class FactorAdded(Fact):
    """A user added a second factor: "totp", "passkey", or new codes "recovery"."""

    user_id: int
    factor: str


@fact("user.factor_removed", _("Second factor removed"))
class FactorRemoved(Fact):
    """A user removed one of his or her second factors."""

    user_id: int
    factor: str


@fact("user.factors_reset", _("Second factors taken away"))
class FactorsReset(Fact):
    """Who manages users took all second factors away from a user who has lost them."""

    user_id: int


@fact(OPENED, _("A person's data opened"))
class PersonOpened(Fact):
    """A user looked at a debtor's data; `place` is the name of the address."""

    place: str


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


@fact("user.erased", _("Former user anonymised"))
class UserErased(Fact):
    """Nothing points to the person behind a user any more but the id, by which the journal knows what was done."""

    user_id: int

"""A new password, or no second factor any more, for somebody who approves or administers: two people agree first.

Whoever opens such an account may take it over. One person asks, a second one agrees, and then the first one has a day
to do it, once. Invitations of people who have never come in are told to the others instead (`access.notices`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recobra.access import password_links, second_factor
from recobra.access.actors import Actor
from recobra.access.facts import FactorsReset, PasswordLinkMade
from recobra.access.hands import is_critical_account, is_opened_since
from recobra.access.permissions import requires
from recobra.access.queries import User
from recobra.access.roles import Right, role_of
from recobra.approvals.kinds import OPEN_FOR, Kind, Part, change_nothing
from recobra.approvals.models import Approval
from recobra.approvals.operations import ask
from recobra.approvals.queries import waiting_of
from recobra.approvals.second_person import needs_second_person

CODE: Final = "account_access"
What = Literal["password", "factors"]
_FACTS: Final[dict[What, type[PasswordLinkMade | FactorsReset]]] = {
    "password": PasswordLinkMade,
    "factors": FactorsReset,
}
_SHOWN: Final = {"password": gettext_lazy("A link for a new password"), "factors": gettext_lazy("No second factor")}


class AccessWaits(Exception):
    """Nothing was done yet: a second person decides about `approval`."""

    def __init__(self, approval: Approval) -> None:
        super().__init__(_("It waits for a second person's approval."))
        self.approval = approval


@requires(Right.MANAGE_USERS)
def make_password_link(*, user_id: int, actor: Actor) -> tuple[User, str]:
    """Make a link by which a user sets an own password; return its token.

    Raises AccessWaits where a second person has to agree first, User.DoesNotExist, UserRefused.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        # Whoever has never come in holds nothing yet, and who asks about himself is refused.
        is_free = not user.is_active or user.pk == actor.user_id
        waiting = None if is_free else _find_missing("password", user, actor)
        if waiting is None:
            return password_links.make_password_link(user_id=user_id, actor=actor)
    raise AccessWaits(waiting)


@requires(Right.MANAGE_USERS)
def reset_factors(*, user: User, actor: Actor) -> None:
    """Take all second factors away from a user who has lost them.

    Raises AccessWaits where a second person has to agree first.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)
        waiting = _find_missing("factors", user, actor)
        if waiting is None:
            return second_factor.reset_factors(user=user, actor=actor)
    raise AccessWaits(waiting)


def asked_about(user: User) -> list[Approval]:
    """Return what waits about a user's access."""
    asked = [waiting_of(CODE, _subject(what, user.pk)) for what in _FACTS]
    return [each for each in asked if each is not None]


def _find_missing(what: What, user: User, actor: Actor) -> Approval | None:
    """Return what a second person has to agree to first, asked for if nobody has; None where all is said.

    That is where nobody has to agree, or somebody did lately, to this actor, for this once. The user is locked, so
    that neither a second use of it nor a new role comes in between.
    """
    if not needs_second_person(CODE, actor=actor) or not is_critical_account(user, now=actor.now):
        return None
    agreed = Approval.objects.filter(kind=CODE, subject=_subject(what, user.pk), decision=Approval.Decision.APPROVED)
    if any(_is_open(each, what, user, actor) for each in agreed.filter(decided_at__gt=actor.now - OPEN_FOR)):
        return None
    waiting = waiting_of(CODE, _subject(what, user.pk))
    if waiting is not None:
        return waiting
    new = {"what": what, "name": user.username, "role": str(role_of(user).name), "email": user.email}
    approval = ask(kind=CODE, subject=_subject(what, user.pk), old={}, new=new, actor=actor)
    # Decided at once where nobody else could.
    return None if approval.decision == Approval.Decision.APPROVED else approval


def _is_open(agreed: Approval, what: What, user: User, actor: Actor) -> bool:
    """Tell if an agreement still lets the actor do it: asked by the same person, for this address, not used yet."""
    assert agreed.decided_at is not None, "the database asks for it"
    is_own = agreed.is_asked_by(actor.name, actor.user_id) and agreed.new["email"] == user.email
    return is_own and not is_opened_since(user.pk, agreed.decided_at, by=_FACTS[what])


def _subject(what: What, user_id: int) -> str:
    return f"{what}:{user_id}"


def _compare(approval: Approval) -> Sequence[Part]:
    """Return what was asked for, and whom it is about."""
    new = approval.new
    parts = [
        (_("What was asked for"), str(_SHOWN[new["what"]])),
        (_("User"), new["name"]),
        (_("Role"), new["role"]),
        (_("Sent to"), new["email"] if new["what"] == "password" else ""),
        (
            _("Before you agree"),
            _("Make sure that this person asked for it: in person, or by a telephone number that you know."),
        ),
    ]
    return [Part(label=label, old="", new=text) for label, text in parts if text]


ACCOUNT_ACCESS: Final = Kind(
    code=CODE,
    label=gettext_lazy("New password or second factor of somebody who approves or administers"),
    right=Right.APPROVE_CRITICAL_CHANGES,
    approve=change_nothing,
    title=lambda approval: str(approval.new["name"]),
    parts=_compare,
    is_optional=True,
)

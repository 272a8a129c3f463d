"""The life of users: made or invited, changed, shut out and let in again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Final

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from recobra.journal.operations import record_fact

from .actors import Actor, Service
from .facts import RoleSet, ScopeSet, TeamSet, UserChanged, UserCreated, UserLetIn, UserShutOut
from .models import Notice, PasswordLink, Scope, Team, User
from .notices import tell_about_account, tell_administrators, tell_owner
from .permissions import NotAllowed, consequence, requires
from .queries import has_password_administrator, password_administrators, portfolio_codes
from .roles import Right, defined_roles, role_of
from .sessions import end_every_session
from .teams import replace_supervisor

ALL_PORTFOLIOS: Final = "*"
_NAME_LENGTH_MAX: Final = 150
_USERNAME: Final = forms.CharField(max_length=_NAME_LENGTH_MAX, validators=[User.username_validator])
_PERSONAL: Final = ("first_name", "last_name", "email", "language")


class UserRefused(Exception):
    """The user cannot be made or changed; the text says why, `errors` by field of `UserDetails` or `username`."""

    def __init__(self, text: str, *, errors: Mapping[str, str] | None = None) -> None:
        self.errors = dict(errors or {})
        super().__init__(text)


@dataclass(frozen=True, kw_only=True)
class UserDetails:
    """What an administrator decides about a user; `portfolios` are codes, without effect for who sees all of them."""

    role: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    language: str = "es"
    team_id: int | None = None
    portfolios: frozenset[str] = frozenset()
    sees_all_portfolios: bool = False

    @property
    def scope(self) -> list[str]:
        """Return the scope as facts write it."""
        return [ALL_PORTFOLIOS] if self.sees_all_portfolios else sorted(self.portfolios)


def details_of(user: User) -> UserDetails:
    """Return what is decided about a user now."""
    portfolios = frozenset(user.scopes.values_list("portfolio_code", flat=True))
    names = [field.name for field in fields(UserDetails) if field.name != "portfolios"]
    return UserDetails(portfolios=portfolios, **{name: getattr(user, name) for name in names})


def check_new_password(password: str, user: User) -> None:
    """Refuse a password that this user may not have. Raises UserRefused with the reasons."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        text = " ".join(error.messages)
        raise UserRefused(text, errors={"password": text}) from error


@requires(Right.MANAGE_USERS)
@transaction.atomic
def create_user(*, username: str, password: str, details: UserDetails, actor: Actor) -> User:
    """Make a member of staff who comes in with a password. Raises UserRefused, NotAllowed."""
    names = {field: getattr(details, field) for field in ("first_name", "last_name", "email")}
    check_new_password(password, User(username=username, **names))
    user = insert_user(username, details, is_active=True, actor=actor)
    user.set_password(password)
    # Whoever shows a demonstration reads the password on its first page.
    user.must_change_password = actor.service is not Service.DEMO
    user.save(update_fields=["password", "must_change_password"])
    return user


@consequence
def insert_user(username: str, details: UserDetails, *, is_active: bool, actor: Actor) -> User:
    """Write a new user without a usable password, within the caller's transaction. Raises UserRefused, NotAllowed."""
    errors = check_username(username) | check_details(details, before=None)
    if errors:
        raise UserRefused(" ".join(errors.values()), errors=errors)
    _check_reach(details, frozenset(), actor)
    user = User(username=username.strip(), is_active=is_active)
    user.set_unusable_password()
    _write_details(user, details)
    record_fact(
        UserCreated(user_id=user.pk, role=user.role, portfolios=details.scope, team_id=user.team_id), actor=actor
    )
    if (kind := _kind_of_holder(role_of(user).rights)) is not None:
        tell_administrators(kind, {"user_id": user.pk}, actor=actor)
    return user


@requires(Right.MANAGE_USERS)
@transaction.atomic
def change_user(*, user_id: int, details: UserDetails, actor: Actor) -> User:
    """Change what is decided about a user. Raises User.DoesNotExist, UserRefused, NotAllowed.

    The user and the other administrators are told of another role and of another e-mail. A link for a password that
    was made before ends with a role that may do more: it was made for less.
    """
    with keep_administrator():
        user = User.objects.select_for_update().get(pk=user_id)
        before = details_of(user)
        rights, reach = role_of(user).rights, portfolio_codes(user)
        errors = check_details(details, before=before, user_id=user.pk)
        if errors:
            raise UserRefused(" ".join(errors.values()), errors=errors)
        _check_reach(details, frozenset(before.scope), actor)
        _write_details(user, details)
        user = User.objects.get(pk=user.pk)
    gained = role_of(user).rights - rights
    _record_changes(user, before, details, is_wider=bool(gained), actor=actor)
    is_own_raised = user.pk == actor.user_id and (gained or _is_wider(portfolio_codes(user), reach))
    if before.role != details.role:
        tell_owner(Notice.Kind.ROLE_GIVEN, user.pk, actor=actor)
    if is_own_raised:
        tell_administrators(Notice.Kind.OWN_RIGHTS_RAISED, {"user_id": user.pk}, actor=actor)
    elif before.role != details.role:
        kind = _kind_of_holder(gained) or Notice.Kind.ROLE_GIVEN
        tell_administrators(kind, {"user_id": user.pk}, actor=actor)
    if before.email != details.email:
        tell_about_account(Notice.Kind.ADDRESS_CHANGED, user.pk, actor=actor)
    if gained and user.is_active:
        end_links(User.objects.filter(pk=user.pk), actor=actor)
    return user


@requires(Right.MANAGE_USERS)
@transaction.atomic
def shut_out_user(*, user_id: int, hand_to_id: int | None = None, actor: Actor) -> None:
    """Shut a user out: sessions and links end at once, open work goes to another person or back to the pool.

    What that person may not do or see goes back to the pool too. Raises User.DoesNotExist, UserRefused.
    """
    if user_id == actor.user_id:
        raise UserRefused(_("Nobody shuts himself or herself out; ask another administrator."))
    with keep_administrator():
        user = User.objects.select_for_update().get(pk=user_id)
        if user.shut_out_at is not None:
            raise UserRefused(_("«%(name)s» is shut out already.") % {"name": user.username})
        if hand_to_id is not None and not User.objects.filter(pk=hand_to_id, is_active=True).exists():
            raise UserRefused(_("The work can only be handed to somebody who is active."))
        if hand_to_id == user.pk:
            raise UserRefused(_("The work can only be handed to somebody else."))
        user.is_active = False
        user.shut_out_at = actor.now
        user.save(update_fields=["is_active", "shut_out_at"])
    end_every_session(user, actor=actor)
    end_links(User.objects.filter(pk=user.pk), actor=actor)
    replace_supervisor(user.pk, hand_to_id, actor=actor)
    record_fact(UserShutOut(user_id=user.pk, handed_to_id=hand_to_id), actor=actor)
    tell_administrators(Notice.Kind.SHUT_OUT, {"user_id": user.pk}, actor=actor)


@requires(Right.MANAGE_USERS)
@transaction.atomic
def let_user_in(*, user_id: int, actor: Actor) -> User:
    """Let a user in again who was shut out; one who has never come in needs a new link for that.

    Raises User.DoesNotExist, UserRefused.
    """
    user = User.objects.select_for_update().get(pk=user_id)
    if user.shut_out_at is None:
        raise UserRefused(_("«%(name)s» is not shut out.") % {"name": user.username})
    user.is_active = user.last_login is not None or user.has_usable_password()
    user.shut_out_at = None
    user.save(update_fields=["is_active", "shut_out_at"])
    record_fact(UserLetIn(user_id=user.pk), actor=actor)
    kind = _kind_of_holder(role_of(user).rights) or Notice.Kind.LET_IN
    tell_administrators(kind, {"user_id": user.pk}, actor=actor)
    return user


@consequence
def end_links(users: QuerySet[User], *, actor: Actor) -> None:
    """End the open links for passwords of some users."""
    PasswordLink.objects.filter(user__in=users, ended_at__isnull=True).update(ended_at=actor.now)


def _kind_of_holder(rights: Collection[Right]) -> Notice.Kind | None:
    """Return what others are told of somebody who came to hold some rights; None where they are not critical."""
    if Right.MANAGE_USERS in rights:
        return Notice.Kind.ADMINISTRATOR_MADE
    return Notice.Kind.APPROVER_MADE if Right.APPROVE_CRITICAL_CHANGES in rights else None


@contextmanager
def keep_administrator() -> Iterator[None]:
    """Undo what leaves nobody who is active, manages users and has a password, where there was one.

    Whoever comes in through the company's provider alone does not count: the provider may fail. Raises UserRefused.
    """
    # Locked: two administrators who shut each other out at the same time would both find the other one.
    holders = password_administrators().select_for_update()
    had_administrator = bool(list(holders.order_by("pk").values_list("pk", flat=True)))
    yield
    if had_administrator and not has_password_administrator():
        raise UserRefused(_("Somebody must stay who manages users and has a password: this would leave nobody."))


def check_username(username: str) -> dict[str, str]:
    """Return the error of a name to sign in with, by its field; none where it is good."""
    name = username.strip()
    if not name:
        return {"username": _("Write the name to sign in with.")}
    try:
        _USERNAME.run_validators(name)
    except ValidationError:
        return {"username": _("Up to 150 letters, digits and the signs @ . + - _, without blanks.")}
    if User.objects.filter(username__iexact=name).exists():
        return {"username": _("There is already a user «%(name)s».") % {"name": name}}
    return {}


def check_details(details: UserDetails, *, before: UserDetails | None, user_id: int | None = None) -> dict[str, str]:
    """Return the errors of details by field; what stays as it was `before` is not judged again."""
    errors = {}
    for field in ("first_name", "last_name"):
        if len(value := getattr(details, field)) > _NAME_LENGTH_MAX or not value.isprintable():
            errors[field] = _("Up to %(n)s letters on one line.") % {"n": _NAME_LENGTH_MAX}
    if details.email and (before is None or details.email != before.email):
        errors |= _check_email(details.email, user_id)
    if details.language not in dict(settings.LANGUAGES):
        languages = ", ".join(dict(settings.LANGUAGES))
        errors["language"] = _("Use one of: %(known)s.") % {"known": languages}
    in_use = [role.code for role in defined_roles() if not role.is_retired]
    if details.role not in in_use and (before is None or details.role != before.role):
        text = _("The role «%(role)s» is unknown; use one of %(known)s.")
        errors["role"] = text % {"role": details.role, "known": ", ".join(in_use)}
    if details.team_id is not None and not Team.objects.filter(pk=details.team_id).exists():
        errors["team_id"] = _("There is no such team.")
    return errors


def _check_email(email: str, user_id: int | None) -> dict[str, str]:
    """Return the error of an address, by its field; none where it is good."""
    try:
        validate_email(email)
    except ValidationError:
        return {"email": _("This is no e-mail address.")}
    # A person who signs in through the company's directory is known by the address.
    if User.objects.filter(email__iexact=email).exclude(pk=user_id or 0).exists():
        return {"email": _("Another user has this address.")}
    return {}


def _check_reach(details: UserDetails, before: Collection[str], actor: Actor) -> None:
    """Raise NotAllowed for portfolios beyond the actor's own reach that the user did not have."""
    if actor.portfolio_codes is not None and set(details.scope) - set(before) - actor.portfolio_codes:
        raise NotAllowed(_("Nobody gives portfolios to others that he or she does not see."))


def _is_wider(after: frozenset[str] | None, before: frozenset[str] | None) -> bool:
    """Return whether a reach goes beyond another one; None is all portfolios."""
    return before is not None and (after is None or bool(after - before))


def _write_details(user: User, details: UserDetails) -> None:
    """Write the details of a user and replace the portfolios that he or she may see."""
    for field in (*_PERSONAL, "role", "team_id", "sees_all_portfolios"):
        setattr(user, field, getattr(details, field))
    user.save()
    user.scopes.all().delete()
    Scope.objects.bulk_create(Scope(user=user, portfolio_code=code) for code in sorted(details.portfolios))


def _record_changes(user: User, before: UserDetails, after: UserDetails, *, is_wider: bool, actor: Actor) -> None:
    """Record each kind of change with what was and what is."""
    changed = [field for field in _PERSONAL if getattr(before, field) != getattr(after, field)]
    if changed:
        record_fact(UserChanged(user_id=user.pk, fields=changed), actor=actor)
    if before.role != after.role:
        record_fact(RoleSet(user_id=user.pk, before=before.role, after=after.role, is_wider=is_wider), actor=actor)
    if before.team_id != after.team_id:
        record_fact(TeamSet(user_id=user.pk, before=before.team_id, after=after.team_id), actor=actor)
    if before.scope != after.scope:
        record_fact(ScopeSet(user_id=user.pk, portfolios=after.scope, before=before.scope), actor=actor)

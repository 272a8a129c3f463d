"""Who comes in through the provider: found by issuer and subject, made at the first sign-in, set as the groups say."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from django.conf import settings as installation
from django.db import IntegrityError, transaction
from django.db.models import Q

from recobra.access.actors import Actor, Service, service_actor
from recobra.access.notices import Notice, tell_about_account
from recobra.access.permissions import NotAllowed, requires
from recobra.access.queries import User
from recobra.access.roles import Right, defined_roles
from recobra.access.sessions import end_every_session, end_sessions
from recobra.access.teams import teams
from recobra.access.users import UserDetails, UserRefused, change_user, check_username, details_of, insert_user
from recobra.journal.operations import record_fact

from .facts import IdentityLinked, IdentityUnlinked
from .flow import Proof
from .models import Identity
from .provider_settings import GroupRule
from .refusals import Reason, SignOnRefused

logger = logging.getLogger(__name__)
_NAME_LENGTH_MAX: Final = 150
_NAME_CLAIMS: Final = ("preferred_username", "upn", "email", "sub")


def admit(proof: Proof, *, now: datetime) -> User:
    """Return the user who comes in, made or changed as his or her groups say. Raises SignOnRefused.

    Who is no longer in a group that may come in loses open sessions too.
    """
    actor = service_actor(Service.SIGN_ON, now=now)
    user = _find_user(proof)
    begun_by = proof.begun.user_id
    if begun_by is not None and (user is None or user.pk != begun_by):
        raise SignOnRefused(Reason.OTHER_USER, user_id=begun_by)
    if user is not None and not user.is_active:
        raise SignOnRefused(Reason.INACTIVE, user_id=user.pk)
    rules = _matching_rules(proof)
    if not rules:
        if user is not None:
            end_sessions(user=user, actor=actor)
        raise SignOnRefused(Reason.GROUP, user_id=user.pk if user else None)
    if user is not None:
        return _set_up(user, rules, actor)
    try:
        return _make_user(proof, rules, actor)
    except IntegrityError as error:  # a name that was taken at this very moment
        raise SignOnRefused(Reason.STATE) from error


@transaction.atomic
def link(proof: Proof, *, user: User, now: datetime) -> User:
    """Link the user who is signed in with whom the provider knows; return the user as the groups say.

    Raises SignOnRefused. Nothing is linked by a name or an e-mail: who links has just signed in on both sides. Both the
    user and who manages users are told: whoever got hold of an open session would come in by it from then on.
    """
    rules = _matching_rules(proof)
    if not rules:
        raise SignOnRefused(Reason.GROUP, user_id=user.pk)
    known = _find_user(proof)
    others = Identity.objects.filter(user=user, issuer=proof.settings.issuer).exclude(subject=proof.subject)
    if (known is not None and known.pk != user.pk) or others.exists():
        raise SignOnRefused(Reason.LINKED, user_id=user.pk)
    actor = service_actor(Service.SIGN_ON, now=now)
    if known is None:
        _remember(proof, user, actor, is_new=False)
        tell_about_account(Notice.Kind.IDENTITY_LINKED, user.pk, actor=actor)
    return _set_up(user, rules, actor)


@requires(Right.MANAGE_USERS)
@transaction.atomic
def unlink(*, user: User, actor: Actor) -> bool:
    """Forget by what the provider knows a user; open sessions end. Return whether there was anything to forget.

    The next sign-in there is a first one. The user and the other administrators are told.
    """
    count, _per_table = Identity.objects.filter(user=user).delete()
    if count:
        end_every_session(user, actor=actor)
        record_fact(IdentityUnlinked(user_id=user.pk), actor=actor)
        tell_about_account(Notice.Kind.IDENTITY_UNLINKED, user.pk, actor=actor)
    return bool(count)


def _find_user(proof: Proof) -> User | None:
    """Return the user of an identity, None for a first sign-in."""
    identities = Identity.objects.select_related("user")
    identity = identities.filter(issuer=proof.settings.issuer, subject=proof.subject).first()
    return identity.user if identity else None


def _matching_rules(proof: Proof) -> list[GroupRule]:
    """Return the rules of the user's groups, the strongest first; a role that is no longer given counts as none."""
    given = {role.code for role in defined_roles() if not role.is_retired}
    return [rule for rule in proof.settings.rules if rule.group in proof.groups and rule.role in given]


def _decide(details: UserDetails, rules: Sequence[GroupRule]) -> UserDetails:
    """Return a user's details as the groups say: role and team by the first rule, portfolios by all of them.

    A team that was dissolved meanwhile is none.
    """
    team_ids = {team.pk for team in teams()}
    portfolios = frozenset(code for rule in rules for code in rule.portfolios)
    return replace(
        details,
        role=rules[0].role,
        team_id=rules[0].team_id if rules[0].team_id in team_ids else None,
        portfolios=portfolios,
        sees_all_portfolios=any(rule.sees_all_portfolios for rule in rules),
    )


def _set_up(user: User, rules: Sequence[GroupRule], actor: Actor) -> User:
    """Return a user with the role, team and portfolios of the groups. Raises SignOnRefused."""
    before = details_of(user)
    wanted = _decide(before, rules)
    if wanted == before:
        return user
    try:
        return change_user(user_id=user.pk, details=wanted, actor=actor)
    except (UserRefused, NotAllowed) as refusal:
        logger.warning("User %s cannot be set up as the groups say: %s", user.pk, _fields(refusal))
        raise SignOnRefused(Reason.DETAILS, user_id=user.pk) from refusal


@transaction.atomic
def _make_user(proof: Proof, rules: Sequence[GroupRule], actor: Actor) -> User:
    """Return a new user without a password. Raises SignOnRefused where the name or the e-mail is somebody's."""
    username = next((text for name in _NAME_CLAIMS if (text := _read_text(proof, name))), "")
    email = _read_text(proof, "email")
    if User.objects.filter(Q(username__iexact=username) | Q(email__iexact=email, email__gt="")).exists():
        raise SignOnRefused(Reason.TAKEN)
    details = UserDetails(
        role=rules[0].role,
        first_name=_read_text(proof, "given_name"),
        last_name=_read_text(proof, "family_name"),
        # Links for a password are sent there: an address that nobody has checked is left out.
        email=email if proof.claims.get("email_verified") is True else "",
        language=installation.LANGUAGE_CODE,
    )
    if check_username(username):
        raise SignOnRefused(Reason.DETAILS)
    try:
        user = insert_user(username, _decide(details, rules), is_active=True, actor=actor)
    except (UserRefused, NotAllowed) as refusal:
        logger.warning("A user cannot be made as the groups say: %s", _fields(refusal))
        raise SignOnRefused(Reason.DETAILS) from refusal
    _remember(proof, user, actor, is_new=True)
    return user


def _fields(refusal: UserRefused | NotAllowed) -> str:
    """Return what is refused about a user, by field; the text itself may name the person."""
    return ", ".join(sorted(refusal.errors)) if isinstance(refusal, UserRefused) else ""


def _remember(proof: Proof, user: User, actor: Actor, *, is_new: bool) -> None:
    """Know a user by the provider's id from now on. Raises SignOnRefused where somebody was faster."""
    try:
        with transaction.atomic():
            Identity.objects.create(user=user, issuer=proof.settings.issuer, subject=proof.subject, linked_at=actor.now)
    except IntegrityError as error:
        raise SignOnRefused(Reason.LINKED, user_id=user.pk) from error
    record_fact(IdentityLinked(user_id=user.pk, is_new=is_new), actor=actor)


def _read_text(proof: Proof, name: str) -> str:
    """Return a claim as a line of text, '' where it is none."""
    value = proof.claims.get(name)
    text = value.strip() if isinstance(value, str) else ""
    return text if len(text) <= _NAME_LENGTH_MAX and text.isprintable() else ""

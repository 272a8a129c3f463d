"""Passwords, languages and saved views of users, and records of what they take out; see also `users`."""

from __future__ import annotations

from django.db import transaction

from recobra.journal.operations import record_fact

from .actors import Actor
from .facts import ListExported, PasswordSet, PersonOpened
from .models import Notice, SavedView, User
from .notices import tell_about_account
from .permissions import consequence, requires
from .roles import Right
from .sessions import end_every_session
from .users import UserRefused as UserRefused  # noqa: PLC0414 - refused here too
from .users import check_new_password

VIEW_NAME_LENGTH_MAX = 60
CONDITION_CHARACTERS = 100


class ViewRefused(Exception):
    """The view cannot be saved; the text says why."""


@requires(Right.MANAGE_USERS)
@transaction.atomic
def set_password(*, username: str, password: str, actor: Actor) -> None:
    """Set a user's password, which the user then has to change, and end all sessions. Raises UserRefused."""
    user = User.objects.select_for_update().filter(username=username).first()
    if user is None:
        raise UserRefused(f"There is no user «{username}».")
    check_new_password(password, user)
    user.set_password(password)
    user.must_change_password = user.pk != actor.user_id
    user.save(update_fields=["password", "must_change_password"])
    end_every_session(user, actor=actor)
    record_fact(PasswordSet(user_id=user.pk), actor=actor)
    tell_about_account(Notice.Kind.PASSWORD_SET, user.pk, actor=actor)


@consequence
@transaction.atomic
def record_opening(*, debtor_id: int, place: str, actor: Actor) -> None:
    """Record that the actor looks at a debtor's data, at the address of a name."""
    record_fact(PersonOpened(place=place), actor=actor, debtor_id=debtor_id)


@consequence
@transaction.atomic
def record_export(*, what: str, rows: int, conditions: dict[str, str], actor: Actor) -> None:
    """Record an export of a list, with the conditions that chose its rows, each cut to CONDITION_CHARACTERS."""
    bounded = {name: value[:CONDITION_CHARACTERS] for name, value in conditions.items()}
    record_fact(ListExported(what=what, rows=rows, conditions=bounded), actor=actor)


def set_language(*, user: User, language: str) -> None:
    """Set the language of a user's screens."""
    User.objects.filter(pk=user.pk).update(language=language)


@transaction.atomic
def save_view(*, user: User, screen: str, name: str, query: str) -> SavedView:
    """Save the conditions of a list under a name; the same name again replaces them. Raises ViewRefused."""
    if not name.strip():
        raise ViewRefused("A view needs a name.")
    view, _created = SavedView.objects.update_or_create(
        user=user, screen=screen, name=name.strip()[:VIEW_NAME_LENGTH_MAX], defaults={"query": query}
    )
    return view


@transaction.atomic
def delete_view(*, user: User, view_id: int) -> None:
    """Delete one of the user's own saved views; another person's stays as it is."""
    SavedView.objects.filter(user=user, pk=view_id).delete()

"""Actors with their rights: members of staff by their role, services by the table below."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from recobra.journal.actor import Actor as Actor  # noqa: PLC0414 - apps and doors name the types from here
from recobra.journal.actor import Service as Service  # noqa: PLC0414

from .models import User
from .queries import portfolio_codes
from .roles import Right, rights_of

_EVERY_RIGHT: Final = frozenset(Right)
SERVICE_RIGHTS: Final[Mapping[Service, frozenset[Right]]] = {
    # Who can run a command or a demonstration on the server has the database in hand anyway.
    Service.BENCH: _EVERY_RIGHT,
    Service.COMMAND: _EVERY_RIGHT,
    Service.DEMO: _EVERY_RIGHT,
    # Whoever knocks without being let in: what he or she does is written down.
    Service.ANONYMOUS: frozenset(),
    # What the bot reads as an opt-out is recorded as the debtor's own act.
    Service.BOT: frozenset({Right.SERVE, Right.ANSWER_MESSAGES, Right.REGISTER_PROMISE}),
    Service.CYCLE: frozenset({Right.RUN_CYCLE}),
    Service.DEBTOR: frozenset({Right.SERVE, Right.RECORD_CONSENT, Right.REGISTER_PROMISE}),
    Service.DISPATCH: frozenset({Right.SERVE}),
    Service.INTAKE: frozenset({Right.LOAD_FILES}),
    # What comes with the product: templates and strategies.
    Service.LIBRARY: frozenset({Right.EDIT_TEMPLATES, Right.EDIT_STRATEGIES}),
    Service.NIGHT: frozenset({Right.SERVE}),
    Service.PROVIDER: frozenset({Right.SERVE, Right.RECORD_CONSENT}),
    # The company's own sign-in service says who its people are and in which groups.
    Service.SIGN_ON: frozenset({Right.MANAGE_USERS}),
    # The jobs of the schedule: the morning's cycle, fallback channels, alarms, old calls.
    Service.SYSTEM: frozenset({Right.SERVE, Right.RUN_CYCLE}),
}


def actor_for(user: User, *, now: datetime) -> Actor:
    """Return a member of staff as an actor; one who is no longer active has no rights and no portfolios."""
    return Actor(
        name=user.username,
        user_id=user.pk,
        rights=rights_of(user),
        portfolio_codes=portfolio_codes(user),
        now=now,
    )


def service_actor(service: Service, *, now: datetime) -> Actor:
    """Return a service as an actor, with all portfolios within reach."""
    return Actor(name=service.value, service=service, rights=SERVICE_RIGHTS[service], now=now)


def deputy(service: Service, *, name: str, user_id: int | None, now: datetime) -> Actor:
    """Return a service that does later, as in a job, what a person asked for when his or her rights were checked.

    The journal names the person.
    """
    return Actor(name=name, user_id=user_id, service=service, rights=SERVICE_RIGHTS[service], now=now)

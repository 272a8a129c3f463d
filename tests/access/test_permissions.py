"""What an operation checks itself, without any door in between."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from recobra.access import permissions
from recobra.access.actors import Actor, Service, actor_for, deputy, service_actor
from recobra.access.models import Role, User
from recobra.access.permissions import NotAllowed, OutOfScope, check_scope, requires
from recobra.access.roles import RIGHTS, Right

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)


@pytest.fixture
def reverse(monkeypatch):
    monkeypatch.setattr(permissions, "OPERATIONS", {})

    @requires(Right.REVERSE_PAYMENT)
    def reverse_payment(*, payment_id: int, actor: Actor) -> str:
        return f"{payment_id} by {actor.name} at {actor.now:%H:%M}"

    return reverse_payment


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role.values)
def test_a_role_does_what_its_rights_say(reverse, role):
    actor = actor_for(User(username="ana", role=role, sees_all_portfolios=True), now=NOW)
    if Right.REVERSE_PAYMENT in RIGHTS[role]:
        assert reverse(payment_id=7, actor=actor) == "7 by ana at 14:00"
    else:
        with pytest.raises(NotAllowed):
            reverse(payment_id=7, actor=actor)


def test_who_is_no_longer_active_may_do_nothing(reverse):
    actor = actor_for(User(username="ana", role=Role.MANAGER, is_active=False), now=NOW)
    with pytest.raises(NotAllowed):
        reverse(payment_id=7, actor=actor)
    with pytest.raises(OutOfScope):
        check_scope(actor, "CONSUMO-PE")


def test_services_hold_the_rights_of_their_table_and_no_role_serves(reverse):
    assert reverse(payment_id=7, actor=service_actor(Service.COMMAND, now=NOW)).startswith("7 by command")
    with pytest.raises(NotAllowed):
        reverse(payment_id=7, actor=service_actor(Service.BOT, now=NOW))
    assert all(Right.SERVE not in rights for rights in RIGHTS.values())


def test_a_deputy_acts_in_the_name_of_the_person():
    actor = deputy(Service.INTAKE, name="carla", user_id=9, now=NOW)
    assert (actor.name, actor.user_id) == ("carla", 9)
    assert Right.LOAD_FILES in actor.rights
    check_scope(actor, "CONSUMO-PE")

"""Whoever approves or administers is not taken over by one person: a new password and a lost factor need two."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection

from recobra.access import users
from recobra.access.actors import Service, actor_for, service_actor
from recobra.access.hands import are_one_hand
from recobra.access.models import PasswordLink, Role, User
from recobra.access.password_links import set_password_by_link
from recobra.access.role_changes import change_role, find_role
from recobra.access.roles import CRITICAL, Right
from recobra.access.second_factor import has_factor
from recobra.access.users import UserRefused
from recobra.approvals import account_access, operations
from recobra.approvals.account_access import AccessWaits
from recobra.approvals.models import Approval, SecondPersonRule
from recobra.approvals.operations import OwnChange
from recobra.journal.models import Entry

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    """Two administrators, two managers, and a collector."""
    roles = {"dario": "ADMINISTRATOR", "elena": "ADMINISTRATOR", "carla": "MANAGER", "olga": "MANAGER", "ana": "GESTOR"}
    return {name: User.objects.create_user(username=name, role=Role[role]) for name, role in roles.items()}


def as_actor(user, minutes=0):
    return actor_for(User.objects.get(pk=user.pk), now=NOW + timedelta(minutes=minutes))


def make_link(user, by, minutes=0):
    return account_access.make_password_link(user_id=user.pk, actor=as_actor(by, minutes))


def reset(user, by, minutes=0):
    account_access.reset_factors(user=user, actor=as_actor(by, minutes))


def waiting():
    return Approval.objects.get(decision="WAITING")


def agree(by, minutes=1):
    operations.approve(approval_id=waiting().pk, actor=as_actor(by, minutes))


@pytest.fixture
def with_factors(people):
    """An authenticator for everybody."""
    for user in people.values():
        Authenticator.objects.create(user=user, type="totp", data={})
    return people


def is_opened(user):
    return PasswordLink.objects.filter(user=user, ended_at__isnull=True).exists() or not has_factor(user)


@pytest.mark.parametrize("name", ["carla", "elena"])
@pytest.mark.parametrize("act", [make_link, reset])
def test_one_administrator_takes_no_account_over_that_approves_or_administers(with_factors, name, act):
    people = with_factors
    person, dario = people[name], people["dario"]
    for _again in range(2):
        with pytest.raises(AccessWaits):
            act(person, dario)
    with pytest.raises(OwnChange):
        agree(dario)
    assert not is_opened(person)
    agree(people["olga"])
    act(person, dario, minutes=2)
    assert is_opened(person)
    with pytest.raises(AccessWaits):  # an agreement is good for once
        act(person, dario, minutes=3)


def test_what_two_agreed_on_is_for_who_asked_for_a_day_and_for_that_address(people):
    carla, dario = people["carla"], people["dario"]
    with pytest.raises(AccessWaits):
        make_link(carla, dario)
    agree(people["olga"])
    for actor, minutes in ((people["elena"], 2), (dario, 24 * 60 + 2)):
        with pytest.raises(AccessWaits):
            make_link(carla, actor, minutes)
    User.objects.filter(pk=carla.pk).update(email="otra@sur.example")
    with pytest.raises(AccessWaits):
        make_link(carla, dario, 3)
    User.objects.filter(pk=carla.pk).update(email="")
    make_link(carla, dario, 4)
    with pytest.raises(AccessWaits):  # a link is no leave to take the second factor away
        reset(carla, dario, 5)


def test_who_collects_gets_a_link_and_an_invitation_goes_out_at_once(with_factors):
    people = with_factors
    make_link(people["ana"], people["dario"])
    reset(people["ana"], people["dario"])
    assert is_opened(people["ana"])
    invited = User(username="rosa", role="MANAGER", is_active=False)
    invited.set_unusable_password()
    invited.save()
    make_link(invited, people["dario"])
    assert not Approval.objects.exists()


def test_taking_the_role_away_for_an_hour_is_no_way_round(people):
    dario, carla = people["dario"], people["carla"]
    details = users.details_of(carla)
    less = replace(details, role="GESTOR")
    users.change_user(user_id=carla.pk, details=less, actor=as_actor(dario))
    with pytest.raises(AccessWaits):
        make_link(carla, dario, 60)
    make_link(carla, dario, 60 * 24 * 3 + 1)


def test_taking_the_right_away_from_the_role_and_then_the_role_is_no_way_round(people):
    dario, carla = people["dario"], people["carla"]
    less = find_role("MANAGER").rights - CRITICAL
    change_role(
        code="MANAGER",
        name="",
        rights=less,
        sees_all_portfolios=True,
        requires_second_factor=False,
        actor=as_actor(dario),
    )
    details = replace(users.details_of(carla), role="GESTOR")
    users.change_user(user_id=carla.pk, details=details, actor=as_actor(dario, 1))
    with pytest.raises(AccessWaits):
        make_link(carla, dario, 2)


def test_ten_thousand_other_facts_make_nobody_forget_what_was_done(people):
    dario, carla = people["dario"], people["carla"]
    less = replace(users.details_of(carla), role="GESTOR")
    users.change_user(user_id=carla.pk, details=less, actor=as_actor(dario))
    for role in ("AUDITOR", "GESTOR"):
        ana = replace(users.details_of(people["ana"]), role=role)
        users.change_user(user_id=people["ana"].pk, details=ana, actor=as_actor(dario))
    last = Entry.objects.filter(kind="user.role_set").latest("pk")
    names = "at, kind, actor_id, actor, version, payload"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO journal_entry ({names}) SELECT {names} FROM journal_entry, generate_series(1, 10000)"
            " WHERE id = %s",
            [last.pk],
        )
    with pytest.raises(AccessWaits):
        make_link(carla, dario, 60)


def test_of_two_the_other_one_agrees_himself_or_nobody_does(people):
    User.objects.exclude(username__in=["dario", "carla"]).update(is_active=False)
    with pytest.raises(AccessWaits):
        make_link(people["carla"], people["dario"])
    agree(people["carla"])
    make_link(people["carla"], people["dario"], 2)


def test_nobody_makes_a_link_for_the_own_account_and_a_service_asks_nobody(people):
    with pytest.raises(UserRefused):
        make_link(people["dario"], people["dario"])
    command = service_actor(Service.COMMAND, now=NOW)
    account_access.make_password_link(user_id=people["carla"].pk, actor=command)


def test_a_company_that_wants_no_second_person_gets_none(people):
    SecondPersonRule.objects.create(kind="account_access", is_required=False)
    make_link(people["carla"], people["dario"])


def test_a_password_link_leaves_the_second_factor(with_factors):
    people = with_factors
    _user, token = make_link(people["ana"], people["dario"])
    set_password_by_link(token=token, password="gatos-azules-27", now=NOW)
    assert has_factor(people["ana"])


def test_who_takes_factors_away_counts_as_that_person(with_factors):
    people = with_factors
    reset(people["ana"], people["dario"])
    same = {"right": Right.APPROVE_CRITICAL_CHANGES, "now": NOW + timedelta(hours=1)}
    assert are_one_hand(people["ana"].pk, people["dario"].pk, **same)
    assert not are_one_hand(people["ana"].pk, people["olga"].pk, **same)

"""Roles are data: what the company changes of them acts at once, and what nobody defines gives nothing."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation

from recobra.access.actors import actor_for
from recobra.access.models import CompanyRole, Role, User
from recobra.access.queries import has_other_holder, portfolio_codes
from recobra.access.right_labels import DANGERS, GROUPS, find_dangers, label_of
from recobra.access.roles import GIVEABLE, RIGHTS, Right, defined_roles, has_right, role_of, roles_with

pytestmark = pytest.mark.django_db


def _user(role, name="ana"):
    return User.objects.create(username=name, role=role)


@pytest.fixture
def telephonist():
    """A role of the company's own."""
    return CompanyRole.objects.create(code="TELEFONISTA", name="Telefonista", rights=["see_board", "see_cases"])


def test_built_in_roles_are_as_delivered_while_nobody_changes_them():
    for role in defined_roles():
        user = User(username="x", role=role.code)
        assert role.is_built_in
        assert (role.rights, role.requires_second_factor) == (RIGHTS[role.code], False)
        assert role_of(user) == role
        seen = None if role.code in {"MANAGER", "ADMINISTRATOR", "AUDITOR"} else frozenset()
        assert portfolio_codes(_user(role.code, name=role.code)) == seen


def test_a_role_of_the_companys_own_gives_its_rights_and_no_other(telephonist, now):
    rosa = _user("TELEFONISTA")
    assert actor_for(rosa, now=now).rights == {Right.SEE_BOARD, Right.SEE_CASES}
    assert not has_right(rosa, Right.RECORD_PAYMENT)
    assert portfolio_codes(rosa) == frozenset()
    assert roles_with(Right.SEE_CASES)[-1] == "TELEFONISTA"
    assert has_other_holder(Right.SEE_CASES, name="otro", user_id=None)
    # Who waits for a portfolio to be seen is no second person for it.
    assert not has_other_holder(Right.SEE_CASES, name="otro", user_id=None, portfolio_code="PE-CONSUMO")
    CompanyRole.objects.update(sees_all_portfolios=True)
    assert has_other_holder(Right.SEE_CASES, name="otro", user_id=None, portfolio_code="PE-CONSUMO")


def test_a_change_acts_on_the_next_reading_of_the_user(telephonist):
    _user("TELEFONISTA")
    assert has_right(User.objects.get(), Right.SEE_CASES)
    CompanyRole.objects.update(rights=["see_board"])
    assert not has_right(User.objects.get(), Right.SEE_CASES)
    CompanyRole.objects.create(code=Role.GESTOR, rights=["see_board", "export"], requires_second_factor=True)
    gestor = _user(Role.GESTOR, name="gina")
    assert has_right(gestor, Right.EXPORT)
    assert role_of(gestor).requires_second_factor
    assert role_of(gestor).is_built_in


def test_a_built_in_role_that_only_asks_for_more_keeps_the_rights_of_the_release():
    CompanyRole.objects.create(code=Role.MANAGER, sees_all_portfolios=True, requires_second_factor=True)
    assert role_of(_user(Role.MANAGER)).rights == RIGHTS[Role.MANAGER]


def test_the_rights_are_one_query_for_each_reading_of_the_user(django_assert_num_queries):
    _user(Role.MANAGER)
    user = User.objects.get()
    with django_assert_num_queries(1):
        assert all(has_right(user, right) for right in RIGHTS[Role.MANAGER])
        assert portfolio_codes(user) is None


@pytest.mark.parametrize("role", ["NADIE", "TELEFONISTA"])
def test_a_role_that_nobody_defines_or_that_is_retired_gives_nothing(telephonist, role, now):
    CompanyRole.objects.update(retired_at=now, sees_all_portfolios=True)
    user = _user(role)
    assert actor_for(user, now=now).rights == frozenset()
    assert portfolio_codes(user) == frozenset()


def test_what_a_later_release_does_not_know_gives_nothing(telephonist):
    CompanyRole.objects.update(rights=["see_board", "see_the_future"])
    assert role_of(_user("TELEFONISTA")).rights == {Right.SEE_BOARD}


@pytest.mark.parametrize(
    "row",
    [
        {"code": "X", "name": "X", "rights": ["see_board", "serve"]},
        {"code": "GESTOR", "rights": ["serve"]},
        {"code": "X", "name": "", "rights": []},
        {"code": "X", "name": "X"},
        {"code": "GESTOR", "retired_at": "2026-01-01T00:00:00Z"},
    ],
)
def test_the_database_keeps_roles_of_people_apart_from_services_and_whole(row):
    with pytest.raises(IntegrityError), transaction.atomic():
        CompanyRole.objects.create(**row)
    assert Right.SERVE not in GIVEABLE


def test_each_right_has_one_plain_word_and_dangers_are_of_rights_that_may_be_given():
    named = [right for labels in GROUPS.values() for right in labels]
    assert sorted(named) == sorted(GIVEABLE)
    with translation.override("es"):
        words = [str(label_of(right)) for right in GIVEABLE]
    assert len(set(words)) == len(words)
    assert not [word for word in words if "_" in word]
    assert all(together <= GIVEABLE for together, _text in DANGERS)
    assert find_dangers(["export"]) == []
    assert len(find_dangers(["export", "manage_users"])) == 1


def test_a_further_generation_ends_the_sessions(client):
    user = _user(Role.MANAGER)
    client.force_login(user)
    assert client.get("/").status_code == 200
    User.objects.update(session_generation=1)
    assert client.get("/").status_code == 302

"""The life of users: invited, changed, shut out, let in again; and what an administrator cannot do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import translation
from tests.worlds import Post

from recobra.access import (
    operations,
    password_links,
    passwords,
    role_changes,
    second_factor,
    sessions,
    teams,
    users,
)
from recobra.access.actors import Service, actor_for, service_actor
from recobra.access.models import CompanyRole, Notice, PasswordLink, Team, User
from recobra.access.permissions import NotAllowed
from recobra.access.queries import State, portfolio_codes, state_of
from recobra.access.roles import RIGHTS, Right, has_right, role_of
from recobra.access.users import UserDetails, UserRefused
from recobra.conversations.models import Conversation
from recobra.journal.models import Entry
from recobra.workbench.models import Visit

PASSWORD = "gatos-azules-27"


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def dario(cast, now):
    """The administrator, acting."""
    return actor_for(cast["dario"], now=now)


@pytest.fixture
def second(company, now):
    """A second administrator."""
    return User.objects.create_user(username="elena", password=PASSWORD, role="ADMINISTRATOR", last_login=now)


def details(user, **changes):
    return replace(users.details_of(user), **changes)


def change(user, actor, **changes):
    return users.change_user(user_id=user.pk, details=details(user, **changes), actor=actor)


def told():
    """Who was told what, by names."""
    return set(Notice.objects.values_list("user__username", "kind"))


def facts(kind):
    return [entry.payload for entry in Entry.objects.filter(kind=kind).order_by("id")]


def test_somebody_invited_comes_in_with_an_own_password_once(dario, company, now):
    of_rosa = UserDetails(role="GESTOR", email="rosa@sur.example", portfolios=frozenset({company.code}))
    rosa, token = password_links.invite_user(username=" rosa ", details=of_rosa, actor=dario)
    assert (rosa.username, state_of(rosa), portfolio_codes(rosa)) == ("rosa", State.INVITED, frozenset())
    assert token not in str(list(PasswordLink.objects.values()))
    with pytest.raises(UserRefused, match="12"):
        password_links.set_password_by_link(token=token, password="corta", now=now)
    came = password_links.set_password_by_link(token=token, password=PASSWORD, now=now)
    assert (came.check_password(PASSWORD), state_of(came)) == (True, State.ACTIVE)
    assert portfolio_codes(came) == {company.code}
    assert facts("user.created") == [
        {"user_id": rosa.pk, "role": "GESTOR", "portfolios": [company.code], "team_id": None}
    ]
    assert facts("user.came_in") == [{"user_id": rosa.pk}]
    with pytest.raises(password_links.LinkRefused):
        password_links.set_password_by_link(token=token, password="otros-gatos-28", now=now)


def test_a_link_ends_by_itself_by_a_later_one_and_cannot_be_made_up(dario, cast, now):
    _ana, first = password_links.make_password_link(user_id=cast["ana"].pk, actor=dario)
    _ana, later = password_links.make_password_link(user_id=cast["ana"].pk, actor=dario)
    for token, at in [(first, now), (later, now + timedelta(days=1)), (later[:-1], now), ("x", now), ("", now)]:
        with pytest.raises(password_links.LinkRefused):
            password_links.find_link(token, now=at)
    assert password_links.find_link(later, now=now).user == cast["ana"]
    generation = cast["ana"].session_generation
    ana = password_links.set_password_by_link(token=later, password=PASSWORD, now=now)
    assert ana.session_generation == generation + 1
    assert facts("user.password_set") == [{"user_id": ana.pk}]


@pytest.mark.parametrize(
    ("username", "changes", "field"),
    [
        ("ANA", {}, "username"),
        ("", {}, "username"),
        ("con blancos", {}, "username"),
        ("x" * 151, {}, "username"),
        ("rosa", {"role": "NADIE"}, "role"),
        ("rosa", {"role": "open_portfolios"}, "role"),
        ("rosa", {"email": "rosa"}, "email"),
        ("rosa", {"email": "ANA@sur.example"}, "email"),
        ("rosa", {"language": "xx"}, "language"),
        ("rosa", {"team_id": 999}, "team_id"),
        ("rosa", {"first_name": "R\nosa"}, "first_name"),
    ],
)
def test_what_cannot_be_is_said_by_field(dario, cast, username, changes, field):
    User.objects.filter(username="ana").update(email="ana@sur.example")
    with pytest.raises(UserRefused) as refusal:
        password_links.invite_user(username=username, details=UserDetails(**{"role": "GESTOR", **changes}), actor=dario)
    assert set(refusal.value.errors) == {field}
    assert User.objects.count() == len(cast)


def test_each_change_is_a_fact_with_what_was_and_what_is(dario, cast, company, second):
    team = teams.save_team(team_id=None, name="Mora", supervisor_id=None, member_ids=[], actor=dario)
    ana = cast["ana"]
    change(
        ana,
        dario,
        first_name="Ana",
        email="ana@sur.example",
        role="SUPERVISOR",
        team_id=team.pk,
        sees_all_portfolios=True,
    )
    assert facts("user.changed") == [{"user_id": ana.pk, "fields": ["first_name", "email"]}]
    assert facts("user.role_set") == [{"user_id": ana.pk, "before": "GESTOR", "after": "SUPERVISOR", "is_wider": True}]
    assert facts("user.team_set") == [{"user_id": ana.pk, "before": None, "after": team.pk}]
    assert facts("user.scope_set") == [{"user_id": ana.pk, "portfolios": ["*"], "before": [company.code]}]
    ana = User.objects.get(pk=ana.pk)
    assert (has_right(ana, Right.LIFT_HOLD), portfolio_codes(ana), ana.team) == (True, None, team)
    assert told() == {
        ("ana", "ROLE_GIVEN"),
        ("ana", "ADDRESS_CHANGED"),
        ("elena", "ROLE_GIVEN"),
        ("elena", "ADDRESS_CHANGED"),
    }
    change(ana, dario)
    assert Entry.objects.filter(kind__startswith="user.").count() == 4, "what stays is no fact"


def test_who_is_shut_out_is_out_at_once_and_stays_out_with_the_old_session(dario, cast, client, now):
    ana = cast["ana"]
    client.force_login(ana)
    assert client.get("/").status_code == 200
    _ana, token = password_links.make_password_link(user_id=ana.pk, actor=dario)
    users.shut_out_user(user_id=ana.pk, actor=dario)
    assert client.get("/").status_code == 302
    with pytest.raises(password_links.LinkRefused):
        password_links.set_password_by_link(token=token, password=PASSWORD, now=now)
    with pytest.raises(UserRefused):
        password_links.make_password_link(user_id=ana.pk, actor=dario)
    with pytest.raises(UserRefused):
        users.shut_out_user(user_id=ana.pk, actor=dario)
    users.let_user_in(user_id=ana.pk, actor=dario)
    assert client.get("/").status_code == 302, "the session before does not open again"
    assert state_of(User.objects.get(pk=ana.pk)) == State.ACTIVE
    assert (facts("user.shut_out"), facts("user.let_in")) == (
        [{"user_id": ana.pk, "handed_to_id": None}],
        [{"user_id": ana.pk}],
    )
    with pytest.raises(UserRefused):
        users.let_user_in(user_id=ana.pk, actor=dario)


def test_who_was_invited_and_shut_out_needs_a_new_link_to_come_in(dario):
    rosa, _token = password_links.invite_user(username="rosa", details=UserDetails(role="GESTOR"), actor=dario)
    users.shut_out_user(user_id=rosa.pk, actor=dario)
    assert state_of(users.let_user_in(user_id=rosa.pk, actor=dario)) == State.INVITED


@pytest.fixture
def work(cast, company, now):
    """Ana's: a conversation with a debtor, one with an unknown number, a closed one, and a visit."""
    post = Post(company, now)
    debtor = post.debtor("Otilia")
    sent = post.sent(debtor, channel="visit", status="SENT")
    visit = Visit.objects.create(contact=sent, route_date=now.date(), assigned_to_id=cast["ana"].pk)
    talk = {"channel": "sms", "opened_at": now, "last_at": now, "assigned_to": cast["ana"], "mode": "PERSON"}
    seen = Conversation.objects.create(debtor=debtor, address="+51987654321", **talk)
    unknown = Conversation.objects.create(address="+51987650000", **talk)
    closed = Conversation.objects.create(debtor=debtor, address="+51987654322", status="CLOSED", **talk)
    return seen, unknown, closed, visit


def owners(work):
    *talks, visit = work
    return [Conversation.objects.get(pk=talk.pk).assigned_to_id for talk in talks] + [
        Visit.objects.get(pk=visit.pk).assigned_to_id
    ]


def test_open_work_goes_to_a_colleague_as_far_as_he_may_do_it(work, dario, cast, company, now):
    ana, zoe = cast["ana"], cast["zoe"]
    zoe.scopes.create(portfolio_code=company.code)
    users.shut_out_user(user_id=ana.pk, hand_to_id=zoe.pk, actor=dario)
    assert owners(work) == [zoe.pk, None, ana.pk, zoe.pk], "unknown numbers are for leads, what is closed stays"
    assert [fact["to_id"] for fact in facts("conversation.assigned")] == [zoe.pk, None]
    assert facts("visit.assigned") == [{"date": str(now.date()), "user_id": zoe.pk, "visits": 1}]


@pytest.mark.parametrize("successor", [None, "hilda"])
def test_work_that_nobody_takes_over_goes_back_to_everybody(work, dario, cast, successor):
    to = cast[successor].pk if successor else None
    users.shut_out_user(user_id=cast["ana"].pk, hand_to_id=to, actor=dario)
    assert owners(work) == [None, None, cast["ana"].pk, None]


def test_work_is_handed_to_somebody_who_is_there(dario, cast):
    for wrong in (cast["ana"].pk, 999):
        with pytest.raises(UserRefused):
            users.shut_out_user(user_id=cast["ana"].pk, hand_to_id=wrong, actor=dario)
    assert User.objects.get(pk=cast["ana"].pk).is_active


def test_the_last_administrator_stays(dario, cast, now):
    command = service_actor(Service.COMMAND, now=now)
    his = cast["dario"]
    with pytest.raises(UserRefused, match="himself"):
        users.shut_out_user(user_id=his.pk, actor=dario)
    rights = RIGHTS["ADMINISTRATOR"] - {Right.MANAGE_USERS}
    ways = [
        lambda: users.shut_out_user(user_id=his.pk, actor=command),
        lambda: change(his, command, role="MANAGER"),
        lambda: role_changes.change_role(
            code="ADMINISTRATOR",
            name="",
            rights=rights,
            sees_all_portfolios=True,
            requires_second_factor=False,
            actor=command,
        ),
    ]
    # Somebody invited is not in yet, and may never come.
    password_links.invite_user(username="rosa", details=UserDetails(role="ADMINISTRATOR"), actor=command)
    for way in ways:
        with pytest.raises((UserRefused, role_changes.RoleRefused), match="nobody"), transaction.atomic():
            way()
    assert has_right(User.objects.get(pk=his.pk), Right.MANAGE_USERS)
    assert not CompanyRole.objects.exists()
    User.objects.create(username="elena", role="ADMINISTRATOR")
    users.shut_out_user(user_id=his.pk, actor=command)


def test_who_widens_the_own_rights_is_seen_by_the_other_administrators(dario, cast, second, now):
    change(cast["dario"], dario, role="ADMINISTRATOR", sees_all_portfolios=True)
    assert not Notice.objects.exists(), "he saw all portfolios before"
    role = role_of(cast["dario"])
    role_changes.change_role(
        code=role.code,
        name="",
        rights=role.rights | {Right.EXPORT},
        sees_all_portfolios=True,
        requires_second_factor=False,
        actor=dario,
    )
    notice = Notice.objects.get()
    assert (notice.user, notice.kind, notice.made_by) == (second, "OWN_RIGHTS_RAISED", "dario")
    role_changes.create_role(
        name="Todo",
        rights=[*RIGHTS["MANAGER"], Right.MANAGE_USERS],
        sees_all_portfolios=True,
        requires_second_factor=False,
        actor=dario,
    )
    Notice.objects.all().delete()
    change(User.objects.get(username="dario"), dario, role="TODO")
    assert [each.kind for each in Notice.objects.filter(user=second)] == ["OWN_RIGHTS_RAISED"]


def test_a_further_administrator_is_seen_by_the_others(dario, cast, second):
    change(cast["carla"], dario, role="ADMINISTRATOR")
    password_links.invite_user(username="rosa", details=UserDetails(role="ADMINISTRATOR"), actor=dario)
    assert told() == {
        ("elena", "ADMINISTRATOR_MADE"),
        ("carla", "ADMINISTRATOR_MADE"),
        ("carla", "ROLE_GIVEN"),
    }


@pytest.mark.parametrize(
    ("act", "owner", "others"),
    [
        (lambda ana, dario: password_links.make_password_link(user_id=ana.pk, actor=dario), "LINK_MADE", "LINK_MADE"),
        (lambda ana, dario: second_factor.reset_factors(user=ana, actor=dario), "FACTORS_RESET", "FACTORS_RESET"),
        (lambda ana, dario: change(ana, dario, email="otra@sur.example"), "ADDRESS_CHANGED", "ADDRESS_CHANGED"),
        (lambda ana, dario: change(ana, dario, role="SUPERVISOR"), "ROLE_GIVEN", "ROLE_GIVEN"),
        (lambda ana, dario: change(ana, dario, role="MANAGER"), "ROLE_GIVEN", "APPROVER_MADE"),
        (lambda ana, dario: users.shut_out_user(user_id=ana.pk, actor=dario), None, "SHUT_OUT"),
        (lambda ana, dario: sessions.end_sessions(user=ana, actor=dario), "SESSIONS_ENDED", None),
        (
            lambda ana, dario: operations.set_password(
                username=ana.username, password=PASSWORD, actor=service_actor(Service.COMMAND, now=dario.now)
            ),
            "PASSWORD_SET",
            "PASSWORD_SET",
        ),
    ],
)
def test_who_owns_an_account_and_who_manages_users_are_told_what_another_one_did(
    dario, cast, second, client, *, act, owner, others
):
    client.force_login(cast["ana"])
    act(cast["ana"], dario)
    names = told()
    assert {kind for name, kind in names if name == "ana"} == ({owner} - {None})
    assert {kind for name, kind in names if name == "elena"} == ({others} - {None})
    assert all(name != "dario" for name, kind in names if kind != "PASSWORD_SET"), "nobody is told of the own act"


def test_somebody_let_in_again_and_an_invited_manager_are_seen_by_the_others(dario, cast, second):
    users.shut_out_user(user_id=cast["ana"].pk, actor=dario)
    users.let_user_in(user_id=cast["ana"].pk, actor=dario)
    password_links.invite_user(username="rosa", details=UserDetails(role="MANAGER"), actor=dario)
    password_links.invite_user(username="luis", details=UserDetails(role="GESTOR"), actor=dario)
    assert told() == {("elena", "SHUT_OUT"), ("elena", "LET_IN"), ("elena", "APPROVER_MADE")}


WAYS_TO_END = [
    lambda ana, dario: users.shut_out_user(user_id=ana.pk, actor=dario),
    lambda ana, dario: second_factor.reset_factors(user=ana, actor=dario),
    lambda ana, dario: sessions.end_sessions(user=ana, actor=dario),
    lambda ana, dario: passwords.change_own_password(ana, PASSWORD, now=dario.now),
    lambda ana, dario: operations.set_password(username=ana.username, password=PASSWORD, actor=dario),
    lambda ana, dario: password_links.set_password_by_link(
        token=password_links.make_password_link(user_id=ana.pk, actor=dario)[1], password=PASSWORD, now=dario.now
    ),
]


@pytest.mark.parametrize("end", WAYS_TO_END)
def test_whatever_ends_all_sessions_ends_the_rows_and_those_that_begin_at_this_moment(dario, cast, client, end):
    ana = cast["ana"]
    client.force_login(ana)
    generation = ana.session_generation
    end(ana, dario)
    assert (ana.sessions.count(), client.get("/").status_code) == (0, 302)
    assert User.objects.get(pk=ana.pk).session_generation == generation + 1
    assert facts("user.sessions_ended") == [{"user_id": ana.pk, "sessions": 1}]


def test_a_link_made_for_less_opens_nothing_more(dario, cast, now):
    def raise_role():
        more = {"sees_all_portfolios": False, "requires_second_factor": False}
        role_changes.change_role(code="GESTOR", name="", rights=RIGHTS["SUPERVISOR"], **more, actor=dario)

    for raise_rights in (lambda: change(cast["ana"], dario, role="SUPERVISOR"), raise_role):
        User.objects.filter(pk=cast["ana"].pk).update(role="GESTOR")
        _user, token = password_links.make_password_link(user_id=cast["ana"].pk, actor=dario)
        raise_rights()
        with pytest.raises(password_links.LinkRefused):
            password_links.find_link(token, now=now)


def test_nobody_gives_portfolios_beyond_the_own_reach(cast, company, now):
    CompanyRole.objects.create(code="AYUDA", name="Ayuda", rights=["manage_users"])
    helper = User.objects.create(username="hector", role="AYUDA")
    helper.scopes.create(portfolio_code=company.code)
    actor = actor_for(helper, now=now)
    for wider in ({"portfolios": frozenset({"NORTE-PE"})}, {"sees_all_portfolios": True}):
        with pytest.raises(NotAllowed):
            change(cast["zoe"], actor, **wider)
    change(cast["zoe"], actor, portfolios=frozenset({company.code}))
    change(cast["ana"], actor, portfolios=frozenset())


def test_a_team_has_a_supervisor_and_members_and_can_be_dissolved(dario, cast):
    ana, bruno, zoe = cast["ana"], cast["bruno"], cast["zoe"]
    with pytest.raises(teams.TeamRefused, match="role"):
        teams.save_team(team_id=None, name="Mora", supervisor_id=ana.pk, member_ids=[], actor=dario)
    team = teams.save_team(team_id=None, name=" Mora ", supervisor_id=bruno.pk, member_ids=[ana.pk], actor=dario)
    teams.save_team(team_id=team.pk, name="Mora 1", supervisor_id=bruno.pk, member_ids=[zoe.pk], actor=dario)
    (led,) = teams.teams_led_by(bruno)
    assert (led.name, [member.username for member in led.current_members]) == ("Mora 1", ["zoe"])
    assert facts("team.saved")[1] == {
        "team_id": team.pk,
        "is_renamed": True,
        "supervisor_before": bruno.pk,
        "supervisor_after": bruno.pk,
        "members_before": [ana.pk],
        "members_after": [zoe.pk],
    }
    for name in ("MORA 1", "", "x" * 61):
        with pytest.raises(teams.TeamRefused):
            teams.save_team(team_id=None, name=name, supervisor_id=None, member_ids=[], actor=dario)
    users.shut_out_user(user_id=bruno.pk, hand_to_id=cast["carla"].pk, actor=dario)
    assert Team.objects.get().supervisor == cast["carla"]
    teams.dissolve_team(team_id=team.pk, actor=dario)
    assert User.objects.filter(team__isnull=False).count() == 0
    assert facts("team.dissolved") == [{"team_id": team.pk, "supervisor_id": cast["carla"].pk, "members": [zoe.pk]}]


def test_a_role_of_the_companys_own_is_defined_changed_and_taken_out_of_use(dario, cast, second):
    role = role_changes.create_role(
        name="Gestor telefónico",
        rights=[Right.SEE_BOARD, Right.SEE_CASES],
        sees_all_portfolios=False,
        requires_second_factor=True,
        actor=dario,
    )
    assert role.code == "GESTOR_TELEFONICO"
    change(cast["ana"], dario, role=role.code)
    again = {"sees_all_portfolios": False, "requires_second_factor": False, "actor": dario}
    role_changes.change_role(code=role.code, name="Telefónico", rights=[Right.SEE_BOARD], **again)
    ana = User.objects.get(username="ana")
    assert not has_right(ana, Right.SEE_CASES)
    assert facts("role.saved")[1] == {
        "role": "GESTOR_TELEFONICO",
        "rights_before": ["see_board", "see_cases"],
        "rights_after": ["see_board"],
        "saw_all_portfolios": False,
        "sees_all_portfolios": False,
        "required_second_factor": True,
        "requires_second_factor": False,
    }
    assert Notice.objects.filter(user=second, kind="ROLE_CHANGED").count() == 2
    with pytest.raises(role_changes.RoleRefused, match="1 person still has"):
        role_changes.retire_role(code=role.code, actor=dario)
    change(ana, dario, role="GESTOR")
    role_changes.retire_role(code=role.code, actor=dario)
    with pytest.raises(UserRefused):
        change(ana, dario, role=role.code)
    for wrong in (
        {"name": "Telefónico"},
        {"name": "Supervisor"},
        {"name": ""},
        {"rights": ["serve"]},
        {"rights": ["x"]},
    ):
        with pytest.raises(role_changes.RoleRefused):
            role_changes.create_role(**{"name": "Otro", "rights": [], **again, **wrong})
    with pytest.raises(role_changes.RoleRefused):
        role_changes.retire_role(code="GESTOR", actor=dario)


def test_a_built_in_role_with_its_rights_again_follows_later_releases(dario):
    again = {"name": "", "sees_all_portfolios": True, "requires_second_factor": False, "actor": dario}
    role_changes.change_role(code="MANAGER", rights=[Right.SEE_BOARD], **again)
    assert CompanyRole.objects.get().rights == ["see_board"]
    role_changes.change_role(code="MANAGER", rights=RIGHTS["MANAGER"], **again)
    assert CompanyRole.objects.get().rights is None

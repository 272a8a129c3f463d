"""Policies of portfolios: read by day, saved for today or later, refused with every fault and its place."""

from __future__ import annotations

from datetime import date, time, timedelta
from importlib import import_module

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from recobra.access.actors import Actor, Service, service_actor
from recobra.access.permissions import NotAllowed, OutOfScope
from recobra.access.roles import RIGHTS
from recobra.journal.models import Entry
from recobra.policy.models import FROM_THE_BEGINNING, PortfolioPolicy
from recobra.policy.portfolio_policies import (
    PolicyHistory,
    PolicyRefused,
    policy_histories,
    policy_on,
    save_policy,
)
from recobra.policy.settings import (
    SETTINGS,
    Policy,
    PolicyUnreadable,
    changed_settings,
    read_policy,
    write_policy,
)
from recobra.portfolio import setup
from tests import policies
from tests.people import acting

MONDAY = date(2026, 11, 23)
TOMORROW = MONDAY + timedelta(days=1)


@pytest.fixture
def carla(now):
    return Actor(name="carla", now=now, rights=RIGHTS["MANAGER"])


def save(company, carla, day=TOMORROW, **settings):
    return save_policy(portfolio_id=company.pk, effective_from=day, document=settings, actor=carla)


def faults_of(caught):
    return [(each.setting, each.fault.place, each.fault.found) for each in caught.value.faults]


def test_every_setting_says_itself_and_its_default_is_of_its_kind():
    assert read_policy(write_policy(Policy())) == Policy()
    assert all(str(setting.label) and str(setting.help) for setting in SETTINGS)


def test_a_day_has_the_policy_of_the_version_that_holds_on_it():
    first, second = Policy(promise_days=5), Policy(promise_days=10)
    history = PolicyHistory(starts=(MONDAY, MONDAY + timedelta(days=7)), policies=(first, second))
    before, on_day, between, later = (history.on(MONDAY + timedelta(days=days)) for days in (-1, 0, 6, 7))
    assert (before, on_day, between, later) == (Policy(), first, first, second)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("people_from", "09:00+02:00"),  # compares with no other time
        ("buckets", [{"to_days": 0.0}, {"to_days": None}]),  # would be written as null, and never be read again
        ("buckets", [{"to_days": 0, "name": "\0"}, {"to_days": None}]),  # the database keeps none
        ("holidays", [{"day": "2026-12-24", "name": "\ud800"}]),
    ],
)
def test_what_could_not_be_kept_or_compared_is_refused(setting, value):
    with pytest.raises(PolicyUnreadable):
        read_policy({setting: value})


def test_everything_wrong_is_told_at_once_with_its_place():
    document = {
        "buckets": [{"to_days": 1}, {"to_days": 30, "name": "Temprana"}, {"to_days": 20}, {"to_days": None}],
        "administrative_from": 30,
        "freshness_days": "dos",
        "waterfall": {"by": "concept", "concepts": ["FEE", "FEE", "TAX"]},
        "promise_min_minor": 0,
        "people_from": "25:00",
        "holidays": [{"day": "2026-12-24"}, {"day": "2026-12-24"}, {"day": "mañana"}],
        "colour": "red",
    }
    with pytest.raises(PolicyUnreadable) as caught:
        read_policy(document)
    assert faults_of(caught) == [
        ("colour", "", "colour"),
        ("buckets", "1", "1"),
        ("buckets", "3", "20"),
        ("freshness_days", "", "dos"),
        ("waterfall", "concepts", "FEE, FEE, TAX"),
        ("promise_min_minor", "", "0"),
        ("people_from", "", "25:00"),
        ("holidays", "2", "2026-12-24"),
        ("holidays", "3", "mañana"),
    ]


def test_settings_that_contradict_each_other_are_refused():
    with pytest.raises(PolicyUnreadable) as caught:
        read_policy({"administrative_from": 61, "people_from": "09:00", "people_to": "08:00"})
    assert faults_of(caught) == [("extrajudicial_from", "", "61"), ("people_to", "", "08:00")]


def test_the_same_days_are_the_same_bucket_whatever_they_are_called():
    rows = [{"to_days": 0}, {"to_days": 30, "name": "Mora 1"}, {"to_days": 75}, {"to_days": None}]
    buckets = read_policy({"buckets": rows}).limits.buckets
    assert [(bucket.key, bucket.label_es) for bucket in buckets] == [
        ("not_due", "Pre mora (por vencer)"),
        ("early_30", "Mora 1"),
        ("d31_75", "31–75 días"),
        ("d76_", "76 días o más"),
    ]


def test_a_portfolio_begins_with_the_policy_of_the_product(company, now):
    portfolio = setup.open_portfolio(
        creditor=company.creditor,
        code="CO-SERVICIOS",
        name="Servicios",
        industry="SERVICES",
        country="CO",
        currency="COP",
        time_zone="America/Bogota",
        actor=acting("demo", now=now),
    )
    version = PortfolioPolicy.objects.get(portfolio=portfolio)
    assert (version.effective_from, version.created_by) == (FROM_THE_BEGINNING, "demo")
    assert policy_on(portfolio.pk, date(2001, 1, 1)) == Policy()


def test_a_version_holds_from_its_day_and_the_journal_knows_it(company, carla):
    saved = save(company, carla, promise_days=10, people_to="20:00")
    assert policy_on(company.pk, MONDAY) == Policy()
    assert policy_on(company.pk, TOMORROW) == Policy(promise_days=10, people_to=time(20))
    fact = Entry.objects.filter(kind="portfolio_policy.saved").last().fact()
    assert (fact.policy_id, fact.effective_from, fact.changed) == (saved.pk, TOMORROW, ["promise_days", "people_to"])


def test_the_past_and_what_is_in_force_are_not_rewritten(company, carla):
    with pytest.raises(PolicyRefused) as caught:
        save(company, carla, MONDAY - timedelta(days=1), promise_days=400)
    assert [fault[0] for fault in faults_of(caught)] == ["effective_from", "promise_days"]
    save(company, carla, MONDAY, promise_days=10)
    with pytest.raises(PolicyRefused):
        save(company, carla, MONDAY, promise_days=12)
    save(company, carla, TOMORROW, promise_days=12)
    save(company, carla, TOMORROW, promise_days=15)
    assert [policy_on(company.pk, day).promise_days for day in (MONDAY, TOMORROW)] == [10, 15]
    assert Entry.objects.filter(kind="portfolio_policy.saved").last().fact().replaced
    with pytest.raises(PolicyRefused):
        save(company, carla, TOMORROW + timedelta(days=1), promise_days=15)
    with pytest.raises(PolicyRefused):
        save(company, carla, TOMORROW, promise_days=15)
    save(company, carla, TOMORROW, promise_days=10)
    assert [policy_on(company.pk, day).promise_days for day in (MONDAY, TOMORROW)] == [10, 10]


def test_only_who_may_edit_rules_saves_and_only_within_reach(company, carla, now):
    bruno = Actor(name="bruno", now=now, rights=RIGHTS["SUPERVISOR"])
    for actor in (bruno, service_actor(Service.CYCLE, now=now)):
        with pytest.raises(NotAllowed):
            save(company, actor, promise_days=10)
    elsewhere = Actor(name="carla", now=now, rights=RIGHTS["MANAGER"], portfolio_codes=frozenset({"CO-SERVICIOS"}))
    with pytest.raises(OutOfScope):
        save(company, elsewhere, promise_days=10)
    assert not PortfolioPolicy.objects.exists()


def test_a_holiday_counts_by_the_version_in_force_on_it(company):
    christmas = {"day": "2026-12-25", "name": "Navidad"}
    policies.put_in_force(company, holidays=[{"day": "2026-11-20", "name": "Aniversario"}, christmas])
    policies.put_in_force(company, day=TOMORROW, holidays=[{"day": "2026-11-20", "name": ""}, christmas])
    policies.put_in_force(company, day=date(2026, 12, 1))
    assert policy_histories([company.pk])[company.pk].holidays() == {date(2026, 11, 20)}


def test_many_portfolios_and_days_are_one_query(company, django_assert_num_queries):
    policies.put_in_force(company, promise_days=3)
    with django_assert_num_queries(1):
        histories = policy_histories([company.pk, company.pk + 1])
        found = [histories[pk].on(MONDAY).promise_days for pk in (company.pk, company.pk + 1)]
    assert found == [3, 7]


def test_what_changed_between_two_versions_is_named():
    changed = changed_settings(Policy(), Policy(promise_days=3, late_from=100))
    assert [setting.name for setting in changed] == ["late_from", "promise_days"]


def test_a_load_of_friday_serves_on_monday_where_the_policy_says_so():
    friday = MONDAY - timedelta(days=3)
    strict, lenient = Policy(), Policy(freshness_extra_days=1)
    assert (strict.is_fresh(friday, MONDAY), lenient.is_fresh(friday, MONDAY)) == (False, True)
    # No day off lies between Monday and Thursday.
    assert not lenient.is_fresh(MONDAY, MONDAY + timedelta(days=3))


def test_what_stood_on_the_portfolio_becomes_its_first_version(company, as_migration):
    """PostgreSQL changes tables within the transaction of the test, which takes it back."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    executor = MigrationExecutor(connection)
    before = executor.migrate([("policy", "0001_initial"), ("portfolio", "0001_initial")]).apps
    before.get_model("portfolio", "Portfolio").objects.filter(pk=company.pk).update(
        freshness_days=5,
        waterfall={"by": "concept"},
        limits={"administrative_from": 3, "extrajudicial_from": 76},
        attributes={"conversation": {"promise_days": "10", "people_to": "20:00"}, "plan": {"type": "text"}},
    )
    before.get_model("portfolio", "CompanyHoliday").objects.create(country="PE", day=MONDAY, name="Aniversario")
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    policy = policy_on(company.pk, date(2001, 1, 1))
    assert (policy.freshness_days, policy.waterfall.by, policy.administrative_from, policy.extrajudicial_from) == (
        5,
        "concept",
        3,
        76,
    )
    assert (policy.promise_days, policy.people_to, policy.is_holiday(MONDAY)) == (10, time(20), True)
    company.refresh_from_db()
    assert company.attributes == {"plan": {"type": "text"}}


def test_settings_that_no_form_had_read_become_a_policy_that_can_be_read():
    migration = import_module("recobra.policy.migrations.0002_portfolio_policy")
    document = migration.build_document(
        freshness_days=9_000,
        waterfall={},
        limits={"buckets": [{"to_days": 5, "label_es": "A"}, {"to_days": None, "label_es": "B"}], "old": 1},
        conversation={
            "promise_days": "14",
            "promise_min_minor": 0,
            "promise_grace_days": None,
            "people_from": "19:00",
            "tone": "dry",
        },
        holidays=[{"day": "2026-12-24", "name": migration.clean_name("Noche\nbuena " * 9)}],
    )
    policy = read_policy(document)
    assert (policy.freshness_days, policy.promise_days, policy.promise_min_minor) == (365, 14, 1)
    assert policy.is_holiday(date(2026, 12, 24))
    assert policy.people_from == time(9)


@pytest.mark.parametrize(
    "odd",
    [
        {"limits": []},
        {"limits": {"buckets": None}},
        {"limits": {"buckets": [{"to_days": 0, "label_es": "A"}, {"to_days": 30, "label_es": "B"}]}},
        {"limits": {"administrative_from": 90, "extrajudicial_from": "61"}},
        {"waterfall": {"concepts": ["FEE"]}},
        {"conversation": "x"},
        {"conversation": {"promise_days": "siete", "people_from": 9, "people_to": "25:00"}},
    ],
)
def test_what_nobody_could_read_before_leaves_a_policy_that_can_be_read(odd):
    build_document = import_module("recobra.policy.migrations.0002_portfolio_policy").build_document
    given = {"freshness_days": 2, "waterfall": {}, "limits": {}, "conversation": None, "holidays": []}
    assert read_policy(build_document(**given | odd)) == Policy()

"""Rules that stood in several places and had drifted: each of them stands once, and its readers agree."""

from datetime import UTC, date, datetime, timedelta
from itertools import product

import pyarrow as pa
import pytest
from django.db import connection

from recobra.consent.models import ConsentEntry
from recobra.kit import engine
from recobra.kit.engine import compile_statement, source_table
from recobra.messaging.dispatch.facts import load_contacts
from recobra.messaging.dispatch.gate_check import judge_contacts
from recobra.messaging.models import Contact
from recobra.messaging.snapshot import caps_in_force, contact_history, history_start
from recobra.policy.company_rules import company_rules_in_force, save_company_rule
from recobra.policy.settings import Policy
from recobra.portfolio import address_forms
from recobra.portfolio.models import Channel, ContactPoint, Hold
from recobra.portfolio.snapshot import POINTS, Scope, read_contact_points, read_holds
from recobra.portfolio.sql import hold_in_force
from recobra.strategy import snapshot
from recobra.strategy.alarms import check_freshness
from recobra.strategy.fact_columns import read_columns
from recobra.strategy.freshness import fresh_portfolios
from recobra.strategy.operations.day_facts import read_facts
from recobra_core.channels import CHANNELS
from recobra_core.decide.daily import plan
from tests import receivables
from tests.people import acting

MONDAY = date(2026, 11, 23)
DAY = timedelta(days=1)


@pytest.mark.django_db
def test_a_column_read_for_nobody_has_no_rows():
    nobody = Scope(portfolio_ids=[], debtor_ids=[])
    assert {column.read(nobody, as_of=MONDAY).num_rows for column in read_columns().values()} == {0}


def test_a_hold_is_in_force_by_one_rule_for_every_reader(company, now):
    """The QuerySet, the fragment of the statement and the table for the core, over every kind of beginning and end."""
    rosa = receivables.debtor(company, "Rosa")
    ends = (None, MONDAY - DAY, MONDAY, MONDAY + DAY)
    for start, end, lifted_at in product((MONDAY - 2 * DAY, MONDAY, MONDAY + DAY), ends, (None, now)):
        if end is None or end >= start:
            Hold.objects.create(
                debtor=rosa,
                reason="OTHER",
                starts_on=start,
                ends_on=end,
                lifted_at=lifted_at,
                author="ana",
                created_at=now,
            )
    in_force = Hold.objects.in_force(MONDAY)
    query = f"SELECT hold.id FROM portfolio_hold hold WHERE {hold_in_force('hold', day='%s')}"
    with connection.cursor() as cursor:
        cursor.execute(query, [MONDAY, MONDAY])
        by_fragment = {pk for (pk,) in cursor.fetchall()}
    assert set(in_force.values_list("pk", flat=True)) == by_fragment
    scope = Scope(portfolio_ids=[company.pk])
    assert 0 < read_holds(scope, as_of=MONDAY).num_rows == in_force.count() < Hold.objects.count()


def test_fresh_enough_is_one_rule_for_the_cycle_its_alarm_and_campaigns(company, now):
    policies = {company.pk: Policy()}

    def stale(day):
        return check_freshness(policies=policies, as_of=day, actor=acting("system", now=now))

    assert not fresh_portfolios(policies, day=MONDAY)
    assert stale(MONDAY) == {company.pk}
    receivables.fresh_load(company, as_of=MONDAY, now=now)
    last = MONDAY + Policy().freshness_days * DAY
    for day, is_fresh in ((last, True), (last + DAY, False)):
        assert (company.pk in fresh_portfolios(policies, day=day)) is is_fresh
        assert (company.pk not in stale(day)) is is_fresh


@pytest.mark.parametrize(
    ("status", "changes", "is_undeliverable"),
    [
        ("FAILED", {"retired_at": datetime(2026, 11, 23, tzinfo=UTC)}, True),
        ("FAILED", {"unusable_for": ["sms", "email"]}, True),
        ("FAILED", {"unusable_for": ["sms"]}, False),
        ("SENT", {"retired_at": datetime(2026, 11, 23, tzinfo=UTC)}, False),
    ],
)
def test_what_is_undeliverable_leaves_its_day_free_for_another_channel(world, status, changes, is_undeliverable):
    contact = world.someone_due()
    Contact.objects.filter(pk=contact.pk).update(
        status=status, reason="" if status == "SENT" else "refused", handed_over_at=world.now
    )
    ContactPoint.objects.filter(pk=contact.point_id).update(**changes)
    assert Contact.objects.undeliverable().exists() is is_undeliverable
    scope = Scope(portfolio_ids=[world.company.pk])
    occupied = snapshot.read_contacted_debtors(scope, as_of=contact.planned_for)
    assert occupied.num_rows == (0 if is_undeliverable else 1)


@pytest.mark.parametrize("gap_days", [0, 31])
def test_the_history_reaches_as_far_as_the_longest_cap_in_force(world, gap_days):
    """The plan read 35 days and the last check 92, whatever the caps count."""
    if gap_days:
        rule = {"channels": ["letter"], "caps": [{"clear_days": gap_days}]}
        save_company_rule(
            code="casa",
            portfolio_id=world.company.pk,
            document={"rules": [rule]},
            actor=acting("carla", now=world.now),
        )
    in_force = company_rules_in_force([world.company.pk])
    caps = caps_in_force(frozenset(in_force.rules_by_name.items()))
    longest = max(caps["span_days"].to_pylist())
    assert longest >= gap_days + 1
    # A contact of the first day that counts is in what the plan and the last check read.
    contact = world.someone_due()
    first_day = MONDAY - (longest - 1) * DAY
    Contact.objects.filter(pk=contact.pk).update(status="SENT", handed_over_at=world.now, local_date=first_day)
    assert contact_history(None, since=history_start(caps, day=MONDAY)).num_rows == 1
    scope = Scope(portfolio_ids=[world.company.pk])
    facts = read_facts(scope, as_of=MONDAY, contactable=frozenset(), columns=(), company_rules=in_force)
    assert facts["history"].num_rows == 1


def test_a_cap_of_half_a_year_would_be_counted_over_half_a_year():
    caps = pa.table({"span_days": pa.array([7, 183], pa.int64())})
    assert history_start(caps, day=MONDAY) == MONDAY - 183 * DAY
    assert history_start(caps.slice(0, 0), day=MONDAY) == MONDAY


def test_every_channel_reaches_one_kind_of_point_in_python_and_in_sql(db):
    assert set(CHANNELS) == set(Channel.values)
    cases = ", ".join(address_forms.point_kind_sql(f"'{channel}'") for channel in CHANNELS)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {cases}")
        by_sql = cursor.fetchone()
    assert list(by_sql) == [address_forms.point_kind(channel) for channel in CHANNELS]


def test_the_plan_and_the_last_check_resolve_consent_alike(world):
    """The plan decided it by an expression and the last check by SQL; both ask `resolve_consent` now."""
    expected = {}
    for (denied_for, granted_for), stated in product((([], []), (["email"], []), ([], ["email"])), (None, True, False)):
        contact = world.someone_due()
        ContactPoint.objects.filter(pk=contact.point_id).update(
            denied_for=denied_for, granted_for=granted_for, consent=stated
        )
        whole = {None: None, True: "granted", False: "denied"}[stated]
        expected[contact.pk] = "denied" if denied_for else "granted" if granted_for else whole
    verdicts = judge_contacts(load_contacts(list(expected), now=world.now), now=world.now)
    assert {pk: verdict.consent for pk, verdict in verdicts.items()} == expected
    duck = engine.thread_duckdb("test")
    engine.register_tables(duck, {"points": read_contact_points(Scope(portfolio_ids=[world.company.pk]))})
    by_channel = compile_statement("by_channel", plan._expand_points(source_table("points", POINTS)))
    rows = engine.run_statements(duck, [by_channel])["by_channel"].to_pylist()
    contact_by_point = dict(Contact.objects.values_list("point_id", "pk"))
    planned = {contact_by_point[row["contact_point_id"]]: row["consent"] for row in rows if row["channel"] == "email"}
    assert planned == expected
    # A later word in the ledger goes before all of it.
    for contact in Contact.objects.select_related("point"):
        ConsentEntry.objects.create(
            at=world.now,
            kind="EMAIL",
            value=contact.point.value,
            channel="email",
            act="WITHDRAWN",
            source="KEYWORD",
            actor="debtor",
        )
    verdicts = judge_contacts(load_contacts(list(expected), now=world.now), now=world.now)
    assert {verdict.consent for verdict in verdicts.values()} == {"denied"}

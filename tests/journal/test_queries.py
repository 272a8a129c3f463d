"""Who reads the journal sees what is theirs, newest first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.people import acting

from recobra.access.facts import SignedIn
from recobra.intake.facts import MappingSaved
from recobra.journal import operations, queries
from recobra.workbench.facts import TaskClosed, TaskCreated, VisitNoted


@pytest.fixture
def facts(db, now):
    bruno, portfolio = acting("bruno", now=now), {"portfolio_id": 1}
    yesterday = acting("intake", now=now - timedelta(days=1))
    operations.record_fact(MappingSaved(mapping_id=1, version=1), actor=yesterday, **portfolio)
    operations.record_fact(TaskCreated(task_id=3, task_kind="call"), actor=bruno, debtor_id=7, **portfolio)
    operations.record_fact(
        VisitNoted(visit_id=5, result="MET"), actor=acting("zoe", now=now), portfolio_id=2, debtor_id=8
    )
    operations.record_fact(TaskClosed(task_id=3, task_kind="call"), actor=bruno, debtor_id=7, **portfolio)
    operations.record_fact(SignedIn(address="10.0.0.1"), actor=acting("carla", now=now))


def _kinds(entries):
    return [entry.kind for entry in entries]


def test_a_timeline_is_the_debtors_own_newest_first(facts):
    assert _kinds(queries.debtor_timeline(debtor_ids=[7])) == ["task.closed", "task.created"]


def test_a_timeline_goes_on_where_it_stopped(facts):
    newest = queries.debtor_timeline(debtor_ids=[7], limit=1)
    assert _kinds(queries.debtor_timeline(debtor_ids=[7], before=newest[0].id)) == ["task.created"]


def test_who_may_see_one_portfolio_sees_only_its_facts(facts):
    assert _kinds(queries.audit_entries(portfolio_ids=[1])) == ["task.closed", "task.created", "mapping.saved"]


def test_who_may_see_none_sees_nothing(facts):
    assert queries.audit_entries(portfolio_ids=[]) == []


def test_who_may_see_all_sees_the_house_too(facts):
    assert len(queries.audit_entries(portfolio_ids=None)) == 5


@pytest.mark.parametrize(
    ("filters", "kinds"),
    [
        ({"actor": "bruno"}, ["task.closed", "task.created"]),
        ({"kinds": ["mapping.saved"]}, ["mapping.saved"]),
        ({"debtor_id": 8}, ["visit.noted"]),
        ({"actor": "bruno", "kinds": ["task.closed", "visit.noted"]}, ["task.closed"]),
    ],
)
def test_filters_narrow_the_audit(facts, filters, kinds):
    assert _kinds(queries.audit_entries(portfolio_ids=None, **filters)) == kinds


def test_the_audit_ends_before_its_end(facts, now):
    assert _kinds(queries.audit_entries(portfolio_ids=None, until=now)) == ["mapping.saved"]
    assert len(queries.audit_entries(portfolio_ids=None, since=now)) == 4


def test_the_kinds_seen_are_each_named_once(facts):
    assert queries.recorded_kinds() == ["mapping.saved", "task.closed", "task.created", "user.signed_in", "visit.noted"]


def test_an_empty_journal_has_no_kinds(db):
    assert queries.recorded_kinds() == []

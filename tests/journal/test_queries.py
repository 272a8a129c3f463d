"""Who reads the journal sees what is theirs, newest first."""

from __future__ import annotations

from datetime import timedelta

import pytest

from recobra.journal import operations, queries


@pytest.fixture
def facts(db, now):
    operations.record("load.done", at=now - timedelta(days=1), actor="intake", portfolio_id=1)
    operations.record("hold.placed", at=now, actor="bruno", portfolio_id=1, debtor_id=7)
    operations.record("contact.sent", at=now, actor="dispatch", portfolio_id=2, debtor_id=8)
    operations.record("hold.lifted", at=now, actor="bruno", portfolio_id=1, debtor_id=7)
    operations.record("user.signed_in", at=now, actor="carla")


def _kinds(entries):
    return [entry.kind for entry in entries]


def test_a_timeline_is_the_debtors_own_newest_first(facts):
    assert _kinds(queries.debtor_timeline(debtor_id=7)) == ["hold.lifted", "hold.placed"]


def test_a_timeline_goes_on_where_it_stopped(facts):
    newest = queries.debtor_timeline(debtor_id=7, limit=1)
    assert _kinds(queries.debtor_timeline(debtor_id=7, before=newest[0].id)) == ["hold.placed"]


def test_who_may_see_one_portfolio_sees_only_its_facts(facts):
    assert _kinds(queries.audit_entries(portfolio_ids=[1])) == ["hold.lifted", "hold.placed", "load.done"]


def test_who_may_see_none_sees_nothing(facts):
    assert queries.audit_entries(portfolio_ids=[]) == []


def test_who_may_see_all_sees_the_house_too(facts):
    assert len(queries.audit_entries(portfolio_ids=None)) == 5


@pytest.mark.parametrize(
    ("filters", "kinds"),
    [
        ({"actor": "bruno"}, ["hold.lifted", "hold.placed"]),
        ({"kinds": ["load.done"]}, ["load.done"]),
        ({"debtor_id": 8}, ["contact.sent"]),
        ({"actor": "bruno", "kinds": ["hold.lifted", "contact.sent"]}, ["hold.lifted"]),
    ],
)
def test_filters_narrow_the_audit(facts, filters, kinds):
    assert _kinds(queries.audit_entries(portfolio_ids=None, **filters)) == kinds


def test_the_audit_ends_before_its_end(facts, now):
    assert _kinds(queries.audit_entries(portfolio_ids=None, until=now)) == ["load.done"]
    assert len(queries.audit_entries(portfolio_ids=None, since=now)) == 4


def test_the_kinds_seen_are_each_named_once(facts):
    assert queries.recorded_kinds() == ["contact.sent", "hold.lifted", "hold.placed", "load.done", "user.signed_in"]


def test_an_empty_journal_has_no_kinds(db):
    assert queries.recorded_kinds() == []

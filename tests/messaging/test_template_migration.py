"""Decisions about templates that an older installation took or awaits are found in the tray."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from recobra.approvals.models import Approval
from recobra.journal.operations import record_fact
from recobra.messaging.facts import TemplateApproved, TemplateSubmitted
from tests.people import acting

AT = datetime(2026, 11, 20, 15, tzinfo=UTC)
BEFORE = [("messaging", "0001_initial")]


def migrate(*targets):
    """Migrate inside the test's transaction, which a rollback undoes; return the apps as they were then."""
    with connection.cursor() as cursor:
        # What is deferred to the end of the transaction would be in the way of a change of the table.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    executor = MigrationExecutor(connection)
    executor.migrate(list(targets))
    return executor.loader.project_state(list(targets)).apps


# `tests/kept` brings the decisions of an installation as old over in every run.
@pytest.mark.long
def test_templates_that_wait_or_were_decided_are_carried_over_and_back(as_migration):
    templates = migrate(*BEFORE).get_model("messaging", "Template").objects
    common = {"code": "saludo", "channel": "email", "text": "…", "html": "", "created_at": AT, "created_by": "carla"}
    decided = {"decided_at": AT, "decided_by": "dario"}
    buttons = [{"key": "1", "title": "Pagar"}]
    old = templates.create(**common, version=1, name="Saludo", subject="Uno", status="APPROVED", **decided)
    asked = templates.create(
        **common, version=2, name="Saludo 2", subject="Dos", status="SUBMITTED", created_by_id=7, buttons=buttons
    )
    sent_back = {"status": "REJECTED", "decision_note": "Más corto", **decided}
    templates.create(**common, version=3, name="Saludo 3", subject="Tres", **sent_back)
    templates.create(**common, version=4, name="Borrador", subject="Cuatro", status="DRAFT")
    by_library = {"status": "APPROVED", "decided_at": AT, "decided_by": "library"}
    templates.create(
        **common | {"code": "otro", "created_by": "library"}, version=1, name="Otro", subject="", **by_library
    )
    templates.create(**common, version=5, name="Retirada", subject="", status="SUBMITTED", retired_at=AT)
    submitted = TemplateSubmitted(template_id=asked.pk, code="saludo", channel="email", version=2)
    record_fact(submitted, actor=acting("bruno", user_id=8, now=AT))
    approved = TemplateApproved(template_id=old.pk, code="saludo", channel="email", version=1)
    record_fact(approved, actor=acting("dario", user_id=9, now=AT))

    graph = MigrationExecutor(connection).loader.graph
    migrate(*graph.leaf_nodes("messaging"), *graph.leaf_nodes("approvals"))
    waiting = Approval.objects.get(decision="WAITING")
    assert (waiting.kind, waiting.subject, waiting.author, waiting.author_id) == ("template", str(asked.pk), "carla", 7)
    assert (waiting.asked_by, waiting.asked_by_id, waiting.asked_at) == ("bruno", 8, AT)
    assert (waiting.old["subject"], waiting.new["subject"], waiting.new["buttons"]) == ("Uno", "Dos", "1 · Pagar")
    decided_of = {each.new["name"]: each for each in Approval.objects.exclude(decision="WAITING")}
    assert {
        name: (each.decision, each.decided_by, each.decided_by_id, each.reason, each.alone)
        for name, each in decided_of.items()
    } == {
        "Saludo": ("APPROVED", "dario", 9, "", False),
        "Saludo 3": ("REJECTED", "dario", None, "Más corto", False),
    }

    templates = migrate(*BEFORE).get_model("messaging", "Template").objects
    kept = templates.order_by("version").values_list("decided_by", "decision_note").filter(code="saludo")
    assert list(kept) == [("dario", ""), ("", ""), ("dario", "Más corto"), ("", ""), ("", "")]
    assert not Approval.objects.exists()

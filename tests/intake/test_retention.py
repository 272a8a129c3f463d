"""Rejected rows hold personal data: they go when their period is over, with the file that lists them."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from procrastinate.contrib.django import app

from recobra.compliance.jobs import erase_due_data
from recobra.compliance.retention.schedule import erase_due
from recobra.intake import jobs
from recobra.intake.models import Load, RejectedRow
from recobra.intake.operations import retention
from recobra.tabular import workspace
from tests.people import acting

from .conftest import SHORT

TEXT = "cuenta;vence;saldo\nA;01/10/2026;1\nB;01/10/2026;mucho\n"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("RECOBRA_DATA_DIR", str(tmp_path / "data"))


def test_rejected_rows_and_their_file_go_after_ninety_days(load, now):
    first = load(TEXT, mapping=SHORT)
    errors = Path(first["errors_file"])
    erase_due(day=now.date(), actor=acting("night", now=now + timedelta(days=90)))
    assert errors.exists()
    later = now + timedelta(days=90, seconds=1)
    erase_due(day=later.date(), actor=acting("night", now=later))
    assert (RejectedRow.objects.count(), errors.exists(), Load.objects.get().figures["rejected"]) == (0, False, 1)


def test_a_load_whose_rows_are_forgotten_offers_no_file(load, now):
    load(TEXT, mapping=SHORT)
    retention.delete_rejected_rows(until=now + timedelta(seconds=1))
    assert load(TEXT, mapping=SHORT)["errors_file"] is None


@pytest.mark.django_db
def test_folders_of_killed_loads_go_after_a_day(now):
    with workspace.open_workspace() as duck:
        killed = duck.folder.with_name(f"{workspace.PREFIX}killed")
        killed.mkdir()
        (killed / "spill").write_text("x")
        for folder, hours in ((killed, 25), (duck.folder, 23)):
            then = (now - timedelta(hours=hours)).timestamp()
            os.utime(folder, (then, then))
        assert retention.delete_workspaces(now=now) == 1
        assert (killed.exists(), duck.folder.exists()) == (False, True)


def test_it_is_done_each_night(load):
    planned = {task.task.name: task.cron for task in app.periodic_registry.periodic_tasks.values()}
    assert planned["load.forget"] == "40 1 * * *"
    assert planned["compliance.retention"] == "20 3 * * *"
    load(TEXT, mapping=SHORT)
    with workspace.open_workspace() as duck:
        killed = duck.folder.with_name(f"{workspace.PREFIX}killed")
        killed.mkdir()
        os.utime(killed, (0, 0))
        jobs.delete_leftovers(timestamp=0)
        assert not killed.exists()
    Load.objects.update(started_at=Load.objects.get().started_at - timedelta(days=4000))
    erase_due_data(timestamp=0)
    assert not RejectedRow.objects.exists()

"""The backup of the night: due once a day, tried again after a failure, and what is old is deleted."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from recobra.access.actors import Service, service_actor
from recobra.installation import container, queries, schedule
from recobra.installation.backup import BackupRefused
from recobra.installation.models import BackupRun
from recobra.kit import keys
from recobra.strategy.alarms import check_installation
from recobra.strategy.models import Alarm
from tests import people

PHRASE = "una frase bien larga"


@pytest.fixture(autouse=True)
def nightly(settings, tmp_path, monkeypatch):
    (tmp_path / "frase").write_text(PHRASE + "\n")
    settings.BACKUP_DIR = str(tmp_path / "respaldos")
    settings.BACKUP_PASSPHRASE_FILE = str(tmp_path / "frase")
    settings.BACKUP_TIME = time(3, 0)
    settings.CYCLE_TIME_ZONE = "America/Lima"
    monkeypatch.setattr(container, "_SCRYPT_N", 1 << 10)
    return tmp_path / "respaldos"


def system(now):
    return service_actor(Service.SYSTEM, now=now)


def run_of(at, *, status="DONE"):
    return BackupRun.objects.create(status=status, started_at=at, started_by="system", is_scheduled=True)


@pytest.mark.django_db
def test_it_is_due_once_a_day_from_its_hour_on(settings):
    three = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # in Lima
    run_of(three - timedelta(hours=23))
    assert not schedule.is_due(three - timedelta(minutes=1))
    assert schedule.is_due(three)
    run_of(three)
    assert not schedule.is_due(three + timedelta(hours=23))
    assert schedule.is_due(three + timedelta(hours=24)), "a night on which no worker ran is caught up in the morning"
    settings.BACKUP_DIR = ""
    assert not schedule.is_due(three + timedelta(hours=24))


@pytest.mark.django_db
def test_what_a_wrong_clock_has_dated_later_keeps_no_backup_from_being_made(now):
    run_of(now + timedelta(days=365))
    run_of(now + timedelta(days=365), status="FAILED")
    assert schedule.is_due(now)
    assert queries.is_backup_late(now)


@pytest.mark.django_db
def test_a_failure_is_shown_told_and_tried_again(settings, nightly, now, tmp_path):
    (tmp_path / "frase").write_text("corta\n")
    with pytest.raises(BackupRefused, match="passphrase"):
        schedule.make_scheduled(actor=system(now))
    (run,) = queries.list_backups()
    assert (run.status, "passphrase" in run.error) == ("FAILED", True)
    assert not schedule.is_due(now + timedelta(minutes=59))
    assert schedule.is_due(now + timedelta(minutes=61))
    check_installation(actor=system(now))
    raised = Alarm.objects.filter(cleared_at__isnull=True).values_list("kind", flat=True)
    assert {"backup_failed", "backup_late"} <= set(raised)
    run_of(now + timedelta(hours=1))
    check_installation(actor=system(now + timedelta(hours=2)))
    assert not {"backup_failed", "backup_late"} & set(raised.all())
    assert not queries.has_backup_failed(now)
    assert not queries.is_backup_late(now + timedelta(hours=2))
    assert queries.is_backup_late(now + timedelta(hours=32))


def test_old_backups_are_deleted_and_the_newest_never(settings, nightly, now):
    nightly.mkdir()
    settings.BACKUP_KEEP_DAYS, settings.BACKUP_KEEP_AT_LEAST = 10, 2
    for days in (0, 5, 11, 12):
        (nightly / (now - timedelta(days=days)).strftime("recobra-%Y%m%d-%H%M%S.recobra")).touch()
    (nightly / "recobra-20261101-030000.recobra.partial").touch()
    (nightly / "recobra-antes-de-migrar.recobra").touch()
    assert len(schedule.delete_old(nightly, now=now)) == 3
    assert len(list(nightly.iterdir())) == 3
    settings.BACKUP_KEEP_AT_LEAST = 7
    (nightly / "recobra-20200101-030000.recobra").touch()
    assert schedule.delete_old(nightly, now=now) == []


@pytest.mark.django_db(transaction=True)
def test_the_job_makes_a_whole_backup_and_a_second_one_waits(settings, nightly, now, tmp_path, monkeypatch):
    people.create_company()
    monkeypatch.setattr(keys, "data_dir", lambda: tmp_path)
    monkeypatch.setenv("RECOBRA_KEYS_DIR", str(tmp_path))  # where no key is: nothing was encrypted yet
    run = schedule.make_scheduled(actor=system(now))
    assert (run.status, run.missing_count, run.size > 1000) == ("DONE", 0, True)
    assert [path.name for path in nightly.iterdir()] == ["recobra-20261123-150000.recobra"]
    assert queries.last_backup() == run

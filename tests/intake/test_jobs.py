"""A file handed to a worker is never lost silently: it is taken in, or a load in the list says why not."""

import os
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.jobs import Job

from recobra.console import uploads
from recobra.intake import jobs
from recobra.intake.load import last_load, pipeline
from recobra.intake.models import Load, Mapping
from recobra.intake.operations import LoadRefused
from recobra.journal.models import Entry
from recobra.portfolio.models import Account
from tests import databases
from tests.people import acting

from .conftest import SHORT

TEXT = "cuenta;vence;saldo\nA;01/10/2026;1\n"


@pytest.fixture
def asked(company, tmp_path):
    """Return what the queue knows of a file that Darío uploaded."""
    path = tmp_path / "subido"
    path.write_text(TEXT)
    return {
        "path": str(path),
        "file_name": "cartera.csv",
        "portfolio_code": company.code,
        "mapping": SHORT,
        "as_of": "2026-11-21",
        "actor": "dario",
        "control": None,
        "partial": None,
    }


def _kept(asked):
    return Path(asked["path"]).exists()


def test_a_file_that_was_taken_in_is_removed(asked):
    jobs.load_upload(asked)
    assert (Load.objects.get().status, Account.objects.count(), _kept(asked)) == ("DONE", 1, False)


def _is_tried_again(task, error):
    job = Job(id=1, queue="", lock=None, queueing_lock=None, task_name=task.name, attempts=0)
    return task.retry_strategy.get_retry_decision(exception=error, job=job) is not None


def test_a_file_that_comes_while_another_is_loaded_waits_its_turn(asked, company, busy):
    with busy(company), pytest.raises(LoadRefused) as refusal:
        jobs.load_upload(asked)
    assert (_kept(asked), Load.objects.count(), _is_tried_again(jobs.load_upload, refusal.value)) == (True, 0, True)
    jobs.load_upload(asked)
    assert (Load.objects.get().status, _kept(asked)) == ("DONE", False)


def test_a_confirmation_that_comes_while_another_is_loaded_waits_its_turn(asked, company, busy):
    jobs.load_upload(asked | {"control": {"rows": 7}})
    load = Load.objects.get()
    assert (load.status, _kept(asked)) == ("HELD", False)
    with busy(company), pytest.raises(LoadRefused) as refusal:
        jobs.load_confirmed(load_id=load.pk, actor="bruno")
    assert _is_tried_again(jobs.load_confirmed, refusal.value)
    jobs.load_confirmed(load_id=load.pk, actor="bruno")
    load.refresh_from_db()
    assert load.status == "DONE"


@pytest.fixture
def cut_off(monkeypatch):
    """Let the database go away when a load begins to write, once."""
    write = pipeline.write

    def break_off(*arguments, **options):
        monkeypatch.setattr(pipeline, "write", write)
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(pipeline, "write", break_off)


def test_a_load_that_the_database_cut_off_is_tried_again(asked, cut_off):
    with pytest.raises(OperationalError) as error:
        jobs.load_upload(asked)
    assert (_kept(asked), _is_tried_again(jobs.load_upload, error.value)) == (True, True)
    jobs.load_upload(asked)
    assert [load.status for load in Load.objects.order_by("pk")] == ["FAILED", "DONE"]
    assert (Account.objects.count(), _kept(asked)) == (1, False)


@pytest.mark.parametrize("is_held", [False, True])
def test_a_load_that_was_written_is_done_whatever_breaks_off_afterwards(asked, monkeypatch, is_held):
    with monkeypatch.context() as full:
        full.setattr(last_load, "remember", Mock(side_effect=OSError(28, "No space left on device")))
        if is_held:
            jobs.load_upload(asked | {"control": {"rows": 7}})
            attempt = partial(jobs.load_confirmed, load_id=Load.objects.get().pk, actor="bruno")
        else:
            attempt = partial(jobs.load_upload, asked)
        with pytest.raises(OSError, match="No space"):
            attempt()
    assert Load.objects.get().status == "DONE"
    attempt()
    assert (Load.objects.get().status, Account.objects.count(), _kept(asked)) == ("DONE", 1, False)
    assert Entry.objects.filter(kind="load.done").count() == 1


@pytest.mark.parametrize("is_killed", [False, True], ids=["the database went away", "the worker was killed"])
def test_a_confirmation_that_was_cut_off_is_tried_again(asked, is_killed, request):
    jobs.load_upload(asked | {"control": {"rows": 7}})
    load = Load.objects.get()
    if is_killed:
        Load.objects.update(status=Load.Status.RUNNING)
    else:
        request.getfixturevalue("cut_off")
        with pytest.raises(OperationalError) as error:
            jobs.load_confirmed(load_id=load.pk, actor="bruno")
        assert _is_tried_again(jobs.load_confirmed, error.value)
        cut = Load.objects.get()
        assert (cut.status, cut.reason) == ("HELD", load.reason), "a person may also decide again"
    jobs.load_confirmed(load_id=load.pk, actor="bruno")
    load.refresh_from_db()
    assert (load.status, load.reason, Account.objects.count()) == ("DONE", "", 1)


def test_a_file_whose_form_came_twice_is_queued_once(asked):
    for _time in range(2):
        jobs.queue_load(
            path=Path(asked["path"]),
            file_name="cartera.csv",
            portfolio_code=asked["portfolio_code"],
            mapping=SHORT,
            as_of=date(2026, 11, 21),
            actor=acting("dario", now=datetime(2026, 11, 21, 15, tzinfo=UTC)),
        )
    assert ProcrastinateJob.objects.count() == 1


def test_a_refusal_is_not_tried_again(asked):
    jobs.load_upload(asked | {"mapping": SHORT | {"balance": "importe"}})
    assert (Load.objects.get().status, _kept(asked)) == ("REFUSED", False)
    assert not _is_tried_again(jobs.load_upload, LoadRefused("empty"))


def test_a_mapping_with_problems_is_seen_among_the_loads(asked):
    jobs.load_upload(asked | {"mapping": SHORT | {"colour": 1}})
    load = Load.objects.get()
    assert (load.status, "colour" in load.reason, _kept(asked)) == ("REFUSED", True, False)


@pytest.fixture
def no_mappings(company):
    """The database breaks where a mapping is to be kept: before the load has a row of its own."""
    with databases.acting_as_owner(), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {Mapping._meta.db_table} ADD CONSTRAINT broken CHECK (version = 0) NOT VALID")


def test_a_database_error_keeps_the_file_and_is_seen_among_the_loads(asked, no_mappings):
    with pytest.raises(Exception, match="broken"):
        jobs.load_upload(asked)
    load = Load.objects.get()
    assert (load.status, "IntegrityError" in load.reason, _kept(asked)) == ("FAILED", True, True)


@pytest.fixture
def upload(cast, company, now, tmp_path, monkeypatch):
    """Keep a file as the console does."""
    monkeypatch.setenv("RECOBRA_DATA_DIR", str(tmp_path))

    def upload():
        file = SimpleUploadedFile("cartera.csv", TEXT.encode())
        return uploads.save_upload(file=file, portfolio_code=company.code, user=cast["dario"], now=now)

    return upload


def _age(path, now):
    old = (now - timedelta(days=2)).timestamp()
    os.utime(path, (old, old))


def test_bytes_left_behind_go_after_a_day_but_not_those_a_worker_still_needs(upload, now, company):
    left, awaited, fresh = upload(), upload(), upload()
    for each in (left, awaited):
        uploads.discard_upload(each, keep_bytes=True)
        _age(each.path, now)
    jobs.queue_load(
        path=awaited.path,
        file_name="cartera.csv",
        portfolio_code=company.code,
        mapping=SHORT,
        as_of=now.date(),
        actor=acting("dario", now=now),
    )
    assert ProcrastinateJob.objects.filter(status="todo").count() == jobs.count_unfinished() == 1
    upload()
    assert [each.path.exists() for each in (left, awaited, fresh)] == [False, True, True]


def test_a_load_waits_as_long_as_the_disk_is_full(asked, settings):
    settings.DISK_RESERVE_MB = 10**9
    with pytest.raises(LoadRefused) as refusal:
        jobs.load_upload(asked)
    assert refusal.value.code == "disk"
    assert not Load.objects.exists()
    assert _is_tried_again(jobs.load_upload, refusal.value)
    settings.DISK_RESERVE_MB = 1
    jobs.load_upload(asked)
    assert Load.objects.get().status == "DONE"


def test_a_load_that_was_killed_says_so(asked, company, now):
    Load.objects.create(portfolio=company, file_name="x", file_sha256="", as_of=now, started_at=now, status="RUNNING")
    jobs.load_upload(asked)
    killed = Load.objects.get(file_name="x")
    assert (killed.status, str(LoadRefused("killed"))) == ("FAILED", killed.reason)

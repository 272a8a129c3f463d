"""A child that reads what others sent may break in any way: its parent says how, and the next one reads on."""

import os
import time
from pathlib import Path

import pytest

from recobra.kit import cage
from recobra.kit.cage import CageEnded, CageLimits, run_in_cage

from . import cage_tasks

ROOT = Path(__file__).parents[2]
LIMITS = CageLimits(seconds=20, memory_bytes=400_000_000, disk_bytes=30_000_000)


@pytest.fixture(scope="module", autouse=True)
def pool():
    """Children that can import the tasks of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("RECOBRA_SECRET_KEY", "no child knows it")
        patch.setenv("RECOBRA_DATABASE_URL", "postgresql://user:password@localhost/db")
        pool = cage._Pool()
        patch.setattr(cage, "_POOL", pool)
        yield pool
        pool.end_all()


def test_a_child_answers_without_knowing_the_database_or_the_keys(tmp_path):
    cage.warm_up(cage_tasks.answer)
    answer = run_in_cage(cage_tasks.answer, limits=LIMITS, folder=tmp_path, value="ñ")
    assert (answer["value"], answer["folder"]) == ("ñ", str(tmp_path))
    assert not [name for name in answer["environment"] if name.startswith(("RECOBRA", "DJANGO"))]


@pytest.mark.parametrize(
    ("task", "reason", "limits"),
    [
        ("abort", "broken", LIMITS),
        ("raise_error", "broken", LIMITS),
        ("open_files", "broken", LIMITS),
        ("ask_for_all_memory", "broken", LIMITS),
        ("write_large_file", "broken", LIMITS),
        ("fill_memory", "memory", LIMITS),
        ("fill_disk", "disk", LIMITS),
        ("sleep", "time", CageLimits(seconds=1, memory_bytes=400_000_000, disk_bytes=30_000_000)),
    ],
)
def test_a_child_is_ended_beyond_its_limits_and_the_next_one_answers(task, reason, limits, tmp_path):
    begin = time.monotonic()
    with pytest.raises(CageEnded) as ended:
        run_in_cage(getattr(cage_tasks, task), limits=limits, folder=tmp_path)
    assert ended.value.reason == reason
    assert time.monotonic() - begin < 15
    assert run_in_cage(cage_tasks.answer, limits=LIMITS, folder=tmp_path, value=1)["value"] == 1


def test_a_child_that_somebody_else_killed_costs_nobody_the_answer(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "given").touch()
    assert run_in_cage(cage_tasks.die_once, limits=LIMITS, folder=folder, witness=str(tmp_path / "w")) == {}
    assert (folder / "given").exists()
    with pytest.raises(CageEnded) as ended:
        run_in_cage(cage_tasks.die, limits=LIMITS, folder=folder)
    assert (ended.value.reason, ended.value.detail) == ("broken", "signal 9")


def test_what_a_library_prints_is_no_answer(tmp_path):
    assert run_in_cage(cage_tasks.print_answer, limits=LIMITS, folder=tmp_path) == {"value": "true"}


def test_a_child_that_waits_ends_with_its_parent(pool, tmp_path):
    run_in_cage(cage_tasks.answer, limits=LIMITS, folder=tmp_path, value=1)
    (child,) = pool._idle
    child.process.stdin.close()
    assert child.process.wait(5) == 0
    assert os.getpid() == pool._owner
    assert run_in_cage(cage_tasks.answer, limits=LIMITS, folder=tmp_path, value=2)["value"] == 2


def test_no_more_children_work_at_once_than_the_machine_bears(pool, tmp_path, monkeypatch):
    monkeypatch.setattr(cage, "LONGEST_WAIT_SECONDS", 0.1)
    with pool.take(), pool.take(), pytest.raises(CageEnded) as ended:
        run_in_cage(cage_tasks.answer, limits=LIMITS, folder=tmp_path, value=1)
    assert ended.value.reason == "busy"

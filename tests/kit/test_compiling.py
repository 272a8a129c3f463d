"""What was compiled once is read by the next process, and never taken for something else."""

from __future__ import annotations

import os

import ibis
import pytest

from recobra.kit import file_cache, sql_cache

ACCOUNTS = ibis.table({"id": "int64", "dpd": "int64"}, name="accounts")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of this test's own."""
    monkeypatch.setenv("RECOBRA_CACHE_DIR", str(tmp_path))
    return tmp_path / "sql"


def late(days):
    return ACCOUNTS.filter(ACCOUNTS.dpd > days)


def test_the_same_expression_is_compiled_once(cache):
    first = sql_cache.to_sql(late(30))
    (kept,) = cache.iterdir()
    kept.write_bytes(kept.read_bytes().replace(first.encode(), f"{first} -- kept".encode()))
    assert sql_cache.to_sql(late(30)) == f"{first} -- kept"


@pytest.mark.parametrize("left", [0, 20])
def test_what_a_power_cut_left_half_is_compiled_anew(cache, caplog, left):
    first = sql_cache.to_sql(late(30))
    (kept,) = cache.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[:left])
    assert sql_cache.to_sql(late(30)) == first
    assert kept.read_bytes() == whole
    assert "not whole" in caplog.text


@pytest.mark.parametrize("other", [late(31), late(30.0), late(ibis.literal(30, "int64")), late(30).select("id")])
def test_another_number_kind_or_column_is_another_expression(cache, other):
    sql_cache.to_sql(late(30))
    fresh = str(ibis.to_sql(other, dialect="duckdb", pretty=False))
    assert sql_cache.to_sql(other) == fresh
    assert len(list(cache.iterdir())) == 2


def test_the_next_process_finds_what_was_compiled_whatever_the_order_of_its_sets():
    # In one process too, sets of the same numbers may have another order.
    first, second = frozenset([0, 8]), frozenset([8, 0])
    assert (first, list(first)) == (second, list(second)[::-1])
    assert sql_cache._to_bytes({"dropped": first}) == sql_cache._to_bytes({"dropped": second})
    assert sql_cache._to_bytes(first) != sql_cache._to_bytes(frozenset([0, 16]))
    assert isinstance(ACCOUNTS.drop("id").op().columns_to_drop, frozenset)


def test_what_was_not_asked_for_lately_is_forgotten(cache, monkeypatch):
    monkeypatch.setattr(file_cache, "MAX_CACHED_FILES", 3)
    for days in range(5):
        sql_cache.to_sql(late(days))
        for age, file in enumerate(sorted(cache.iterdir(), key=lambda file: -file.stat().st_mtime_ns)):
            os.utime(file, (1_000_000 - age, 1_000_000 - age))
    assert len(list(cache.iterdir())) == 3


def test_without_a_folder_to_write_to_it_is_compiled_and_said(tmp_path, monkeypatch, caplog):
    (tmp_path / "no").write_text("a file")
    monkeypatch.setenv("RECOBRA_CACHE_DIR", str(tmp_path / "no"))
    assert "accounts" in sql_cache.to_sql(late(30))
    assert "cannot be" in caplog.text

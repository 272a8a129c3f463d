"""A file is the old one or the new one, and nothing else is left."""

from __future__ import annotations

import stat

import pytest

from recobra.kit import durable_files


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_a_file_takes_the_place_of_another_and_is_private(tmp_path):
    file = tmp_path / "a"
    file.write_text("old")
    durable_files.write_file(file, b"new")
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert names(tmp_path) == ["a"]


def test_what_fails_half_way_leaves_the_old_one(tmp_path):
    file = tmp_path / "a"
    file.write_text("old")
    with pytest.raises(ZeroDivisionError), durable_files.open_draft(file) as draft:
        draft.write(b"%d" % (1 // 0))
    assert (file.read_text(), names(tmp_path)) == ("old", ["a"])


def test_a_new_file_replaces_none(tmp_path):
    durable_files.write_file(tmp_path / "a", b"first", is_new=True)
    with pytest.raises(FileExistsError):
        durable_files.write_file(tmp_path / "a", b"second", is_new=True)
    assert ((tmp_path / "a").read_bytes(), names(tmp_path)) == (b"first", ["a"])


def test_lines_are_added(tmp_path):
    for line in ("one", "two"):
        durable_files.append_line(tmp_path / "a", line)
    assert (tmp_path / "a").read_text() == "one\ntwo\n"

"""tools/tests_kept.py: no proof is lost unseen."""

from __future__ import annotations

import pytest
from tools import tests_kept

from .conftest import ROOT


def account(before, after, moves):
    return tests_kept.account_for(before, after, tests_kept.read_moves(moves))


def test_a_test_is_kept_moved_or_unmapped():
    made = account(
        ["tests/a.py::one", "tests/a.py::two[home]", "tests/a.py::three", "tests/a.py::four"],
        ["tests/a.py::one", "tests/b.py::all[home]"],
        "# a remark\ntests/a.py::two[*] -> tests/b.py::all[*]\ntests/a.py::three -> gone: nobody called it\n",
    )
    assert (made.kept, made.moved, len(made.gone), made.unmapped) == (1, 1, 1, ["tests/a.py::four"])


def test_a_proof_that_is_not_there_maps_nothing():
    made = account(["tests/a.py::two[x]"], ["tests/b.py::all[y]"], "tests/a.py::two[*] -> tests/b.py::all[*]")
    assert made.unmapped == ["tests/a.py::two[x]"]


def test_a_move_of_nothing_is_named():
    assert account(["tests/a.py::one"], ["tests/a.py::one"], "tests/a.py::two -> tests/a.py::one").unused == [
        "tests/a.py::two -> tests/a.py::one"
    ]


def test_a_line_that_is_no_move_is_refused():
    with pytest.raises(ValueError, match=r"«tests/a\.py::one»"):
        tests_kept.read_moves("tests/a.py::one")


def test_every_move_leads_to_a_test_that_exists():
    for move in tests_kept.read_moves(tests_kept.MOVES.read_text(encoding="utf-8")):
        if not move.target.startswith("gone:"):
            path, _, name = move.target.partition("::")
            text = (ROOT / path).read_text(encoding="utf-8")
            assert name == "*" or f"def {name.rpartition('::')[2].partition('[')[0]}(" in text, move.target

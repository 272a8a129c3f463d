"""No cell of ours is run as a formula."""

import pytest

from recobra.kit.spreadsheet_text import escape_formula


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+51 999", "-1", "@SUM(A1)", "\t=1", "\r=1", "-2+3", "+A1", "\n=1", "\nx", "＝1+1", " =1", "\u200b=1"],
)
def test_whatever_begins_like_a_formula_is_text(cell):
    assert escape_formula(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "Rosa", "1 = 1", "999-999"])
def test_the_rest_stays(cell):
    assert escape_formula(cell) == cell


@pytest.mark.parametrize(
    ("cell", "stays"), [("+51 (1) 999-999", True), ("-1.234,50", True), ("-2+3", False), ("\t1", False)]
)
def test_figures_with_a_sign_may_stay_in_a_file_that_is_read_again(cell, stays):
    assert (escape_formula(cell, keep_figures=True) == cell) is stays
